"""One search criterion as a condition on the rows of a type: its modifier and its values (FHIR R4 3.1.1.4).

What would tell where a person is does not count for whom that may not be known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_

from carelink.consent.unplaced import everywhere
from carelink.errors import Invalid
from carelink.ids import NHS_NUMBER
from carelink.record import matches
from carelink.record.composites import composite
from carelink.record.lookups import ASKED, WHOSE, Asked, how_asked, indexed, parameter_of
from carelink.record.parameters import ALIASES, Kind, Parameter
from carelink.record.parts import ALWAYS, NEVER, Part, all_of, any_of, negated
from carelink.record.query import Criterion
from carelink.record.values import parted, plain


def condition(types: tuple[str, ...], asked: Criterion, at: datetime) -> Part:
    """The rows of these types that meet it. Raises `Invalid`, with the name of the parameter, for what can't be asked."""
    if not asked.values or not all(asked.values):
        raise Invalid(asked.parameter, "has no value")
    if asked.parameter in _OF_ALL:
        return _OF_ALL[asked.parameter](asked, at)
    if asked.parameter in WHOSE:
        return _whose(asked)
    asked = _spelt_out(asked)
    parameter = parameter_of(types, asked.parameter)
    return _held(types, asked, parameter, at)


LOCATED = Part("located", (), lambda over: over.lens.locating_allowed(over.t.c.person))


def _by_nhs_number(asked: Criterion) -> bool:
    """Every other identifier is of some organisation's: a hit by it tells that it holds a record of the person."""
    return all(value.startswith(f"{NHS_NUMBER}|") for value in asked.values)


def _spelt_out(asked: Criterion) -> Criterion:
    if asked.parameter not in ALIASES:
        return asked
    meant, system = ALIASES[asked.parameter]
    return Criterion(meant, tuple(f"{system}|{value}" for value in asked.values), asked.modifier)


def _held(types: tuple[str, ...], asked: Criterion, parameter: Parameter, at: datetime) -> Part:
    if asked.modifier == "missing":
        there = any_of([indexed(how, one, ALWAYS) for one, how in _places(types, parameter)])
        return negated(there) if _truth(asked) else there
    if parameter.kind is Kind.COMPOSITE and not asked.modifier:
        found = any_of([composite(types, parameter, value, at) for value in asked.values])
        return found if _of_everywhere(asked) else all_of([found, LOCATED])
    how = how_asked(parameter, asked.modifier)
    match = any_of([how.match(parameter, value, at) for value in asked.values])
    held = indexed(how, parameter, match, tells=parameter.code != "identifier" or not _by_nhs_number(asked))
    if parameter.kind in _OF_A_SYSTEM and not _of_everywhere(asked):
        held = all_of([held, LOCATED])
    return negated(held) if asked.modifier == "not" else held


_OF_A_SYSTEM = frozenset({Kind.TOKEN, Kind.QUANTITY})


def _of_everywhere(asked: Criterion) -> bool:
    """Whether no value names a system of one organisation's, which is taken out of what is sent (consent/unplaced.py)."""
    said = (plain(part) for value in asked.values for each in parted(value, "$") for part in parted(each, "|")[:-1])
    return all(everywhere(system) for system in said)


def _places(types: tuple[str, ...], parameter: Parameter) -> list[tuple[Parameter, Asked]]:
    """Where a value of it leaves something: a reference may have but an identifier, a code but its words."""
    if parameter.kind is Kind.COMPOSITE:  # both or none, as R4 has them: the last says whether there is a value
        return _places(types, parameter_of(types, parameter.components[-1]))
    there = {str(how.table): how for how in ASKED[parameter.kind].values() if how.sign > 0}
    return [(parameter, how) for how in there.values()]


def _truth(asked: Criterion) -> bool:
    if asked.values not in (("true",), ("false",)):
        raise Invalid(f"{asked.parameter}:missing", "must be true or false")
    return asked.values == ("true",)


# Of every type ------------------------------------------------------------------------------------


def _uuid(asked: Criterion, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise Invalid(asked.parameter, "is not an id of this server") from wrong


def _unmodified(asked: Criterion) -> None:
    if asked.modifier:
        raise Invalid(f"{asked.parameter}:{asked.modifier[:50]}", "has no such modifier here")


def _by_id(asked: Criterion, at: datetime) -> Part:
    _unmodified(asked)
    keys = [_uuid(asked, value) for value in asked.values]
    if len(keys) == 1:
        return Part("id", (keys[0],), lambda over, key: over.t.c.key == key)
    return Part("ids", (keys,), lambda over, them: over.t.c.key == them.any_())


def _by_update(asked: Criterion, at: datetime) -> Part:
    _unmodified(asked)
    name = asked.parameter
    spans = [matches.spanned(name, one, at, lambda over: (over.t.c.last_updated,) * 2) for one in asked.values]
    return any_of(Part(("updated", one.shape), one.values, one.sql) for one in spans)


def _whose(asked: Criterion) -> Part:
    """A golden Patient means the whole person; a source's Patient means what that source said of them."""
    if asked.modifier == "missing":
        nobody = Part("of nobody", (), lambda over: over.t.c.person.is_(None))
        return nobody if _truth(asked) else negated(nobody)
    if asked.modifier not in ("", "Patient"):
        raise Invalid(f"{asked.parameter}:{asked.modifier[:50]}", "has no such modifier here")
    return any_of([_of_whom(_uuid(asked, _bare(value))) for value in asked.values])


def _bare(value: str) -> str:
    return value.partition("/_history/")[0].removeprefix("Patient/")


def _of_whom(key: UUID) -> Part:
    return Part("whose", (key,), lambda over, key: or_(over.t.c.person == key, over.t.c.patient == key))


SOURCE = "urn:carelink:source:"  # before the name of a source in the pack, as `meta.source` says it


def _by_source(asked: Criterion, at: datetime) -> Part:
    _unmodified(asked)
    named = [_of_source(value.removeprefix(SOURCE)) for value in asked.values if value.startswith(SOURCE)]
    return all_of([any_of(named), LOCATED]) if named else NEVER


def _of_source(name: str) -> Part:
    return Part("source", (name,), lambda over, wanted: over.t.c.source == wanted)


_OF_ALL: Mapping[str, Callable[[Criterion, datetime], Part]] = {
    "_id": _by_id,
    "_lastUpdated": _by_update,
    "_source": _by_source,
}
