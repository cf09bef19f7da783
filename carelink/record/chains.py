"""Criteria through references: chained, and `_has` (FHIR R4 3.1.1.4.13 and 14).

What stands at the other end counts only where the requester may see it: else it is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, and_, literal_column, not_, or_, select

from carelink.consent.lens import MADE_HERE
from carelink.db.tables import index_reference, resource
from carelink.errors import Invalid
from carelink.record.criteria import condition
from carelink.record.lookups import WHOSE, may_name, numbered, parameter_of, tellable
from carelink.record.parameters import Kind, Parameter, of_type
from carelink.record.parts import Over, Part, any_of
from carelink.record.query import Criterion

DEEPEST = 4  # chains and `_has` within each other


def criterion(types: tuple[str, ...], asked: Criterion, at: datetime, depth: int = 0) -> Part:
    """The rows of these types that meet it. Raises `Invalid`, with the name of the parameter, for what can't be asked."""
    if asked.chained is None:
        return condition(types, asked, at)
    if depth == DEEPEST:
        raise Invalid(asked.parameter, f"is chained more than {DEEPEST} times")
    if asked.referring:
        inner = criterion((asked.referring,), asked.chained, at, depth + 1)
        return _referred_by(types, asked, inner)
    if asked.parameter in WHOSE:
        return _of_a_patient(asked, criterion(("Patient",), asked.chained, at, depth + 1))
    parameter = _reference(types, asked)
    ends = list(_ends(_targets(types, parameter, asked), asked.chained, at, depth + 1))
    return any_of(_refers_to(parameter, target, inner) for target, inner in ends)


def _ends(targets: Sequence[str], asked: Criterion, at: datetime, depth: int) -> Iterator[tuple[str, Part]]:
    """The types at the other end that have such a parameter; where none has, the error that the first gives."""
    wrong: Invalid | None = None
    found = False
    for target in targets:
        try:
            yield target, criterion((target,), asked, at, depth)
            found = True
        except Invalid as said:
            wrong = wrong or said
    if wrong is not None and not found:
        raise wrong


def _reference(types: tuple[str, ...], asked: Criterion) -> Parameter:
    parameter = parameter_of(types, asked.parameter)
    if parameter.kind is not Kind.REFERENCE:
        raise Invalid(asked.parameter, "is no reference, so nothing can be asked of what it names")
    return parameter


def _targets(types: tuple[str, ...], parameter: Parameter, asked: Criterion) -> list[str]:
    """The types at the other end: the one that is said, or those that R4 lists."""
    if asked.modifier:
        if not may_name(parameter, asked.modifier):
            raise Invalid(f"{asked.parameter}:{asked.modifier[:50]}", "names no type that it refers to")
        return [asked.modifier]
    named = sorted({one for type_ in types for one in parameter.targets.get(type_, ()) if of_type(one)})
    if not named:
        raise Invalid(asked.parameter, f"refers to any type: say which, as {asked.parameter}:Encounter.NAME")
    return named


def _seen(over: Over, t: FromClause, type_: str) -> list[ColumnElement[bool]]:
    """The rows of that type at the other end that may be seen."""
    named: ColumnElement[bool] = literal_column(f"'{type_}'")  # a type of ours, in the text for the planner
    return [t.c.type == named, not_(t.c.deleted), over.lens.where(t)]


def _refers_to(parameter: Parameter, target: str, inner: Part) -> Part:
    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        i, r = index_reference.alias(), resource.alias()
        asked = select(i.c.key).select_from(i.join(r, r.c.key == i.c.target))
        asked = asked.where(numbered(i.c, parameter), tellable(over, i.c, parameter))
        asked = asked.where(*_seen(over, r, target), inner.sql(Over(r, over.lens), *binds))
        if over.person is not None:
            asked = asked.where(i.c.person == over.person)
        return over.t.c.key.in_(asked)

    return Part(("refers", parameter.number, target, inner.shape), inner.values, sql)


def _of_a_patient(asked: Criterion, inner: Part) -> Part:
    """By the person's golden Patient, or by the Patient of the source that said it."""
    if asked.modifier not in ("", "Patient"):
        raise Invalid(f"{asked.parameter}:{asked.modifier[:50]}", "names no type that it refers to")

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        def those(column: str) -> Any:
            p = resource.alias()
            met = inner.sql(Over(p, over.lens, over.person), *binds)
            return select(p.c[column]).where(*_seen(over, p, "Patient"), met, _golden(p) if column == "person" else met)

        return or_(over.t.c.person.in_(those("person")), over.t.c.patient.in_(those("key")))

    return Part(("of a patient", inner.shape), inner.values, sql)


def _golden(t: FromClause) -> ColumnElement[bool]:
    return t.c.source == literal_column(f"'{MADE_HERE}'")


def _referred_by(types: tuple[str, ...], asked: Criterion, inner: Part) -> Part:
    if asked.parameter in WHOSE:
        if types != ("Patient",):
            raise Invalid(f"_has:{asked.referring}:{asked.parameter}", "refers to Patients")
        return _patient_of(asked.referring, inner)
    parameter = _reference((asked.referring,), asked)
    if not all(may_name(parameter, type_) for type_ in types):
        raise Invalid(f"_has:{asked.referring}:{asked.parameter}", f"does not refer to {', '.join(types)}")

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        i, o = index_reference.alias(), resource.alias()
        found = select(i.c.target).select_from(i.join(o, o.c.key == i.c.key))
        found = found.where(numbered(i.c, parameter), tellable(over, i.c, parameter), i.c.target.is_not(None))
        found = found.where(*_seen(over, o, asked.referring), inner.sql(Over(o, over.lens), *binds))
        return over.t.c.key.in_(found)

    return Part(("referred", asked.referring, parameter.number, inner.shape), inner.values, sql)


def _patient_of(referring: str, inner: Part) -> Part:
    """The golden Patient of whom there is such a resource; the Patient of a source that said it."""

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        def those(column: str) -> Any:
            o = resource.alias()
            met = inner.sql(Over(o, over.lens, over.person), *binds)
            return select(o.c[column]).where(*_seen(over, o, referring), o.c[column].is_not(None), met)

        golden = and_(_golden(over.t), over.t.c.person.in_(those("person")))
        return or_(golden, over.t.c.key.in_(those("patient")))

    return Part(("patient of", referring, inner.shape), inner.values, sql)


def refers(type_: str, name: str, keys: Sequence[UUID]) -> Part:
    """The rows of that type that refer to any of these by that parameter; a golden Patient means the whole person."""
    if name in WHOSE:
        return Part(
            "of any",
            (list(keys),),
            lambda over, them: or_(over.t.c.person == them.any_(), over.t.c.patient == them.any_()),
        )
    parameter = _reference((type_,), Criterion(name))

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        i = index_reference.alias()
        asked = select(i.c.key).where(numbered(i.c, parameter), tellable(over, i.c, parameter))
        return over.t.c.key.in_(asked.where(i.c.target == binds[0].any_()))

    return Part(("refers to any", parameter.number), (list(keys),), sql)
