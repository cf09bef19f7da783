"""Consents that can't be read, or permit what their giver might not: a Task tells the reviewing lead why.

There is one for each version, and it is closed when nothing is wrong any more.

The Task is about the Consent and names nobody: it hangs on no person, so the lens shows it to nobody, and it is not a
part of anybody's record. The lead reads the reasons and whence it came; the record stays shut to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.audit.trail import looked
from carelink.cases.standing import labels
from carelink.consent.capacity_facts import minds_of
from carelink.consent.effect import effect
from carelink.consent.lens import Lens
from carelink.consent.mind import Mind
from carelink.db.among import among
from carelink.db.tables import quarantine, resource
from carelink.errors import Forbidden
from carelink.ids import ODS, Ods, PersonKey, ResourceKey, resource_key
from carelink.place import Organisation, Place
from carelink.record import search
from carelink.record.golden_store import MADE_HERE, home
from carelink.record.query import Criterion, Query
from carelink.record.writing import Writable, write
from fhir_adapters import exact_json

TASK = "https://carelink.example/CodeSystem/task"
CODE = "consent-unclear"
SEES = frozenset({"review-break-glass", "explain"})  # what a role must be one of
MOST = 200
_OPEN, _CLOSED = "requested", "completed"


@dataclass(frozen=True)
class Unclear:
    """One to look at: why it can't be read and where it came from, never what it says or whose it is."""

    consent: str  # its key, or its number in quarantine
    source: str
    organisation: str
    reasons: tuple[str, ...]
    since: datetime
    stored: bool = True  # not: it is in quarantine, and hides the record all the same


def note(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Ask the lead to look at what can't be read of these people, and close what was asked and can be read by now."""
    lens = Lens.system("look for consents that can't be read", now)
    t = resource.c
    columns = (
        t.key,
        t.person,
        t.version,
        t.source,
        t.custodian,
        t.last_updated,
        t.deleted,
        lens.body(resource).label("body"),
    )
    asked = select(*columns).where(among(t.person, persons), t.type == "Consent", lens.where(resource)).order_by(t.key)
    consents = conn.execute(asked).all()
    minds = minds_of(conn, lens, persons)
    there = [row for row in consents if not row.deleted]
    wanted = {key: task for row in there for key, task in _task(place, row, minds[row.person])}
    known = [_key(row.key, number) for row in consents for number in range(1, row.version + 1)]
    write(conn, [*wanted.values(), *_closed(conn, lens, known, wanted)], now)


def _task(place: Place, row: Any, mind: Mind) -> Iterator[tuple[ResourceKey, Writable]]:
    problems = effect(exact_json.loads(row.body), place, mind, row.last_updated).problems
    if problems:
        key = _key(row.key, row.version)
        yield key, _writable(key, _body(place, row, key, problems), home(place).ods)


def _key(consent: UUID, version: int) -> ResourceKey:
    return resource_key(MADE_HERE, CODE, "Task", f"{consent}/{version}")


def _body(place: Place, row: Any, key: ResourceKey, problems: Sequence[str]) -> dict[str, Any]:
    custodian = place.organisations.get(Ods(row.custodian))
    return {
        "resourceType": "Task",
        "id": str(key),
        "status": _OPEN,
        "intent": "order",
        "code": {"coding": [{"system": TASK, "code": CODE, "display": "A consent to look at"}]},
        "description": " ".join(f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in problems),
        "focus": {"reference": f"Consent/{row.key}"},
        "authoredOn": row.last_updated.isoformat(timespec="seconds"),
        "requester": _reference(custodian) if custodian else {"display": row.custodian},
        "owner": _reference(reviewing(place)),
        "input": [
            {"type": {"text": "source"}, "valueString": row.source},
            {"type": {"text": "version"}, "valueString": str(row.version)},
            *({"type": {"text": "problem"}, "valueString": one} for one in problems),
        ],
    }


def _reference(organisation: Organisation) -> dict[str, Any]:
    return {
        "type": "Organization",
        "identifier": {"system": ODS, "value": organisation.ods},
        "display": organisation.name,
    }


def reviewing(place: Place) -> Organisation:
    """The organisation of who reviews: of the role that the pack names for break-glass, or of one that explains."""
    roles = [place.glass.reviewer] if place.glass else []
    roles += [role.id for role in place.roles.values() if SEES & role.may]
    for role in roles:
        for worker in place.staff.values():
            if worker.role == role:
                return place.organisations[worker.organisation]
    return home(place)


def _closed(
    conn: Connection, lens: Lens, keys: Sequence[ResourceKey], still: Mapping[ResourceKey, Writable]
) -> Iterator[Writable]:
    """What was asked of these versions and needs no answer any more."""
    t = resource.c
    asked = select(t.key, t.custodian, lens.body(resource).label("body")).where(
        among(t.key, keys), lens.where(resource)
    )
    for row in conn.execute(asked.order_by(t.key)) if keys else ():
        body = exact_json.loads(row.body)
        if row.key not in still and body["status"] == _OPEN:
            kept = {name: value for name, value in body.items() if name != "meta"}
            yield _writable(ResourceKey(row.key), {**kept, "status": _CLOSED}, row.custodian)


def _writable(key: ResourceKey, body: Mapping[str, Any], custodian: str) -> Writable:
    return Writable(key, "Task", body, MADE_HERE, f"{CODE}/{key}", custodian, "consent")


def may_look(lens: Lens) -> bool:
    """Whether this requester is one whom consents that can't be read are told to."""
    return bool(SEES & lens.may)


def to_look_at(conn: Connection, place: Place, lens: Lens) -> tuple[Unclear, ...]:
    """What can't be read now, the longest first; last what could not even be stored. Raises `Forbidden`."""
    if not may_look(lens):
        raise Forbidden("Your role is not told of consents that can't be read", rule="review-break-glass")
    system = Lens.system("list consents that can't be read", lens.at, lens.user)
    wanted = (Criterion("code", (f"{TASK}|{CODE}",)), Criterion("status", (_OPEN,)))
    rows = search.run(conn, system, Query(types=("Task",), criteria=wanted, count=MOST)).rows
    found = sorted((_unclear(exact_json.loads(row.body), place) for row in rows), key=lambda one: one.since)
    refused = _refused(conn, place)
    looked(conn, lens, "search", "consents that can't be read", (), count=len(found) + len(refused))
    return (*found, *refused)


def _unclear(body: Mapping[str, Any], place: Place) -> Unclear:
    said = [(str(one["type"]["text"]), str(one["valueString"])) for one in body["input"]]
    source = dict(said)["source"]
    return Unclear(
        consent=body["focus"]["reference"].removeprefix("Consent/"),
        source=labels(place).get(source) or source,
        organisation=body["requester"]["display"],
        reasons=tuple(value for name, value in said if name == "problem"),
        since=datetime.fromisoformat(body["authoredOn"]),
    )


def _refused(conn: Connection, place: Place) -> tuple[Unclear, ...]:
    """Consents in quarantine: of those too nobody can say what they object to."""
    q = quarantine.c
    asked = select(q.id, q.source, q.custodian, q.reasons, q.seen_at).where(
        q.type == "Consent", q.resolved_at.is_(None)
    )
    named, organisations = labels(place), place.organisations
    return tuple(
        Unclear(
            consent=str(row.id),
            source=named.get(row.source, row.source),
            organisation=organisations[row.custodian].name if row.custodian in organisations else str(row.custodian),
            reasons=tuple(f"{one.get('place', '')}: {one.get('why', '')}" for one in row.reasons),
            since=row.seen_at,
            stored=False,
        )
        for row in conn.execute(asked.order_by(q.seen_at, q.id).limit(MOST))
    )
