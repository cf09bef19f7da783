"""What a source told and does not tell any more is ended, where it told all; nothing is ended by half an answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest_builders import item, key, observation, patient, person_of, read, take
from page_builders import ME, NORA, RECORD, allergy
from sqlalchemy import Connection, func, select

from carelink.consent.lens import Lens
from carelink.db.tables import index_token, resource, resource_version
from carelink.place import Place
from carelink.record import store
from carelink.record.ingest import IngestReport, ingest
from carelink.record.summary import summary
from fhir_adapters.source import Batch, Item
from fhir_adapters.whole import IdForm, Whole

PATIENT = item("Patient", "p1", RECORD, **NORA)
PENICILLIN = allergy("severe", "91936005", "Allergy to penicillin", RECORD)
LATEX = allergy("mild", "1003755004", "Allergy to latex", RECORD)


def told(
    conn: Connection, place: Place, now: datetime, source: str, items: Iterable[Item], *whole: Whole
) -> IngestReport:
    return ingest(conn, place, place.source(source), Batch(tuple(items), {}, whole=whole), now)


def record(conn: Connection, place: Place, now: datetime, *items: Item) -> IngestReport:
    """A practice's answer about Nora, with all that it has."""
    ids = frozenset((one.type, one.source_id) for one in items)
    return told(conn, place, now, "gp", items, Whole("the record", ids, RECORD))


def allergies(conn: Connection, now: datetime) -> list[str]:
    found = summary(conn, Lens.system("test", now), person_of(conn, PATIENT, "gp")).allergies.current
    return [one.title for one in found]


def test_an_allergy_that_the_practice_took_back_is_no_longer_current_and_its_history_stays(
    conn: Connection, place: Place, now: datetime
) -> None:
    record(conn, place, now, PATIENT, PENICILLIN, LATEX)
    assert len(allergies(conn, now)) == 2
    later = now + timedelta(days=1)
    assert record(conn, place, later, PATIENT, LATEX).ended == 1
    assert allergies(conn, later) == ["Allergy to latex"]
    gone = key(PENICILLIN, "gp")
    lens = Lens.system("test", later)
    assert [row.version for row in store.history(conn, lens, "AllergyIntolerance", gone)] == [1]
    assert conn.execute(select(func.count()).where(resource_version.c.key == gone)).scalar_one() == 2
    assert conn.execute(select(func.count()).where(index_token.c.key == gone)).scalar_one() == 0
    assert record(conn, place, later, PATIENT, LATEX).ended == 0


def test_what_comes_back_is_current_again(conn: Connection, place: Place, now: datetime) -> None:
    record(conn, place, now, PATIENT, PENICILLIN)
    record(conn, place, now, PATIENT)
    assert allergies(conn, now) == []
    record(conn, place, now, PATIENT, PENICILLIN)
    assert allergies(conn, now) == ["Allergy to penicillin"]
    assert read(conn, PENICILLIN, now, "gp").version == 3


def test_a_record_that_is_not_told_in_full_ends_nothing(conn: Connection, place: Place, now: datetime) -> None:
    record(conn, place, now, PATIENT, PENICILLIN)
    told(conn, place, now, "gp", [PATIENT])
    assert allergies(conn, now) == ["Allergy to penicillin"]


def test_another_persons_record_and_another_source_stay_as_they_are(
    conn: Connection, place: Place, now: datetime
) -> None:
    other = item("Patient", "p2", "P81001/9990000026", **patient("p2").body)
    theirs = item(
        "AllergyIntolerance", "x", "P81001/9990000026", **PENICILLIN.body | {"patient": {"reference": "Patient/p2"}}
    )
    take(conn, place, [other, theirs], now, "gp")
    take(conn, place, [item("Patient", "p1", **NORA), observation()], now)
    record(conn, place, now, PATIENT, PENICILLIN)
    record(conn, place, now, PATIENT)
    alive = conn.execute(select(resource.c.type, resource.c.source).where(resource.c.deleted.is_(False))).all()
    assert {("AllergyIntolerance", "gp"), ("Observation", "hospital")} <= {tuple(row) for row in alive}


def alert(number: int) -> Item:
    return item("Flag", f"f{number}", status="active", code={"text": f"Alert {number}"}, **ME)


FLAGS = (IdForm("Flag", "f"),)
NORTHDALES = item("Patient", "p1", **NORA)


def extract(conn: Connection, place: Place, now: datetime, numbers: Iterable[int]) -> IngestReport:
    items = [alert(number) for number in numbers]
    ids = frozenset((one.type, one.source_id) for one in items)
    return told(conn, place, now, "council-a", [NORTHDALES, *items], Whole("alerts.csv", ids, forms=FLAGS))


def flags(conn: Connection) -> int:
    asked = select(func.count()).where(resource.c.type == "Flag", resource.c.deleted.is_(False))
    return conn.execute(asked).scalar_one()


def test_an_alert_that_left_the_councils_extract_is_ended(conn: Connection, place: Place, now: datetime) -> None:
    extract(conn, place, now, range(30))
    report = extract(conn, place, now, range(1, 30))
    assert (report.ended, report.doubts, flags(conn)) == (1, (), 29)


def test_an_extract_that_lost_much_at_once_is_not_believed_and_says_so(
    conn: Connection, place: Place, now: datetime
) -> None:
    extract(conn, place, now, range(100))
    report = extract(conn, place, now, range(40))
    assert (report.ended, flags(conn)) == (0, 100)
    assert report.doubts == ("alerts.csv: 60 of 100 are not in it any more; nothing was ended",)
