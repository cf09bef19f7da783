"""What is the same for every type of a GP record: ids, references, whose it is, extensions, code systems, decimals."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from gp_connect_cases import HL7_UK, NHS_UK, NUMBER, PATIENT, PRACTICE, SNOMED, UKCORE, concept, mapped, ref, whole

from fhir_adapters import exact_json
from fhir_adapters.gp_connect import map_record
from fhir_adapters.gp_connect.codes import present_system
from fhir_adapters.gp_connect.tables import TYPES

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"


def observation(id_: str | None = "o1", **more: Any) -> dict[str, Any]:
    said = {"id": id_} if id_ is not None else {}
    return {"resourceType": "Observation", "status": "final", "subject": ref("Patient/p")} | said | more


# Extensions

SPELLINGS = [
    f"{NHS_UK}ProblemSignificance-1",
    f"{NHS_UK}GPC-ProblemSignificance-1",
    f"{HL7_UK}ProblemSignificance-1",
    f"{HL7_UK}GPC-ProblemSignificance-1",
    "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-ProblemSignificance-1",
    "http://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ProblemSignificance-2",
    f"{NHS_UK}GPC-ProblemSignificance",
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_one_extension_under_two_hosts_and_many_spellings_is_one(url: str) -> None:
    item = mapped("Condition", extension=[{"url": url, "valueCode": "minor"}])
    assert item.body["extension"] == [{"url": f"{UKCORE}ProblemSignificance", "valueCode": "minor"}]


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-BookingOrganisation-1",
        "https://supplier.example/StructureDefinition/ProblemSignificance",
        "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    ],
)
def test_an_extension_without_a_place_in_uk_core_keeps_its_own_url(url: str) -> None:
    assert mapped("Condition", extension=[{"url": url, "valueCode": "x"}]).body["extension"] == [
        {"url": url, "valueCode": "x"}
    ]


@pytest.mark.parametrize("misspelt", ["coding-sctdescid", "coding-sctdecsid"])
@pytest.mark.parametrize("words", [("descriptionId", "descriptionDisplay"), ("DescriptionID", "DescriptionDisplay")])
def test_the_words_that_the_clinician_chose_stay_with_the_code(misspelt: str, words: tuple[str, str]) -> None:
    told = {
        "url": f"https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-{misspelt}",
        "extension": [{"url": words[0], "valueId": "148720012"}, {"url": words[1], "valueString": "Latex allergy"}],
    }
    code = concept(SNOMED, "300916003", "Latex allergy", extension=[told], userSelected=True)
    coding = mapped("Observation", code=code).body["code"]["coding"][0]
    assert coding["userSelected"] is True
    assert coding["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/coding-sctdescid", "valueId": "148720012"},
        {"url": f"{UKCORE}CodingSCTDescDisplay", "valueString": "Latex allergy"},
    ]


# Codes

# STU3's or CareConnect's | code | R4's or UK Core's
SYSTEMS = [
    (SNOMED, "1", SNOMED),
    ("http://hl7.org/fhir/condition-category", "problem-list-item", f"{TERMINOLOGY}condition-category"),
    ("http://hl7.org/fhir/codesystem-list-order.html", "event-date", f"{TERMINOLOGY}list-order"),
    ("http://hl7.org/fhir/v2/0074", "HM", f"{TERMINOLOGY}v2-0074"),
    ("http://hl7.org/fhir/v3/NullFlavor", "UNK", f"{TERMINOLOGY}v3-NullFlavor"),
    (
        "https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ResidentialStatus-1",
        "H",
        "https://fhir.hl7.org.uk/CodeSystem/UKCore-ResidentialStatus",
    ),
    ("https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-ParticipantType-1", "PPRF", None),
    ("http://read.info/readv2", "9Ee0C00", None),
    ("http://unitsofmeasure.org", "mm[Hg]", None),
]


@pytest.mark.parametrize(("was", "code", "becomes"), SYSTEMS, ids=[one[0] for one in SYSTEMS])
def test_a_code_system_has_the_uri_of_r4_and_one_that_did_not_move_its_own(
    was: str, code: str, becomes: str | None
) -> None:
    assert present_system(was, code) == (becomes or was)


def test_every_coding_of_a_concept_stays_in_its_order() -> None:
    codings = [
        {"system": "http://read.info/ctv3", "code": "XE2y7"},
        {"system": SNOMED, "code": "1", "userSelected": True},
    ]
    assert mapped("Observation", code={"coding": codings}).body["code"]["coding"] == codings


# Decimals


@pytest.mark.parametrize("text", ["1.0", "1.00", "0.50", "1e2", "100", "-7.10", "12345678901234567890.12"])
def test_a_decimal_is_written_as_it_was_read(text: str) -> None:
    value = exact_json.loads(f'{{"value":{text},"unit":"x"}}')
    body = mapped("Observation", valueQuantity=value).body
    assert f'"value":{text}}}'.encode() in exact_json.dumps({"value": body["valueQuantity"]["value"]})


# References


def local(id_: str) -> dict[str, Any]:
    return {"value": id_, "assigner": {"identifier": {"system": ODS, "value": PRACTICE}}}


# the source's | R4's | whether a trace tells of it
REFERENCES = [
    (ref("Encounter/e1"), ref("Encounter/e1"), ()),
    (ref("https://practice.example/STU3/Encounter/e1/_history/3"), ref("Encounter/e1"), ()),
    (ref("Encounter/e1/_history/3"), ref("Encounter/e1"), ()),
    (ref("ProcedureRequest/pr1"), ref("ServiceRequest/ProcedureRequest.pr1"), ()),
    (ref("Encounter/gone"), {"type": "Encounter", "identifier": local("gone")}, ("GP-reference-leads-out",)),
    (ref("ReferralRequest/r"), {"type": "ServiceRequest", "identifier": local("r")}, ("GP-reference-leads-out",)),
    (ref("Dr Dave"), {"display": "Dr Dave"}, ("GP-reference-in-words",)),
    (ref("https://elsewhere.example/Encounter/9"), ref("https://elsewhere.example/Encounter/9"), ()),
    ({"display": "Dr Dave"}, {"display": "Dr Dave"}, ()),
]


@pytest.mark.parametrize(("was", "becomes", "rules"), REFERENCES, ids=[str(one[0]) for one in REFERENCES])
def test_a_reference_can_be_followed_or_says_where_it_leads(
    was: dict[str, Any], becomes: dict[str, Any], rules: tuple[str, ...]
) -> None:
    item = mapped("Observation", context=was)
    assert item.body["encounter"] == becomes
    assert tuple(one.rule for one in item.repairs) == rules


def test_two_types_of_stu3_that_are_one_in_r4_do_not_take_each_others_ids() -> None:
    both = [
        {"resourceType": type_, "id": "1", "subject": ref("Patient/p")}
        for type_ in ("ProcedureRequest", "ReferralRequest")
    ]
    reports: dict[str, Any] = {"resourceType": "DiagnosticReport", "id": "d", "subject": ref("Patient/p")}
    reports |= {"basedOn": [ref("ReferralRequest/1"), ref("ProcedureRequest/1")]}
    items = whole(*both, reports).items
    assert [(item.type, item.source_id) for item in items[1:3]] == [
        ("ServiceRequest", "ProcedureRequest.1"),
        ("ServiceRequest", "ReferralRequest.1"),
    ]
    assert [one["reference"] for one in items[3].body["basedOn"]] == [
        "ServiceRequest/ReferralRequest.1",
        "ServiceRequest/ProcedureRequest.1",
    ]


# Ids, duplicates, and what is no resource


def test_an_id_that_fhir_does_not_allow_is_still_what_the_entry_goes_by() -> None:
    patient, one, two = whole(
        observation("0a_1b"),
        observation("o2", context=ref("Encounter/1")),
    ).items[:3]
    assert (one.source_id, two.source_id, patient.source_id) == ("0a_1b", "o2", "p")
    assert "id" not in one.body


def test_of_two_entries_with_one_id_the_first_is_kept_and_a_different_second_is_refused() -> None:
    first, again, other = observation(), observation(), observation(status="amended")
    record = whole(first, again, other)
    assert [item.body["status"] for item in record.items[1:]] == ["final"]
    assert record.duplicates == ("Observation/o1",)
    assert [(one.source_id, one.reasons[0].why) for one in record.rejected] == [
        ("o1", "duplicate id: the first of them was kept")
    ]


def test_a_list_without_an_id_goes_by_what_it_lists_and_anything_else_by_its_content() -> None:
    problems = {
        "resourceType": "List",
        "code": concept(SNOMED, "717711000000103", "Problems"),
        "subject": ref("Patient/p"),
    }
    nameless = observation(None, comment="one")
    record = whole(problems, problems | {"title": "again"}, nameless)
    ids = [item.source_id for item in record.items[1:]]
    assert ids[:2] == ["list-717711000000103", "list-717711000000103-2"]
    assert ids[2].startswith("content-")
    assert [item.source_id for item in whole(nameless).items[1:]] == ids[2:]
    assert {one.rule for item in record.items[1:] for one in item.repairs} == {"GP-no-id"}


@pytest.mark.parametrize(
    ("entry", "type_", "why"),
    [
        ({"resource": "text"}, "Bundle", "is no object"),
        ("text", "Bundle", "is no object"),
        ({"fullUrl": "urn:uuid:1"}, "Bundle", "is no object"),
        ({"resource": {"id": "1"}}, "Bundle", "this type is not mapped"),
        ({"resource": {"resourceType": "Claim", "id": "1"}}, "Claim", "this type is not mapped"),
        ({"resource": {"resourceType": ["Odd"]}}, "Bundle", "this type is not mapped"),
        (
            {"resource": {"resourceType": "OperationOutcome"}},
            "OperationOutcome",
            "this type tells about the answer, not about the person",
        ),
    ],
)
def test_what_is_no_resource_of_a_record_is_kept_whole_with_the_reason(entry: Any, type_: str, why: str) -> None:
    record = map_record({"entry": [{"resource": PATIENT}, entry]}, PRACTICE, NUMBER)
    assert [(one.type, one.reasons[0].why, one.namespace) for one in record.rejected] == [
        (type_, why, f"{PRACTICE}/{NUMBER}")
    ]
    assert len(record.items) == 1


@pytest.mark.parametrize("contained", ["text", {"resourceType": "Claim", "id": "c"}, {"resourceType": "Observation"}])
def test_what_is_contained_and_can_be_no_item_of_its_own_is_kept_whole_too(contained: Any) -> None:
    record = whole(observation(contained=[contained]))
    assert [one.reasons[0].place for one in record.rejected] == ["Observation.contained"]
    assert exact_json.loads(record.rejected[0].raw) == contained


@pytest.mark.parametrize("bundle", [None, [], {"entry": {}}, {"entry": "x"}])
def test_an_answer_that_is_no_record_is_kept_whole(bundle: Any) -> None:
    record = map_record(bundle, PRACTICE, NUMBER)
    assert (record.items, len(record.rejected)) == ((), 1)


# Whose it is


@pytest.mark.parametrize(
    "subject",
    [
        ref("Patient/p"),
        ref("https://practice.example/STU3/Patient/p"),
        ref("Patient/p/_history/4"),
        {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999 000 0018"}},
        {},
        None,
    ],
)
def test_what_is_about_the_person_or_says_nothing_is_the_persons(subject: Any) -> None:
    one = observation() | ({"subject": subject} if subject is not None else {"subject": {}})
    item = whole(one).items[1]
    assert item.body["subject"]["reference"] == "Patient/p"


@pytest.mark.parametrize(
    "subject",
    [
        ref("Patient/other"),
        ref("Patient/p2"),
        ref("#p"),
        ref("urn:uuid:0b7a"),
        {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}},
    ],
)
def test_what_is_about_another_is_never_filed_under_the_person(subject: Any) -> None:
    record = whole(observation(subject=subject))
    assert len(record.items) == 1
    assert record.rejected[0].reasons[0].place == "Observation.subject"


def test_a_person_who_is_referred_to_by_the_full_url_of_the_entry_is_the_person() -> None:
    entries = [
        {"fullUrl": "urn:uuid:0b7a", "resource": PATIENT},
        {"resource": observation(subject=ref("urn:uuid:0b7a"))},
    ]
    record = map_record({"entry": entries}, PRACTICE, NUMBER)
    assert record.rejected == ()
    assert record.items[1].body["subject"] == ref("Patient/p")


def test_an_appointment_of_another_is_refused_and_one_of_the_person_is_not() -> None:
    for who, kept in (("Patient/p", 2), ("Patient/other", 1)):
        booked = {"resourceType": "Appointment", "id": "a", "participant": [{"actor": ref(who)}]}
        assert len(whole(booked).items) == kept


def test_nothing_clinical_of_a_record_without_the_person_is_filed() -> None:
    other = PATIENT | {"id": "q", "identifier": [PATIENT["identifier"][0] | {"value": "9990000026"}]}
    entries = [{"resource": one} for one in (other, observation(), {"resourceType": "Organization", "id": "o"})]
    record = map_record({"entry": entries}, PRACTICE, NUMBER)
    assert [item.type for item in record.items] == ["Organization"]
    assert [one.type for one in record.rejected] == ["Patient", "Observation"]


# Order


def test_the_order_of_the_entries_changes_nothing_but_the_order() -> None:
    resources = [observation(), observation("o2", related=[{"type": "has-member", "target": ref("Observation/o1")}])]
    entries = [{"resource": one} for one in (PATIENT, *resources)]
    results = []
    for order in permutations(entries):
        record = map_record({"entry": list(order)}, PRACTICE, NUMBER)
        results.append(sorted(exact_json.dumps([item.source_id, item.body]) for item in record.items))
    assert all(one == results[0] for one in results)


def test_what_was_sent_is_not_changed_by_mapping_it() -> None:
    one = observation(related=[{"type": "has-member", "target": ref("Observation/o2")}], comment="c", meta={"tag": []})
    before = exact_json.dumps(one)
    whole(one)
    assert exact_json.dumps(one) == before


def test_every_type_that_gp_connect_sends_is_mapped() -> None:
    sent = """AllergyIntolerance Appointment Composition Condition DiagnosticReport DocumentReference Encounter
    HealthcareService Immunization List Location Medication MedicationRequest MedicationStatement Observation
    Organization Patient Practitioner PractitionerRole Procedure ProcedureRequest QuestionnaireResponse ReferralRequest
    RelatedPerson Schedule Slot Specimen"""
    assert set(TYPES) == set(sent.split())
