"""What a decision must know of one person, read from the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, FromClause, Row, null, select

from carelink.consent.coded import codings
from carelink.consent.facts import Coded, Directed, Facts, Grant, KeptOut, Labelled, Related
from carelink.db.among import among
from carelink.db.tables import access_grant, directive, kept_out, person, relationship, resource
from carelink.ids import Ods, PersonKey, UserId
from fhir_adapters import exact_json


def facts_of(conn: Connection, key: UUID) -> Facts:
    """What the decision must know of the person."""
    restricted = conn.execute(select(person.c.restricted).where(person.c.key == key)).scalar()
    return Facts(
        related=tuple(_related(row) for row in _rows(conn, relationship, key)),
        directed=tuple(_directed(row) for row in _rows(conn, directive, key)),
        restricted=bool(restricted),
        kept_out=tuple(_kept_out(row) for row in _rows(conn, kept_out, key)),
        grants=tuple(_grant(row) for row in _rows(conn, access_grant, key)),
    )


def facts_of_all(conn: Connection, keys: Collection[UUID]) -> dict[UUID, Facts]:
    """The same of many people at once; broken glass, which is no policy, is left out."""
    related, directed, out = (_by_person(conn, table, keys) for table in (relationship, directive, kept_out))
    restricted = conn.execute(select(person.c.key, person.c.restricted).where(among(person.c.key, keys)))
    return {
        row.key: Facts(
            related=tuple(_related(one) for one in related.get(row.key, ())),
            directed=tuple(_directed(one) for one in directed.get(row.key, ())),
            restricted=row.restricted,
            kept_out=tuple(_kept_out(one) for one in out.get(row.key, ())),
        )
        for row in restricted
    }


def _by_person(conn: Connection, table: FromClause, keys: Collection[UUID]) -> dict[UUID, list[Row[Any]]]:
    found: dict[UUID, list[Row[Any]]] = {}
    for row in conn.execute(select(table).where(among(table.c.person, keys)).order_by(table.c.person, table.c.id)):
        found.setdefault(row.person, []).append(row)
    return found


def items_of(conn: Connection, key: UUID, facts: Facts, only: UUID | None = None) -> Iterator[Labelled]:
    """Everything that is held about the person, or only that, as far as a decision by these facts must know it; never
    what it says.
    """
    t, coded = resource.c, any(one.codes for one in facts.directed)
    body = t.body if coded else null().label("body")
    forms = (t.redacted.is_not(None).label("locating"), t.for_person.is_not(None).label("names_others"))
    labels = (t.key, t.type, t.custodian, t.category, t.sensitivities, *forms)
    asked = select(*labels, t.clinical, body).where(t.person == key, t.deleted.is_(False)).order_by(t.key)
    for row in conn.execute(asked if only is None else asked.where(t.key == only)):
        yield Labelled(
            person=PersonKey(key),
            custodian=Ods(row.custodian),
            category=row.category,
            sensitivities=row.sensitivities,
            locating=row.locating,
            names_others=row.names_others,
            type=row.type,
            key=row.key,
            clinical=row.clinical,
            codes=frozenset(codings(exact_json.loads(row.body))) if coded else frozenset(),
        )


def _rows(conn: Connection, table: FromClause, key: UUID) -> list[Row[Any]]:
    return list(conn.execute(select(table).where(table.c.person == key).order_by(table.c.id)))


def _related(row: Row[Any]) -> Related:
    return Related(row.kind, Ods(row.organisation), row.starts, row.ends, row.team, row.user and UserId(row.user))


def _directed(row: Row[Any]) -> Directed:
    return Directed(
        effect=row.effect,
        starts=row.starts,
        ends=row.ends,
        rule=row.rule,
        consent=row.consent,
        depth=row.depth,
        made=row.made,
        organisation=row.organisation,
        organisation_type=row.organisation_type,
        role=row.role,
        team=row.team,
        user=row.user,
        purposes=_set(row.purposes),
        custodians=_set(row.custodians),
        categories=_set(row.categories),
        types=_set(row.types),
        sensitivities=row.sensitivities,
        codes=_codes(row.codes),
        items=_set(row.items),
        since=row.since,
        until=row.until,
    )


def row_of(one: Directed) -> dict[str, Any]:
    """The provision as a row, less whose it is."""
    return {
        "effect": one.effect,
        "starts": one.starts,
        "ends": one.ends,
        "rule": one.rule,
        "depth": one.depth,
        "made": one.made,
        "organisation": one.organisation,
        "organisation_type": one.organisation_type,
        "role": one.role,
        "team": one.team,
        "user": one.user,
        "purposes": _list(one.purposes),
        "custodians": _list(one.custodians),
        "categories": _list(one.categories),
        "types": _list(one.types),
        "sensitivities": one.sensitivities,
        "codes": None if one.codes is None else [{"system": s, "code": c} for s, c in sorted(one.codes)],
        "items": _list(one.items),
        "since": one.since,
        "until": one.until,
    }


def _kept_out(row: Row[Any]) -> KeptOut:
    return KeptOut(row.kind, row.starts, row.ends, row.organisation, row.user)


def _grant(row: Row[Any]) -> Grant:
    return Grant(UserId(row.user), Ods(row.organisation), row.starts, row.ends, row.id)


def _set(values: Any) -> Any:
    return None if values is None else frozenset(values)


def _list(values: Any) -> Any:
    return None if values is None else sorted(values)


def _codes(values: Any) -> frozenset[Coded] | None:
    return None if values is None else frozenset((one["system"], one["code"]) for one in values)
