"""One value of a search parameter as a condition on its index, by the kind of the parameter (FHIR R4 3.1.1.4).

A part is asked of the columns of one index table. What can't be asked raises `Invalid` with the name of the parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from carelink.db.tables import resource
from carelink.errors import Invalid
from carelink.record.indexing import LONGEST, fold, folded, sortable
from carelink.record.parameters import Parameter
from carelink.record.partial_dates import span
from carelink.record.parts import Part, all_of, any_of
from carelink.record.values import parted, plain, prefixed

LAST = "\U0010ffff"
APPROXIMATELY = Decimal("0.1")  # R4 3.1.1.4.5: within a tenth


def token(of: Parameter, value: str, at: datetime) -> Part:
    """`code`, `system|code`, `|code` for one without a system, `system|` for any of it."""
    parts = [plain(one) for one in parted(value, "|")]
    if len(parts) > 2:
        raise Invalid(of.code, "has more than a system and a code; a bar in either is written \\|")
    if len(parts) == 1:
        return Part("code", (parts[0][:LONGEST],), lambda i, code: i.code == code)
    system, code = parts[0], parts[1][:LONGEST]
    if not code and not system:
        raise Invalid(of.code, "names neither a system nor a code")
    if not code:
        return Part("system|", (system,), lambda i, wanted: i.system == wanted)
    if not system:
        return Part("|code", (code,), lambda i, wanted: and_(i.code == wanted, i.system.is_(None)))
    return Part("system|code", (code, system), lambda i, wanted, where: and_(i.code == wanted, i.system == where))


def of_type(of: Parameter, value: str, at: datetime) -> Part:
    """`:of-type`: `type-system|type-code|value` of an identifier (R4 3.1.1.4.10)."""
    parts = [plain(one) for one in parted(value, "|")]
    if len(parts) != 3 or not all(parts):
        raise Invalid(f"{of.code}:of-type", "must be the system and code of its type and its value: system|code|value")
    said = (parts[2][:LONGEST], f"{parts[0]}|{parts[1]}")
    return Part("of-type", said, lambda i, wanted, where: and_(i.code == wanted, i.system == where))


def uri(of: Parameter, value: str, at: datetime) -> Part:
    """The very same URI."""
    return Part("uri", (plain(value)[:LONGEST],), lambda i, wanted: i.code == wanted)


def below(of: Parameter, value: str, at: datetime) -> Part:
    """`:below`: URIs that begin with it."""
    start = plain(value)[:LONGEST]
    return Part("below", (start,), lambda i, wanted: func.starts_with(i.code, wanted))


def above(of: Parameter, value: str, at: datetime) -> Part:
    """`:above`: URIs that it begins with."""
    return Part("above", (plain(value)[:LONGEST],), lambda i, wanted: func.starts_with(wanted, i.code))


def string(of: Parameter, value: str, at: datetime) -> Part:
    """All that begins so, whatever its case, accents and punctuation (R4 3.1.1.4.8)."""
    text = _folded(of, value)
    # A range, that any plan can use.
    return Part("begins", (text, text + LAST), lambda i, start, end: and_(i.value >= start, i.value < end))


def exactly(of: Parameter, value: str, at: datetime) -> Part:
    """`:exact`: the same text, case and accents and all."""
    said = plain(value)[:LONGEST]
    return Part(
        "exact",
        (_folded(of, value), said),
        lambda i, text, wanted: and_(i.value == text, func.coalesce(i.exact, i.value) == wanted),
    )


def containing(of: Parameter, value: str, at: datetime) -> Part:
    """`:contains`: anywhere in it."""
    return Part("contains", (_folded(of, value),), lambda i, text: func.strpos(i.value, text) > 0)


def in_words(of: Parameter, value: str, at: datetime) -> Part:
    """`:text` of a token: anywhere in what people read of it."""
    text = fold(plain(value)[:LONGEST])
    if not text:
        raise Invalid(f"{of.code}:text", "has no letter or digit to look for")
    return Part("text", (text,), lambda i, wanted: func.strpos(i.value, wanted) > 0)


def _folded(of: Parameter, value: str) -> str:
    text = folded(of.number, plain(value))
    if not text:
        raise Invalid(of.code, "has no letter or digit to look for")
    return text


Columns = Callable[[Any], tuple[ColumnElement[Any], ColumnElement[Any]]]


def date(of: Parameter, value: str, at: datetime) -> Part:
    """A date or a period by its prefix."""
    return spanned(of.code, value, at, lambda i: (i.low, i.high))


def spanned(name: str, value: str, at: datetime, columns: Columns) -> Part:
    """A span of time by its prefix (R4 3.1.1.4.7): `eq` asks that the value holds the whole of the other."""
    prefix, text = prefixed(plain(value))
    try:
        first, last = span(text)
        if prefix == "ap":
            first, last = _nearly(first, last, at)
    except (ValueError, OverflowError) as wrong:
        raise Invalid(name, "is not a date such as 2026-11-24") from wrong

    def sql(i: Any, *binds: Any) -> ColumnElement[bool]:
        return _SPANS[prefix](*columns(i), *binds)

    return Part(("date", prefix), (first, last), sql)


def _nearly(first: datetime, last: datetime, at: datetime) -> tuple[datetime, datetime]:
    """Wider by a tenth of how far away it is."""
    wider = max(abs(at - first) / 10, timedelta(days=1))
    return first - wider, last + wider


def _within(low: Any, high: Any, first: Any, last: Any) -> ColumnElement[bool]:
    return and_(low >= first, high <= last)


_SPANS: Mapping[str, Callable[..., ColumnElement[bool]]] = {
    "eq": _within,
    "ne": lambda low, high, first, last: ~_within(low, high, first, last),
    "gt": lambda low, high, first, last: high > last,
    "lt": lambda low, high, first, last: low < first,
    "ge": lambda low, high, first, last: or_(high > last, _within(low, high, first, last)),
    "le": lambda low, high, first, last: or_(low < first, _within(low, high, first, last)),
    "sa": lambda low, high, first, last: low >= last,
    "eb": lambda low, high, first, last: high <= first,
    "ap": lambda low, high, first, last: and_(low < last, high > first),
}


def number(of: Parameter, value: str, at: datetime) -> Part:
    """A number by its prefix: `eq` allows for what the written precision leaves open (R4 3.1.1.4.6)."""
    prefix, text = prefixed(plain(value))
    low, high, exact = _range(of.code, prefix, text)
    return Part(("number", prefix), (low, high, exact), lambda i, *binds: _NUMBERS[prefix](i, *binds))


def quantity(of: Parameter, value: str, at: datetime) -> Part:
    """`number`, `number|system|code` or `number||unit` (R4 3.1.1.4.11)."""
    parts = parted(value, "|")
    if len(parts) not in (1, 3):
        raise Invalid(of.code, "must be a number, or number|system|code, or number||unit")
    amount = number(of, parts[0], at)
    if len(parts) == 1 or not (parts[1] or parts[2]):
        return amount
    return all_of([amount, _unit(plain(parts[1]), plain(parts[2]))])


def _unit(system: str, code: str) -> Part:
    if not system:  # by its code or by how it is written
        return Part("unit", (code,), lambda i, unit: or_(i.code == unit, i.unit == unit))
    if not code:
        return Part("unit|", (system,), lambda i, of: i.system == of)
    return Part("unit|code", (system, code), lambda i, of, unit: and_(i.system == of, i.code == unit))


def _range(name: str, prefix: str, text: str) -> tuple[Decimal, Decimal, Decimal]:
    """From where to where the written number goes, and the number."""
    try:
        exact = Decimal(text)
    except InvalidOperation as wrong:
        raise Invalid(name, "is not a number") from wrong
    if not sortable(exact):
        raise Invalid(name, "is not a number that can be measured")
    half = Decimal(5).scaleb(int(exact.as_tuple().exponent) - 1)  # 7.1 is anything from 7.05 to 7.15
    if prefix == "ap":
        half = abs(exact) * APPROXIMATELY
    return exact - half, exact + half, exact


_NUMBERS: Mapping[str, Callable[..., ColumnElement[bool]]] = {
    "eq": lambda i, low, high, exact: and_(i.low >= low, i.high < high),
    "ne": lambda i, low, high, exact: or_(i.low < low, i.high >= high),
    "ap": lambda i, low, high, exact: and_(i.low <= high, i.high >= low),
    "gt": lambda i, low, high, exact: i.high > exact,
    "lt": lambda i, low, high, exact: i.low < exact,
    "ge": lambda i, low, high, exact: i.high >= exact,
    "le": lambda i, low, high, exact: i.low <= exact,
    "sa": lambda i, low, high, exact: i.low > exact,
    "eb": lambda i, low, high, exact: i.high < exact,
}


def reference(of: Parameter, value: str, at: datetime, type_: str = "") -> Part:
    """`id`, `Type/id`, with or without a version, or an address elsewhere as it was written (R4 3.1.1.4.12).

    A golden Patient means what any of its sources' Patients is named by. `type_`: the modifier that says the type.
    """
    text = plain(value)
    bare = text.partition("/_history/")[0]
    named, _, id_ = bare.rpartition("/")
    try:
        key = UUID(id_)
    except ValueError:
        if type_:
            raise Invalid(f"{of.code}:{type_}", "is not an id of this server") from None
        return Part("literal", (text[:LONGEST],), lambda i, wanted: i.literal == wanted)
    if "/" in named:  # of another server, whose ids may look like ours
        return Part("literal", (text[:LONGEST],), lambda i, wanted: i.literal == wanted)
    said = type_ or named
    of_people = any(not named or "Patient" in named for named in of.targets.values())
    found = _person(key) if of_people and said in ("", "Patient") else _target(key)
    return all_of([found, Part("type", (said,), lambda i, wanted: i.type == wanted)]) if said else found


def _target(key: UUID) -> Part:
    return Part("target", (key,), lambda i, wanted: i.target == wanted)


def _person(key: UUID) -> Part:
    def of_golden(i: Any, wanted: Any) -> ColumnElement[bool]:
        p = resource.alias()
        target: ColumnElement[Any] = i.target
        return target.in_(select(p.c.key).where(p.c.person == wanted, p.c.type == "Patient"))

    return any_of([_target(key), Part("golden", (key,), of_golden)])
