"""Is this a FHIR R4 resource that is safe to store? Repaired by rules that leave a trace, then checked; never rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from carelink.record.bindings import unbound
from carelink.record.differences import differing
from carelink.record.invariants import violations
from carelink.record.repairs import repair
from fhir_adapters.source import Reason, Repair

ROUNDS = 6  # a repair may uncover what it hid; past this something is going round in circles
Body = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """The body as it may be stored, what was repaired on the way, and what is still wrong (then it may not be stored)."""

    body: Body
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Reason, ...] = ()


def check(type_: str, body: Body) -> Checked:
    """Validate a resource of that type; the body is changed only in a copy, and only by a rule of the table."""
    try:
        model = get_fhir_model_class(type_)
    except (KeyError, LookupError):
        return Checked(body, (), (Reason(type_, "is not a resource type of FHIR R4"),))
    body, repairs, problems = _sound(model, type_, body)
    if problems:
        return Checked(body, repairs, problems)
    body, noted, problems = violations(type_, body)
    found = (*unbound(type_, body), *differing(type_, body), *problems)
    return Checked(body, (*repairs, *noted), found)


def _sound(model: Any, type_: str, body: Body) -> tuple[Body, tuple[Repair, ...], tuple[Reason, ...]]:
    repairs: tuple[Repair, ...] = ()
    for _ in range(ROUNDS):
        try:
            model.model_validate(body)
        except ValidationError as wrong:
            errors = wrong.errors(include_url=False)
            mended, made = repair(type_, body, errors)
            if not made:
                return body, repairs, tuple(_reason(type_, error) for error in errors)
            body, repairs = mended, (*repairs, *made)
        else:
            return body, repairs, ()
    return body, repairs, (Reason(type_, "still not valid after every repair"),)


def _reason(type_: str, error: Any) -> Reason:
    return Reason(fhir_path(type_, error["loc"]), _words(error["type"], error["msg"]))


def fhir_path(type_: str, loc: tuple[int | str, ...]) -> str:
    """pydantic's location as a FHIRPath: `Patient.name[0].family`."""
    return type_ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


_WORDS = {
    "missing": "is required",
    "model_field_validation.missing": "is required",
    "extra_forbidden": "is not an element of this type",
    "list_type": "must be a list",
    "string_type": "must be a string",
}


def _words(kind: str, message: str) -> str:
    return _WORDS.get(kind) or message.removeprefix("Value error, ")[:200]
