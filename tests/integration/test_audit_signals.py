"""Looks that are worth a look: what fits each pattern and what does not, raised once, closed with an answer and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from conftest import NOW
from consent_builders import NORTH, PLACE, lens_of, staff
from sqlalchemy import Connection, insert, select

from carelink.audit import patterns, signals
from carelink.audit.signals import ANSWERS, Worker
from carelink.audit.trail import Event, append
from carelink.consent.lens import Lens
from carelink.db.tables import audit_event, audit_signal, index_token, outbox, person_trait, relationship, resource
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import NHS_NUMBER, PersonKey, UserId
from carelink.jobs import watch as job
from carelink.jobs.shop import Shop
from carelink.place import Place, Role, Staff, Watch
from carelink.settings import Settings

CODE = 100
VIP = ("https://carelink.example/CodeSystem/alert", "vip")
WATCH = Watch(many_people=3, many_minutes=60, vip=frozenset({VIP}))
SAM = Worker("sam", NORTH, "adults-north", "okafor", "sam", "9990000018", by_day=True, on_duty=False)
LENA = Worker("lena", NORTH, "adults-west", "holt", "lena", "", by_day=True, on_duty=False)
NOOR = Worker("noor", NORTH, "emergency-duty", "haddad", "noor", "", by_day=True, on_duty=True)
STAFF = (SAM, LENA, NOOR)
NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
READER = replace(
    PLACE, roles=dict(PLACE.roles) | {"ig-lead": Role("ig-lead", "Lead", ("HOPERAT",), frozenset({"read-audit"}))}
)


def known(conn: Connection, nhs: str = "", family: str = "smith", given: str = "jo", home: str = "") -> PersonKey:
    """Somebody in the record, by what the linker knows of them."""
    key = PersonKey(uuid4())
    row = {"nhs_number": nhs, "family": family, "given": given, "address": home, "postcode": "DM14QT" if home else ""}
    conn.execute(insert(person_trait).values(patient=uuid4(), person=key, **row))
    return key


def look(conn: Connection, person: PersonKey | None, by: str = "sam", at: datetime = NOW, **changed: Any) -> None:
    event = Event("search", staff("sam"), person, query="Patient?", count=1, request=str(uuid4()))
    append(conn, replace(event, requester=replace(staff("sam"), user=UserId(by)), **changed), at)


def allocated(conn: Connection, person: PersonKey, **whose: Any) -> None:
    row = {"person": person, "kind": "caseload", "organisation": NORTH, "starts": NOW - timedelta(days=9)}
    conn.execute(insert(relationship).values(row | whose))


def flagged(conn: Connection, person: PersonKey, status: str = "active") -> None:
    key = uuid4()
    body = f'{{"resourceType":"Flag","status":"{status}"}}'
    labels = {"custodian": "901", "category": "alerts", "last_updated": NOW, "hash": b""}
    conn.execute(
        insert(resource).values(
            key=key, type="Flag", person=person, body=body, version=1, source="council", source_id=str(key), **labels
        )
    )
    row = {"parameter": CODE, "person": person, "system": VIP[0], "code": VIP[1], "key": key}
    conn.execute(insert(index_token).values(row))


def raised(conn: Connection, since: datetime = NOW - timedelta(days=5), watch: Watch = WATCH) -> list[Any]:
    """The signals that stand after a round of the job."""
    signals.raise_signals(conn, Lens.system("test", NOW + timedelta(hours=1)), watch, STAFF, since, CODE)
    return list(conn.execute(select(audit_signal).order_by(audit_signal.c.pattern, audit_signal.c.id)))


@dataclass(frozen=True)
class Case:
    """What is done before the job runs, and the patterns that it fits."""

    does: Callable[[Connection], None]
    fits: tuple[str, ...] = ()


def a_colleague(conn: Connection) -> None:
    look(conn, known(conn, family="holt", given="lena grace"))


def of_two(conn: Connection, *, by: str, **whose: Any) -> None:
    person = known(conn)
    allocated(conn, person, user="lena")
    if whose:
        allocated(conn, person, **whose)
    look(conn, person, by)


def many(conn: Connection, number: int, apart: timedelta = timedelta(0)) -> None:
    for place in range(number):
        look(conn, known(conn), at=NOW + place * apart)


CASES = {
    "a look at a stranger": Case(lambda c: look(c, known(c))),
    "their own NHS number": Case(lambda c: look(c, known(c, nhs="9990000018")), ("own-record",)),
    "their own name": Case(lambda c: look(c, known(c, family="okafor", given="sam peter")), ("own-record",)),
    "their own family name": Case(lambda c: look(c, known(c, family="okafor", given="ada")), ("same-surname",)),
    "who lives where they live": Case(
        lambda c: (known(c, nhs="9990000018", home="1 mill lane"), look(c, known(c, home="1 mill lane"))),
        ("same-address",),  # type: ignore[arg-type,return-value]
    ),
    "who lives elsewhere": Case(
        lambda c: (known(c, nhs="9990000018", home="1 mill lane"), look(c, known(c, home="2 mill lane")))  # type: ignore[arg-type,return-value]
    ),
    "a colleague": Case(a_colleague, ("colleague",)),
    "on somebody else's caseload": Case(lambda c: of_two(c, by="sam"), ("no-caseload-link",)),
    "on their own caseload as well": Case(lambda c: of_two(c, by="sam", user="sam")),
    "on their team's caseload": Case(lambda c: of_two(c, by="sam", team="adults-north")),
    "on another team's caseload": Case(lambda c: of_two(c, by="sam", team="adults-south"), ("no-caseload-link",)),
    "an allocation that ended": Case(
        lambda c: of_two(c, by="sam", user="sam", ends=NOW - timedelta(days=1)), ("no-caseload-link",)
    ),
    "the team on duty": Case(lambda c: of_two(c, by="noor")),
    "two people in an hour": Case(lambda c: many(c, 2)),
    "three people in an hour": Case(lambda c: many(c, 3), ("many-people",)),
    "three people in three hours": Case(lambda c: many(c, 3, timedelta(minutes=-70))),
    "who carries the alert": Case(lambda c: flagged(c, p := known(c)) or look(c, p), ("vip",)),  # type: ignore[func-returns-value]
    "whose alert has ended": Case(lambda c: flagged(c, p := known(c), "inactive") or look(c, p)),  # type: ignore[func-returns-value]
    "at night": Case(lambda c: look(c, known(c), at=NIGHT), ("outside-hours",)),
    "on a Saturday": Case(lambda c: look(c, known(c), at=SATURDAY), ("outside-hours",)),
    "at night, on duty": Case(lambda c: look(c, known(c), "noor", NIGHT)),
    "a refusal": Case(lambda c: look(c, known(c, nhs="9990000018"), action="refusal", outcome="refused")),
    "a search that shows nothing": Case(lambda c: look(c, known(c, nhs="9990000018"), count=0)),
    "a caseload": Case(lambda c: look(c, known(c, nhs="9990000018"), query="my caseload")),
    "a system": Case(lambda c: look(c, known(c, nhs="9990000018"), "client:ward")),
    "before the time that is looked at": Case(
        lambda c: look(c, known(c, nhs="9990000018"), at=NOW - timedelta(days=9))
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_fits_a_pattern_is_raised_and_nothing_else(conn: Connection, case: Case) -> None:
    case.does(conn)
    assert tuple(row.pattern for row in raised(conn)) == case.fits


def test_every_pattern_has_a_case_that_it_fits_and_says_that_it_may_be_quite_right() -> None:
    assert {fits for case in CASES.values() for fits in case.fits} == set(patterns.BY_ID)
    assert all("may be quite right" in one.because for one in patterns.ALL)


def test_nothing_is_raised_twice_but_what_went_on_is_counted(conn: Connection) -> None:
    own = known(conn, nhs="9990000018")
    look(conn, own)
    first = raised(conn)
    assert [(row.pattern, row.user, row.person, row.count) for row in first] == [("own-record", "sam", own, 1)]
    assert raised(conn) == first
    look(conn, own)
    assert [(row.id, row.count) for row in raised(conn)] == [(first[0].id, 2)]


def test_a_signal_of_many_people_is_raised_once_a_day_although_it_names_nobody(conn: Connection) -> None:
    many(conn, 3)
    raised(conn)
    many(conn, 4)
    (row,) = raised(conn)
    assert (row.person, row.count, row.detail) == (None, 7, {"minutes": 60})


@pytest.fixture
def waits(conn: Connection) -> int:
    """A signal that waits for an answer."""
    look(conn, known(conn, nhs="9990000018"))
    return int(raised(conn)[0].id)


@pytest.fixture
def reads() -> Lens:
    """Who reads the audit."""
    return lens_of(staff("iris"), READER)


def test_it_waits_until_somebody_says_what_it_was_and_is_not_raised_again(
    conn: Connection, waits: int, reads: Lens
) -> None:
    assert [one.id for one in signals.waiting(conn, reads)] == [waits]
    assert signals.open_count(conn, reads) == 1
    signals.answer(conn, reads, waits, "in-order", "  Sam Okafor has the same name.  ")
    assert signals.waiting(conn, reads) == ()
    row = raised(conn)[0]
    assert (row.answer, row.words, row.answered_by) == ("in-order", "Sam Okafor has the same name.", "iris")
    with pytest.raises(NotFound):
        signals.one(conn, reads, waits)


def test_looking_and_answering_are_audited_without_the_words(conn: Connection, waits: int, reads: Lens) -> None:
    signals.waiting(conn, reads)
    signals.one(conn, reads, waits)
    signals.answer(conn, reads, waits, "breach", "words about somebody")
    rows = conn.execute(select(audit_event).order_by(audit_event.c.id)).all()[-3:]
    assert [(row.action, row.user, row.query) for row in rows] == [
        ("audit", "iris", "signals"),
        ("audit", "iris", "a signal"),
        ("signal", "iris", "own-record"),
    ]
    assert rows[-1].detail == {"signal": waits, "answer": "breach"}
    assert rows[-1].person is None


@pytest.mark.parametrize(
    ("said", "words", "where"),
    [
        ("", "words", "answer"),
        ("perhaps", "words", "answer"),
        ("in-order", " ", "words"),
        ("in-order", "x" * 1001, "words"),
    ],
)
def test_an_answer_says_what_it_was_and_why(
    conn: Connection, waits: int, reads: Lens, said: str, words: str, where: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        signals.answer(conn, reads, waits, said, words)
    assert wrong.value.place == where
    assert [one.id for one in signals.waiting(conn, reads)] == [waits]


def test_of_two_who_answer_the_second_is_told(conn: Connection, waits: int, reads: Lens) -> None:
    signals.answer(conn, reads, waits, "in-order", "first")
    with pytest.raises(Conflict):
        signals.answer(conn, reads, waits, "breach", "second")


@pytest.mark.parametrize(
    "ask",
    [
        signals.waiting,
        lambda c, le: signals.one(c, le, 1),
        lambda c, le: signals.answer(c, le, 1, next(iter(ANSWERS)), "x"),
    ],
)
def test_only_who_reads_the_audit_sees_and_answers(conn: Connection, ask: Callable[[Connection, Lens], Any]) -> None:
    with pytest.raises(Forbidden):
        ask(conn, lens_of(staff("sam")))
    assert signals.open_count(conn, lens_of(staff("sam"))) == 0


# The job -------------------------------------------------------------------------------------------


def test_the_staff_are_compared_by_folded_names_without_titles() -> None:
    place: Place = replace(
        PLACE,
        staff={
            UserId("tom"): Staff(UserId("tom"), "Dr Tomás O'Éllis", NORTH, "gp"),
            UserId("one"): Staff(UserId("one"), "Cher", NORTH, "gp", identifiers=(f"{NHS_NUMBER}|9990000026",)),
        },
        watch=Watch(day_roles=frozenset({"gp"})),
    )
    tom, one = job.workers(place)
    assert (tom.given, tom.family, tom.by_day) == ("tomas", "oellis", True)
    assert (one.given, one.family, one.nhs_number) == ("", "", "9990000026")


def test_the_first_round_is_asked_for_once(conn: Connection) -> None:
    assert job.begin(conn, NOW) is True
    assert job.begin(conn, NOW + timedelta(minutes=1)) is False
    row = conn.execute(select(outbox).where(outbox.c.kind == job.KIND)).one()
    assert row.due_at == NOW + job.EVERY


def test_each_round_asks_for_the_next_from_where_it_stopped(conn: Connection, place: Place) -> None:
    look(conn, known(conn, family="okafor", given="sam"), "sam.okafor")
    shop = Shop(conn.engine, place, Settings(), lambda: NOW + timedelta(hours=1))
    job.work(shop, conn, {"since": (NOW - timedelta(hours=1)).isoformat()})
    assert list(conn.execute(select(audit_signal.c.pattern)).scalars()) == ["own-record"]
    row = conn.execute(select(outbox).where(outbox.c.kind == job.KIND)).one()
    assert row.due_at == NOW + timedelta(hours=2)
    assert datetime.fromisoformat(row.payload["since"]) == NOW + timedelta(hours=1) - job.OVERLAP
