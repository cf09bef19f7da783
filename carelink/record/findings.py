"""What fails of UK Core in what is stored: kept by rule and place, counted for who looks after data, never what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.among import among
from carelink.db.tables import finding
from carelink.ids import ResourceKey
from carelink.record.ukcore_finding import Finding
from carelink.record.validation_elements import fhir_path
from carelink.record.writing import Writable


@dataclass(frozen=True)
class Counted:
    """How many resources of a source and type do not hold to a rule at a place."""

    source: str
    type: str
    place: str  # FHIRPath without indexes
    rule: str
    severity: str
    says: str
    number: int


def keep(
    conn: Connection,
    written: Sequence[Writable],
    versions: Mapping[ResourceKey, int],
    found: Mapping[ResourceKey, Sequence[Finding]],
    now: datetime,
) -> None:
    """Of each that was written: what fails in it now, and nothing of what failed before."""
    forget(conn, [one.key for one in written if versions[one.key] > 1])
    rows = {
        (row["resource"], row["rule"], row["place"]): row
        for one in written
        for row in (_row(one, each, now) for each in found.get(one.key, ()))
    }
    if rows:
        conn.execute(insert(finding).on_conflict_do_nothing(), list(rows.values()))


def _row(one: Writable, found: Finding, now: datetime) -> dict[str, object]:
    return {
        "resource": one.key,
        "rule": found.rule,
        "place": fhir_path(one.type, found.loc),
        "severity": str(found.severity),
        "says": found.says,
        "source": one.source,
        "type": one.type,
        "found_at": now,
    }


def forget(conn: Connection, keys: Iterable[ResourceKey]) -> None:
    """Nothing is told any more of these."""
    gone = list(keys)
    if gone:
        conn.execute(delete(finding).where(among(finding.c.resource, gone)))


def counts(conn: Connection) -> tuple[Counted, ...]:
    """How many resources fail where, by source; about sources, not people."""
    t = finding.c
    place = func.regexp_replace(t.place, r"\[\d+\]", "", "g").label("place")
    by = (t.source, t.type, place, t.rule, t.severity, t.says)
    number = func.count(t.resource.distinct())
    asked = select(*by, number).group_by(*by).order_by(t.source, number.desc(), t.type, place, t.rule)
    return tuple(Counted(*row) for row in conn.execute(asked))
