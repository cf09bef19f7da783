"""What each requester sees of a person on the pages: through the lens, with a real database."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ingest_builders import item, patient, person_of, take
from page_builders import (
    ME,
    NORA,
    identified,
    lens,
    many,
    nora,
    objection,
    stay,
)
from sqlalchemy import Connection, event, select, update

from carelink.cases.finding import Asked, find
from carelink.cases.person_page import PersonPage, person_page, refresh_stale
from carelink.cases.standing import standings
from carelink.cases.story import Wanted, story, story_alone, wanted
from carelink.db.tables import outbox, resource, source_state
from carelink.errors import Invalid, NotFound
from carelink.identity import proofing
from carelink.ids import PersonKey, UserId
from carelink.place import Place
from carelink.record import source_state as sources

SAM, GWEN, NADIA, TOM, IRIS = "sam.okafor", "gwen.price", "nadia.rahman", "tom.ellis", "iris.lang"


@pytest.fixture
def known(conn: Connection, place: Place, now: datetime) -> PersonKey:
    return nora(conn, place, now)


def page(conn: Connection, place: Place, now: datetime, user: str, person: PersonKey, **asked: Any) -> PersonPage:
    return person_page(conn, place, lens(conn, place, now, user), person, Wanted(**asked))


def titles(page_: PersonPage) -> set[str]:
    return {one.title for year in page_.story.years for one in year.entries}


# The person's page ------------------------------------------------------------------------------------


def test_an_involved_worker_sees_what_is_agreed_each_item_with_its_source(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    told = page(conn, place, now, SAM, known)
    assert (told.banner.name, told.banner.nhs_number) == ("Nora Hart", "9990000018")
    assert (told.banner.address, told.banner.practice) == ("1 Mill Lane, Dalemere, DM1 4QT", "Riverside Surgery")
    medicine = told.part("medicines").current[0]
    assert (medicine.title, told.labels[medicine.source]) == ("Ramipril 5mg capsules", "GP record")
    assert [one.title for one in told.alerts.current] == ["Key safe by the back door"]
    assert [one.title for one in told.part("legal").current] == ["Lasting power of attorney: daughter, Susan"]
    assert [one.title for one in told.part("packages").current] == ["Home Support"]
    assert [(one.title, one.until) for one in told.part("packages").past] == [("Meals", "2020-03")]
    assert "Ramipril 5mg capsules" in titles(told)


def test_an_allergy_that_could_kill_is_first_and_who_says_that_there_is_none_is_named_beside_it(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    told = page(conn, place, now, SAM, known).allergies
    assert [one.title for one in told.current] == ["Allergy to penicillin", "Allergy to latex"]
    assert told.none_known == "Hospital"


@pytest.mark.parametrize("user", [GWEN, IRIS])
def test_a_stranger_is_told_that_there_is_nobody(
    conn: Connection, place: Place, known: PersonKey, now: datetime, user: str
) -> None:
    with pytest.raises(NotFound):
        page(conn, place, now, user, known)
    with pytest.raises(NotFound):
        story_alone(conn, lens(conn, place, now, user), known, Wanted())


def test_a_person_who_does_not_exist_looks_like_one_whom_one_may_not_see(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    with pytest.raises(NotFound) as missing:
        page(conn, place, now, SAM, PersonKey(type(known)(int=7)))
    with pytest.raises(NotFound) as hidden:
        page(conn, place, now, GWEN, known)
    assert str(missing.value) == str(hidden.value)


def test_what_is_sensitive_and_named_by_no_agreement_is_withheld_and_that_is_said(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    told = page(conn, place, now, SAM, known)
    assert [one.title for one in told.part("problems").current] == ["Diabetes mellitus"]
    assert told.withheld
    assert told.allergies.doubt == "There may be more: something is not shown to you."
    assert "Alcohol dependence" in titles(page(conn, place, now, NADIA, known))  # her own hospital's


def test_nothing_is_said_to_be_withheld_from_whom_nothing_is_withheld(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    conn.execute(update(resource).where(resource.c.sensitivities != 0).values(deleted=True))
    told = page(conn, place, now, SAM, known)
    assert not told.withheld
    assert told.allergies.doubt == ""


def test_after_an_objection_it_is_gone_from_every_part_and_said_to_be_withheld(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    take(conn, place, [objection()], now)
    told = page(conn, place, now, SAM, known)
    assert told.withheld
    assert told.part("medicines").current == ()
    assert "something is not shown to you" in told.part("medicines").doubt
    assert {one.source for year in told.story.years for one in year.entries} == {"council-a"}
    assert told.banner.name == "Nora Hart"  # as the worker's own council knows her


def test_an_objection_to_one_kind_of_information_hides_that_alone(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    medicines = {"system": "https://carelink.example/category", "code": "medicines"}
    take(conn, place, [objection(**{"class": [medicines]})], now)
    told = page(conn, place, now, SAM, known)
    assert told.withheld
    assert told.part("medicines").current == ()
    assert [one.title for one in told.allergies.current] == ["Allergy to penicillin", "Allergy to latex"]


def restrict(conn: Connection, place: Place, now: datetime) -> None:
    """PDS marks her as sensitive: the record keeps her whereabouts from there on."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    take(conn, place, [patient("p1", **NORA, meta={"security": [label]})], now, "pds")


@pytest.mark.parametrize("user", [SAM, NADIA])
def test_where_a_restricted_person_lives_or_is_registered_is_shown_to_nobody_who_need_not_know(
    conn: Connection, place: Place, known: PersonKey, now: datetime, user: str
) -> None:
    restrict(conn, place, now)
    told = page(conn, place, now, user, known)
    assert told.banner.restricted
    assert (told.banner.address, told.banner.telephone, told.banner.practice) == ("", "", "")
    assert not any("Ward 7" in line for one in told.part("encounters").current for line in one.lines)


def test_a_restricted_person_is_found_by_number_but_not_by_where_they_live(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    restrict(conn, place, now)
    sam = lens(conn, place, now, SAM)
    [found] = find(conn, place, sam, Asked(nhs_number="9990000018")).people
    assert (found.restricted, found.address) == (True, "")
    assert find(conn, place, sam, Asked(family="Hart", postcode="DM1 4QT")).people == ()


def test_a_persons_own_page_has_what_is_theirs_and_nothing_that_tells_of_others(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    told_by_others = {"system": "https://carelink.example/CodeSystem/sensitivity", "code": "THIRD-PARTY"}
    about = {"status": "active", "code": {"text": "Her son drinks"}, "meta": {"security": [told_by_others]}, **ME}
    safeguarding = {"coding": [{"system": "https://carelink.example/CodeSystem/alert", "code": "safeguarding"}]}
    enquiry = item("Flag", "f4", status="active", code=safeguarding | {"text": "Enquiry open"}, **ME)
    take(conn, place, [item("Flag", "f3", **about), enquiry], now, "council-a")
    proofing.admit(conn, UserId("nora"), "Nora Hart", known)
    told = page(conn, place, now, "nora", known)
    assert [one.title for one in told.alerts.current] == ["Key safe by the back door"]
    assert titles(told).isdisjoint({"Her son drinks", "Enquiry open"})
    assert "Ramipril 5mg capsules" in titles(told)
    assert {one.title for one in page(conn, place, now, SAM, known).alerts.current} >= {"Her son drinks"}


def test_a_persons_sign_in_opens_no_other_persons_page(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    other = identified("9990000026", "Moss", "Ada", "1950-01-01")
    take(conn, place, [patient("p2", **other)], now)
    proofing.admit(conn, UserId("nora"), "Nora Hart", known)
    with pytest.raises(NotFound):
        page(conn, place, now, "nora", person_of(conn, patient("p2")))


def test_a_person_who_died_is_shown_so(conn: Connection, place: Place, known: PersonKey, now: datetime) -> None:
    take(conn, place, [patient("p1", **NORA, deceasedDateTime="2026-11-03")], now, "pds")
    assert page(conn, place, now, SAM, known).banner.deceased == "2026-11-03"


def test_a_page_asks_as_many_questions_for_many_items_as_for_few(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    other = identified("9990000026", "Moss", "Ada", "1950-01-01")
    asked: list[str] = []
    sam = lens(conn, place, now, SAM)

    def questions(person: PersonKey) -> int:
        asked.clear()
        person_page(conn, place, sam, person, Wanted())
        return len(asked)

    event.listen(conn, "before_cursor_execute", lambda c, cursor, statement, *rest: asked.append(statement))
    few = questions(known)
    many(conn, place, other, 60, now, subject="p9")
    some = questions(person_of(conn, patient("p9")))
    many(conn, place, other, 240, now, subject="p9")
    told = person_page(conn, place, sam, person_of(conn, patient("p9")), Wanted())
    assert told.story.count > 120
    assert few <= some == questions(person_of(conn, patient("p9"))) <= 12


# Sources ------------------------------------------------------------------------------------------------


def test_a_source_that_fails_is_named_with_since_when_and_in_the_doubt_of_every_part(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    since = now - timedelta(minutes=80)
    sources.failing(conn, "hospital", "no answer", since)
    told = page(conn, place, now, SAM, known)
    hospital = next(one for one in told.standings if one.source == "hospital")
    assert (hospital.failing_since, hospital.as_of) == (since, now - timedelta(minutes=4))
    assert "Hospital can't be reached now" in told.part("problems").doubt
    sources.started(conn, "hospital", now)  # it is tried again, and has not answered yet
    hospital = next(one for one in standings(conn, place, known, now) if one.source == "hospital")
    assert hospital.failing_since == since


def test_a_source_that_answers_about_one_person_at_a_time_stands_for_that_person(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    take(conn, place, [patient("p2")], now)
    other = person_of(conn, patient("p2"))
    by_name = {one.source: one for one in standings(conn, place, other, now)}
    assert by_name["gp"].as_of is None
    assert by_name["hospital"].as_of is not None


def test_what_is_stale_is_asked_for_once_and_not_again_at_every_view(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    def wanted_pulls() -> list[str]:
        return [row.payload["source"] for row in conn.execute(select(outbox.c.payload).order_by(outbox.c.id))]

    conn.execute(outbox.delete())
    refresh_stale(conn, standings(conn, place, known, now), now)
    assert wanted_pulls() == []
    later = now + timedelta(minutes=40)  # the hospital alone is stale by then
    for _ in range(2):
        refresh_stale(conn, standings(conn, place, known, later), later)
    assert wanted_pulls() == ["hospital"]
    conn.execute(outbox.delete())
    conn.execute(update(source_state).where(source_state.c.source == "hospital").values(started_at=later))
    refresh_stale(conn, standings(conn, place, known, later), later + timedelta(minutes=1))
    assert wanted_pulls() == []


# The story ----------------------------------------------------------------------------------------------


def told(conn: Connection, place: Place, now: datetime, person: PersonKey, **asked: Any) -> dict[str, list[str]]:
    found = story(conn, lens(conn, place, now, SAM), person, Wanted(**asked))
    return {year.title: [one.title for one in year.entries] for year in found.years}


def test_the_story_is_grouped_by_year_newest_first_and_what_has_no_date_last(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    years = list(told(conn, place, now, known))
    assert years == [*sorted(filter(None, years), reverse=True), ""]
    assert "2019" in years


def test_both_days_of_a_filter_are_shown_in_london_time(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    summer = [
        stay("s1", "finished", period={"start": "2025-07-01T00:30:00+01:00"}),  # the 30th in UTC
        stay("s2", "finished", period={"start": "2025-07-02T23:30:00+01:00"}),
        stay("s3", "finished", period={"start": "2025-07-03T00:30:00+01:00"}),
    ]
    take(conn, place, summer, now)
    days = {"since": date(2025, 7, 1), "until": date(2025, 7, 2)}
    assert len(told(conn, place, now, known, **days)["2025"]) == 2


def test_the_story_is_filtered_by_category_and_source(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    assert told(conn, place, now, known, category="medicines") == {"2026": ["Ramipril 5mg capsules"]}
    assert told(conn, place, now, known, source="hospital", category="problems") == {"2019": ["Diabetes mellitus"]}
    assert told(conn, place, now, known, category="documents") == {}


def test_a_request_becomes_filters(place: Place) -> None:
    given = {"category": "medicines", "source": "gp", "since": "2025-07-01", "until": " 2025-07-02 ", "after": "x"}
    read = wanted(given, place)
    assert read == Wanted("medicines", "gp", date(2025, 7, 1), date(2025, 7, 2), "x")
    assert read.any
    assert not wanted({"after": "x"}, place).any


BAD = [
    ("category", "secrets"),
    ("source", "elsewhere"),
    ("since", "yesterday"),
    ("until", "2025-02-30"),
    ("until", "9999-12-31"),
    ("since", "0001-01-01"),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name} {value}" for name, value in BAD])
def test_a_filter_that_this_place_does_not_know_is_refused_by_its_name(place: Place, name: str, value: str) -> None:
    with pytest.raises(Invalid) as wrong:
        wanted({name: value}, place)
    assert wrong.value.place == name
