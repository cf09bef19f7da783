"""The form of a resource for the person's own page: the same without who told it, and without how to reach others.

UK GDPR Art 15(4) and DPA 2018 Sch 2 para 16: a person's access to their own data must not tell the data of somebody
else. What is about another person altogether carries the label THIRD-PARTY and is not shown at all; this is for the
rest, in which others are named by the way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

# type -> elements that say who told something; taken out where that is somebody around the person, not a worker
TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("asserter",),
    "CarePlan": ("author", "contributor"),
    "Communication": ("sender",),
    "Condition": ("asserter",),
    "DocumentReference": ("author",),
    "Flag": ("author",),
    "MedicationStatement": ("informationSource",),
    "Observation": ("performer",),
    "Procedure": ("asserter",),
    "QuestionnaireResponse": ("author", "source"),
    "ServiceRequest": ("requester",),
    "Task": ("requester",),
}
# type -> elements that are somebody else's data, whoever told them; a dotted one stands within another
THEIRS: Mapping[str, tuple[str, ...]] = {
    "FamilyMemberHistory": ("name", "bornDate", "bornPeriod", "bornString"),
    "Patient": ("contact.address", "contact.telecom"),
    "RelatedPerson": ("address", "telecom", "birthDate", "identifier", "photo"),
}
_NOTED = "note"  # an Annotation says who wrote it
_OTHER = "RelatedPerson"


def for_the_person(type_: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The resource as the person may see it; None where nothing in it is about others.

    Words that repeat the rest (`text`) go with what is taken out.
    """
    named = TOLD_BY.get(type_, ())
    if type_ not in THEIRS and _NOTED not in body and not any(name in body for name in named):
        return None  # most resources: not even copied
    left = _without(dict(body), THEIRS.get(type_, ()))
    for name in named:
        if name in left:
            _keep(left, name, _untold(left[name]))
    if _NOTED in left:
        left[_NOTED] = [_unsigned(one) for one in left[_NOTED]]
    if left == body:
        return None
    left.pop("text", None)
    return left


def _without(left: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    for name in names:
        first, dot, rest = name.partition(".")
        if not dot:
            left.pop(name, None)
            left.pop(f"_{name}", None)
        elif first in left:
            left[first] = [_without(dict(one), (rest,)) for one in left[first]]
    return left


def _untold(value: Any) -> Any:
    """A reference, or a list of them, without those to somebody around the person."""
    if isinstance(value, list):
        return [one for one in value if not _is_other(one)]
    return None if _is_other(value) else value


def _is_other(reference: Any) -> bool:
    if not isinstance(reference, Mapping):
        return False
    return reference.get("type") == _OTHER or str(reference.get("reference", "")).startswith(f"{_OTHER}/")


def _unsigned(note: Any) -> Any:
    """A note without who wrote it, where that is not a worker: a name in words may be anybody's."""
    if not isinstance(note, Mapping):
        return note
    other = "authorString" in note or _is_other(note.get("authorReference"))
    return {key: value for key, value in note.items() if not key.lstrip("_").startswith("author")} if other else note


def _keep(body: dict[str, Any], name: str, value: Any) -> None:
    """FHIR has no empty objects and lists."""
    if value:
        body[name] = value
    else:
        del body[name]
