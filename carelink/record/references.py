"""References inside a body: the source's `Type/id` becomes our `Type/key`, in the same source and namespace."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from carelink.ids import resource_key

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([^/|#?\s]+)(/_history/[^/]+)?")
SUBJECTS = ("subject", "patient", "for", "beneficiary")


def rewritten(body: Any, source: str, namespace: str) -> Any:
    """The body with its references rewritten, in a copy where anything changed; others stay as they are.

    Contained (`#a`), absolute and logical references (only an identifier) mean the same here and there.
    """
    changed: Any = None
    for key, value in body.items() if type(body) is dict else enumerate(body):
        kind = type(value)
        if kind is dict or kind is list:
            new = rewritten(value, source, namespace)
        elif key == "reference" and kind is str:
            new = _ours(value, source, namespace)
        else:
            continue
        if new is not value:
            changed = changed if changed is not None else body.copy()
            changed[key] = new
    return body if changed is None else changed


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
