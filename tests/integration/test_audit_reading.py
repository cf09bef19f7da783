"""Reading the audit: everybody whom a look was at finds it, by an index; each such reading is itself kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from conftest import NOW
from consent_builders import PLACE, lens_of, staff, themselves
from sqlalchemy import Connection, insert, select, text

from carelink.audit import reading, who_looked
from carelink.audit.reading import Asked
from carelink.audit.trail import Event, append
from carelink.cases import audit_pages, audit_people, audit_signals
from carelink.consent.lens import Lens
from carelink.db.tables import audit_event, audit_signal, person
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import PersonKey
from carelink.place import BreakGlass, Role

READER = replace(
    PLACE, roles=dict(PLACE.roles) | {"ig-lead": Role("ig-lead", "Lead", ("HOPERAT",), frozenset({"read-audit"}))}
)
IRIS = lens_of(staff("iris"), READER)
ANN, BOB = PersonKey(uuid4()), PersonKey(uuid4())


def kept(conn: Connection, key: PersonKey | None, minutes: int = 0, **changed: Any) -> None:
    event = Event("search", staff("sam"), key, query="Condition?", count=1, request=str(uuid4()))
    append(conn, replace(event, **changed), NOW + timedelta(minutes=minutes))


def queries(conn: Connection, lens: Lens, **asked: Any) -> list[str | None]:
    return [one.query for one in reading.find(conn, lens, Asked(**asked), "test").rows]


def test_a_row_about_several_people_counts_for_each_of_them(conn: Connection) -> None:
    kept(conn, None, query="my caseload", detail={"persons": [str(ANN), str(BOB)]})
    kept(conn, ANN, 1, query="of Ann", detail={"persons": [str(BOB)]})
    kept(conn, BOB, 2, query="of Bob")
    assert queries(conn, IRIS, person=ANN) == ["of Ann", "my caseload"]
    assert queries(conn, IRIS, person=BOB) == ["of Bob", "of Ann", "my caseload"]


def test_what_was_kept_of_a_record_before_it_was_found_to_be_theirs_counts_for_them(conn: Connection) -> None:
    for key, into in ((ANN, None), (BOB, ANN)):
        conn.execute(insert(person).values(key=key, created=NOW, merged_into=into))
    kept(conn, BOB, query="before they were one")
    kept(conn, None, 1, query="a list from before", detail={"persons": [str(BOB)]})
    assert queries(conn, IRIS, person=ANN) == ["a list from before", "before they were one"]
    assert queries(conn, lens_of(themselves(ANN)), without=frozenset({"audit"})) == [
        "a list from before",
        "before they were one",
    ]


def test_no_row_is_told_twice_that_is_about_a_person_in_both_ways(conn: Connection) -> None:
    conn.execute(insert(person).values(key=ANN, created=NOW))
    conn.execute(insert(person).values(key=BOB, created=NOW, merged_into=ANN))
    kept(conn, ANN, query="both", detail={"persons": [str(BOB)]})
    assert queries(conn, IRIS, person=ANN) == ["both"]


def test_both_ways_are_found_by_their_index(conn: Connection) -> None:
    others = "select now(), 'read', 'success', '{}', gen_random_uuid() from generate_series(1, 3000)"
    conn.execute(text(f"insert into audit_event (at, action, outcome, rules, person) {others}"))
    conn.execute(text("analyze audit_event"))  # by its size, not by what was guessed of an empty table
    conn.execute(text("set local enable_seqscan = off"))
    asked = reading._rows(conn, IRIS, Asked(person=ANN))
    compiled = asked.compile(dialect=conn.dialect)
    values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in compiled.params.items()}
    plan = "\n".join(conn.exec_driver_sql(f"explain {compiled.string}", values).scalars())
    assert "audit_event_person " in plan
    assert "audit_event_persons" in plan
    assert "Seq Scan on audit_event" not in plan


@pytest.mark.parametrize(
    ("lens", "sees"),
    [
        (IRIS, 2),
        (Lens.system("a job", NOW), 2),
        (lens_of(themselves(ANN)), 1),
        (lens_of(themselves(PersonKey(uuid4()))), 0),
        (lens_of(staff("sam")), 0),
        (lens_of(staff("iris", purpose="TREAT"), READER), 0),  # not a purpose of that role
    ],
)
def test_who_sees_which_rows(conn: Connection, lens: Lens, sees: int) -> None:
    kept(conn, ANN, 1, query="of Ann")
    kept(conn, BOB, 2, query="of Bob")
    assert len([one for one in queries(conn, lens, since=NOW) if one in ("of Ann", "of Bob")]) == sees
    assert queries(conn, lens_of(themselves(ANN)), person=BOB) == []


def test_a_row_that_somebody_may_not_see_is_not_there(conn: Connection) -> None:
    kept(conn, BOB)
    id_ = conn.execute(select(audit_event.c.id).where(audit_event.c.person == BOB)).scalar_one()
    assert reading.get(conn, IRIS, id_, "test").person == BOB
    for lens in (lens_of(themselves(ANN)), lens_of(staff("sam"))):
        with pytest.raises(NotFound):
            reading.get(conn, lens, id_, "test")


def test_a_link_to_a_further_page_that_is_not_ours_is_refused(conn: Connection) -> None:
    with pytest.raises(Invalid):
        queries(conn, IRIS, after="bm90aGluZw")


GLASS = BreakGlass({"emergency": "x"}, "ig-lead")


@pytest.mark.parametrize(("tells", "words"), [(True, ["opened your record in need"]), (False, [])])
def test_the_person_is_told_of_broken_glass_where_the_place_tells(
    conn: Connection, tells: bool, words: list[str]
) -> None:
    kept(conn, ANN, action="break-glass")
    place = replace(PLACE, glass=replace(GLASS, tell_person=tells))
    told = who_looked.who_looked(conn, place, lens_of(themselves(ANN), place), ANN)
    assert [one.did for _, sentences in told.days for one in sentences] == words


def test_a_question_about_a_worker_that_nobody_has_answered_is_not_told_to_the_person(conn: Connection) -> None:
    kept(conn, ANN, action="signal")
    assert who_looked.who_looked(conn, PLACE, lens_of(themselves(ANN)), ANN).days == ()


def test_only_the_person_and_who_reads_the_audit_see_who_looked(conn: Connection) -> None:
    kept(conn, ANN)
    for lens in (lens_of(staff("sam")), lens_of(themselves(BOB))):
        with pytest.raises(Forbidden):
            who_looked.who_looked(conn, PLACE, lens, ANN)
    for lens in (lens_of(staff("sam")), lens_of(themselves(ANN))):
        with pytest.raises(Forbidden):
            who_looked.looks_at(conn, PLACE, lens, ANN)
        with pytest.raises(Forbidden):
            who_looked.looks_by(conn, PLACE, lens, staff("sam").user)


def a_signal(conn: Connection) -> int:
    row = {"pattern": "vip", "user": "sam", "organisation": "901", "person": ANN, "day": NOW, "count": 1}
    inserted = insert(audit_signal).values(row | {"raised_at": NOW}).returning(audit_signal.c.id)
    return int(conn.execute(inserted).scalar_one())


MYSELF = lens_of(themselves(ANN))
READINGS: dict[str, tuple[Callable[[Connection], Any], tuple[str, str, PersonKey | None]]] = {
    "who_looked": (lambda c: who_looked.who_looked(c, PLACE, IRIS, ANN), ("audit", "who looked at a person", ANN)),
    "of_myself": (lambda c: audit_pages.of_myself(c, PLACE, MYSELF, audit_pages.wanted({})), ("audit", "who looked at a person", ANN)),
    "of_person": (lambda c: audit_pages.of_person(c, PLACE, IRIS, ANN, audit_pages.wanted({})), ("audit", "looks at a person", ANN)),
    "of_worker": (lambda c: audit_pages.of_worker(c, PLACE, IRIS, "sam.okafor", audit_pages.wanted({})), ("audit", "looks of a user", None)),
    "waiting": (lambda c: audit_signals.waiting(c, PLACE, IRIS), ("audit", "signals", None)),
    "one": (lambda c: audit_signals.one(c, PLACE, IRIS, a_signal(c)), ("audit", "a signal", ANN)),
    "answer": (lambda c: audit_signals.answer(c, IRIS, a_signal(c), "in-order", "yes"), ("signal", "vip", None)),
}  # fmt: skip


@pytest.mark.parametrize("of", READINGS)
def test_every_reading_of_the_audit_is_kept(conn: Connection, of: str) -> None:
    ask, told = READINGS[of]
    ask(conn)
    row = conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()
    assert (row.action, row.query, row.person) == told
    asks = MYSELF.requester if of == "of_myself" else IRIS.requester
    assert asks is not None
    assert (row.user, row.role) == (asks.user, asks.role)


def test_a_search_for_the_person_of_a_number_is_kept_with_who_asked(conn: Connection) -> None:
    with pytest.raises(Invalid):
        audit_people.person_of(conn, IRIS, "999 000 0018")
    row = conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()
    assert (row.action, row.user, row.query) == ("search", "iris", "Patient?identifier")
    assert row.reason == "the audit: whose NHS number it is"


@pytest.mark.parametrize(
    "ask",
    [
        lambda c, lens: audit_people.person_of(c, lens, "9990000018"),
        lambda c, lens: audit_people.named(c, lens, [ANN]),
        lambda c, lens: audit_people.workers(c, PLACE, lens, "sam"),
        lambda c, lens: audit_people.worker(c, PLACE, lens, "sam"),
    ],
)
def test_nobody_else_learns_who_the_audit_is_about(conn: Connection, ask: Callable[[Connection, Lens], Any]) -> None:
    with pytest.raises(Forbidden):
        ask(conn, lens_of(staff("sam")))
