"""The rows of an invented world that are no resources: the audit, questions, what waits for somebody, broken glass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from conftest import NOW
from sqlalchemy import Connection, insert
from worlds_bodies import Thing, key, person

from carelink.db.tables import metadata
from carelink.ids import PersonKey

DAY = timedelta(days=1)
FIRST = 100  # numbers of rows begin after it
# user, organisation, role, purpose, team
WORKERS = (
    ("sam.okafor", "901", "social-worker", "CAREMGT", "adults-north"),
    ("priya.nair", "901", "care-manager", "CAREMGT", "adults-north"),
    ("gwen.price", "902", "social-worker", "CAREMGT", "adults-south"),
    ("nadia.rahman", "RDV", "nurse", "TREAT", "ward-7"),
    ("tom.ellis", "P81001", "gp", "TREAT", ""),
    ("iris.lang", "QDM", "ig-lead", "HOPERAT", ""),
)

ACTIONS = ("read", "search", "search", "print", "refusal", "break-glass", "break-glass-search", "explain", "signal")


@dataclass(frozen=True)
class Row:
    """One row. Its number is given here, so that rows that somebody may not see move no other's."""

    table: str
    id: int
    values: Mapping[str, Any] = field(hash=False)


def rows(chance: Random, people: int, things: Sequence[Thing]) -> tuple[Row, ...]:
    """Some of each."""
    everybody = [person(number) for number in range(people)]
    patients = [key(one) for one in things if one.type == "Patient"]
    made: list[Row] = [Row("audit_event", number, looked(chance, everybody, number)) for number in range(1, 25)]
    made += [Row("access_grant", number, grant(chance, everybody)) for number in range(1, 6)]
    pairs = chance.sample([(patient, whom) for patient in patients for whom in everybody], 3)
    made += [Row("link_decision", number, question(chance, *pair)) for number, pair in enumerate(pairs, 1)]
    made += [Row("quarantine", number, refused(chance, everybody, number)) for number in range(1, 4)]
    made += [Row("audit_signal", number, signal(chance, everybody, number)) for number in range(1, 4)]
    some = chance.choice([one for one in things if one.of is not None])
    held = {"type": some.type, "key": str(key(some)), "version": len(some.said)}
    made += [Row("subject_request", number, request(chance, everybody, held)) for number in range(1, 6)]
    made += [Row("legal_hold", number, hold(one)) for number, one in enumerate(everybody, 1) if chance.random() < 0.5]
    made += [Row("rehearsal", 1, rehearsed(everybody, 3))]
    return (*made, *_corrections(chance, things))


def _corrections(chance: Random, things: Sequence[Thing]) -> Iterator[Row]:
    some = [one for one in things if one.of is not None and one.type not in ("Patient", "Consent")]
    for number, one in enumerate(chance.sample(some, 4), 1):
        yield Row("label_correction", number, correction(chance, one))


def ago(chance: Random, days: int = 20) -> datetime:
    return NOW - timedelta(seconds=chance.randrange(60, days * 86_400))


def looked(chance: Random, everybody: Sequence[PersonKey], number: int) -> dict[str, Any]:
    """A row of the audit, about one or several of these."""
    user, organisation, role, purpose, _ = chance.choice(WORKERS)
    found_just_now = chance.random() < 0.25  # by two facts, so that they may go on to break the glass
    action = "break-glass-search" if found_just_now else chance.choice(ACTIONS)
    several = action == "search" and chance.random() < 0.4
    detail = {"persons": sorted(map(str, chance.sample(list(everybody), min(2, len(everybody)))))} if several else None
    return {
        "at": NOW - timedelta(minutes=5) if found_just_now else ago(chance),
        "action": action,
        "outcome": "refused" if action == "refusal" else "success",
        "user": user,
        "organisation": organisation,
        "role": role,
        "purpose": purpose,
        "person": None if several else chance.choice(everybody),
        "query": chance.choice(("Patient", "Condition?code", "*?")),
        "count": chance.randrange(5),
        "rules": ["L8-agreement"],
        "request": f"REQ-{number:04}",
        "detail": detail,
    }


def grant(chance: Random, everybody: Sequence[PersonKey], user: str = "") -> dict[str, Any]:
    """Glass that somebody broke; perhaps open still, perhaps reviewed."""
    who = next((one for one in WORKERS if one[0] == user), None) or chance.choice(WORKERS[:5])
    starts = NOW - timedelta(minutes=chance.choice((10, 10, 90, 5000)))
    reviewed = chance.random() < 0.3
    return {
        "person": chance.choice(everybody),
        "user": who[0],
        "organisation": who[1],
        "role": who[2],
        "team": who[4],
        "reason": "emergency",
        "words": f"Found on the stairs by a neighbour {chance.randrange(99)}",
        "starts": starts,
        "ends": starts + timedelta(minutes=60),
        "reviewer_role": "ig-lead",
        "review_due": starts + 3 * DAY,
        "reviewed_by": "iris.lang" if reviewed else None,
        "reviewed_at": NOW - timedelta(minutes=5) if reviewed else None,
        "finding": "justified" if reviewed else None,
        "finding_words": "It was right to look" if reviewed else None,
    }


def question(chance: Random, patient: Any, candidate: PersonKey) -> dict[str, Any]:
    fields = {"family": {"level": "same", "weight": 5.0}, "nhs_number": {"level": "different", "weight": -9.0}}
    return {"patient": patient, "candidate": candidate, "weight": float(chance.randrange(10, 20)), "fields": fields, "raised_at": ago(chance)}  # fmt: skip


def refused(chance: Random, everybody: Sequence[PersonKey], number: int) -> dict[str, Any]:
    """Never a Consent: one that can't be stored hides a record, and is seen by that."""
    why = [{"place": "Observation.status", "why": f"must be a code, and is {chance.randrange(99)}"}]
    return {"source": "hospital", "type": "Observation", "source_id": f"x{number}", "person": chance.choice(everybody), "raw": "{}", "reasons": why, "hash": number.to_bytes(4, "big"), "seen_at": ago(chance)}  # fmt: skip


def signal(chance: Random, everybody: Sequence[PersonKey], number: int) -> dict[str, Any]:
    user, organisation, *_ = chance.choice(WORKERS[:5])
    return {"pattern": chance.choice(("own-record", "same-surname")), "user": user, "organisation": organisation, "person": chance.choice(everybody), "day": NOW - number * DAY, "count": chance.randrange(1, 9), "detail": None, "raised_at": ago(chance)}  # fmt: skip


def request(chance: Random, everybody: Sequence[PersonKey], item: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One that was received, is under review, is reviewed, or was answered."""
    asked, status = ago(chance), chance.choice(("received", "gathered", "gathered", "reviewed", "released", "released"))
    made = {"person": chance.choice(everybody), "status": status, "requested_by": f"Somebody {chance.randrange(99)}", "authority": "self", "asked_at": asked, "identity_at": asked if chance.random() < 0.7 else None, "handled_by": "iris.lang"}  # fmt: skip
    if status == "received":
        return made
    made |= {"gathered_at": NOW - DAY, "package": package(item or {}, decided=status != "gathered")}
    if status != "gathered":
        made |= {"reviewed_by": "iris.lang", "reviewed_at": NOW - DAY}
    if status == "released":
        made |= {
            "released_at": NOW - DAY,
            "released_by": "iris.lang",
            "printed": b"<p>All</p>",
            "printed_as": "text/html",
            "fhir": b"{}",
        }
    return made


def package(item: Mapping[str, Any], *, decided: bool) -> dict[str, Any]:
    """What was gathered for a request: a resource that somebody must decide about, and a row."""
    proposal = {"answer": "include", "rules": ["SA-third-party"], "words": []}
    answer = {"answer": "include", "words": [], "why": "theirs", "by": "iris.lang", "at": NOW.isoformat()}
    first = {"id": "x", "part": "p", "title": "An item", "proposal": proposal, **item} | ({"decided": answer} if decided else {})  # fmt: skip
    parts = [{"id": "p", "heading": "What is held", "intro": ""}]
    return {"parts": parts, "items": [first, {"id": "y", "part": "p", "title": "A row"}], "facts": {"name": "Somebody"}}


def hold(whom: PersonKey) -> dict[str, Any]:
    return {"person": whom, "why": "An inquest", "made_by": "iris.lang", "made_at": NOW - DAY}


def correction(chance: Random, one: Thing) -> dict[str, Any]:
    return {"resource": key(one), "category": None, "added": 0, "removed": 0, "why": f"Because {chance.randrange(99)}", "made_by": "tom.ellis", "organisation": "P81001", "made_at": ago(chance)}  # fmt: skip


def rehearsed(everybody: Sequence[PersonKey], items: int) -> dict[str, Any]:
    """A place pack that was tried: counts, and keys as examples."""
    row = {"change": "loses", "organisation": "901", "role": "social-worker", "category": "problems", "people": 1, "items": items, "users": 1, "examples": [str(everybody[0])]}  # fmt: skip
    total = {"change": "loses", "people": 1, "items": items, "users": 1}
    report = {"pack": "tried", "hashes": ["a", "b"], "files": ["agreements.toml"], "people": len(everybody), "items": items, "users": 6, "seconds": 1.0, "totals": [total], "rows": [row]}  # fmt: skip
    return {"made_at": NOW - DAY, "made_by": "operator:ada", "report": report}


def store_rows(conn: Connection, made: Sequence[Row]) -> None:
    """Those of one table and with the same columns in one statement; what is None is left to the database."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for one in made:
        values = {name: value for name, value in one.values.items() if value is not None}
        alike.setdefault((one.table, *sorted(values)), []).append({"id": FIRST + one.id, **values})
    for (name, *_), here in alike.items():
        conn.execute(insert(metadata.tables[name]), here)
