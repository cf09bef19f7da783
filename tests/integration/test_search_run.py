"""A search is one statement under a lens: what it finds, how it pages, what it never tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ingest_builders import NHS, SNOMED, condition, item, key, observation, patient, person_of, read, take
from sqlalchemy import Connection, event, select

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import CONFIDENTIALITY
from carelink.db.tables import audit_event, relationship, resource
from carelink.errors import Invalid
from carelink.ids import Ods, UserId
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query, Row
from fhir_adapters.source import Item

EARLIER = datetime(2020, 1, 1, tzinfo=UTC)


def found(conn: Connection, now: datetime, type_: str, *criteria: str, **more: object) -> list[str]:
    """The ids at the source of what `name=value` criteria find; `a,b` is a or b."""
    query = Query((type_,), criteria=tuple(map(criterion, criteria)), sort="last_updated", goldens=False, **more)  # type: ignore[arg-type]
    return sorted(named(conn, row) for row in search.run(conn, Lens.system("test", now), query).rows)


def criterion(text: str) -> Criterion:
    name, _, value = text.partition("=")
    bare, _, modifier = name.partition(":")
    return Criterion(bare, tuple(value.split(",")), modifier)


def named(conn: Connection, row: Row) -> str:
    return str(conn.execute(select(resource.c.source_id).where(resource.c.key == row.key)).scalar_one())


PEOPLE = [
    patient(
        "ann",
        identifier=[{"system": NHS, "value": "9990000018"}, {"system": "https://dalevalley.example/mrn", "value": "7"}],
        name=[{"use": "official", "family": "O’Neill", "given": ["Ánn", "Marie"]}],
        birthDate="1950-03-04",
        gender="female",
        address=[{"line": ["1 High Street"], "postalCode": "NE1 1AA"}],
        telecom=[{"system": "phone", "value": "01632 960001"}, {"system": "email", "value": "ann@example.org"}],
    ),
    patient(
        "bob",
        identifier=[{"system": "https://southmere.example/person", "value": "7"}],
        name=[{"family": "Neilson-Park", "given": ["Robert"]}],
        birthDate="1981-11",
        gender="male",
        address=[{"postalCode": "NE11 1AA"}],
    ),
]

# parameter=value -> who is found, and why
PATIENT_SEARCHES = [
    (f"identifier={NHS}|9990000018", ["ann"], "system and value"),
    ("identifier=7", ["ann", "bob"], "a value of any system"),
    ("identifier=https://southmere.example/person|7", ["bob"], "the same value of one system"),
    ("identifier=https://southmere.example/person|", ["bob"], "any value of a system"),
    ("identifier=|7", [], "a value that has no system"),
    ("family=oneill", ["ann"], "apostrophes and capitals do not count"),
    ("family=O'NEILL", ["ann"], "nor does which apostrophe it is"),
    ("family=neil", ["bob"], "the beginning of the name, not its middle"),
    ("family=neilson park", ["bob"], "a hyphen is a space"),
    ("given=ann", ["ann"], "accents do not count"),
    ("given=marie", ["ann"], "any of the given names"),
    ("given:exact=rob", [], "exact is the whole name"),
    ("given:exact=Robert", ["bob"], "exact is the whole name"),
    ("name=rob,oneill", ["ann", "bob"], "either of two values, of any part of the name"),
    ("name=nei%", [], "a wildcard is a letter like others"),
    ("birthdate=1950-03-04", ["ann"], "a day"),
    ("birthdate=1950", ["ann"], "a year holds its days"),
    ("birthdate=1981-11", ["bob"], "a month that is all that is known"),
    ("birthdate=1981-11-05", [], "a day can't hold a month"),
    ("birthdate=lt1960", ["ann"], "before"),
    ("birthdate=ge1981-11-05", ["bob"], "part of the month comes after that day"),
    ("gender=male", ["bob"], "a code"),
    ("address-postalcode=NE1 1AA", ["ann"], "a postcode"),
    ("address-postalcode=ne11aa", ["ann"], "with or without its space"),
    ("phone=01632 960001", ["ann"], "a telephone number"),
    ("phone=ann@example.org", [], "an address of mail is no telephone number"),
    ("email=ann@example.org", ["ann"], "but mail"),
]


@pytest.mark.parametrize(("asked", "who", "why"), PATIENT_SEARCHES, ids=[f"{a}: {w}" for a, _, w in PATIENT_SEARCHES])
def test_people_are_found_by_what_their_source_says(
    conn: Connection, place: Place, now: datetime, asked: str, who: list[str], why: str
) -> None:
    take(conn, place, PEOPLE, now)
    assert found(conn, now, "Patient", asked) == who, why


ITEMS = [
    patient("p1"),
    condition("diabetes", code="73211009", onsetDateTime="2019-05"),
    condition("old", code="15777000", onsetDateTime="2001"),
    condition("undated", code="15777000", onsetDateTime=None),
    observation("low", value="6.5", effectiveDateTime="2026-01-31"),
    observation("high", value="8.00", effectiveDateTime="2026-03-29T00:30:00+00:00"),
]
ITEM_SEARCHES = [
    ("Condition", "code=73211009", ["diabetes"], "a code"),
    ("Condition", f"code={SNOMED}|15777000", ["old", "undated"], "a code with its system"),
    ("Condition", "onset-date=2019", ["diabetes"], "a month within the year"),
    ("Condition", "onset-date=le2010", ["old"], "what has no date is not before any"),
    ("Condition", "clinical-status=active", ["diabetes", "old", "undated"], "a code in a concept"),
    ("Observation", "value-quantity=6.5", ["low"], "a number"),
    ("Observation", "value-quantity=8", ["high"], "8 is 8.00"),
    ("Observation", "value-quantity=gt7.9", ["high"], "above"),
    ("Observation", "date=2026-03-29", ["high"], "the day in Europe/London on which summer time starts"),
    ("Observation", "date=ge2026-01-31", ["high", "low"], "from a day on"),
    ("Observation", "status=final", ["high", "low"], "a plain code"),
]


@pytest.mark.parametrize(
    ("type_", "asked", "which", "why"), ITEM_SEARCHES, ids=[f"{a}: {w}" for _, a, _, w in ITEM_SEARCHES]
)
def test_items_are_found_of_one_person_and_of_all(
    conn: Connection, place: Place, now: datetime, type_: str, asked: str, which: list[str], why: str
) -> None:
    take(conn, place, ITEMS, now)
    assert found(conn, now, type_, asked) == which, why
    assert found(conn, now, type_, asked, person=person_of(conn, ITEMS[0])) == which, why


def test_a_golden_patient_means_the_whole_person_and_a_sources_patient_what_that_source_said(
    conn: Connection, place: Place, now: datetime
) -> None:
    same = {"identifier": PEOPLE[0].body["identifier"], "name": PEOPLE[0].body["name"], "birthDate": "1950-03-04"}
    here, there = patient("a", **same), patient("b", **same)
    take(conn, place, [here, condition("ours", "a")], now)
    take(conn, place, [there, condition("theirs", "b")], now, "pds")
    take(conn, place, [patient("a", **same)], now, "pds")
    person = person_of(conn, here)
    assert person_of(conn, there, "pds") == person
    assert found(conn, now, "Condition", f"patient=Patient/{person}") == ["ours", "theirs"]
    assert found(conn, now, "Condition", f"subject={key(here)}") == ["ours"]
    assert found(conn, now, "Condition", f"_id={key(condition('ours'))}") == ["ours"]
    assert found(conn, now, "Condition", "_lastUpdated=gt2026-11-24T12:00:01Z") == []


REFUSED = [
    ("Condition", "colour=blue", "colour", "a parameter that is none"),
    ("Condition", "family=smith", "family", "a parameter of another type"),
    ("Patient", "birthdate=yesterday", "birthdate", "a date that is none"),
    ("Patient", "birthdate=2026-13", "birthdate", "a month that is none"),
    ("Patient", "family=", "family", "no value at all"),
    ("Patient", "family='", "family", "a value that is nothing but punctuation would find everybody"),
    ("Patient", "identifier=|", "identifier", "neither system nor value would find everybody"),
    ("Patient", "family:above=a", "family:above", "a modifier that is not known"),
    ("Observation", "value-quantity=NaN", "value-quantity", "a number that can't be measured"),
    ("Observation", "value-quantity=1e99999", "value-quantity", "a number that can't be measured"),
    ("Observation", "_id=12", "_id", "an id that is not ours"),
]


@pytest.mark.parametrize(("type_", "asked", "where", "why"), REFUSED, ids=[w for *_, w in REFUSED])
def test_what_can_not_be_asked_is_named(
    conn: Connection, now: datetime, type_: str, asked: str, where: str, why: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        found(conn, now, type_, asked)
    assert wrong.value.place == where


def test_an_unknown_parameter_is_answered_with_those_that_are_known(conn: Connection, now: datetime) -> None:
    with pytest.raises(Invalid, match=r"_id, _lastUpdated, .*clinical-status, code"):
        found(conn, now, "Condition", "colour=blue")


@pytest.mark.parametrize("sort", ["-clinical", "clinical", "-last_updated", "last_updated"])
def test_pages_hold_every_row_once_whatever_is_written_meanwhile(
    conn: Connection, place: Place, now: datetime, sort: str
) -> None:
    days = ["2019", "2019-05", "2019-05-01", None, "2020", "2020", None, "2001-01-01"]
    take(conn, place, [patient(), *(condition(f"c{n}", onsetDateTime=day) for n, day in enumerate(days))], now)
    person = person_of(conn, patient())
    pages = list(paged(conn, now, Query(("Condition",), person=person, sort=sort, count=3)))
    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert len({row.key for row in rows}) == len(days)
    order = [row.clinical or EARLIER.replace(year=1) for row in rows]
    if sort == "-clinical":
        assert order == sorted(order, reverse=True)
        assert [row.clinical for row in rows[-2:]] == [None, None]

    seen: list[Row] = []
    for number, page in enumerate(paged(conn, now, Query(("Condition",), person=person, sort=sort, count=3))):
        seen += page
        take(conn, place, [condition(f"new{number}", onsetDateTime="2019-05")], now + timedelta(hours=1))
    assert [row.key for row in seen if row.last_updated == now] == [row.key for row in rows]


def paged(conn: Connection, now: datetime, query: Query) -> Iterator[tuple[Row, ...]]:
    lens, after = Lens.system("test", now), ""
    while True:
        page = search.run(conn, lens, replace(query, after=after))
        yield page.rows
        after = page.next
        if not after:
            return


def test_a_next_that_is_not_ours_is_refused(conn: Connection, now: datetime) -> None:
    with pytest.raises(Invalid):
        search.run(conn, Lens.system("test", now), Query(after="bm9uc2Vuc2U"))


def test_categories_sources_and_times_narrow_what_is_found(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, ITEMS, now)
    assert found(conn, now, "Condition", categories=("problems",)) == ["diabetes", "old", "undated"]
    assert found(conn, now, "Condition", categories=("results",)) == []
    assert found(conn, now, "Condition", sources=("gp",)) == []
    assert found(conn, now, "Condition", since=datetime(2019, 4, 30, 23, 0, tzinfo=UTC)) == ["diabetes"]
    assert found(conn, now, "Condition", until=datetime(2019, 4, 30, 23, 0, tzinfo=UTC)) == ["old"]


def test_the_count_is_that_of_the_pages(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, ITEMS, now)
    asked = Query(("Condition",), person=person_of(conn, ITEMS[0]), count=2)
    counted = search.count(conn, Lens.system("test", now), asked)
    assert counted == sum(len(page) for page in paged(conn, now, asked)) == 3


def test_a_search_is_one_statement_and_its_audit_row_says_what_but_not_who_by_value(
    conn: Connection, place: Place, now: datetime
) -> None:
    take(conn, place, PEOPLE, now)
    statements: list[str] = []
    event.listen(conn, "before_cursor_execute", lambda c, cur, statement, *rest: statements.append(statement))
    lens = Lens.system("test of audit", now)
    search.run(conn, lens, Query(("Patient",), criteria=(criterion("family=oneill"), criterion("birthdate=1950"))))
    assert [text.split()[0].lower() for text in statements] == ["select", "insert"]
    told = conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()
    assert (told.action, told.query, told.count) == ("search", "Patient?family&birthdate", 2)
    assert told.reason == "test of audit"
    assert "neill" not in str(told)


def nurse(place: Place, now: datetime) -> Lens:
    return Lens.compile(place, Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT"), now)


def involve(conn: Connection, who: Item, now: datetime) -> None:
    row = {"person": person_of(conn, who), "kind": "encounter", "organisation": "RDV", "starts": EARLIER}
    conn.execute(relationship.insert().values(row))


LOCATING = ["address-postalcode=NE1 1AA", "phone=01632 960001", "telecom=01632 960001"]


@pytest.mark.parametrize("asked", LOCATING)
def test_no_search_by_place_or_telephone_finds_a_restricted_person(
    conn: Connection, place: Place, now: datetime, asked: str
) -> None:
    def hits() -> int:
        return len(search.run(conn, nurse(place, now), Query(("Patient",), criteria=(criterion(asked),))).rows)

    open_, hidden = PEOPLE[0], patient("ann", **(PEOPLE[0].body | {"meta": SECRET}))
    take(conn, place, [open_], now)
    involve(conn, open_, now)
    assert hits() > 0
    take(conn, place, [hidden], now)
    involve(conn, open_, now)
    assert hits() == 0
    by_name = search.run(conn, nurse(place, now), Query(("Patient",), criteria=(criterion("family=oneill"),))).rows
    assert by_name
    assert all("NE1" not in row.body and "01632" not in row.body for row in by_name)


SECRET = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}


def test_a_stranger_finds_nobody_and_counts_nobody(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, PEOPLE, now)
    asked = Query(("Patient",), criteria=(criterion("identifier=7"),))
    assert search.run(conn, nurse(place, now), asked).rows == ()
    assert search.count(conn, nurse(place, now), asked) == 0


def test_resources_by_their_keys_come_in_a_fixed_order(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, ITEMS, now)
    keys = [key(one) for one in ITEMS]
    rows = search.by_keys(conn, Lens.system("test", now), [*keys, key(item("Task", "none"))])
    assert [row.key for row in rows] == sorted(keys)
    assert read(conn, ITEMS[1], now) in rows
