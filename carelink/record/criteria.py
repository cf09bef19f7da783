"""One search criterion as a condition on `resource`, by the kind of its parameter (FHIR R4 3.1.1.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, or_, select

from carelink.consent.lens import Lens
from carelink.db.tables import index_date, index_number, index_reference, index_string, index_token, resource
from carelink.errors import Invalid
from carelink.ids import NHS_NUMBER
from carelink.record.indexing import LONGEST, folded, sortable
from carelink.record.parameters import ALIASES, Kind, Parameter, of_type
from carelink.record.partial_dates import span
from carelink.record.query import Criterion, Query

_TABLE = {
    Kind.TOKEN: index_token,
    Kind.STRING: index_string,
    Kind.DATE: index_date,
    Kind.REFERENCE: index_reference,
    Kind.NUMBER: index_number,
}
_LAST = "\U0010ffff"
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(.+)", re.DOTALL)


def condition(lens: Lens, query: Query, criterion: Criterion) -> ColumnElement[bool]:
    """The rows of `resource` for which one of the criterion's values holds. Raises `Invalid` where it can't be asked."""
    if not criterion.values or not all(criterion.values):
        raise Invalid(criterion.parameter, "has no value")
    if criterion.parameter in _OF_ALL:
        if criterion.modifier:
            raise Invalid(f"{criterion.parameter}:{criterion.modifier}", "has no such modifier here")
        return or_(*[_OF_ALL[criterion.parameter](criterion, value) for value in criterion.values])
    criterion = _spelt_out(criterion)
    parameter = _known(query, criterion)
    table = _TABLE[parameter.kind]
    matches = [_MATCH[parameter.kind](parameter, criterion, value) for value in criterion.values]
    # In the statement's text: so PostgreSQL knows which index holds it, and keeps its plan.
    number = literal_column(str(parameter.number), table.c.parameter.type)
    asked = select(table.c.key).where(table.c.parameter == number, or_(*matches))
    if query.person is not None:
        asked = asked.where(table.c.person == query.person)
    holds = resource.c.key.in_(asked)
    if parameter.locating or (parameter.code == "identifier" and not _by_nhs_number(criterion)):
        return and_(holds, lens.locating_allowed(resource.c.person))
    return holds


def _by_nhs_number(criterion: Criterion) -> bool:
    """Every other identifier is of some organisation's: a hit by it tells that it holds a record of the person."""
    return all(value.startswith(f"{NHS_NUMBER}|") for value in criterion.values)


def _spelt_out(criterion: Criterion) -> Criterion:
    if criterion.parameter not in ALIASES:
        return criterion
    meant, system = ALIASES[criterion.parameter]
    return Criterion(meant, tuple(f"{system}|{value}" for value in criterion.values), criterion.modifier)


def _known(query: Query, criterion: Criterion) -> Parameter:
    if not query.types:
        raise Invalid(criterion.parameter, "say which type is searched")
    found = [of_type(type_).get(criterion.parameter) for type_ in query.types]
    if found[0] is None or any(one is not found[0] for one in found):
        raise Invalid(
            criterion.parameter,
            f"is not indexed for {', '.join(query.types)}; known are {', '.join(known(query.types))}",
        )
    if criterion.modifier not in _MODIFIERS[found[0].kind]:
        raise Invalid(
            f"{criterion.parameter}:{criterion.modifier}", f"has no such modifier for a {found[0].kind.value}"
        )
    return found[0]


def known(types: Iterable[str]) -> list[str]:
    """The parameters that all of these types can be searched by."""
    common = set.intersection(*[set(of_type(type_)) for type_ in types])
    return sorted(common | set(_OF_ALL) | {alias for alias, (meant, _) in ALIASES.items() if meant in common})


_MODIFIERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TOKEN: ("",),
    Kind.STRING: ("", "exact"),
    Kind.DATE: ("",),
    Kind.REFERENCE: ("",),
    Kind.NUMBER: ("",),
}


def _token(parameter: Parameter, criterion: Criterion, value: str) -> ColumnElement[bool]:
    system, bar, code = value.rpartition("|")
    t = index_token.c
    if not bar:
        return t.code == code[:LONGEST]
    if not code and not system:
        raise Invalid(criterion.parameter, "names neither a system nor a code")
    if not code:
        return t.system == system
    return and_(t.code == code[:LONGEST], t.system == system if system else t.system.is_(None))


def _string(parameter: Parameter, criterion: Criterion, value: str) -> ColumnElement[bool]:
    text = folded(parameter.number, value)
    if not text:
        raise Invalid(criterion.parameter, "has no letter or digit to look for")
    kept = index_string.c.value
    if criterion.modifier == "exact":
        return kept == text
    return and_(kept >= text, kept < text + _LAST)  # all that begins so: a range that any plan can use


def _date(parameter: Parameter, criterion: Criterion, value: str) -> ColumnElement[bool]:
    return _spanned(criterion, value, index_date.c.low, index_date.c.high)


def _spanned(
    criterion: Criterion, value: str, low: ColumnElement[Any], high: ColumnElement[Any]
) -> ColumnElement[bool]:
    """FHIR R4 3.1.1.4.7: the search value is a span of time too; `eq` asks that it holds the whole of the other."""
    prefix, text = _PREFIXED.fullmatch(value).groups()  # type: ignore[union-attr]  # matches anything but nothing
    try:
        first, last = span(text)
    except (ValueError, OverflowError) as wrong:
        raise Invalid(criterion.parameter, "is not a date such as 2026-11-24") from wrong
    eq = and_(low >= first, high <= last)
    holds: Mapping[str, ColumnElement[bool]] = {
        "eq": eq,
        "ne": ~eq,
        "gt": high > last,
        "lt": low < first,
        "ge": or_(high > last, eq),
        "le": or_(low < first, eq),
        "sa": low >= last,
        "eb": high <= first,
    }
    return holds[prefix or "eq"]


def _reference(parameter: Parameter, criterion: Criterion, value: str) -> ColumnElement[bool]:
    return index_reference.c.target == _uuid(criterion, value.rpartition("/")[2])


def _number(parameter: Parameter, criterion: Criterion, value: str) -> ColumnElement[bool]:
    prefix, text = _PREFIXED.fullmatch(value.partition("|")[0]).groups()  # type: ignore[union-attr]
    try:
        number = Decimal(text)
    except InvalidOperation as wrong:
        raise Invalid(criterion.parameter, "is not a number") from wrong
    if not sortable(number):
        raise Invalid(criterion.parameter, "is not a number that can be measured")
    v = index_number.c.low
    # `eq` allows for what the written precision leaves open: 7.1 is anything from 7.05 to 7.15 (R4 3.1.1.4.6).
    half = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
    holds: Mapping[str, ColumnElement[bool]] = {
        "eq": and_(v >= number - half, v < number + half),
        "ne": or_(v < number - half, v >= number + half),
        "gt": v > number,
        "lt": v < number,
        "ge": v >= number,
        "le": v <= number,
        "sa": v > number,
        "eb": v < number,
    }
    return holds[prefix or "eq"]


_MATCH: Mapping[Kind, Callable[[Parameter, Criterion, str], ColumnElement[bool]]] = {
    Kind.TOKEN: _token,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.REFERENCE: _reference,
    Kind.NUMBER: _number,
}


def _uuid(criterion: Criterion, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise Invalid(criterion.parameter, "is not an id of this server") from wrong


def _by_id(criterion: Criterion, value: str) -> ColumnElement[bool]:
    return resource.c.key == _uuid(criterion, value)


def _by_patient(criterion: Criterion, value: str) -> ColumnElement[bool]:
    """A golden Patient means the whole person; a source's Patient means what that source said of them."""
    key = _uuid(criterion, value.rpartition("/")[2])
    return or_(resource.c.person == key, resource.c.patient == key)


def _by_update(criterion: Criterion, value: str) -> ColumnElement[bool]:
    return _spanned(criterion, value, resource.c.last_updated, resource.c.last_updated)


_OF_ALL: Mapping[str, Callable[[Criterion, str], ColumnElement[bool]]] = {
    "_id": _by_id,
    "patient": _by_patient,
    "subject": _by_patient,
    "_lastUpdated": _by_update,
}
