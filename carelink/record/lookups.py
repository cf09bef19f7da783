"""Which index holds a search parameter, and how it is asked for: a table of kinds and modifiers (FHIR R4 3.1.1.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, literal_column, or_, select, true

from carelink.db.tables import index_date, index_number, index_reference, index_string, index_token
from carelink.errors import Invalid
from carelink.record import matches
from carelink.record.parameters import ALIASES, LOCATING_TYPES, Kind, Parameter, of_type
from carelink.record.parts import Over, Part

WHOSE = ("patient", "subject")  # of a person's own types: asked of the row, which names its person
OF_ALL = ("_id", "_lastUpdated", "_source")


class Asked(NamedTuple):
    """How a parameter is asked for: what matches a value, on which index, and whether by its number or the negative."""

    match: Callable[[Parameter, str, datetime], Part]
    table: FromClause
    sign: int = 1


# kind and modifier -> how; also `missing` everywhere, and the types that a reference may name.
ASKED: Mapping[Kind, Mapping[str, Asked]] = {
    Kind.TOKEN: {
        "": Asked(matches.token, index_token),
        "not": Asked(matches.token, index_token),
        "text": Asked(matches.in_words, index_string),
        "of-type": Asked(matches.of_type, index_token, -1),
    },
    Kind.URI: {
        "": Asked(matches.uri, index_token),
        "above": Asked(matches.above, index_token),
        "below": Asked(matches.below, index_token),
    },
    Kind.STRING: {
        "": Asked(matches.string, index_string),
        "exact": Asked(matches.exactly, index_string),
        "contains": Asked(matches.containing, index_string),
    },
    Kind.DATE: {"": Asked(matches.date, index_date)},
    Kind.REFERENCE: {
        "": Asked(matches.reference, index_reference),
        "identifier": Asked(matches.token, index_token),
    },
    Kind.NUMBER: {"": Asked(matches.number, index_number)},
    Kind.QUANTITY: {"": Asked(matches.quantity, index_number)},
}


def known(types: Iterable[str]) -> list[str]:
    """The parameters that all of these types can be searched by."""
    types = tuple(types)
    common = set.intersection(*[set(of_type(type_)) for type_ in types])
    return sorted(
        common | set(WHOSE) | set(OF_ALL) | {alias for alias, (meant, _) in ALIASES.items() if meant in common}
    )


def parameter_of(types: tuple[str, ...], name: str) -> Parameter:
    """The parameter of that name, which is the same one for all of the types. Raises `Invalid`."""
    if not types:
        raise Invalid(name, "say which type is searched")
    found = [of_type(type_).get(name) for type_ in types]
    if found[0] is None or any(one is not found[0] for one in found):
        raise Invalid(name, f"is not indexed for {', '.join(types)}; known are {', '.join(known(types))}")
    return found[0]


def how_asked(parameter: Parameter, modifier: str) -> Asked:
    """How the parameter is asked for with that modifier. Raises `Invalid` for one that it does not have."""
    ways = ASKED.get(parameter.kind, {})  # a composite has none of its own
    if modifier in ways:
        return ways[modifier]
    if parameter.kind is Kind.REFERENCE and may_name(parameter, modifier):
        return Asked(partial(matches.reference, type_=modifier), index_reference)
    there = ", ".join(sorted({"missing", *ways} - {""}))
    raise Invalid(
        f"{parameter.code}:{modifier[:50]}", f"has no such modifier for a {parameter.kind.value}; it has {there}"
    )


def may_name(parameter: Parameter, type_: str) -> bool:
    """Whether a reference of that parameter may name something of that type: of those it lists, or any where it lists none."""
    return any(type_ in named or (not named and bool(of_type(type_))) for named in parameter.targets.values())


def numbered(i: Any, parameter: Parameter, sign: int = 1) -> ColumnElement[bool]:
    """The rows of an index that are of that parameter.

    In the statement's text: so PostgreSQL knows which index holds it, and keeps its plan.
    """
    first, *more = (literal_column(str(sign * number), i.parameter.type) for number in parameter.numbers)
    found: ColumnElement[bool] = i.parameter == first
    return i.parameter.in_([first, *more]) if more else found


_TELLING: tuple[ColumnElement[str], ...] = tuple(literal_column(f"'{type_}'") for type_ in sorted(LOCATING_TYPES))


def tellable(over: Over, i: Any, parameter: Parameter, *, by_target: bool = True) -> ColumnElement[bool]:
    """The rows of an index that may be known of: not those that tell where a person is, where that may not be known.

    They are then as if they were not there, for `:not` and `:missing` too. `by_target`: the index says what it names.
    """
    allowed = over.lens.locating_allowed(i.person)
    if parameter.locating or (parameter.locating_by_type and not by_target):
        return allowed
    if not parameter.locating_by_type:
        return true()
    return or_(and_(i.target.is_not(None), i.type.not_in(_TELLING)), allowed)


def indexed(asked: Asked, parameter: Parameter, match: Part, *, tells: bool = True) -> Part:
    """The rows of which a row of the index matches. `tells`: what it would tell may have to be kept back."""

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        i = asked.table.alias()
        held = select(i.c.key).where(numbered(i.c, parameter, asked.sign), match.sql(i.c, *binds))
        if over.person is not None:
            held = held.where(i.c.person == over.person)
        if tells:
            held = held.where(tellable(over, i.c, parameter, by_target="target" in i.c))
        return over.t.c.key.in_(held)

    shape = ("indexed", str(asked.table), asked.sign, parameter.number, tells, match.shape)
    return Part(shape, match.values, sql)
