"""Numbers for planning: asked by who may count, suppressed, audited; nobody who opted out is in them, and no record is."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from conftest import NOW
from fhir_builders import statements, trail
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import condition, item, patient, person_of, take
from page_builders import objection, page, signed_in, site
from sqlalchemy import Connection, Engine, delete, update

from carelink.cases import planning
from carelink.cases.disclosure import FEWEST, Disclosure
from carelink.cases.planning_questions import BANDS, QUESTIONS, months
from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.tables import directive, resource
from carelink.errors import Forbidden, NotFound
from carelink.identity.requesters import requester
from carelink.ids import UserId
from carelink.place import Place
from fhir_adapters.source import Item

PAUL, SAM, IRIS = "paul.reyes", "sam.okafor", "iris.lang"


class Plain(Disclosure):
    """Every cell has the lowest threshold, so that what is counted can be told."""

    def threshold(self, *cell: str) -> int:
        return FEWEST


PLAIN = Plain(b"")
TYPE = "https://northdale.example/service"


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())


@pytest.fixture
def db(engine: Engine, place: Place) -> Engine:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return engine


def lens(conn: Connection, place: Place, user: str = PAUL, at: datetime = NOW) -> Lens:
    return Lens.compile(place, requester(conn, place, UserId(user)), at)


def named(number: int) -> str:
    return f"q{number:02}"


def about(number: int) -> dict[str, str]:
    return {"reference": f"Patient/{named(number)}"}


def people(conn: Connection, place: Place, many: int, born: str = "1940-02-03", **more: Any) -> None:
    """So many people, whom nobody resembles, as the hospital knows them."""
    take(conn, place, [patient(named(number), birthDate=born, **more) for number in range(many)], NOW)


def counts(conn: Connection, place: Place, question: str, **more: Any) -> dict[str, tuple[int | None, ...]]:
    answer = planning.ask(conn, place, lens(conn, place, **more), question, PLAIN)
    return {one.words: one.counts for one in answer.lines}


# What is counted -----------------------------------------------------------------------------------


def test_people_are_counted_by_age_and_sex(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 7)
        take(conn, place, [patient(f"m{n}", birthDate="1990", gender="male") for n in range(12)], NOW)
        take(conn, place, [patient(f"d{n}", birthDate="1940-01-01", deceasedBoolean=True) for n in range(9)], NOW)
        found = counts(conn, place, "people-by-age-and-sex")
    assert list(found) == [*BANDS.values(), "Age not known"], "every age stands there, however few they are"
    assert found["85 and over"] == (5, None, None)
    assert found["25 to 44"] == (None, 10, None)


BORN = [
    ("2008-11-25", "0 to 17"),
    ("2008-11-24", "18 to 24"),
    ("1941-11-24", "85 and over"),
    ("1941-11-25", "75 to 84"),
]


@pytest.mark.parametrize(("born", "band"), BORN)
def test_somebody_is_as_old_as_they_are_today(db: Engine, place: Place, born: str, band: str) -> None:
    with db.begin() as conn:
        people(conn, place, 5, born)
        found = counts(conn, place, "people-by-age-and-sex")
    assert [words for words, cells in found.items() if any(cells)] == [band]


def test_a_person_is_counted_once_however_much_is_held(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 6)
        many = [
            condition(f"c{n}-{again}", named(n), onsetDateTime=f"201{again}") for n in range(6) for again in range(9)
        ]
        take(conn, place, many, NOW)
        assert counts(conn, place, "people-by-condition") == {"Diabetes mellitus": (5,)}
        assert counts(conn, place, "people-by-kind-of-information") == {"Problems": (5,)}
        assert counts(conn, place, "people-by-organisation") == {"Dale Valley Hospitals NHS Trust": (5,)}


def problem(id_: str, number: int, code: dict[str, Any]) -> Item:
    active = condition().body["clinicalStatus"]
    return item("Condition", id_, subject=about(number), clinicalStatus=active, code=code)


def package(number: int, **more: Any) -> Item:
    given = {"coding": [{"system": TYPE, "code": "hs", "display": "Home support"}]}
    said = {"status": "active", "type": [given], "patient": about(number), "period": {"start": "2026-01-01"}}
    return item("EpisodeOfCare", f"e{number}", **(said | more))


def test_packages_that_are_going_on_are_counted_by_their_code(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 9)
        take(conn, place, [*(package(n) for n in range(6)), *(package(n, status="finished") for n in range(6, 9))], NOW)
        assert counts(conn, place, "people-by-service") == {"Home support": (5,)}


def test_what_stands_in_words_alone_is_not_counted_as_a_kind_of_its_own(db: Engine, place: Place) -> None:
    """Words may tell who it is about."""
    with db.begin() as conn:
        people(conn, place, 9)
        take(conn, place, [package(n, type=[{"text": "Nora’s own package"}]) for n in range(9)], NOW)
        take(conn, place, [problem(f"w{n}", n, {"text": "As Nora has it"}) for n in range(9)], NOW)
        assert counts(conn, place, "people-by-service") == {}
        assert counts(conn, place, "people-by-condition") == {}
        assert counts(conn, place, "people-by-kind-of-information") == {
            "Problems": (10,),
            "Services and care packages": (10,),
        }


def referral(number: int, day: str, status: str = "active") -> Item:
    said = {"status": status, "intent": "order", "code": {"text": "Therapy"}, "authoredOn": day}
    return item("ServiceRequest", f"s{number}", subject=about(number), **said)


def test_referrals_are_counted_by_month_and_status(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 24)
        take(conn, place, [referral(n, "2026-09-14") for n in range(6)], NOW)
        take(conn, place, [referral(n, "2026-09-30T22:59:00Z", "completed") for n in range(6, 12)], NOW)
        take(
            conn, place, [referral(n, "2026-09-30T23:30:00Z", "draft") for n in range(12, 18)], NOW
        )  # October in London
        take(conn, place, [referral(n, "2026-11-02") for n in range(18, 24)], NOW)
        found = counts(conn, place, "referrals-by-month-and-status")
    assert len(found) == 12
    assert next(iter(found)) == "October 2026", "this month is not over"
    assert found["September 2026"] == (5, None, 5, None, None)
    assert found["October 2026"] == (None, None, None, None, 5)


def stay(number: int, day: str) -> Item:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    said = {"status": "finished", "class": kind, "period": {"start": day, "end": day}}
    return item("Encounter", f"n{number}", subject=about(number), **said)


def test_stays_are_counted_by_month(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 13)
        take(conn, place, [stay(n, "2026-03-03T10:00:00Z") for n in range(13)], NOW)
        found = counts(conn, place, "encounters-by-month")
    assert {words: cells for words, cells in found.items() if any(cells)} == {"March 2026": (15,)}


def test_months_are_whole_and_go_back_over_the_turn_of_a_year() -> None:
    told = months(datetime(2026, 2, 1, tzinfo=UTC).date())
    assert told[0] == ("2026-01", "January 2026")
    assert told[-1] == ("2025-02", "February 2025")
    assert len(told) == 12


def test_every_question_is_one_statement(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 6)
        asks = lens(conn, place)
        for one in QUESTIONS:
            with statements(db) as said:
                planning.ask(conn, place, asks, one.id, PLAIN)
            assert said == ["select", "select", "insert"], "the answer, when opt-outs were read, the audit"


# Who is not counted --------------------------------------------------------------------------------


def ten(conn: Connection, place: Place) -> None:
    people(conn, place, 10)
    take(conn, place, [condition(f"c{n}", named(n)) for n in range(10)], NOW)


def consents(number: int, scope: str = "research", **provision: Any) -> Item:
    said = objection(f"no{number}", **provision)
    said.body["patient"] = about(number)
    said.body["scope"]["coding"][0]["code"] = scope
    return said


NOT_COUNTED: list[tuple[str, Callable[[int], Item]]] = [
    ("who opted out of planning and research", consents),
    ("who objected to sharing", lambda number: consents(number, "patient-privacy")),
    ("who objected to sharing their problems", lambda number: consents(number, "patient-privacy", **{"class": [{"system": "https://carelink.example/category", "code": "problems"}]})),
    ("whose consent can't be read", lambda number: consents(number, "patient-privacy", actor=[{"role": {"text": "?"}, "reference": {"display": "?"}}])),
    ("what the law restricts", lambda number: condition(f"c{number}", named(number), meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "LEGAL"}, {"system": "https://carelink.example/sensitivity", "code": "LEGAL"}]})),
    ("what is shared by consent alone", lambda number: condition(f"c{number}", named(number), meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}]})),
]  # fmt: skip


@pytest.mark.parametrize(("who", "change"), NOT_COUNTED, ids=[who for who, _ in NOT_COUNTED])
def test_not_counted_is(db: Engine, place: Place, who: str, change: Callable[[int], Item]) -> None:
    with db.begin() as conn:
        ten(conn, place)
        assert counts(conn, place, "people-by-condition") == {"Diabetes mellitus": (10,)}
        take(conn, place, [*(patient(named(n), birthDate="1940-02-03") for n in range(3)), *map(change, range(3))], NOW)
        assert counts(conn, place, "people-by-condition") == {"Diabetes mellitus": (5,)}, "seven are left"


def test_what_no_agreement_shares_for_planning_is_not_counted(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        ten(conn, place)
        without = replace(place, agreements=tuple(one for one in place.agreements if one.id != "A8-counting"))
        assert counts(conn, without, "people-by-condition") == {}
        assert set(counts(conn, without, "people-by-age-and-sex").values()) == {(None, None, None)}


def test_who_takes_the_opt_out_back_is_counted_again(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        ten(conn, place)
        take(
            conn, place, [*(patient(named(n), birthDate="1940-02-03") for n in range(9)), *map(consents, range(9))], NOW
        )
        assert counts(conn, place, "people-by-condition") == {}
        conn.execute(delete(directive))
        assert counts(conn, place, "people-by-condition") == {"Diabetes mellitus": (10,)}


# Who may ask, and what they get --------------------------------------------------------------------


@pytest.mark.parametrize("user", [SAM, IRIS, "tom.ellis"])
def test_whose_role_may_not_count_is_refused(db: Engine, place: Place, user: str) -> None:
    with db.begin() as conn, pytest.raises(Forbidden, match="no numbers"):
        planning.ask(conn, place, lens(conn, place, user), QUESTIONS[0].id, PLAIN)


def test_nobody_may_ask_another_question(db: Engine, place: Place) -> None:
    with db.begin() as conn, pytest.raises(NotFound, match="people-by-age-and-sex"):
        planning.ask(conn, place, lens(conn, place), "people-by-name", PLAIN)


def test_an_answer_is_audited_with_its_question_and_nobody_in_it(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        ten(conn, place)
        planning.ask(conn, place, lens(conn, place), "people-by-condition", PLAIN)
    last = trail(db)[-1]
    assert (last.action, last.user, last.role, last.purpose) == ("search", PAUL, "planner", "HOPERAT")
    assert (last.person, last.count, last.rules) == (None, 1, ["L10-counted"])
    assert last.detail == {"question": "people-by-condition"}


@pytest.fixture
def app(db: Engine, place: Place) -> Flask:
    with db.begin() as conn:
        ten(conn, place)
    return site(db, place)


@pytest.fixture
def paul(app: Flask) -> FlaskClient:
    return signed_in(app, PAUL, NOW)


def test_a_planner_starts_at_the_questions(paul: FlaskClient) -> None:
    assert paul.get("/").headers["Location"] == "/planning"
    told = page(paul, "/planning")
    assert [one.attributes["href"] for one in told.one("ul", class_="app-ways").all("a")] == [
        f"/planning/{one.id}" for one in QUESTIONS
    ]
    assert "were never read here" in told.text


def test_every_question_has_a_page_and_a_file_that_say_the_same(paul: FlaskClient) -> None:
    for one in QUESTIONS:
        told = page(paul, f"/planning/{one.id}").one("main")
        file = paul.get(f"/planning/{one.id}.csv")
        assert (file.status_code, file.mimetype) == (200, "text/csv")
        rows = list(csv.reader(file.text.splitlines()))
        shown = [[cell.text for cell in (*row.all("th"), *row.all("td"))] for row in told.all("tr")]
        assert rows == (shown or rows[:1])
        numbers = {cell for row in rows[1:] for cell in row[1:]}
        assert all(cell == "too few" or (int(cell) % 5 == 0 and int(cell) >= 5) for cell in numbers)


def test_a_file_is_audited_as_taken_away(paul: FlaskClient, db: Engine) -> None:
    paul.get("/planning/people-by-condition.csv")
    assert (trail(db)[-1].action, trail(db)[-1].user) == ("export", PAUL)


@pytest.mark.parametrize("path", ["/planning", "/planning/people-by-condition", "/planning/people-by-condition.csv"])
def test_a_social_worker_finds_no_numbers(app: Flask, path: str) -> None:
    assert signed_in(app, SAM, NOW).get(path).status_code == 403


def test_a_spreadsheet_works_nothing_out(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        people(conn, place, 6)
        sly = {"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": '=HYPERLINK("x")'}]}
        take(conn, place, [problem(f"c{n}", n, sly) for n in range(6)], NOW)
        told = planning.as_csv(planning.ask(conn, place, lens(conn, place), "people-by-condition", PLAIN))
    assert told.splitlines()[1] == '"\'=HYPERLINK(""x"")",5'


# Nobody who counts sees a record -------------------------------------------------------------------


def addresses(app: Flask, values: Mapping[str, Any]) -> Iterator[str]:
    """Every address of a page that can be asked for, about this person."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and rule.arguments <= values.keys():
                yield rule.build({name: values[name] for name in rule.arguments})[1]  # type: ignore[index]


def test_who_may_count_sees_no_single_record_on_any_page(app: Flask, paul: FlaskClient, db: Engine) -> None:
    with db.begin() as conn:
        take(conn, app.extensions["carelink"].place, [patient("one", birthDate="1944-05-06"), *telling()], NOW)
        key = person_of(conn, patient("one"))
    values = {"person": key, "key": key, "item": uuid4(), "id_": 1, "number": 1, "grant": 1, "decision": 1, "signal": 1, "question": QUESTIONS[0].id, "version": 1}  # fmt: skip
    found = list(addresses(app, values))
    assert len(found) > 40
    for address in found:
        answer = paul.get(address)
        assert "Zebedee" not in answer.text, address
        assert str(key) not in answer.text.replace(address, ""), address
        if str(key) in address:
            assert answer.status_code in (302, 303, 401, 403, 404), address


def telling() -> Iterator[Item]:
    yield item("Flag", "z", status="active", code={"text": "Zebedee"}, subject={"reference": "Patient/one"})
    yield item("Condition", "z", code={"text": "Zebedee"}, subject={"reference": "Patient/one"})


def test_not_even_where_the_role_also_cares_for_people(app: Flask, db: Engine, place: Place) -> None:
    """For planning nobody's record is opened; for care nothing is counted."""
    role = replace(place.roles["social-worker"], purposes=("CAREMGT", "HOPERAT"), may=frozenset({"count"}))
    both = replace(place, roles={**place.roles, "social-worker": role})
    with db.begin() as conn:
        cares = Lens.compile(both, requester(conn, both, UserId(SAM)), NOW)
        plans = Lens.compile(both, requester(conn, both, UserId(SAM), "HOPERAT"), NOW)
    assert (cares.counts, plans.counts) == (False, True)
    assert plans.standing is not None
    assert not plans.standing.cares


def test_two_requesters_get_the_same_thresholds(db: Engine, place: Place) -> None:
    """Or else what one is not shown, another would be."""
    here = Disclosure.of("a secret")
    assert re.fullmatch("[5-9]", str(here.threshold("q", "r", "c")))
    with db.begin() as conn:
        people(conn, place, 7)
        first = planning.ask(conn, place, lens(conn, place), QUESTIONS[0].id, here)
        later = planning.ask(conn, place, lens(conn, place, at=NOW + timedelta(minutes=1)), QUESTIONS[0].id, here)
    assert first.lines == later.lines


def test_what_is_ended_is_counted_no_more(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        ten(conn, place)
        conn.execute(update(resource).where(resource.c.type == "Condition").values(deleted=True))
        assert counts(conn, place, "people-by-condition") == {}
