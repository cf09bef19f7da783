"""Why I see this: each item on a person's page says, in words; and for who may explain, what anybody sees, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from conftest import NOW
from fhir_builders import statements, trail
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read
from ingest_builders import condition, item, key, patient, take
from page_builders import NORA, RECORD, allergy, nora, objection, page, signed_in, site
from sqlalchemy import Engine, insert, select, text

from carelink.cases import why
from carelink.consent.rules import ALL, BY_ID
from carelink.db import sync
from carelink.db.tables import access_grant, relationship, user
from carelink.ids import PersonKey
from carelink.place import Place

SAM, NADIA, IRIS, PAUL = "sam.okafor", "nadia.rahman", "iris.lang", "paul.reyes"
ALLERGY = key(allergy("severe", "91936005", "Allergy to penicillin", RECORD), "gp")
DRINKS = key(condition("c2"))


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())


@pytest.fixture
def person(engine: Engine, place: Place) -> PersonKey:
    with engine.begin() as conn:
        sync.sync(conn, place)
        found = nora(conn, place, NOW)
        conn.execute(insert(user).values(id="nora", name="Nora Hart", person=found))
        return found


@pytest.fixture
def app(engine: Engine, place: Place, person: PersonKey) -> Flask:
    return site(engine, place)


@pytest.fixture
def sam(app: Flask) -> FlaskClient:
    return signed_in(app, SAM, NOW)


@pytest.fixture
def iris(app: Flask) -> FlaskClient:
    return signed_in(app, IRIS, NOW)


def told(browser: FlaskClient, person: PersonKey, item: object) -> str:
    return page(browser, f"/people/{person}/why/{item}").one("main").text


# Why I see this ------------------------------------------------------------------------------------


def test_each_item_of_the_page_leads_to_why(sam: FlaskClient, person: PersonKey) -> None:
    shown = page(sam, f"/people/{person}")
    for line in (
        *shown.all("li", class_="app-event"),
        *shown.one("section", aria_labelledby="medicines").all("tr")[1:],
    ):
        link = line.one("a", class_="app-why")
        assert link.text.startswith("Why? do I see")
        assert sam.get(link.attributes["href"]).status_code == 200


def test_the_page_asks_no_more_of_the_database_for_that(app: Flask, engine: Engine, person: PersonKey) -> None:
    def asked(user: str) -> int:
        browser = signed_in(app, user, NOW)
        browser.get(f"/people/{person}")
        with statements(engine) as said:
            assert browser.get(f"/people/{person}").status_code == 200
        return len(said)

    few = asked(SAM)
    with engine.begin() as conn:
        more = [condition(f"more-{number}", code="38341003") for number in range(30)]
        take(conn, app.extensions["carelink"].place, [patient("p1", **NORA), *more], NOW)
    assert asked(SAM) == few


def test_what_is_shared_says_what_was_agreed_and_how_i_am_involved(sam: FlaskClient, person: PersonKey) -> None:
    said = told(sam, person, ALLERGY)
    assert "Allergy to penicillin" in said
    assert why.SHARED in said
    assert why.INVOLVED["caseload"] in said
    assert "You look for: planning and arranging care." in said
    assert "what adult social care needs of the GP record" in said
    assert "A2-health-to-social-care" in said
    assert law("L8-agreement") in said


def test_what_my_own_organisation_recorded_says_so(sam: FlaskClient, person: PersonKey) -> None:
    said = told(sam, person, key(item("EpisodeOfCare", "e1"), "council-a"))
    assert why.OWN in said
    assert "What the organisations agreed" not in said


def test_it_is_audited_with_the_rule_and_the_item(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    told(sam, person, ALLERGY)
    last = trail(engine)[-1]
    assert (last.action, last.user, last.person, last.rules) == ("explain", SAM, person, ["L8-agreement"])
    assert last.detail["resource"] == str(ALLERGY)


def refusals(browser: FlaskClient, person: PersonKey) -> set[str]:
    items = (DRINKS, uuid4(), key(patient("p1"), "pds"))
    found = {browser.get(f"/people/{person}/why/{one}") for one in items}
    assert {answer.status_code for answer in found} == {404}
    return {answer.text.replace(answer.headers.get("X-Request-Id", "~"), "") for answer in found}


def test_what_i_do_not_see_is_answered_like_what_is_not_there(sam: FlaskClient, person: PersonKey) -> None:
    pages = {read(one).one("main").text.rpartition("reference")[0] for one in refusals(sam, person)}
    assert len(pages) == 1
    assert "Alcohol" not in pages.pop()


@pytest.mark.parametrize("who", [IRIS, PAUL, "lena", "nora"])
def test_who_is_not_involved_and_who_is_no_worker_is_told_nothing(app: Flask, person: PersonKey, who: str) -> None:
    assert signed_in(app, who, NOW).get(f"/people/{person}/why/{ALLERGY}").status_code in (302, 303, 403, 404)


def test_an_item_of_somebody_else_is_not_explained_under_this_person(sam: FlaskClient, person: PersonKey) -> None:
    assert sam.get(f"/people/{uuid4()}/why/{ALLERGY}").status_code == 404


def test_what_a_consent_permits_names_it_where_i_may_read_it(
    sam: FlaskClient, engine: Engine, place: Place, person: PersonKey
) -> None:
    hospital = {"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}}  # fmt: skip
    hospital["reference"] = {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "901"}}
    asked = [{"system": "https://carelink.example/category", "code": "results"}]
    given = objection("yes", actor=[hospital], **{"class": asked})
    given.body["provision"]["type"] = "permit"
    given.body["policyRule"]["coding"][0]["code"] = "OPTIN"
    result = item("Observation", "o1", status="final", code={"text": "HbA1c"}, subject={"reference": "Patient/p1"})
    with engine.begin() as conn:
        take(conn, place, [patient("p1", **NORA), given, result], NOW)
    shown = page(sam, f"/people/{person}/why/{key(result)}").one("main")
    assert why.PERMITTED in shown.text
    [link] = [one for one in shown.all("a") if one.text == "Read the consent"]
    assert link.attributes["href"] == f"/people/{person}/consents#c{key(given)}"


def test_that_the_person_objected_is_told_only_to_who_may_read_that(
    app: Flask, engine: Engine, place: Place, person: PersonKey
) -> None:
    """Broken glass opens what is objected to; of the objection a nurse reads where consents are shared with her."""
    with engine.begin() as conn:
        take(conn, place, [patient("p1", **NORA), objection("no")], NOW)
        row = {"user": SAM, "organisation": "901", "role": "social-worker", "reason": "emergency", "words": "x" * 20}
        ends = {"starts": NOW - timedelta(minutes=5), "ends": NOW + timedelta(minutes=50)}
        conn.execute(insert(access_grant).values(person=person, **row, **ends, reviewer_role="ig-lead", review_due=NOW + timedelta(days=3)))  # fmt: skip
    sam = signed_in(app, SAM, NOW)
    first = told(sam, person, ALLERGY)
    assert why.OBJECTED in first
    assert "Read the consent" in first
    with engine.begin() as conn:
        conn.execute(text("update resource set sensitivities = 2 where type = 'Consent'"))  # HIV: not for Sam
    again = told(sam, person, ALLERGY)
    assert why.SHARED in again
    assert "objected" not in again.replace("not explained", "")


def test_of_a_restricted_person_it_is_told_that_something_is_left_out_and_no_agreement_with_one_holder(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    with engine.begin() as conn:
        conn.execute(text("update person set restricted = true"))
    said = told(sam, person, ALLERGY)
    assert why.LESS in said
    assert "A GP practice" in said
    assert "GP record" not in said.replace("of the GP record", "")


def test_every_kind_of_involvement_has_its_words(place: Place) -> None:
    assert set(place.relationships) <= set(why.INVOLVED)


# Why, and why not ----------------------------------------------------------------------------------


def law(rule: str) -> str:
    said = BY_ID[rule].law
    return f"{said[:1].upper()}{said[1:]}"


def asked(browser: FlaskClient, status: int = 200, **form: str) -> Element:
    token = page(browser, "/explain").one("main").one("input", name="csrf_token").attributes["value"]
    answer = browser.post("/explain", data={"csrf_token": token, **form})
    assert answer.status_code == status, answer.text
    return read(answer.text)


def test_the_lead_is_told_the_rule_and_the_law_for_each_kind(iris: FlaskClient, person: PersonKey) -> None:
    shown = asked(iris, worker=SAM, person="999 000 0018").one("section", aria_labelledby="answer")
    assert "What Sam Okafor sees now, for planning and arranging care" in shown.text
    rows = {row.all("th")[0].text: row for row in shown.all("tr")[1:]}
    allergies = next(row for words, row in rows.items() if words.startswith("Allergies (2)"))
    assert "Yes" in allergies.text
    assert law("L8-agreement") in allergies.text
    drinks = next(row for row in rows.values() if "L5-sensitive" in row.text)
    assert "No" in drinks.text
    assert "ETH" in drinks.text
    assert "Relationship caseload: sam.okafor (holds for the requester)" in shown.text
    said = [word for word in ("Alcohol", "penicillin") if word in shown.text]
    assert said == [], "what the record says is not for the lead"


def test_of_one_item_it_is_told_why_not(iris: FlaskClient, engine: Engine, person: PersonKey) -> None:
    shown = asked(iris, worker=SAM, person=str(person), item=f"Condition/{DRINKS}").one("main")
    assert "This item: Sam Okafor does not see it." in shown.text
    assert BY_ID["L5-sensitive"].because in shown.text
    event = trail(engine)[-1]
    assert (event.action, event.user, event.person) == ("explain", IRIS, person)
    assert event.detail["view_of"] == SAM


def test_and_why(iris: FlaskClient, person: PersonKey) -> None:
    assert "This item: Sam Okafor sees it." in asked(iris, worker=SAM, person=str(person), item=str(ALLERGY)).text


WRONG: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"person": "9990000018"}, "worker"),
    ({"worker": "nobody", "person": "9990000018"}, "worker"),
    ({"worker": SAM, "person": "x"}, "person"),
    ({"worker": SAM, "person": "9990000999"}, "person"),
    ({"worker": SAM, "person": "9990000018", "purpose": "HRESCH"}, "purpose"),
    ({"worker": SAM, "person": "9990000018", "item": "x"}, "item"),
    ({"worker": SAM, "person": "9990000018", "item": str(uuid4())}, "item"),
)


@pytest.mark.parametrize(("form", "field"), WRONG)
def test_what_is_wrong_is_said_at_its_field(
    iris: FlaskClient, person: PersonKey, form: Mapping[str, str], field: str
) -> None:
    shown = asked(iris, 400, **form)
    assert shown.one("div", class_="nhsuk-error-summary").one("a").attributes["href"] == f"#{field}"


@pytest.mark.parametrize("who", [SAM, PAUL, NADIA, "nora"])
def test_who_may_not_explain_gets_no_page(app: Flask, person: PersonKey, who: str) -> None:
    assert signed_in(app, who, NOW).get("/explain").status_code == 403


def test_of_a_restricted_person_the_lead_reads_the_kind_of_organisation(
    iris: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    with engine.begin() as conn:
        conn.execute(text("update person set restricted = true"))
        assert conn.execute(select(relationship.c.organisation)).all()
    shown = asked(iris, worker=SAM, person=str(person), item=str(ALLERGY)).one("main").text
    assert "A GP practice" in shown
    assert not any(word in shown for word in ("Riverside", "Dale Valley", "P81001", "RDV"))


def test_every_rule_has_a_law_to_tell() -> None:
    assert all(rule.law for rule in ALL)
