"""What comes with what is found: what it refers to, and what refers to it (FHIR R4 3.1.1.5.4), under the same lens.

References are read from what is sent, so nothing that was taken out of it leads anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from carelink.record.parameters import Kind, of_type
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
    wanted = None if one.parameter == ANY else _number(one)
    for said in index(row.type, exact_json.loads(row.body)).references:
        number, target, type_ = _said(said)
        if target and wanted in (None, number) and (not one.target or type_ in ("", one.target)):
            yield ResourceKey(UUID(target))


def _number(one: Include) -> int:
    return parameter_of((one.type,), one.parameter).number


def _said(row: Any) -> tuple[int, str, str]:
    number, target, _, type_, *_ = row
    return number, str(target or ""), type_ or ""
