"""Consents on pages: a worker records, changes, withdraws and prints them with the person; the person does so themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from conftest import NOW
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from ingest_builders import patient, take
from page_builders import nora, objection, page, signed_in, site
from sqlalchemy import Engine, insert, select

from carelink.db import sync
from carelink.db.tables import audit_event, outbox, resource, resource_version, user
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters import exact_json

SAM, NADIA, TOM, IRIS = "sam.okafor", "nadia.rahman", "tom.ellis", "iris.lang"
NORA = "nora"


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())


@pytest.fixture
def person(engine: Engine, place: Place) -> PersonKey:
    with engine.begin() as conn:
        sync.sync(conn, place)
        key = nora(conn, place, NOW)
        conn.execute(insert(user).values(id=NORA, name="Nora Hart", person=key))
        return key


@pytest.fixture
def app(engine: Engine, place: Place, person: PersonKey) -> Flask:
    return site(engine, place)


@pytest.fixture
def sam(app: Flask) -> FlaskClient:
    return signed_in(app, SAM, NOW)


@pytest.fixture
def herself(app: Flask) -> FlaskClient:
    return signed_in(app, NORA, NOW)


def hidden(told: Element) -> dict[str, str]:
    """What the form of a page carries on."""
    found = told.one("main").all("input", type="hidden")
    return {one.attributes["name"]: one.attributes["value"] for one in found}


def send(browser: FlaskClient, path: str, step: str = "saved", **said: Any) -> Any:
    """Go through the steps as far as this one, with these answers; `_` stands for `-`."""
    answers = {name.replace("_", "-"): value for name, value in said.items()}
    return browser.post(path, data={**hidden(page(browser, path)), **answers, "step": step})


def record(browser: FlaskClient, person: PersonKey, **said: Any) -> str:
    """Record one; gives its key."""
    done = send(browser, f"/people/{person}/consents/new", **({"giver": "the-person", "how": "face-to-face"} | said))
    assert done.status_code == 303, read(done.text).one("main").text
    listed = browser.get(done.headers["Location"])
    found = re.search(r"/consents/([0-9a-f-]{36})/print", listed.text)
    assert found is not None
    return found[1]


def stored(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        t = resource.c
        asked = select(t.key, t.version, t.custodian, t.body).where(t.type == "Consent", t.source == "carelink")
        return list(conn.execute(asked.order_by(t.last_updated)))


def trail(engine: Engine, action: str) -> list[Any]:
    with engine.connect() as conn:
        t = audit_event.c
        return list(conn.execute(select(t.user, t.person, t.query, t.rules, t.reason).where(t.action == action)))


def medicines(browser: FlaskClient, person: PersonKey) -> str:
    return page(browser, f"/people/{person}").one("section", aria_labelledby="medicines").text


# Recording -----------------------------------------------------------------------------------------


def test_an_objection_that_is_recorded_counts_on_the_next_request(
    sam: FlaskClient, app: Flask, engine: Engine, person: PersonKey
) -> None:
    tom = signed_in(app, TOM, NOW)
    assert "In hospital" in page(tom, f"/people/{person}").one("main").text
    record(sam, person, want="less", organisations=["P81001"])
    assert "In hospital" not in page(tom, f"/people/{person}").one("main").text
    assert "Ramipril" in medicines(tom, person), "what the practice holds itself it still sees"
    assert "Ramipril" in medicines(sam, person), "the council was not named"


def test_what_is_stored_says_who_decided_how_and_who_took_it_down(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    record(sam, person, want="nothing", how="telephone", except_emergency="yes")
    (one,) = stored(engine)
    body = exact_json.loads(one.body)
    assert (one.version, one.custodian, body["status"]) == (1, "901", "active")
    assert body["patient"] == body["performer"][0] == {"reference": f"Patient/{person}"}
    told = {part["url"]: part for part in body["extension"][0]["extension"]}
    assert told["how"]["valueCode"] == "telephone"
    assert told["by"]["valueReference"]["identifier"]["value"] == SAM
    assert body["provision"]["provision"][0]["purpose"][0]["code"] == "ETREAT"
    assert [(row.user, row.person, row.query) for row in trail(engine, "create")] == [(SAM, person, "Consent")]


def test_a_change_of_the_record_is_announced(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    record(sam, person, want="nothing")
    with engine.connect() as conn:
        rows = conn.execute(select(outbox.c.payload).where(outbox.c.kind == "record.changed")).scalars()
        assert ("carelink", [str(person)]) in [(row["source"], row["persons"]) for row in rows]


def test_before_it_is_saved_its_effect_is_told_and_nothing_is_stored(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    said = {"giver": "the-person", "how": "letter", "want": "less", "organisations": ["RDV"], "categories": ["alerts"]}
    told = read(send(sam, f"/people/{person}/consents/new", "check", **said).text)
    assert told.one("h1").text == "Check before you save"
    assert "Don't share alerts with Dale Valley Hospitals NHS Trust." in told.one("main").text
    assert "Dale Valley Hospitals NHS Trust (ward nurse) will no longer see, of what others hold: alerts." in told.text
    assert stored(engine) == []


def test_a_form_that_is_sent_twice_is_stored_once(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    path = f"/people/{person}/consents/new"
    form = hidden(page(sam, path)) | {"giver": "the-person", "how": "letter", "want": "nothing", "step": "saved"}
    assert [sam.post(path, data=form).status_code for _ in range(2)] == [303, 303]
    assert len(stored(engine)) == 1


MISSING = [
    ("who", {"step": "details"}, {"giver": "Choose who decides", "want": "Choose what is wanted"}),
    ("who", {"step": "details", "giver": "other", "want": "less"}, {"giver-name": "Give their name", "giver-relation": "Choose as what they decide"}),
    ("details", {"step": "check", "giver": "the-person", "want": "less"}, {"organisations": "Choose with whom not to share, or what not to share", "how": "Choose how they told you"}),
    ("details", {"step": "saved", "giver": "the-person", "want": "nothing", "how": "letter", "until-day": "1"}, {"until-day": "The last day must be a real date, with day, month and year"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "said", "wrong"), MISSING, ids=[f"{one[0]} {number}" for number, one in enumerate(MISSING)]
)
def test_what_is_missing_is_named_and_what_was_typed_is_kept(
    sam: FlaskClient, engine: Engine, person: PersonKey, where: str, said: dict[str, Any], wrong: dict[str, str]
) -> None:
    path = f"/people/{person}/consents/new"
    answer = sam.post(path, data={**hidden(page(sam, path)), "except-categories": "alerts", **said})
    told = read(answer.text)
    assert told.one("head").one("title").text.startswith("Error: ")
    links = {
        one.attributes["href"].removeprefix("#"): one.text
        for one in told.one("div", class_="nhsuk-error-summary").all("a")
    }
    assert links == wrong
    assert all(told.all("", id=field) for field in links), "each leads to its field"
    kept = {
        one.attributes["value"]
        for one in told.all("input", name="except-categories")
        if "checked" in one.attributes or one.attributes.get("type") == "hidden"
    }
    assert kept == {"alerts"} or said.get("want") == "less"
    assert stored(engine) == []


@pytest.mark.parametrize("step", ["who", "details", "check"])
def test_every_step_is_marked_up_for_who_can_not_see_it(sam: FlaskClient, person: PersonKey, step: str) -> None:
    said = {"giver": "the-person", "how": "letter", "want": "nothing", "organisations": ["RDV"]}
    for want in ("nothing", "less", "more"):
        told = read(send(sam, f"/people/{person}/consents/new", step, **(said | {"want": want})).text)
        assert wrongs(told) == []
        assert "999 000 0018" in told.one("main").text, "whose it is stands on every step"


# Who may -------------------------------------------------------------------------------------------


def test_a_consent_by_one_who_may_not_is_refused_with_the_reason_and_kept_in_the_audit(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    carer = {"giver": "other", "giver_name": "Bea Hart", "giver_relation": "carer", "how": "telephone"}
    told = read(send(sam, f"/people/{person}/consents/new", want="nothing", **carer).text)
    refused = told.one("div", class_="app-refused").text
    (kept,) = trail(engine, "refusal")
    assert kept.reason.rstrip(".") in refused
    assert (kept.user, kept.person) == (SAM, person)
    assert kept.rules[0].startswith("C-")
    assert stored(engine) == []
    assert told.one("input", id="giver-name").attributes["value"] == "Bea Hart"


def test_the_refusal_names_nobody_in_the_audit(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    carer = {"giver": "other", "giver_name": "Bea Hart", "giver_relation": "carer", "how": "telephone"}
    send(sam, f"/people/{person}/consents/new", want="nothing", **carer)
    assert not [row for row in trail(engine, "refusal") if "Bea" in str(row)]


def test_a_lead_who_cares_for_nobody_records_none(app: Flask, engine: Engine, person: PersonKey) -> None:
    iris = signed_in(app, IRIS, NOW)
    assert iris.get(f"/people/{person}/consents/new").status_code == 403
    assert iris.get(f"/people/{person}/consents").status_code == 404


def test_who_is_not_involved_is_told_that_there_is_nobody(app: Flask, person: PersonKey) -> None:
    gwen = signed_in(app, "gwen.price", NOW)
    for path in ("", "/new"):
        assert gwen.get(f"/people/{person}/consents{path}").status_code == 404


# Changing and withdrawing --------------------------------------------------------------------------


def test_a_change_is_a_new_version_and_counts_on_the_next_request(
    sam: FlaskClient, app: Flask, engine: Engine, person: PersonKey
) -> None:
    tom = signed_in(app, TOM, NOW)
    key = record(sam, person, want="less", organisations=["P81001"])
    path = f"/people/{person}/consents/{key}/change"
    form = hidden(page(sam, path))
    assert (form["version"], form["organisations"]) == ("1", "P81001"), "it begins with what was wanted so far"
    done = send(sam, path, giver="the-person", how="letter", want="less", organisations=["RDV"])
    assert done.status_code == 303
    assert [(one.version, "P81001" in one.body) for one in stored(engine)] == [(2, False)]
    assert "In hospital" in page(tom, f"/people/{person}").one("main").text
    told = page(sam, f"/people/{person}/consents").one("main").text
    assert "Don't share the person's record with Dale Valley Hospitals NHS Trust." in told
    assert "Earlier versions (1)" in told
    assert "Don't share the person's record with Riverside Surgery." in told


def test_who_changes_what_another_changed_meanwhile_is_told_so(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    key = record(sam, person, want="less", organisations=["RDV"])
    path = f"/people/{person}/consents/{key}/change"
    old = hidden(page(sam, path)) | {"giver": "the-person", "how": "letter", "want": "less", "step": "saved"}
    assert sam.post(path, data=old).status_code == 303
    assert sam.post(path, data=old).status_code == 409
    assert [one.version for one in stored(engine)] == [2]


def test_a_withdrawn_consent_says_why_and_hides_nothing_any_more(
    sam: FlaskClient, app: Flask, engine: Engine, person: PersonKey
) -> None:
    tom = signed_in(app, TOM, NOW)
    key = record(sam, person, want="less", organisations=["P81001"])
    path = f"/people/{person}/consents/{key}/withdraw"
    asked = page(sam, path)
    assert "Riverside Surgery (general practitioner) will be able to see" in asked.one("main").text
    form = hidden(asked) | {"giver": "the-person", "how": "telephone"}
    missing = read(sam.post(path, data=form).text)
    assert "Say why it is withdrawn" in missing.one("div", class_="nhsuk-error-summary").text
    assert sam.post(path, data=form | {"why": "She trusts the surgery now"}).status_code == 303
    (one,) = stored(engine)
    assert (one.version, exact_json.loads(one.body)["status"]) == (2, "inactive")
    told = page(sam, f"/people/{person}/consents").one("main").text
    assert "Withdrawn because: She trusts the surgery now" in told
    assert "In hospital" in page(tom, f"/people/{person}").one("main").text
    assert sam.get(path).status_code == 409, "it was withdrawn already"


def test_a_worker_of_another_organisation_withdraws_what_the_person_told_the_first(
    sam: FlaskClient, app: Flask, engine: Engine, person: PersonKey
) -> None:
    nadia = signed_in(app, NADIA, NOW)
    key = record(sam, person, want="less", categories=["documents"])
    path = f"/people/{person}/consents/{key}/withdraw"
    form = hidden(page(nadia, path)) | {"giver": "the-person", "how": "face-to-face", "why": "She changed her mind"}
    assert nadia.post(path, data=form).status_code == 303
    (one,) = stored(engine)
    assert (one.version, one.custodian) == (2, "901")


def test_what_a_source_sent_is_shown_and_not_changed_here(
    sam: FlaskClient, engine: Engine, place: Place, person: PersonKey
) -> None:
    with engine.begin() as conn:
        take(conn, place, [objection("ours", actor=[_recipient("RDV")])], NOW, "council-a")
    told = page(sam, f"/people/{person}/consents")
    assert "Don't share the person's record with Dale Valley Hospitals NHS Trust." in told.one("main").text
    with engine.connect() as conn:
        key = conn.execute(select(resource.c.key).where(resource.c.type == "Consent")).scalar_one()
    assert sam.get(f"/people/{person}/consents/{key}/withdraw").status_code == 403


def _recipient(ods: str) -> dict[str, Any]:
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    identifier = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": ods}
    return {"role": role, "reference": {"identifier": identifier}}


def test_one_that_can_not_be_read_is_shown_with_the_reason(
    sam: FlaskClient, engine: Engine, place: Place, person: PersonKey
) -> None:
    with engine.begin() as conn:
        take(conn, place, [objection("odd", actor=[_recipient("XYZ99")])], NOW, "council-a")
    told = page(sam, f"/people/{person}/consents").one("main").text
    assert "can't be read" in told
    assert "it names an organisation that this place does not know" in told


def test_the_key_of_another_persons_consent_leads_nowhere(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    key = record(sam, person, want="nothing")
    other = UUID(int=7)
    for path in ("change", "withdraw", "print"):
        assert sam.get(f"/people/{other}/consents/{key}/{path}").status_code == 404


# Printing ------------------------------------------------------------------------------------------


def test_it_is_printed_in_the_persons_words_with_lines_to_sign_and_that_is_kept(
    sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    key = record(sam, person, want="nothing", except_organisations=["P81001"])
    told = page(sam, f"/people/{person}/consents/{key}/print")
    sheet = told.one("div", class_="app-sheet").text
    assert "Don't share my record with anyone. But share it with Riverside Surgery." in sheet
    assert "Nora Hart" in sheet
    assert "Sam Okafor" in sheet
    assert "Mill Lane" not in sheet, "a paper that lies about tells nobody where they live"
    assert len(told.one("dl", class_="app-sign").all("dt")) == 2
    assert [(row.user, row.person, row.query) for row in trail(engine, "print")] == [(SAM, person, "Consent")]


# The person themselves -----------------------------------------------------------------------------


@pytest.fixture
def chosen(herself: FlaskClient) -> None:
    done = send(herself, "/me/choices/new", want="less", organisations=["901"])
    assert done.status_code == 303


def test_the_person_objects_on_their_own_page_and_it_counts_at_once(
    herself: FlaskClient, sam: FlaskClient, engine: Engine, person: PersonKey, chosen: None
) -> None:
    assert "Ramipril" not in medicines(sam, person)
    told = page(herself, "/me/choices").one("main").text
    assert "Don't share my record with Northdale Council." in told
    assert "Your choice counts from now on." in told or "What counts now" in told
    (one,) = stored(engine)
    body = exact_json.loads(one.body)
    assert one.custodian == "QDM"
    assert body["extension"][0]["extension"][0] == {"url": "how", "valueCode": "online"}
    assert not [part for part in body["extension"][0]["extension"] if part["url"] == "by"]


def test_the_person_takes_it_back(
    herself: FlaskClient, sam: FlaskClient, engine: Engine, person: PersonKey, chosen: None
) -> None:
    (one,) = stored(engine)
    path = f"/me/choices/{one.key}/withdraw"
    form = hidden(page(herself, path))
    assert "Say why" in read(herself.post(path, data=form).text).one("main").text
    assert herself.post(path, data=form | {"why": "I was wrong"}).status_code == 303
    assert "Ramipril" in medicines(sam, person)
    assert "Taken back because: I was wrong" in page(herself, "/me/choices").one("main").text


def test_the_person_changes_what_a_worker_took_down(
    herself: FlaskClient, sam: FlaskClient, engine: Engine, person: PersonKey
) -> None:
    key = record(sam, person, want="less", organisations=["RDV"])
    done = send(herself, f"/me/choices/{key}/change", want="nothing")
    assert done.status_code == 303
    (one,) = stored(engine)
    assert (one.version, one.custodian) == (2, "901")


def test_the_persons_pages_are_for_them_alone(sam: FlaskClient, herself: FlaskClient, person: PersonKey) -> None:
    for path in ("/me/choices", "/me/choices/new"):
        assert sam.get(path).status_code == 403
        assert wrongs(page(herself, path)) == []


def test_a_child_of_whom_nobody_found_that_they_understand_is_told_to_ask(
    app: Flask, engine: Engine, place: Place
) -> None:
    with engine.begin() as conn:
        take(conn, place, [patient("kid", birthDate="2016-01-01")], NOW)
        key = conn.execute(
            select(resource.c.person)
            .where(resource.c.type == "Patient", resource.c.body.contains("2016-01-01"))
            .limit(1)
        ).scalar_one()
        conn.execute(insert(user).values(id="kid", name="Kid", person=key))
    told = read(send(signed_in(app, "kid", NOW), "/me/choices/new", want="nothing").text)
    assert "Ask somebody who cares for you" in told.one("div", class_="app-refused").text
    assert stored(engine) == []


def test_somebody_whose_date_of_birth_nobody_wrote_down_may_object_and_not_agree(
    app: Flask, engine: Engine, place: Place
) -> None:
    with engine.begin() as conn:
        born = patient("unborn")
        unborn = replace(born, body={name: said for name, said in born.body.items() if name != "birthDate"})
        take(conn, place, [unborn], NOW)
        key = conn.execute(select(resource.c.person).where(resource.c.source_id == "unborn")).scalar_one()
        conn.execute(insert(user).values(id="unborn", name="Somebody", person=key))
    themselves = signed_in(app, "unborn", NOW)
    refused = read(send(themselves, "/me/choices/new", want="more", organisations=["901"]).text)
    assert refused.one("div", class_="app-refused")
    assert stored(engine) == []
    assert send(themselves, "/me/choices/new", want="nothing").status_code == 303
    assert len(stored(engine)) == 1


def test_every_version_is_kept(sam: FlaskClient, engine: Engine, person: PersonKey) -> None:
    key = record(sam, person, want="nothing")
    send(
        sam,
        f"/people/{person}/consents/{key}/change",
        giver="the-person",
        how="letter",
        want="less",
        categories=["alerts"],
    )
    with engine.connect() as conn:
        kept = conn.execute(select(resource_version.c.version).where(resource_version.c.key == UUID(key))).scalars()
        assert sorted(kept) == [1, 2]
