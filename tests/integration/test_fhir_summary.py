"""Patient/$summary: a document of what a client may see, whole in itself, that tells nothing of what it may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
from conftest import NOW
from fhir_builders import ANN, BASE, HER_ITEMS, api, people, read, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import SNOMED, item, key, take
from sqlalchemy import Connection, Engine, select, text
from summary_builders import broken, demo_people

from carelink import clock
from carelink.cases.patient_summary import patient_summary
from carelink.cases.patient_summary_sections import NO_INFORMATION
from carelink.consent.lens import Lens
from carelink.db.tables import directive, resource
from carelink.errors import NotFound
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.summary import LEGAL_AUTHORITY
from carelink.record.validation import check
from fhir_adapters import exact_json

SYSTEM = Lens.system("test", NOW)
XHTML = "{http://www.w3.org/1999/xhtml}"
NUT = {"coding": [{"system": SNOMED, "code": "91935009", "display": "Allergy to peanuts"}]}
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}
HER = {"patient": {"reference": "Patient/ann"}}
THEIRS = {"subject": {"reference": "Patient/ann"}}


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


def told(client: FlaskClient, person: PersonKey) -> Any:
    answer = client.get(f"/fhir/R4/Patient/{person}/$summary")
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json"), answer.text
    return read(answer)


def composition(bundle: Any) -> Any:
    return bundle["entry"][0]["resource"]


def sections(bundle: Any) -> dict[str, Any]:
    """By their LOINC codes."""
    return {one["code"]["coding"][0]["code"]: one for one in composition(bundle)["section"]}


def words(section: Any) -> str:
    return "".join(ElementTree.fromstring(section["text"]["div"]).itertext())


def everybody(conn: Connection) -> list[PersonKey]:
    golden = select(resource.c.key).where(resource.c.type == "Patient", resource.c.source == "carelink")
    return [PersonKey(key_) for key_ in conn.execute(golden.order_by(resource.c.key)).scalars()]


# The document --------------------------------------------------------------------------------------


def test_the_summaries_of_the_demos_people_are_valid_documents_whole_in_themselves(
    conn: Connection, place: Place, now: datetime
) -> None:
    demo_people(conn, place, now)
    found: set[str] = set()
    for person in everybody(conn):
        made = patient_summary(conn, place, SYSTEM, person, BASE)
        bundle = exact_json.loads(made)
        assert broken(bundle) == []
        checked = check("Bundle", bundle)
        assert (checked.problems, checked.repairs) == ((), ())
        assert exact_json.dumps(checked.body) == made
        for one in composition(bundle)["section"]:
            ElementTree.fromstring(one["text"]["div"])
            assert words(one).strip()
        found |= {code for code, one in sections(bundle).items() if "entry" in one}
    assert {"11450-4", "48765-2", "10160-0", "11369-6", "30954-2", "8716-3"} <= found


def test_the_same_record_at_the_same_time_is_the_same_document_to_the_byte(
    conn: Connection, place: Place, now: datetime
) -> None:
    demo_people(conn, place, now, 5)
    person = everybody(conn)[0]
    first, again = (patient_summary(conn, place, SYSTEM, person, BASE) for _ in range(2))
    later = patient_summary(conn, place, Lens.system("test", NOW.replace(hour=13)), person, BASE)
    assert first == again
    assert exact_json.loads(first)["identifier"] != exact_json.loads(later)["identifier"]


def test_it_says_of_whom_by_whom_and_when(asks: FlaskClient, place: Place, who: dict[str, PersonKey]) -> None:
    bundle = told(asks, who["ann"])
    said = composition(bundle)
    assert said["type"]["coding"][0] == {"system": "http://loinc.org", "code": "60591-5", "display": "Patient summary Document"}  # fmt: skip
    assert (said["status"], said["date"]) == ("final", bundle["timestamp"])
    assert said["subject"]["reference"] == f"{BASE}/Patient/{who['ann']}" == bundle["entry"][1]["fullUrl"]
    (author,) = said["author"]
    keeper = next(one["resource"] for one in bundle["entry"] if one["fullUrl"] == author["reference"])
    assert (keeper["resourceType"], keeper["name"]) == ("Organization", author["display"])
    assert said["custodian"] == author
    assert "attester" not in said
    assert ANN.body["name"][0]["family"] in words(said)


def test_its_sections_hold_what_is_recorded_and_whose_it_is_is_the_one_patient(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    bundle = told(asks, who["ann"])
    problems = sections(bundle)["11450-4"]
    assert problems["entry"] == [{"reference": f"{BASE}/Condition/{key(HER_ITEMS[1])}"}]
    assert "Diabetes mellitus, May 2019" in words(problems)
    results = sections(bundle)["30954-2"]
    assert "HbA1c 7.10%" in words(results)
    bodies = {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"]}
    assert bodies["Condition"]["subject"] == bodies["Observation"]["subject"] == {"reference": f"Patient/{who['ann']}"}
    assert "Desai" in bodies["Practitioner"]["name"][0]["family"]  # who measured it travels along
    assert "link" not in bodies["Patient"]
    assert broken(bundle) == []


def test_what_it_can_t_take_along_it_says_in_words(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    seen = {"reference": "Encounter/e1"}
    with engine.begin() as conn:
        take(conn, place, [item("Procedure", "p1", status="completed", code={"text": "Hip repaired"}, encounter=seen, **THEIRS)], clock.now())  # fmt: skip
    bundle = told(asks, who["ann"])
    (operation,) = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Procedure"]
    assert operation["encounter"] == {"display": "Not in this summary"}
    assert broken(bundle) == []


def test_decimals_leave_as_they_came(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    assert b'"value":7.10' in asks.get(f"/fhir/R4/Patient/{who['ann']}/$summary").data


def test_of_each_result_the_latest_is_told(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    code = {"coding": [{"system": SNOMED, "code": "43396009", "display": "HbA1c"}]}
    older = item("Observation", "o0", status="final", code=code, effectiveDateTime="2020-01-01", valueString="older", **THEIRS)  # fmt: skip
    with engine.begin() as conn:
        take(conn, place, [older], clock.now())
    assert len(sections(told(asks, who["ann"]))["30954-2"]["entry"]) == 1
    assert "older" not in words(sections(told(asks, who["ann"]))["30954-2"])


def test_past_problems_and_who_decides_have_sections_of_their_own(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    past = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]}
    attorney = {"coding": [{"system": LEGAL_AUTHORITY, "code": "lpa-health"}], "text": "Attorney for health"}
    with engine.begin() as conn:
        take(conn, place, [
            item("Condition", "c9", clinicalStatus=past, code={"text": "Pneumonia"}, **THEIRS),
            item("RelatedPerson", "r1", name=[{"family": "Reed", "given": ["Jo"]}], relationship=[attorney], **HER),
        ], clock.now())  # fmt: skip
    found = sections(told(asks, who["ann"]))
    assert "Pneumonia" in words(found["11348-0"])
    assert "Pneumonia" not in words(found["11450-4"])
    assert "Jo Reed" in words(found["42348-3"])


def test_markup_in_what_a_source_wrote_is_text(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    wrote = "<script>alert(1)</script> & <b>bold</b>"
    with engine.begin() as conn:
        take(conn, place, [item("Condition", "c9", code={"text": wrote}, clinicalStatus=None, **THEIRS)], clock.now())
    said = sections(told(asks, who["ann"]))["11450-4"]
    assert wrote in words(said)
    assert {one.tag for one in ElementTree.fromstring(said["text"]["div"]).iter()} <= {f"{XHTML}{tag}" for tag in ("div", "ul", "li", "br", "p")}  # fmt: skip


# What is not there, and what may not be seen -------------------------------------------------------


def test_an_empty_section_that_is_required_says_so(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    found = sections(told(asks, who["ann"]))
    for code in ("48765-2", "10160-0"):
        assert found[code]["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert words(found[code]) == NO_INFORMATION
        assert "entry" not in found[code]


def test_a_source_that_says_that_there_are_no_allergies_is_told_so(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    none = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "nilknown"}]}
    with engine.begin() as conn:
        take(conn, place, [item("List", "l1", status="current", mode="snapshot", title="Allergies", emptyReason=none, **THEIRS)], clock.now())  # fmt: skip
    said = sections(told(asks, who["ann"]))["48765-2"]
    assert said["emptyReason"]["coding"][0]["code"] == "nilknown"
    assert place.source("hospital").label in words(said)


def test_what_is_withheld_looks_as_if_it_were_not_there_but_for_the_one_notice_of_the_place(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    """An allergy that the person keeps back: the section is the very same, and the document says the one sentence."""
    before = told(asks, who["ann"])
    allergy = item("AllergyIntolerance", "a1", code=NUT, clinicalStatus=ACTIVE, **HER)
    with engine.begin() as conn:
        take(conn, place, [allergy], clock.now())
        denied = {"person": who["ann"], "consent": uuid4(), "rule": "objection", "effect": "deny", "starts": clock.now().replace(year=2020), "types": ["AllergyIntolerance"]}  # fmt: skip
        conn.execute(text("update resource set custodian = 'P81001' where key = :k"), {"k": key(allergy)})
        conn.execute(directive.insert().values(**denied))
    after = told(asks, who["ann"])
    assert sections(before)["48765-2"] == sections(after)["48765-2"]
    assert place.words.withheld_notice in words(composition(after))
    assert place.words.withheld_notice not in words(composition(before))


def test_sources_that_have_not_answered_are_named(asks: FlaskClient, place: Place, who: dict[str, PersonKey]) -> None:
    assert f"{place.source('gp').label}: has not answered" in words(composition(told(asks, who["ann"])))


def test_the_scopes_of_the_token_bound_it(asks: FlaskClient, place: Place, who: dict[str, PersonKey]) -> None:
    narrow = system(asks.application, place, "narrow", "RDV", "nurse", "system/Patient.rs system/Observation.rs")
    bundle = told(narrow, who["ann"])
    assert {one["resource"]["resourceType"] for one in bundle["entry"]} == {"Composition", "Patient", "Observation", "Organization"}  # fmt: skip
    assert "entry" not in sections(bundle)["11450-4"]
    assert broken(bundle) == []


def test_who_may_not_be_known_to_exist_is_not_found_like_who_does_not(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    hidden = asks.get(f"/fhir/R4/Patient/{who['bob']}/$summary")
    nobody = asks.get(f"/fhir/R4/Patient/{UUID(int=9)}/$summary")
    wrong(hidden, 404, "not-found")
    assert hidden.data == nobody.data


def test_it_is_not_made_where_only_who_they_are_is_hidden(conn: Connection, place: Place) -> None:
    with pytest.raises(NotFound):
        patient_summary(conn, place, SYSTEM, PersonKey(UUID(int=9)), BASE)


# Asking, and what is kept of it --------------------------------------------------------------------


def test_it_is_asked_by_post_too(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    address = f"/fhir/R4/Patient/{who['ann']}/$summary"
    assert asks.post(address).status_code == 200
    profile = "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips"
    sent = {"resourceType": "Parameters", "parameter": [{"name": "profile", "valueCanonical": profile}]}
    assert asks.post(address, json=sent).status_code == 200
    assert asks.get(f"{address}?profile={profile}").status_code == 200


@pytest.mark.parametrize("asked", ["profile=http://nobody.example/p", "identifier=7", "graph=x", "_type=Observation"])
def test_what_it_does_not_know_is_refused_by_name(asks: FlaskClient, who: dict[str, PersonKey], asked: str) -> None:
    issue = wrong(asks.get(f"/fhir/R4/Patient/{who['ann']}/$summary?{asked}"), 400, "invalid")
    assert issue["expression"] == [asked.partition("=")[0]]


def test_one_look_is_kept_of_it(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    before = len(trail(engine))
    bundle = told(asks, who["ann"])
    (row,) = trail(engine)[before:]
    assert (row.action, row.query, row.person) == ("read", "$summary", who["ann"])
    assert row.count == len(bundle["entry"]) - 2  # the Composition and its author are made here


def test_no_address_of_it_tells_where_a_restricted_person_is(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        restricted = {**ANN.body, "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}}  # fmt: skip
        take(conn, place, [item("Patient", "ann", **{name: said for name, said in restricted.items() if name not in ("id", "resourceType")})], clock.now())  # fmt: skip
    answer = asks.get(f"/fhir/R4/Patient/{who['ann']}/$summary")
    assert answer.status_code == 200
    assert composition(read(answer))["confidentiality"] == "R"
    assert not re.search(re.escape(ANN.body["address"][0]["postalCode"]), answer.text)
