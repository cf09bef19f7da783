"""The rules of UK Core: what breaks each, where, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from docs_reading import page, part, tables

from carelink.record.marks import marks
from carelink.record.ukcore import RULES, judge, profiled
from carelink.record.ukcore_finding import Severity
from carelink.record.ukcore_profiles import OF_TYPE, PROFILES
from carelink.record.validation import check
from carelink.record.validation_elements import fhir_path

UK = "https://fhir.hl7.org.uk/"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS, SITE = "https://fhir.nhs.uk/Id/ods-organization-code", "https://fhir.nhs.uk/Id/ods-site-code"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
Json = dict[str, Any]


def ext(name: str, **more: Any) -> Json:
    return {"url": f"{UK}StructureDefinition/Extension-UKCore-{name}", **more}


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system if ":" in system else f"{UK}CodeSystem/UKCore-{system}", "code": code}]}


def inner(url: str, **value: Any) -> Json:
    return {"url": url, **value}


STATUS = ext("NHSNumberVerificationStatus", valueCodeableConcept=coded("NHSNumberVerificationStatusEngland", "01"))
NUMBER = {"system": NHS, "value": "9990000018", "extension": [STATUS]}
ETHNIC = ext("EthnicCategory", valueCodeableConcept=coded("EthnicCategoryEngland", "A"))
NAME = {"use": "official", "family": "Hill"}
RANK = {"extension": [ext("ContactRank", valuePositiveInt=1)], "name": {"family": "Hill"}}


def death(code: str) -> Json:
    return ext("DeathNotificationStatus", extension=[inner("deathNotificationStatus", valueCodeableConcept=coded("DeathNotificationStatus", code))])  # fmt: skip


def key(type_: str, value: str) -> Json:
    return ext("AddressKey", extension=[inner("type", valueCodeableConcept=coded("AddressKeyType", type_)), inner("value", valueString=value)])  # fmt: skip


# Whole resources that hold to every rule of theirs.
WHOLE: Mapping[str, Json] = {
    "Patient": {
        "identifier": [NUMBER],
        "name": [NAME],
        "birthDate": "1950-02-03",
        "deceasedDateTime": "2026-01-01",
        "extension": [
            ETHNIC,
            death("2"),
            ext("BirthSex", valueCodeableConcept=coded("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK")),
        ],
        "address": [{"postalCode": "LS17 7DF", "extension": [key("UPRN", "100023336956")]}],
        "contact": [RANK],
        "communication": [{"language": coded("urn:ietf:bcp:47", "en-GB")}],
    },
    "RelatedPerson": {"patient": {"reference": "Patient/1"}, "address": [{"postalCode": "75001", "country": "FR"}]},
    "Practitioner": {"communication": [coded("urn:ietf:bcp:47", "cy")]},
    "HealthcareService": {},
    "Organization": {"identifier": [{"system": ODS, "value": "RDV"}, {"system": SITE, "value": "RDV01"}]},
    "Location": {"identifier": [{"system": SITE, "value": "RDV01"}]},
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "substitution": {"allowedBoolean": False},
    },
    "MedicationStatement": {
        "status": "active",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "identifier": [{"system": "urn:x", "value": "1"}],
    },
    "Immunization": {
        "status": "completed",
        "vaccineCode": {"text": "x"},
        "patient": {"reference": "Patient/1"},
        "occurrenceDateTime": "2020",
    },
    "DiagnosticReport": {"status": "final", "code": {"text": "x"}},
    "Appointment": {"status": "proposed", "participant": [{"status": "accepted", "actor": {"display": "A"}}]},
    "Composition": {
        "status": "final",
        "type": {"text": "x"},
        "date": "2026",
        "title": "x",
        "author": [{"display": "A"}],
    },
    "List": {"status": "current", "mode": "snapshot"},
    "ServiceRequest": {"status": "active", "intent": "order", "subject": {"reference": "Patient/1"}},
    "Slot": {
        "schedule": {"display": "x"},
        "status": "free",
        "start": "2026-01-01T10:00:00Z",
        "end": "2026-01-01T11:00:00Z",
    },
    "Specimen": {},
}
CHANNEL = ext("DeliveryChannel", valueCodeableConcept=coded("DeliveryChannel", "In-person"))
SETTING = ext("CareSettingType", valueCodeableConcept={"text": "x"})

# rule, type, what breaks it, where
BROKEN: list[tuple[str, str, Json, str]] = [
    ("uk-identifier-once", "Patient", {"identifier": [NUMBER, {**NUMBER, "value": "9990000026"}]}, "Patient.identifier[1]"),
    ("uk-identifier-value", "Patient", {"identifier": [{"system": NHS, "extension": [STATUS]}]}, "Patient.identifier[0]"),
    ("uk-identifier-form", "Patient", {"identifier": [{**NUMBER, "value": "9990000019"}]}, "Patient.identifier[0].value"),
    ("uk-identifier-form", "Patient", {"identifier": [{**NUMBER, "value": "999 000 0018"}]}, "Patient.identifier[0].value"),
    ("uk-identifier-form", "Patient", {"managingOrganization": {"identifier": {"system": ODS, "value": "rdv"}}}, "Patient.managingOrganization.identifier.value"),
    ("uk-verification-once", "Patient", {"identifier": [{**NUMBER, "extension": [STATUS, STATUS]}]}, "Patient.identifier[0].extension[1]"),
    ("uk-verification", "Patient", {"identifier": [{"system": NHS, "value": "9990000018"}]}, "Patient.identifier[0]"),
    ("uk-extension-code", "Patient", {"identifier": [{**NUMBER, "extension": [ext("NHSNumberVerificationStatus", valueCodeableConcept=coded("NHSNumberVerificationStatusEngland", "99"))]}]}, "Patient.identifier[0].extension[0].valueCodeableConcept"),
    ("uk-extension-code", "Patient", {"identifier": [{**NUMBER, "extension": [ext("NHSNumberVerificationStatus", valueCodeableConcept=coded("NHSNumberVerificationStatus", "01"))]}]}, "Patient.identifier[0].extension[0].valueCodeableConcept"),
    ("uk-extension-code", "Patient", {"extension": [ext("EthnicCategory", valueCodeableConcept=coded("EthnicCategoryEngland", "Q"))]}, "Patient.extension[0].valueCodeableConcept"),
    ("uk-extension-code", "Patient", {"extension": [death("3")], "deceasedDateTime": None}, "Patient.extension[0].extension[0].valueCodeableConcept"),
    ("uk-ethnic-category-once", "Patient", {"extension": [ETHNIC, ETHNIC]}, "Patient.extension[1]"),
    ("uk-official-name", "Patient", {"name": [{"family": "Hill"}]}, "Patient.name"),
    ("uk-official-name", "Patient", {"name": None}, "Patient.name"),
    ("uk-family-name", "Patient", {"name": [{"use": "official", "given": ["A"]}]}, "Patient.name[0]"),
    ("uk-postcode", "Patient", {"address": [{"postalCode": "LS1288T"}]}, "Patient.address[0].postalCode"),
    ("uk-postcode", "Organization", {"address": [{"postalCode": "SW1", "country": "England"}]}, "Organization.address[0].postalCode"),
    ("uk-address-key", "Patient", {"address": [{"extension": [key("UPRN", "0012")]}]}, "Patient.address[0].extension[0].extension[1].valueString"),
    ("uk-address-key", "Patient", {"address": [{"extension": [key("PAF", "LS10ABC")]}]}, "Patient.address[0].extension[0].extension[1].valueString"),
    ("uk-death-notification", "Patient", {"deceasedDateTime": None}, "Patient.extension"),
    ("uk-death-notification", "Patient", {"extension": [death("U")]}, "Patient.extension"),
    ("uk-died-before-birth", "Patient", {"birthDate": "2026-02-01"}, "Patient.deceasedDateTime"),
    ("uk-contact-rank-twice", "Patient", {"contact": [RANK, RANK]}, "Patient.contact[1].extension[0]"),
    ("uk-language", "Patient", {"communication": [{"language": {"text": "Polish"}}]}, "Patient.communication[0].language"),
    ("uk-language", "RelatedPerson", {"communication": [{"language": coded("HumanLanguage", "pl")}]}, "RelatedPerson.communication[0].language"),
    ("uk-language", "Practitioner", {"communication": [{"text": "Welsh"}]}, "Practitioner.communication[0]"),
    ("uk-language", "HealthcareService", {"communication": [coded("urn:ietf:bcp:47", "the language of Wales")]}, "HealthcareService.communication[0]"),
    ("uk-identifier-once", "Organization", {"identifier": [{"system": ODS, "value": "RDV"}] * 2}, "Organization.identifier[1]"),
    ("uk-identifier-value", "Location", {"identifier": [{"system": SITE}]}, "Location.identifier[0]"),
    ("uk-extension", "Patient", {"extension": [ext("EthnicCategory", valueString="White")]}, "Patient.extension[0].valueString"),
    ("uk-extension", "Patient", {"extension": [ext("EthnicCategory")]}, "Patient.extension[0]"),
    ("uk-extension", "Patient", {"contact": [{"name": {"family": "A"}, "extension": [ext("ContactRank", valueInteger=1)]}]}, "Patient.contact[0].extension[0].valueInteger"),
    ("uk-extension", "Patient", {"address": [{"extension": [ext("AddressKey", extension=[inner("value", valueString="1")])]}]}, "Patient.address[0].extension[0]"),
    ("uk-extension", "Patient", {"extension": [ext("ContactPreference", extension=[inner("PreferredContactTimes", valueString="a")] * 2)]}, "Patient.extension[0].extension[1]"),
    ("uk-extension-unknown", "Patient", {"extension": [ext("FavouriteColour", valueString="a")]}, "Patient.extension[0].url"),
    ("uk-required", "MedicationRequest", {"substitution": None}, "MedicationRequest.substitution"),
    ("uk-required", "MedicationStatement", {"identifier": [{"value": "1"}]}, "MedicationStatement.identifier[0].system"),
    ("uk-required", "MedicationStatement", {"identifier": [{"system": "urn:x"}]}, "MedicationStatement.identifier[0].value"),
    ("ukcore-imm-001", "Immunization", {"status": "not-done"}, "Immunization.statusReason"),
    ("ukcore-diag-lab-002", "DiagnosticReport", {"media": [{"link": {"reference": "Media/1"}, "extension": [{"url": f"{R5}DiagnosticReport.media.link", "valueReference": {"display": "x"}}]}]}, "DiagnosticReport.media[0].link.reference"),
    ("ukcore-spec-001", "Specimen", {"collection": {"collector": {"reference": "Practitioner/1", "extension": [{"url": f"{R5}Specimen.collection.collector", "valueReference": {"display": "x"}}]}}}, "Specimen.collection.collector.reference"),
    ("uk-extension-once", "DiagnosticReport", {"extension": [{"url": f"{R5}DiagnosticReport.composition", "valueReference": {"display": "x"}}] * 2}, "DiagnosticReport.extension[1]"),
    ("uk-extension-once", "Appointment", {"extension": [CHANNEL, CHANNEL]}, "Appointment.extension[1]"),
    ("uk-extension-once", "Slot", {"extension": [CHANNEL, CHANNEL]}, "Slot.extension[1]"),
    ("uk-extension-once", "Composition", {"extension": [SETTING, SETTING]}, "Composition.extension[1]"),
    ("uk-extension-once", "List", {"extension": [SETTING, SETTING]}, "List.extension[1]"),
    ("uk-extension-once", "ServiceRequest", {"extension": [ext("Coverage", valueCodeableConcept={"text": "x"})] * 2}, "ServiceRequest.extension[1]"),
    ("uk-extension-once", "Specimen", {"extension": [ext("SampleCategory", valueCodeableConcept={"text": "x"})] * 2}, "Specimen.extension[1]"),
]  # fmt: skip


def resource(type_: str, **changed: Any) -> Json:
    said = {"resourceType": type_, "id": "a", **WHOLE[type_], **changed}
    return {name: value for name, value in said.items() if value is not None}


def found(body: Json) -> list[tuple[str, str]]:
    own = OF_TYPE[body["resourceType"]]
    return [(one.rule, fhir_path(body["resourceType"], one.loc)) for one in judge(body, (own,))]


@pytest.mark.parametrize("type_", sorted(WHOLE))
def test_what_holds_to_every_rule_is_not_found_fault_with(type_: str) -> None:
    body = resource(type_)
    checked = check(type_, body)
    assert (checked.problems, checked.valid) == ((), True), "it is good R4"
    assert found(body) == []
    made = profiled(type_, body)
    assert made.body["meta"]["profile"] == [OF_TYPE[type_].url]
    assert (made.repairs, made.findings) == ((), ())


@pytest.mark.parametrize(("rule", "type_", "change", "where"), BROKEN, ids=[f"{row[0]}-{row[3]}" for row in BROKEN])
def test_a_rule_that_is_broken_is_told_with_its_place(rule: str, type_: str, change: Json, where: str) -> None:
    body = resource(type_, **change)
    told = judge(body, (OF_TYPE[type_],))
    assert [(one.rule, fhir_path(type_, one.loc)) for one in told] == [(rule, where)]
    [one] = told
    assert one.says
    assert one.because, "each names its profile or its standard"
    met = OF_TYPE[type_].url in profiled(type_, body).body.get("meta", {}).get("profile", [])
    assert met == (one.severity is not Severity.ERROR)


def test_every_rule_of_a_type_is_in_the_table() -> None:
    tried = {(row[0], row[1]) for row in BROKEN}
    every = {(rule.id, name) for name, rules in RULES.items() if name in WHOLE for rule in rules}
    # The same rule of two types is tried once.
    assert {rule for rule, _ in every} <= {rule for rule, _ in tried}
    assert {name for name in RULES if name not in WHOLE} == {name for name in RULES if "-" in name}


def test_a_rule_names_the_profile_whose_version_is_the_one_that_is_checked() -> None:
    versions = {f"UK Core {one.name} {one.version}" for one in PROFILES.values()}
    for name, rules in RULES.items():
        for rule in rules:
            if rule.because.startswith(f"UK Core {name.partition('-')[0]}"):
                assert any(rule.because.startswith(one) for one in versions), f"{rule.id} of {name}: {rule.because}"


def vital(name: str, loinc: str, unit: str, ucum: str, /, **changed: Any) -> Json:
    said = {
        "resourceType": "Observation",
        "id": "a",
        "meta": {"profile": [f"{UK}StructureDefinition/UKCore-Observation-VitalSigns-{name}"]},
        "status": "final",
        "category": [coded(CATEGORIES, "vital-signs")],
        "code": coded("http://loinc.org", loinc),
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 1, "unit": unit, "system": "http://unitsofmeasure.org", "code": ucum},
    } | changed
    return {key_: value for key_, value in said.items() if value is not None}


VITAL = [
    ("HeartRate", "8867-4", "per minute", "/min"),
    ("RespirationRate", "9279-1", "per minute", "/min"),
    ("OxygenSaturation", "2708-6", "percent", "%"),
    ("BodyWeight", "29463-7", "kilogram", "kg"),
    ("BodyTemperature", "8310-5", "degree Celsius", "Cel"),
    ("HeadCircumference", "9843-4", "centimeter", "cm"),
    ("BMI", "39156-5", "kilogram per square metre", "kg/m2"),
]


@pytest.mark.parametrize("row", VITAL, ids=[row[0] for row in VITAL])
def test_a_vital_sign_keeps_its_profile_where_it_is_one(row: tuple[str, str, str, str]) -> None:
    body = vital(*row)
    assert profiled("Observation", body).body["meta"]["profile"] == [
        f"{UK}StructureDefinition/UKCore-Observation-VitalSigns-{row[0]}",
        f"{UK}StructureDefinition/UKCore-Observation",
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"status": "preliminary"}, "uk-vital-status"),
        ({"category": [coded(CATEGORIES, "laboratory")]}, "uk-vital-category"),
        ({"category": [coded(CATEGORIES, "vital-signs"), {"text": "x"}]}, "uk-vital-category"),
        ({"code": coded("http://snomed.info/sct", "364075005")}, "ukcore-obs-vs-001"),
        ({"subject": None}, "uk-required"),
        ({"effectiveDateTime": None}, "uk-required"),
        ({"valueQuantity": {"value": 1, "unit": "bpm"}}, "uk-vital-unit"),
        ({"code": coded("http://loinc.org", "9279-1")}, "uk-vital-code"),
        ({"valueQuantity": None}, "uk-vital-unit"),
    ],
)
def test_a_vital_sign_that_is_none_loses_its_profile_and_keeps_that_of_an_observation(change: Json, rule: str) -> None:
    made = profiled("Observation", vital(*VITAL[0], **change))
    assert made.body["meta"]["profile"] == [f"{UK}StructureDefinition/UKCore-Observation"]
    assert [one.rule for one in made.repairs] == ["UK-not-met"]
    assert rule in {one.rule for one in made.findings}


def test_the_walk_of_its_own_and_that_of_the_validation_find_the_same() -> None:
    for type_ in WHOLE:
        body = resource(type_, contained=[resource("Patient", photo=[{"url": "https://x.example"}])])
        met, own = check(type_, body).marks, marks(body)
        assert met is not None
        for name in ("identifiers", "extensions", "files"):
            assert sorted(map(str, getattr(met, name))) == sorted(map(str, getattr(own, name))), name


def test_nothing_is_changed_where_nothing_is_to_be_said() -> None:
    body = {"resourceType": "Goal", "id": "a", "meta": {"profile": ["https://x.example/p"]}}
    assert profiled("Goal", body).body is body


def test_the_page_tells_every_rule_and_what_its_breach_is() -> None:
    told = {row[0].strip("`"): row[2] for row in tables(part(page("ingest.md"), "## UK Core"))[1]}
    rules = {rule.id: rule for rules in RULES.values() for rule in rules}
    found = {row[0] for row in BROKEN}
    assert set(told) == set(rules) | found
    for id_, rule in rules.items():
        claimed = "" if rule.always else ", claimed"
        assert told[id_] == f"{'an error' if rule.severity is Severity.ERROR else 'a warning'}{claimed}", id_
