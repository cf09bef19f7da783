"""Label rules by the type of a document, and by words that make a human look and never label by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from consent_builders import PLACE

from carelink.consent.labels import Label, hints, label
from carelink.consent.sensitivity import mask
from carelink.place import LabelRule

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
NOTE = {"coding": [{"system": LOINC, "code": "11510-5"}]}
OTHER = {"coding": [{"system": LOINC, "code": "18842-5"}]}
THERAPY = LabelRule("notes", "a test", "mental-health", ("PSY",), documents=frozenset([(LOINC, "11510-5")]))
WORDS = LabelRule("words", "a test", sensitivities=("HIV",), text=("HIV", "viral load"))
BOTH = LabelRule("both", "a test", sensitivities=("SDV",), codes=frozenset([(SNOMED, "706893006")]), text=("MARAC",))


def of(type_: str, body: dict[str, Any], *rules: LabelRule) -> Label:
    return label(replace(PLACE, labels=rules), "gp", type_, body)


@pytest.mark.parametrize("type_", ["DocumentReference", "Composition"])
def test_a_document_of_that_type_has_the_label(type_: str) -> None:
    assert of(type_, {"type": NOTE}, THERAPY) == Label("mental-health", mask(["PSY"]))
    assert of(type_, {"type": OTHER}, THERAPY) == Label("documents")


NO_DOCUMENT_OF_THAT_TYPE = [
    ("Encounter", {"type": [NOTE]}, "no document"),
    ("DocumentReference", {"category": [NOTE]}, "its category"),
    ("DocumentReference", {"type": OTHER, "context": {"event": [NOTE]}}, "what it is about"),
    ("DocumentReference", {"type": {"text": "11510-5"}}, "words"),
    ("DocumentReference", {}, "no type"),
]


@pytest.mark.parametrize(
    ("type_", "body", "what"), NO_DOCUMENT_OF_THAT_TYPE, ids=[what for *_, what in NO_DOCUMENT_OF_THAT_TYPE]
)
def test_only_the_type_of_a_document_counts(type_: str, body: dict[str, Any], what: str) -> None:
    assert of(type_, body, THERAPY).sensitivities == 0


def test_codes_and_documents_of_one_rule_are_either_or() -> None:
    rule = replace(THERAPY, codes=frozenset([(SNOMED, "75516001")]))
    coded = {"coding": [{"system": SNOMED, "code": "75516001"}]}
    assert of("Procedure", {"code": coded}, rule).sensitivities == mask(["PSY"])
    assert of("DocumentReference", {"type": NOTE}, rule).sensitivities == mask(["PSY"])
    assert of("DocumentReference", {"type": OTHER}, rule).sensitivities == 0


def test_words_alone_label_nothing_whatever_they_say() -> None:
    assert of("Condition", {"code": {"text": "HIV infection"}}, WORDS) == Label("problems")


def test_a_rule_with_words_and_codes_labels_by_its_codes_alone() -> None:
    victim = {"code": {"coding": [{"system": SNOMED, "code": "706893006"}]}}
    assert of("Condition", victim, BOTH).sensitivities == mask(["SDV"])
    assert of("Condition", {"code": {"text": "MARAC"}}, BOTH).sensitivities == 0


def found(body: dict[str, Any], *rules: LabelRule, type_: str = "Condition", bits: int = 0) -> tuple[str, ...]:
    return hints(replace(PLACE, labels=rules), "gp", type_, body, bits)


SAID = [
    ({"code": {"text": "HIV positive"}}, "what it is called"),
    ({"code": {"coding": [{"system": "local", "code": "x", "display": "Known HIV"}]}}, "the display of a local code"),
    ({"note": [{"text": "Asked about hiv."}]}, "a note, in small letters"),
    ({"text": {"div": "<div>viral load</div>"}}, "the narrative"),
    ({"description": "Letter: Viral  load"}, "two spaces are not one"),
    ({"content": [{"attachment": {"title": "HIV clinic letter"}}]}, "the title of a letter"),
    ({"item": [{"answer": [{"valueString": "HIV"}]}]}, "an answer"),
    ({"contained": [{"code": {"text": "HIV"}}]}, "what is contained"),
]


@pytest.mark.parametrize(("body", "where"), SAID, ids=[where for _, where in SAID])
def test_words_are_found_wherever_somebody_wrote_them(body: dict[str, Any], where: str) -> None:
    assert found(body, WORDS) == (() if "two spaces" in where else ("words",))


NOT_SAID = [
    ({"code": {"text": "Archival of notes"}}, "a part of another word"),
    ({"code": {"text": "HIVES"}}, "the beginning of another word"),
    ({"identifier": [{"value": "HIV"}]}, "an identifier"),
    ({"code": {"coding": [{"code": "HIV"}]}}, "a code: rules say that by codes"),
    ({}, "nothing"),
]


@pytest.mark.parametrize(("body", "what"), NOT_SAID, ids=[what for _, what in NOT_SAID])
def test_what_only_looks_like_the_words_raises_no_hint(body: dict[str, Any], what: str) -> None:
    assert found(body, WORDS) == ()


def test_what_has_the_label_needs_no_hint_and_what_has_another_does() -> None:
    body = {"code": {"text": "HIV"}}
    assert found(body, WORDS, bits=mask(["HIV", "MH"])) == ()
    assert found(body, WORDS, bits=mask(["MH"])) == ("words",)


def test_hints_keep_to_the_sources_and_types_of_their_rule() -> None:
    body = {"code": {"text": "HIV"}}
    assert found(body, replace(WORDS, types=("DocumentReference",))) == ()
    assert found(body, replace(WORDS, sources=("hospital",))) == ()
    assert found(body, replace(WORDS, types=("Condition",), sources=("gp",))) == ("words",)


def test_signs_in_words_are_signs_and_not_a_pattern() -> None:
    rule = replace(WORDS, text=("a.b (c)",))
    assert found({"code": {"text": "see a.b (c) there"}}, rule) == ("words",)
    assert found({"code": {"text": "see axb (c) there"}}, rule) == ()
