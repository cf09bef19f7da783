"""References inside a body: the source's `Type/id` becomes our `Type/key`, in the same source and namespace.

What a reference to something of a person's record is called beside it (`display`) is left out: it would tell in words
what the lens keeps back ("HIV infection", as the reason of a medicine). Whoever may see the target reads its name there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from carelink.ids import resource_key
from carelink.record.ingest_subjects import DIRECTORY

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([^/|#?\s]+)(/_history/[^/]+)?")
_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[^/|#?\s]+(?:/_history/[^/]+)?$")
SUBJECTS = ("subject", "patient", "for", "beneficiary")
# Whose name beside a reference tells nothing that is kept from anybody. A medicine that has no name is a danger. What the
# person is called is read at the person: a name that they had before is restricted by law (Gender Recognition Act s22).
NAMED = DIRECTORY


def rewritten(body: Any, source: str, namespace: str) -> Any:
    """The body with its references rewritten, in a copy where anything changed; others stay as they are.

    Contained (`#a`), absolute and logical references (only an identifier) mean the same here and there.
    """
    return _walked(body, lambda reference: _ours(reference, source, namespace))


def resolved(body: Any, ours: Callable[[str], str]) -> Any:
    """The body with each reference as `ours` gives it, in a copy where anything changed; without names, as `unnamed`."""
    return _walked(body, ours)


def unnamed(body: Any) -> Any:
    """The body without the names of what it refers to in a person's record, in a copy where there were any."""
    return _walked(body, str)


def _walked(body: Any, ours: Callable[[str], str]) -> Any:
    changed: Any = None
    for key, value in body.items() if type(body) is dict else enumerate(body):
        kind = type(value)
        if kind is dict or kind is list:
            new = _walked(value, ours)
        elif key == "reference" and kind is str:
            new = ours(value)
            if "display" in body and _tells(value):
                changed = {name: one for name, one in (changed or body).items() if name not in ("display", "_display")}
        else:
            continue
        if new is not value:
            changed = changed if changed is not None else body.copy()
            changed[key] = new
    return body if changed is None else changed


@lru_cache(maxsize=4096)
def _tells(reference: str) -> bool:
    """Whether it is to something of a person's record, here or elsewhere."""
    match = _TYPED.search(reference)
    return match is not None and match[1] not in NAMED


@lru_cache(maxsize=4096)  # a batch refers to the same few things over and over
def _ours(reference: str, source: str, namespace: str) -> str:
    match = _RELATIVE.fullmatch(reference)
    if match is None:
        return reference
    return f"{match[1]}/{resource_key(source, namespace, match[1], match[2])}"


def patient_of(type_: str, body: dict[str, Any]) -> str | None:
    """The id of the Patient that a (rewritten) body is about, or None where it names none."""
    if type_ == "Patient":
        return str(body["id"])
    for element in SUBJECTS:
        if found := _patient(body.get(element)):
            return found
    if type_ == "Appointment":
        return next((one for p in body.get("participant", ()) if (one := _patient(p.get("actor")))), None)
    return None


def _patient(reference: Any) -> str | None:
    text = reference.get("reference") if type(reference) is dict else None
    return text[8:] if isinstance(text, str) and text.startswith("Patient/") else None
