"""What comes with what is found: what it refers to, and what refers to it (FHIR R4 3.1.1.5.4), under the same lens.

References are read from what is sent, so nothing that was taken out of it leads anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.record.indexing import index
from carelink.record.lookups import WHOSE, parameter_of
from carelink.record.parameters import Kind, Parameter, of_type
from carelink.record.query import Row
from fhir_adapters import exact_json

MOST = 1000  # resources that come with those of a page
DEEPEST = 8  # how often what came is asked again
ANY = "*"


@dataclass(frozen=True)
class Include:
    """One `_include` or `_revinclude`: the type that refers, by which parameter (`*`: any), to which type (empty: any)."""

    type: str
    parameter: str = ANY
    target: str = ""
    reverse: bool = False
    iterate: bool = False  # also of what came with it


def include_of(name: str, text: str, *, reverse: bool, iterate: bool) -> Include:
    """`Type:parameter` or `Type:parameter:Target`. Raises `Invalid` for what refers to nothing."""
    type_, _, rest = text.partition(":")
    parameter, _, target = rest.partition(":")
    if not of_type(type_):
        raise Invalid(name, f"{type_[:50]} is no type that is searched here")
    if parameter in ("", ANY) and not reverse:
        return Include(type_, ANY, target, reverse, iterate)
    if parameter not in WHOSE and parameter_of((type_,), parameter).kind is not Kind.REFERENCE:
        raise Invalid(name, f"{parameter[:50]} is no reference of {type_}")
    return Include(type_, parameter, target, reverse, iterate)


def included(conn: Connection, lens: Lens, rows: Sequence[Row], wanted: Iterable[Include]) -> tuple[Row, ...]:
    """What comes with these rows, each once, in the order of their keys. The look of it is the caller's to keep.

    Raises `Invalid` where that is more than `MOST`.
    """
    there = {row.key: row for row in rows}
    found: dict[ResourceKey, Row] = {}
    asked, fresh = tuple(wanted), tuple(rows)
    for _ in range(DEEPEST):
        new = {row.key: row for one in asked for row in _of(conn, lens, one, fresh) if row.key not in there}
        found |= new
        there |= new
        if len(found) > MOST:
            raise Invalid("_include", f"would add more than {MOST} resources; ask for fewer with _count")
        asked, fresh = tuple(one for one in asked if one.iterate), tuple(new.values())
        if not asked or not fresh:
            break
    return tuple(found[key] for key in sorted(found))


def _of(conn: Connection, lens: Lens, one: Include, rows: Sequence[Row]) -> Iterable[Row]:
    if one.reverse:
        keys = [row.key for row in rows if not one.target or row.type == one.target]
        return search.referring(conn, lens, one.type, one.parameter, keys, MOST + 1) if keys else ()
    keys = [key for row in rows if row.type == one.type for key in _named(row, one)]
    return search.unkept_by_keys(conn, lens, keys)


def _named(row: Row, one: Include) -> Iterable[ResourceKey]:
    """The keys of what it refers to."""
    if one.parameter == ANY:
        pointed: Iterable[tuple[str, str]] = _POINTS.findall(row.body)
    elif one.parameter in WHOSE:
        pointed = _whose(exact_json.loads(row.body))
    else:
        pointed = _indexed(row, parameter_of((one.type,), one.parameter))
    return [ResourceKey(UUID(id_)) for type_, id_ in pointed if not one.target or type_ in ("", one.target)]


_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_POINTS = re.compile(rf'"reference":"([A-Z][A-Za-z]+)/({_ID})')
_WHOM = ("subject", "patient", "for")  # the elements that say whom it is of, where one does


def _whose(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    said = [body[name] for name in _WHOM if name in body]
    found = _POINTS.findall(exact_json.dumps(said or body).decode())
    return [(type_, id_) for type_, id_ in found if type_ == "Patient" or said]


def _indexed(row: Row, parameter: Parameter) -> Iterable[tuple[str, str]]:
    for number, target, _, type_, _ in index(row.type, exact_json.loads(row.body)).references:
        if target and number in parameter.numbers:
            yield (type_ or "", target)
