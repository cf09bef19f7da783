"""What is due is erased whole, is not brought back by the next pull, and is held back where the law says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from audit_builders import sealed, verified
from ingest_builders import condition, item, key, observation, patient, person_of, take
from page_builders import ME, identified, lens, stay
from sqlalchemy import Connection, Engine, delete, func, insert, select, text
from subject_access_builders import IRIS, gathered, opened, released, reviewed

from carelink.cases import legal_hold, retention
from carelink.cases.retention import Report
from carelink.consent.lens import Lens
from carelink.db import sync, tables
from carelink.errors import Conflict, Forbidden, Invalid
from carelink.ids import PersonKey
from carelink.place import Place

MARK = "Quillfeather"  # stands in nothing else
LATER = timedelta(days=9 * 366)
OLD = "2018-03-01"  # more than eight years before "later"
RESTRICTED = "9990000018"


def mark(conn: Connection, place: Place, now: datetime) -> PersonKey:
    """Somebody whose name and every text has the mark in it: a hospital's record, an item in quarantine, hand-made rows."""
    who = identified(
        RESTRICTED, MARK, "Nora", "1944-05-06", address=[{"line": [f"1 {MARK} Lane"], "postalCode": "DM1 4QT"}]
    )
    old = condition("old", onsetDateTime=OLD, recordedDate=OLD, note=[{"text": f"{MARK} one"}])
    wrong = observation("wrong", status="nonsense", effectiveDateTime=OLD, note=[{"text": f"{MARK} wrong"}])
    repaired = condition("mend", onsetDateTime="1961-04-93", recordedDate=OLD, note=[{"text": f"{MARK} mend"}])
    take(conn, place, [patient("p1", **who), old, wrong, repaired], now)
    changed = condition("old", onsetDateTime=OLD, recordedDate=OLD, note=[{"text": f"{MARK} two"}])
    take(conn, place, [changed], now)
    return person_of(conn, patient("p1"))


@pytest.fixture
def store(engine: Engine, place: Place, now: datetime) -> Iterator[Engine]:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return engine


@pytest.fixture
def marked(store: Engine, place: Place, now: datetime) -> PersonKey:
    with store.begin() as conn:
        return mark(conn, place, now)


def run(engine: Engine, place: Place, at: datetime) -> Report:
    return retention.run(engine, place, Lens.system("the yearly run", at, "operator:test"))


def due(engine: Engine, place: Place, at: datetime) -> Report:
    with engine.begin() as conn:
        return retention.what_is_due(conn, place, Lens.system("test", at))


def where_it_stands(engine: Engine, word: str) -> list[str]:
    """Every table in which the word stands in any column, however it is kept; bytes are looked into as text."""
    found = []
    with engine.connect() as conn:
        for name, table in sorted(tables.metadata.tables.items()):
            columns = " || ' ' || ".join(
                f"coalesce(encode({c.name!r}, 'escape'), '')".replace("'" + c.name + "'", f'"{c.name}"')
                if str(c.type) == "BLOB"
                else f"coalesce(\"{c.name}\"::text, '')"
                for c in table.columns
            )
            if conn.execute(
                text(f'select 1 from "{name}" where {columns} ilike :word limit 1'), {"word": f"%{word}%"}
            ).first():
                found.append(name)
    return found


def words_by_hand(conn: Connection, marked: PersonKey, now: datetime) -> None:
    """What people wrote of it in other tables."""
    person, old = {"person": marked}, key(condition("old"))
    conn.execute(
        insert(tables.label_correction).values(resource=old, why=MARK, made_by="x", organisation="RDV", made_at=now)
    )
    conn.execute(insert(tables.user).values(id="own", name=f"Nora {MARK}", person=marked))
    conn.execute(insert(tables.legal_hold).values(**person, why=MARK, made_by="x", made_at=now, ended_at=now))
    when = {"starts": now, "ends": now, "review_due": now, "reviewed_at": now}
    glass = {"user": "x", "organisation": "RDV", "role": "nurse", "reason": "duty", "reviewer_role": "ig-lead"}
    conn.execute(insert(tables.access_grant).values(**person, **when, **glass, words=MARK, finding_words=MARK))


def test_nothing_is_left_in_any_table_of_what_was_erased(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        words_by_hand(conn, marked, now)
        id_ = opened(conn, place, now, marked)
        gathered(conn, place, now, id_)
        reviewed(conn, place, now, id_)
        released(conn, place, now, id_)
    before = where_it_stands(store, MARK)
    assert set(before) > {
        "resource",
        "resource_version",
        "quarantine",
        "index_string",
        "person_trait",
        "subject_request",
    }
    report = run(store, place, now + LATER)
    assert (report.people, report.whole, report.held) == (1, 1, 0)
    assert where_it_stands(store, MARK) == []
    assert where_it_stands(store, RESTRICTED) == []


def test_that_it_was_there_and_who_erased_it_stays_and_so_does_the_audit(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        looks = conn.execute(select(func.count()).select_from(tables.audit_event)).scalar_one()
    run(store, place, now + LATER)
    with store.connect() as conn:
        t = tables.erasure.c
        row = conn.execute(select(t).where(t.resource == key(condition("old")))).one()  # type: ignore[call-overload]
        event = conn.execute(select(tables.audit_event).where(tables.audit_event.c.action == "erase")).one()
        after = conn.execute(select(func.count()).select_from(tables.audit_event)).scalar_one()
    assert (row.person, row.type, row.custodian, row.versions, row.schedule) == (
        marked,
        "Condition",
        "RDV",
        2,
        "adult-health",
    )
    assert row.erased_by == "operator:test"
    assert (event.person, event.rules, event.reason, event.user) == (
        marked,
        ["adult-health"],
        "the yearly run",
        "operator:test",
    )
    assert after > looks


def test_the_audit_that_was_sealed_before_and_after_verifies(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    sealed(store)
    run(store, place, now + LATER)
    sealed(store)
    assert verified(store).problems == ()


def test_nothing_is_erased_before_its_time(store: Engine, place: Place, now: datetime, marked: PersonKey) -> None:
    assert run(store, place, datetime.fromisoformat("2026-02-28T12:00:00+00:00")).people == 0
    assert due(store, place, datetime.fromisoformat("2026-03-01T12:00:00+00:00")).items == {"adult-health": 3}
    assert where_it_stands(store, MARK)


def test_a_contact_since_keeps_everything_of_that_organisation(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        take(conn, place, [stay(status="in-progress")], now)
    assert due(store, place, now + LATER).people == 0
    with store.begin() as conn:
        ended = {"start": "2026-11-20T14:20:00Z", "end": "2026-11-24T10:00:00Z"}
        take(conn, place, [stay(status="finished", period=ended)], now + timedelta(days=1))
    assert due(store, place, now + timedelta(days=365 * 7)).people == 0
    assert due(store, place, now + LATER).people == 1


def test_what_another_schedule_keeps_longer_stays_with_who_it_is_about(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        take(conn, place, [condition("mind", code="35489007", onsetDateTime=OLD, recordedDate=OLD)], now)
    report = run(store, place, now + LATER)
    assert (report.people, report.whole) == (1, 0)
    with store.connect() as conn:
        left = conn.execute(select(tables.resource.c.type).where(tables.resource.c.person == marked)).scalars().all()
    assert sorted(left) == ["Condition", "Patient", "Patient"], "the mental health item, its Patient and the golden one"
    assert "one" not in str(where_it_stands(store, f"{MARK} two"))


def test_a_legal_hold_stops_it_until_it_ends(store: Engine, place: Place, now: datetime, marked: PersonKey) -> None:
    with store.begin() as conn:
        asks = lens(conn, place, now, IRIS)
        hold = legal_hold.hold(conn, asks, marked, "A claim of 2026")
        with pytest.raises(Conflict):
            legal_hold.hold(conn, asks, marked, "again")
        with pytest.raises(Invalid):
            legal_hold.hold(conn, asks, marked, " ")
    assert (run(store, place, now + LATER).people, run(store, place, now + LATER).held) == (0, 1)
    assert where_it_stands(store, MARK)
    with store.begin() as conn:
        legal_hold.end(conn, lens(conn, place, now, IRIS), hold)
        assert legal_hold.holds(conn, lens(conn, place, now, IRIS)) == ()
    assert run(store, place, now + LATER).people == 1


def test_nothing_is_erased_of_who_waits_for_an_answer_about_it(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        opened(conn, place, now, marked)
    assert run(store, place, now + LATER).held == 1


def test_only_a_role_that_handles_requests_holds_or_sees_what_is_due_and_no_role_erases(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    with store.begin() as conn:
        sam, iris = lens(conn, place, now, "sam.okafor"), lens(conn, place, now, IRIS)
        for act in (
            lambda: legal_hold.hold(conn, sam, marked, "x"),
            lambda: legal_hold.holds(conn, sam),
            lambda: retention.what_is_due(conn, place, sam),
        ):
            with pytest.raises(Forbidden):
                act()
        assert retention.what_is_due(conn, place, iris).people == 1
    with pytest.raises(TypeError):
        retention.run(store, place, iris)


def test_the_next_pull_does_not_bring_it_back_and_says_how_much_it_refused(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    run(store, place, now + LATER)
    with store.begin() as conn:
        who = identified(RESTRICTED, MARK, "Nora", "1944-05-06")
        old = condition("old", onsetDateTime=OLD, note=[{"text": f"{MARK} two"}])
        wrong = observation("wrong", status="nonsense", effectiveDateTime=OLD, note=[{"text": f"{MARK} wrong"}])
        report = take(conn, place, [patient("p1", **who), old], now + LATER)
        assert (report.stored, report.quarantined, report.erased) == (0, 0, 2)
        again = take(conn, place, [wrong], now + LATER)
        assert (again.stored, again.erased) == (0, 1)
    assert where_it_stands(store, MARK) == []


def test_when_care_begins_again_all_that_the_source_tells_is_taken_in(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    run(store, place, now + LATER)
    with store.begin() as conn:
        who = identified(RESTRICTED, MARK, "Nora", "1944-05-06")
        old = condition("old", onsetDateTime=OLD, note=[{"text": f"{MARK} two"}])
        report = take(conn, place, [patient("p1", **who), old, stay("new")], now + LATER)
        assert (report.erased, report.quarantined) == (0, 0)
        assert person_of(conn, patient("p1")) == marked
        t = tables.erasure.c
        assert conn.execute(select(t.resource).where(t.resource == key(old))).all() == []
        told = conn.execute(select(tables.audit_event).where(tables.audit_event.c.query == "taken in again")).one()
    assert told.count == 2


def test_what_is_told_of_another_person_brings_nothing_back(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    run(store, place, now + LATER)
    with store.begin() as conn:
        old = condition("old", onsetDateTime=OLD, note=[{"text": f"{MARK} two"}])
        report = take(conn, place, [patient("p2"), condition("c2", "p2"), old], now + LATER)
        assert (report.stored, report.erased) == (2, 1)


def test_a_merged_person_leaves_nothing_either(store: Engine, place: Place, now: datetime, marked: PersonKey) -> None:
    with store.begin() as conn:
        other = {"family": f"{MARK}-Other", "given": ["Nora"]}
        take(conn, place, [patient("p9", name=[other], birthDate="1944-05-06")], now, "council-a")
        who = identified(RESTRICTED, MARK, "Nora", "1944-05-06")
        take(conn, place, [patient("p9", **who)], now, "council-a")
        stale = select(tables.person.c.key)
        assert conn.execute(stale).all()
    run(store, place, now + LATER)
    assert where_it_stands(store, MARK) == []


def test_an_answer_is_kept_three_years(store: Engine, place: Place, now: datetime) -> None:
    with store.begin() as conn:
        take(
            conn,
            place,
            [
                patient("p7"),
                item("Flag", "f7", status="active", code={"text": "x"}, subject={"reference": "Patient/p7"}),
            ],
            now,
        )
        person = person_of(conn, patient("p7"))
        id_ = opened(conn, place, now, person)
        gathered(conn, place, now, id_)
        reviewed(conn, place, now, id_)
        released(conn, place, now, id_)
    assert due(store, place, now + timedelta(days=3 * 365 - 1)).answers == 0
    assert run(store, place, now + timedelta(days=3 * 365 + 1)).answers == 1
    t = tables.subject_request.c
    with store.connect() as conn:
        row = conn.execute(select(t.package, t.printed, t.fhir, t.status)).one()
    assert tuple(row) == (None, None, None, "released")


def test_running_it_twice_does_nothing_the_second_time(
    store: Engine, place: Place, now: datetime, marked: PersonKey
) -> None:
    run(store, place, now + LATER)
    assert run(store, place, now + LATER) == Report()
    with store.begin() as conn:
        assert conn.execute(select(tables.person)).all() == []
        conn.execute(delete(tables.erasure))
    assert ME
