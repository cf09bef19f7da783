"""References of resources that travel together: each names something in the same Bundle, or says in words what it was. Pure.

FHIR R4 documents: whoever gets the document need not be able to ask this server for what it names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from carelink.record.timeline_values import Body

ELSEWHERE = "Not in this summary"
_OURS = re.compile(r"([A-Z][A-Za-z]+)/([0-9a-f-]{36})(?:/_history/\d+)?")
_WHOM = frozenset({"subject", "patient", "for", "beneficiary"})  # whose a resource is


def named(value: Any) -> Iterator[str]:
    """`Type/id` of every resource of ours that it refers to."""
    if isinstance(value, Mapping):
        if (literal := value.get("reference")) and isinstance(literal, str) and (found := _OURS.fullmatch(literal)):
            yield f"{found[1]}/{found[2]}"
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        yield from named(inner)


def settled(body: Body, subject: str, them: Collection[str], there: Collection[str]) -> dict[str, Any]:
    """The resource with its references made to hold in a Bundle that has `there` (`Type/id`).

    `subject` is the one Patient of the Bundle; `them` are other Patients that are the same person. Whose the resource
    is, is that Patient, however its source called them.
    """
    made = {}
    for name, value in body.items():
        if name in _WHOM and isinstance(value, Mapping) and "reference" in value:
            made[name] = {**value, "reference": subject}
        else:
            made[name] = _settled(value, subject, them, there)
    return made


def _settled(value: Any, subject: str, them: Collection[str], there: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_settled(one, subject, them, there) for one in value]
    if not isinstance(value, Mapping):
        return value
    made = {name: _settled(one, subject, them, there) for name, one in value.items()}
    literal = made.get("reference")
    if not isinstance(literal, str) or literal.startswith("#"):
        return made
    found = _OURS.fullmatch(literal)
    target = f"{found[1]}/{found[2]}" if found else ""
    if target in there:
        return {**made, "reference": target}
    if target in them:
        return {**made, "reference": subject}
    del made["reference"]
    return made if made.keys() & {"display", "identifier"} else {**made, "display": ELSEWHERE}
