"""What kind of information an item is, and what makes it sensitive: by the place's rules, its codes, and its source's word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from conftest import ROOT
from consent_builders import PLACE

from carelink.consent.labels import CATEGORY, Label, label
from carelink.consent.sensitivity import ALL, CODINGS, NAMES, Sensitivity, confidential, mask, names
from carelink.place import LabelRule, Place
from carelink.place_loader import load

SNOMED = "http://snomed.info/sct"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_STU3 = "http://hl7.org/fhir/v3/ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ALCOHOL = {"system": SNOMED, "code": "66590003"}
OTHER = {"system": SNOMED, "code": "73211009"}


def concept(*codings: dict[str, Any]) -> dict[str, Any]:
    return {"coding": list(codings)}


def of(type_: str, body: dict[str, Any], place: Place = PLACE, source: str = "gp") -> Label:
    return label(place, source, type_, body)


def sensitivities(type_: str, body: dict[str, Any]) -> tuple[str, ...]:
    return names(of(type_, body).sensitivities)


def told(code: str, system: str = ACT) -> dict[str, Any]:
    return {"meta": {"security": [{"system": system, "code": code}]}}


@pytest.mark.parametrize(("type_", "category"), sorted(CATEGORY.items()))
def test_each_type_is_of_its_kind_where_no_rule_says_otherwise(type_: str, category: str) -> None:
    assert of(type_, {}) == Label(category)


@pytest.mark.parametrize("name", ["example", "saltmarsh"])
def test_the_kinds_of_the_table_are_known_to_every_place_that_ships(name: str) -> None:
    assert set(CATEGORY.values()) <= set(load(ROOT / "config" / "places" / name).categories)


def test_a_type_that_is_not_in_the_table_is_of_a_kind_that_no_agreement_shares() -> None:
    assert of("VisionPrescription", {}) == Label("other")


@pytest.mark.parametrize("element", ["focus", "basedOn"])
def test_the_fulfilment_of_a_request_is_a_referral_and_no_assessment(element: str) -> None:
    assert of("Task", {element: {"reference": "ServiceRequest/1"}}).category == "referrals"
    assert of("Task", {}).category == "assessments"


# A code makes an item sensitive wherever it stands in it.
ANYWHERE = [
    ("Condition", {"code": concept(ALCOHOL)}),
    ("Condition", {"code": concept(OTHER, ALCOHOL)}),
    ("Condition", {"evidence": [{"code": [concept(ALCOHOL)]}]}),
    ("Observation", {"code": concept(OTHER), "valueCodeableConcept": concept(ALCOHOL)}),
    ("Observation", {"component": [{"code": concept(ALCOHOL), "valueBoolean": True}]}),
    ("DiagnosticReport", {"conclusionCode": [concept(ALCOHOL)]}),
    ("Encounter", {"reasonCode": [concept(ALCOHOL)]}),
    ("MedicationStatement", {"medicationCodeableConcept": concept(ALCOHOL)}),
    ("MedicationRequest", {"contained": [{"resourceType": "Medication", "code": concept(ALCOHOL)}]}),
    ("FamilyMemberHistory", {"condition": [{"code": concept(ALCOHOL)}]}),
    ("CarePlan", {"activity": [{"detail": {"code": concept(ALCOHOL)}}]}),
    ("QuestionnaireResponse", {"item": [{"answer": [{"valueCoding": ALCOHOL}]}]}),
    ("Flag", {"category": [concept(ALCOHOL)]}),
    ("Appointment", {"serviceType": [concept(ALCOHOL)]}),
    ("EpisodeOfCare", {"extension": [{"url": "https://x.example/reason", "valueCodeableConcept": concept(ALCOHOL)}]}),
]


@pytest.mark.parametrize(("type_", "body"), ANYWHERE, ids=[f"{type_}.{'.'.join(body)}" for type_, body in ANYWHERE])
def test_a_sensitive_code_counts_wherever_it_stands(type_: str, body: dict[str, Any]) -> None:
    assert sensitivities(type_, body) == ("ETH",)


NOT_SENSITIVE = [
    ("another code", {"code": concept(OTHER)}),
    ("the same code of another system", {"code": concept({"system": "http://read.info/readv2", "code": "66590003"})}),
    ("the same code of no system", {"code": concept({"code": "66590003"})}),
    ("the code as text", {"code": {"text": "66590003"}}),
    ("nothing", {}),
]


@pytest.mark.parametrize(("what", "body"), NOT_SENSITIVE, ids=[what for what, _ in NOT_SENSITIVE])
def test_what_is_not_listed_is_not_sensitive(what: str, body: dict[str, Any]) -> None:
    assert sensitivities("Condition", body) == ()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_sensitivity_is_read_back_from_the_label_that_we_write(name: str) -> None:
    assert sensitivities("Condition", {"meta": {"security": [CODINGS[name]]}}) == (name,)


TOLD = [
    (told("HIV"), ("HIV",), "in R4's words"),
    (told("HIV", ACT_STU3), ("HIV",), "in STU3's, as GP Connect has it"),
    (told("NOPAT", ACT_STU3), ("NOPAT",), "not to be shown to the person"),
    (told("ETHUD"), ("ETH",), "alcohol use disorder is substance misuse"),
    (told("PSYTHPN"), ("PSY",), "a psychotherapy note is a therapy note"),
    (told("HIV", "https://elsewhere.example/codes"), (), "a code of a system that nobody knows"),
    (told("N", CONFIDENTIALITY), (), "normal"),
    (told("U", CONFIDENTIALITY), (), "unrestricted"),
    (told("R", CONFIDENTIALITY), ("RESTRICTED",), "restricted without a reason"),
    (told("V", CONFIDENTIALITY), ("RESTRICTED",), "very restricted without a reason"),
    ({"meta": {"security": [{"display": "secret"}, None]}}, (), "no code at all"),
    ({"meta": {}}, (), "no label"),
]


@pytest.mark.parametrize(("body", "wanted", "why"), TOLD, ids=[why for *_, why in TOLD])
def test_what_the_source_says_of_an_item_is_kept(body: dict[str, Any], wanted: tuple[str, ...], why: str) -> None:
    assert sensitivities("Condition", body) == wanted


def test_on_a_patient_confidentiality_is_about_where_they_are_and_not_about_who_they_are() -> None:
    """PDS's 'S': everybody who cares must still know who it is; the redacted form keeps the place back."""
    assert sensitivities("Patient", told("R", CONFIDENTIALITY)) == ()


@pytest.mark.parametrize(("code", "wanted"), [("U", False), ("N", False), ("R", True), ("V", True)])
@pytest.mark.parametrize("system", [CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality"])
def test_a_person_is_restricted_by_r_and_by_v(system: str, code: str, wanted: bool) -> None:
    assert confidential(told(code, system)) is wanted
    assert not confidential(told(code, "https://elsewhere.example/codes"))


def test_sensitivities_add_up_over_rules_and_the_sources_word() -> None:
    body = {"code": concept(ALCOHOL)} | told("HIV")
    assert sensitivities("Condition", body) == ("ETH", "HIV")


def rule(id_: str, category: str = "", *, codes: str = "", **more: Any) -> LabelRule:
    return LabelRule(id_, "a test", category, codes=frozenset((SNOMED, code) for code in codes.split()), **more)


RULES = replace(
    PLACE,
    labels=(
        rule("alerts of the council", "safeguarding", sources=("council",), types=("Flag",), sensitivities=("SAFEGUARDING",)),
        rule("letters", "mental-health", codes="371531000", types=("DocumentReference",)),
        rule("all of the hospital's letters", "documents", sources=("hospital",), types=("DocumentReference",)),
        rule("legal", "legal", codes="1 2", sensitivities=("LEGAL",)),
    ),
)  # fmt: skip


def test_the_first_rule_that_gives_a_category_wins() -> None:
    letter = {"type": concept({"system": SNOMED, "code": "371531000"})}
    assert of("DocumentReference", letter, RULES, "hospital").category == "mental-health"
    assert of("DocumentReference", {}, RULES, "hospital").category == "documents"


def test_a_rule_of_one_source_or_type_holds_for_no_other() -> None:
    assert of("Flag", {}, RULES, "council") == Label("safeguarding", Sensitivity.SAFEGUARDING)
    assert of("Flag", {}, RULES, "gp") == Label("alerts")
    assert of("Task", {}, RULES, "council") == Label("assessments")


def test_a_code_deep_inside_makes_an_item_sensitive_but_not_of_another_kind() -> None:
    """A form in which somebody ticked a legal matter is still a form; it is what it is by its own code alone."""
    inside = {"item": [{"answer": [{"valueCoding": {"system": SNOMED, "code": "2"}}]}]}
    assert of("QuestionnaireResponse", inside, RULES) == Label("assessments", Sensitivity.LEGAL)
    assert of("Flag", {"code": concept({"system": SNOMED, "code": "2"})}, RULES) == Label("legal", Sensitivity.LEGAL)


def test_two_places_label_by_their_own_rules() -> None:
    body = {"code": concept(ALCOHOL)}
    assert names(of("Condition", body).sensitivities) == ("ETH",)
    assert of("Condition", body, RULES).sensitivities == 0
    assert of("Condition", body, replace(RULES)).sensitivities == 0


def test_the_bits_of_the_sensitivities_stay_as_they_are() -> None:
    """They are stored: a number, once given, stays."""
    assert {name: int(flag) for name, flag in NAMES.items()} == {
        "ETH": 1,
        "HIV": 2,
        "STD": 4,
        "PSY": 8,
        "SDV": 16,
        "SEX": 32,
        "MH": 64,
        "SAFEGUARDING": 128,
        "THIRD-PARTY": 256,
        "LEGAL": 512,
        "NOPAT": 1024,
        "RESTRICTED": 2048,
    }
    assert mask(NAMES) == ALL
    assert names(ALL) == tuple(NAMES)
    with pytest.raises(KeyError):
        mask(["RUMOUR"])


def test_a_consent_is_as_sensitive_as_what_it_speaks_of() -> None:
    exception = {"type": "permit", "securityLabel": [{"system": ACT, "code": "SUD"}]}
    body = {"provision": {"type": "deny", "securityLabel": [{"system": ACT, "code": "HIV"}], "provision": [exception]}}
    assert sensitivities("Consent", body) == ("ETH", "HIV")
    assert sensitivities("Consent", {"provision": {"type": "deny"}}) == ()


def test_a_consent_is_not_hidden_from_the_person_by_what_it_speaks_of() -> None:
    assert sensitivities("Consent", {"provision": {"securityLabel": [{"system": ACT, "code": "SDV"}]}}) == ()
