"""XML: what is written means what the JSON says, to the digit; what is read is hardened, and refused with its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import NotAcceptable

from carelink.errors import Invalid
from carelink.fhir import xml_reading, xml_writing
from carelink.record.validation import check
from fhir_adapters import exact_json

HEAD = '<Patient xmlns="http://hl7.org/fhir">'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">Ann &amp; Bob<br/> &lt;3</p></div>'
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "text": {"status": "generated", "div": DIV},
    "contained": [{"resourceType": "Organization", "id": "o", "name": 'A "b" <c>\n&\t'}],
    "extension": [{"id": "e", "url": "urn:x", "valueDecimal": exact_json.loads("1.00")}],
    "name": [
        {"given": ["Ann", None, "C"], "_given": [None, {"extension": [{"url": "urn:y", "valueCode": "z"}]}, None]}
    ],
    "birthDate": "1950",
    "_birthDate": {"id": "b"},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
}


def same(body: Any, **how: bool) -> bool:
    return exact_json.dumps(xml_reading.read(xml_writing.written(body, **how))) == exact_json.dumps(body)


def test_a_resource_is_written_in_the_order_of_r4_and_read_back_the_same() -> None:
    text = xml_writing.written(PATIENT).decode()
    assert text.startswith(
        "<?xml version='1.0' encoding='UTF-8'?><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/>"
    )
    assert '<extension id="e" url="urn:x"><valueDecimal value="1.00"/></extension>' in text
    assert '<birthDate id="b" value="1950"/>' in text
    assert DIV in text
    assert same(PATIENT)
    assert same(PATIENT, pretty=True)


def resources(folder: Path) -> Iterator[dict[str, Any]]:
    """Every resource of the published examples that is FHIR R4."""
    for path in sorted(folder.rglob("*.json")):
        try:
            body = exact_json.loads(path.read_bytes())
        except ValueError:
            continue
        if isinstance(body, dict) and isinstance(body.get("resourceType"), str):
            yield from (one for one in _each(body) if not check(one["resourceType"], one).problems)


def _each(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if body["resourceType"] != "Bundle":
        yield body
    yield from (entry["resource"] for entry in body.get("entry", ()) if "resource" in entry)


def test_every_published_example_means_the_same_in_xml(shared_examples: Path) -> None:
    different, seen = [], 0
    for body in resources(shared_examples):
        repaired = check(body["resourceType"], body)
        if repaired.repairs:
            continue  # it is not R4 as it stands
        seen += 1
        if not same(body):
            different.append(body)
    assert different == []
    assert seen > 200


NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?\Z")
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1)


@given(NUMBERS, TEXTS)
def test_numbers_and_texts_are_the_same_behind_xml(number: str, text: str) -> None:
    value = exact_json.loads(f'{{"value": {number}}}')["value"]
    if isinstance(value, int):
        value = exact_json.ExactDecimal(number)
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": text},
        "valueQuantity": {"value": value, "unit": text},
    }
    assert same(body)


@given(st.text())
def test_any_narrative_becomes_xml_that_can_be_read(div: str) -> None:
    body = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
    read = xml_reading.read(xml_writing.written(body))
    assert read["text"]["div"].startswith("<div ")


@pytest.mark.parametrize("div", ["<div>a&nbsp;b</div>", "<div/>", "<div >x</div>"])
def test_a_narrative_without_its_namespace_or_with_names_of_html_is_made_right(div: str) -> None:
    read = xml_reading.read(xml_writing.written({"resourceType": "Patient", "text": {"status": "empty", "div": div}}))
    assert read["text"]["div"] == div.replace("<div", '<div xmlns="http://www.w3.org/1999/xhtml"').replace("&nbsp;", "\u00a0")  # fmt: skip


@pytest.mark.parametrize("div", ["<p>x</p>", "<div><b></div>", "<!DOCTYPE x><div/>", "<div><?php x?></div>", "<div>&x;</div>", "</div><Patient/>"])  # fmt: skip
def test_what_is_no_narrative_is_shown_as_text(div: str) -> None:
    assert "<pre>" in xml_writing.narrative(div)


def test_control_characters_that_xml_has_not_are_replaced() -> None:
    read = xml_reading.read(xml_writing.written({"resourceType": "Patient", "id": "a\0b\x0bc"}))
    assert read["id"] == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Shoe"},
        {"resourceType": "Patient", "shoe": 1},
        {"resourceType": "Patient", "name": {"text": "x"}},
        {"resourceType": "Patient", "maritalStatus": "x"},
        {"resourceType": "DomainResource"},
    ],
)
def test_what_r4_does_not_know_is_not_written_as_if_it_did(body: dict[str, Any]) -> None:
    with pytest.raises(NotAcceptable):
        xml_writing.written(body)


def test_what_is_nested_too_deeply_is_not_written() -> None:
    inner: dict[str, Any] = {"url": "urn:x", "valueCode": "y"}
    for _ in range(5000):
        inner = {"url": "urn:x", "extension": [inner]}
    with pytest.raises(NotAcceptable, match="deep"):
        xml_writing.written({"resourceType": "Patient", "extension": [inner]})


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
WRONG = [
    ("", "body", "is not XML"),
    ("<Patient", "body", "is not XML"),
    ("<Patient/>", "body", "namespace"),
    ('<Shoe xmlns="http://hl7.org/fhir"/>', "body", "not a resource"),
    (BOMB + HEAD + "<id value='&b;'/></Patient>", "body", "document type"),
    ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + HEAD + "</Patient>", "body", "document type"),
    ("<?x y?>" + HEAD + "</Patient>", "body", "processing instruction"),
    (HEAD + "<id value='&b;'/></Patient>", "body", "is not XML"),
    (HEAD + "text</Patient>", "body", "text beside"),
    (HEAD + "<shoe value='1'/></Patient>", "Patient.shoe", "not an element"),
    (HEAD + "<birthDate value='1950'/><birthDate value='1951'/></Patient>", "Patient.birthDate", "more than once"),
    (HEAD + "<birthDate/></Patient>", "Patient.birthDate", "no value"),
    (HEAD + "<birthDate valve='1'/></Patient>", "Patient.birthDate", "attribute valve"),
    (HEAD + "<active value='yes'/></Patient>", "Patient.active", "true or false"),
    (HEAD + "<multipleBirthInteger value='1.5'/></Patient>", "Patient.multipleBirthInteger", "whole number"),
    (HEAD + "<name/></Patient>", "Patient.name[0]", "is empty"),
    (HEAD + "<name><given value='a'/></name><name><shoe/></name></Patient>", "Patient.name[1].shoe", "not an element"),
    (HEAD + "<x:id xmlns:x='urn:x' value='1'/></Patient>", "Patient", "another namespace"),
    (HEAD + "<extension url='urn:x'><valueDecimal value='NaN'/></extension></Patient>", "Patient.extension[0].valueDecimal", "a number"),
    (HEAD + "<contained/></Patient>", "Patient.contained[0]", "one resource"),
    (HEAD + "<text><status value='empty'/><h:div xmlns:h='http://www.w3.org/1999/xhtml'/></text></Patient>", "Patient.text.div", "must be a <div"),
    (HEAD + "<text><div/></text></Patient>", "Patient.text.div", "must be a <div"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "place", "why"), WRONG)
def test_xml_that_can_not_be_read_is_refused_with_its_place(sent: str, place: str, why: str) -> None:
    with pytest.raises(Invalid) as told:
        xml_reading.read(sent.encode())
    assert told.value.place == place
    assert why in told.value.why


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xfe<\0P\0",
        "<?xml version='1.0' encoding='UTF-16'?><Patient/>".encode("utf-16"),
        (HEAD + "<extension url='x'>" * 150 + "</extension>" * 150 + "</Patient>").encode(),
        (HEAD + "<name><text value='x'/></name>" * 150_000 + "</Patient>").encode(),
        (HEAD + "<text><div xmlns='http://www.w3.org/1999/xhtml'>" + "<b>" * 5000).encode(),
    ],
    ids=["no UTF-8", "UTF-16", "deep", "many", "deep narrative"],
)
def test_what_is_too_deep_too_much_or_in_another_encoding_is_refused(sent: bytes) -> None:
    with pytest.raises(Invalid):
        xml_reading.read(sent)


@given(st.binary())
def test_any_bytes_are_read_or_refused(sent: bytes) -> None:
    with pytest.raises(Invalid):
        xml_reading.read(sent)
