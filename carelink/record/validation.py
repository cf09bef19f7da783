"""Is this a FHIR R4 resource that is safe to store? Repaired by rules that leave a trace, then checked; never rebuilt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from carelink.record import narrative, ukcore
from carelink.record.attachments import File, addressed
from carelink.record.differences import not_in_r4
from carelink.record.invariants import Breach
from carelink.record.marks import Marks
from carelink.record.repairing import DROP, Loc, put
from carelink.record.repairs import repair, told
from carelink.record.ukcore_finding import Finding
from carelink.record.validation_elements import Fault, fhir_path
from carelink.record.validation_elements import faults as element_faults
from carelink.record.validation_shapes import model_of
from fhir_adapters.source import Reason, Repair

MOST = 200  # faults that are told of one resource at once
ROUNDS = 8  # a repair may uncover what it hid; past this something is going round in circles
Body = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """The body as it may be stored, what was repaired on the way, and what is still wrong (then it may not be stored).

    `valid`: that nothing of R4 is broken any more, also nothing that is kept broken. `findings` are what is stored as it
    came although UK Core, or the NHS, asks for something else; `files` those that it names.
    """

    body: Body
    repairs: tuple[Repair, ...] = ()
    problems: tuple[Reason, ...] = ()
    valid: bool = True
    findings: tuple[Finding, ...] = ()
    files: tuple[File, ...] = ()
    marks: Marks | None = field(default=None, compare=False, repr=False)


def check(type_: str, body: Body) -> Checked:
    """Validate a resource of that type; the body is changed only in a copy, and only by a rule of the tables."""
    model = None if not_in_r4(type_) else model_of(type_)
    if model is None:
        return Checked(body, (), (Reason(type_, "is not a resource type of FHIR R4"),))
    if strange := _strange(type_, body):
        return Checked(body, (), strange)
    try:
        body, cleaned = narrative.cleaned(type_, body)
        return _checked(model, type_, body, cleaned)
    except RecursionError:
        return Checked(body, (), (Reason(type_, "is nested too deeply"),))


def _strange(type_: str, body: Body) -> tuple[Reason, ...]:
    """What is contained and of no type that the models know: they do not say so, they fail."""
    contained = body.get("contained")
    kinds = {
        number: one["resourceType"]
        for number, one in enumerate(contained if isinstance(contained, list) else ())
        if isinstance(one, dict) and "resourceType" in one
    }
    return tuple(
        Reason(f"{type_}.contained[{number}].resourceType", "is not a resource type of FHIR R4")
        for number, kind in kinds.items()
        if not (isinstance(kind, str) and model_of(kind))
    )


def admitted(type_: str, body: Body) -> Checked:
    """The same for what is to be stored under its `id`: it names those profiles of UK Core that it meets, and no others of
    UK Core; and its files by addresses of ours."""
    checked = check(type_, body)
    if checked.problems:
        return checked
    made = ukcore.profiled(type_, checked.body, checked.marks, valid=checked.valid)
    stored, files = addressed(made.body, checked.marks)
    repairs = (*checked.repairs, *made.repairs)
    return Checked(stored, repairs, (), checked.valid, made.findings, files)


def _checked(model: Any, type_: str, body: Body, repairs: tuple[Repair, ...]) -> Checked:
    for _ in range(ROUNDS):
        marks = Marks()
        found = _faults(model, type_, body, marks)
        if not found:
            return Checked(body, repairs, marks=marks)
        mended, made = repair(type_, body, found)
        if not made:
            return _judged(type_, body, repairs, found, marks)
        body, repairs = mended, (*repairs, *made)
    return Checked(body, repairs, (Reason(type_, "is still not valid after every repair"),))


def _judged(type_: str, body: Body, repairs: tuple[Repair, ...], found: Iterable[Fault], marks: Marks) -> Checked:
    """No rule mends what is left: it is kept and told where the invariant says so, else a problem."""
    kept: list[Repair] = []
    problems: list[Reason] = []
    for fault in found:
        own = fault.invariant
        if own is not None and own.breach is Breach.KEEP:
            kept.append(told(type_, fault, own.id, f"{own.says}: {own.breach.value}. {own.because}"))
        else:
            problems.append(Reason(fhir_path(type_, fault.loc), fault.message))
    return Checked(body, (*repairs, *kept), tuple(problems), valid=False, marks=marks)


def _faults(model: Any, type_: str, body: Body, marks: Marks | None = None) -> list[Fault]:
    """What the models say; where they are content, what a second look at every element finds."""
    wrong = _asked(model, body)
    if wrong is not None:
        faults = list(_said(wrong, body))
        if faults:
            return faults
        stand_in = _with_stand_ins(body, wrong)
        wrong = _asked(model, stand_in)
        return list(_said(wrong, stand_in)) if wrong is not None else element_faults(type_, body, marks)
    return element_faults(type_, body, marks)


def every_fault(type_: str, body: Body) -> list[Fault]:
    """All that is wrong in a resource as it was sent, the structure first, nothing repaired. Pure.

    What is wrong is taken out of a copy, so that the rest is looked at too. Raises `RecursionError` for what is too deep.
    """
    model = None if not_in_r4(type_) else model_of(type_)
    if model is None:
        return [Fault(("resourceType",), "unknown", "is not a resource type of FHIR R4", type_)]
    found: dict[Loc, Fault] = {}
    out: set[Loc] = set()
    for _ in range(ROUNDS):
        new = [one for one in _faults(model, type_, body) if one.loc not in found and one.loc not in out][:MOST]
        if not new or len(found) > MOST:
            break
        found |= {one.loc: one for one in reversed(new)}
        for one in new:
            out.add(named := _named(one.loc))
            body = (put(body, named, DROP) or body) if named and one.invariant is None else body
    found = {one.loc: one for one in element_faults(type_, body) if one.loc not in out} | found
    return sorted(found.values(), key=lambda one: [str(part) for part in one.loc])


def _named(loc: Loc) -> Loc:
    """The nearest element that has a name: taking out one of a list would move the others."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    return loc


def _asked(model: Any, body: Body) -> ValidationError | None:
    try:
        model.model_validate(body)
    except ValidationError as wrong:
        return wrong
    return None


def _said(wrong: ValidationError, body: Body) -> Iterator[Fault]:
    for error in wrong.errors(include_url=False):
        if not _told_absent(body, error) and not _beside_a_value(error):
            yield Fault(tuple(error["loc"]), error["type"], _words(error["type"], error["msg"]), error["input"])


# The models want one of a choice (`occurrence[x]`) to have a value, though FHIR lets an extension say why it has none.

_CHOICE = re.compile(r"Expect any of field value from this list \[(.*)\]")


def _told_absent(body: Body, error: Any) -> str:
    """The element of the choice that is there by its extensions alone; empty where there is none."""
    choice = _CHOICE.search(error["msg"])
    element: Any = body
    for part in error["loc"]:
        element = element[part] if choice else None
    names = re.findall(r"'(\w+)'", choice[1]) if choice and isinstance(element, dict) else []
    return next((name for name in names if f"_{name}" in element), "")


def _beside_a_value(error: Any) -> bool:
    """Whether it is about `_valueDateTime` and its like in an extension: FHIR's (R4 2.6.2), and not known to the models."""
    where, name = error["loc"][-3:-2], error["loc"][-1:]
    return error["type"] == "extra_forbidden" and where == ("extension",) and str(*name).startswith("_value")


def _with_stand_ins(body: Body, wrong: ValidationError) -> Body:
    """A copy for the models alone, in which they find nothing wrong with such elements, so that they look at the rest."""
    for error in wrong.errors(include_url=False):
        if _beside_a_value(error):
            body = put(body, tuple(error["loc"]), DROP)
        elif name := _told_absent(body, error):
            body = put(body, tuple(error["loc"]), {**_at(body, error["loc"]), name: "1900"})
    return body


def _at(body: Any, loc: Iterable[int | str]) -> Any:
    for part in loc:
        body = body[part]
    return body


_WORDS = {
    "missing": "is required",
    "model_field_validation.missing": "is required",
    "extra_forbidden": "is not an element of this type",
    "list_type": "must be a list",
    "string_type": "must be text",
    "string_pattern_mismatch": "is not written as FHIR wants it",
    "json_invalid": "must be an object",
}


def _words(kind: str, message: str) -> str:
    return _WORDS.get(kind) or message.removeprefix("Value error, ")[:200]
