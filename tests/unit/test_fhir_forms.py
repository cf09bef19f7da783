"""In which form an answer is asked for, and what is left of a resource in it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import NotAcceptable

from carelink.errors import Invalid
from carelink.fhir.forms import PLAIN, SUBSETTED, Form, form_of, is_subsetted, shaped
from fhir_adapters import exact_json

WHOLE = """{"resourceType": "Observation", "id": "1", "meta": {"versionId": "3", "tag": [{"code": "x"}]},
  "text": {"status": "generated", "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">7.10</div>"},
  "status": "final", "code": {"text": "Weight"}, "subject": {"reference": "Patient/2"}, "note": [{"text": "n"}],
  "category": [{"text": "c"}], "effectiveDateTime": "2026", "_effectiveDateTime": {"extension": [{"url": "urn:x", "valueCode": "y"}]},
  "valueQuantity": {"value": 7.10, "unit": "kg"}, "component": [{"code": {"text": "d"}, "interpretation": [{"text": "e"}]}]}"""


def cut(form: Form, text: str = WHOLE) -> dict[str, Any]:
    made: dict[str, Any] = exact_json.loads(shaped(text, form))
    return made


def test_format_goes_before_accept_and_neither_means_json() -> None:
    assert form_of({}, []) == PLAIN
    assert form_of({"_format": "json"}, [("text/html", 1.0)]) == PLAIN
    assert form_of({"_format": "xml"}, [("application/fhir+json", 1.0)]).xml
    assert form_of({"_format": "application/fhir xml"}, []).xml, "a plus sign that was not escaped"
    assert form_of({}, [("application/fhir+xml", 1.0), ("application/fhir+json", 0.9)]).xml
    assert form_of({}, [("text/html", 1.0), ("*/*", 0.1)]) == PLAIN


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [("html", []), ("xml; fhirVersion=5.0", []), ("", [("text/html", 1.0)]), ("", [("application/fhir+json; fhirVersion=3.0", 1.0)])],
)  # fmt: skip
def test_what_is_not_served_is_not_acceptable(wanted: str, accepted: list[tuple[str, float]]) -> None:
    with pytest.raises(NotAcceptable):
        form_of({"_format": wanted}, accepted)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"_summary": "maybe"}, "_summary"),
        ({"_summary": ""}, "_summary"),
        ({"_pretty": "yes"}, "_pretty"),
        ({"_elements": ""}, "_elements"),
        ({"_elements": "status,,code"}, "_elements"),
        ({"_elements": "code.coding"}, "_elements"),
        ({"_elements": "shoe"}, "_elements"),
        ({"_elements": "birthDate"}, "_elements"),
        ({"_elements": ",".join(["status"] * 101)}, "_elements"),
        ({"_elements": "x" * 5000}, "_elements"),
        ({"_elements": "status", "_summary": "true"}, "_elements"),
    ],
)
def test_a_parameter_that_says_nothing_is_refused_with_its_name(given: dict[str, str], place: str) -> None:
    with pytest.raises(Invalid) as told:
        form_of(given, [], "Observation")
    assert told.value.place == place


def test_elements_of_any_resource_are_known_where_the_type_is_not() -> None:
    assert form_of({"_elements": "birthDate,value[x],value,valueQuantity"}, []).elements == ("birthDate", "value", "value", "valueQuantity")  # fmt: skip


def test_a_plain_answer_is_not_looked_into() -> None:
    assert shaped("{not even JSON", PLAIN) == "{not even JSON"


def test_a_summary_has_what_r4_marks_and_what_must_be_there() -> None:
    made = cut(Form(summary="true"))
    assert set(made) == {"resourceType", "id", "meta", "status", "code", "subject", "effectiveDateTime", "_effectiveDateTime", "valueQuantity", "component"}  # fmt: skip
    assert made["component"] == [{"code": {"text": "d"}}]
    assert made["meta"] == {"versionId": "3", "tag": [{"code": "x"}, SUBSETTED]}
    assert b'"value":7.10' in shaped(WHOLE, Form(summary="true"))  # type: ignore[operator]


def test_the_text_alone_comes_with_what_must_be_there() -> None:
    assert set(cut(Form(summary="text"))) == {"resourceType", "id", "meta", "text", "status", "code"}


def test_the_data_come_without_the_text() -> None:
    made = cut(Form(summary="data"))
    assert "text" not in made
    assert set(made) == set(exact_json.loads(WHOLE)) - {"text"}


def test_elements_that_are_asked_for_come_with_what_must_be_there() -> None:
    made = cut(Form(elements=("effective", "valueQuantity")))
    assert set(made) == {"resourceType", "id", "meta", "status", "code", "effectiveDateTime", "_effectiveDateTime", "valueQuantity"}  # fmt: skip
    assert is_subsetted(made)


def test_what_is_whole_is_not_said_to_be_less() -> None:
    bare = '{"resourceType": "Observation", "id": "1", "status": "final", "code": {"text": "x"}}'
    for form in (Form(summary="true"), Form(summary="data"), Form(summary="false"), Form(elements=("status",))):
        assert cut(form, bare) == exact_json.loads(bare)


def test_each_resource_of_a_bundle_is_cut_and_what_must_be_said_of_them_is_not() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "id": "o",
        "text": {"status": "generated", "div": "<div/>"},
        "issue": [],
    }
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": exact_json.loads(WHOLE), "search": {"mode": "match"}}, {"resource": outcome}, {"request": {"method": "DELETE"}}]}  # fmt: skip
    text = exact_json.dumps(bundle).decode()
    entries = cut(Form(summary="data"), text)["entry"]
    assert "text" not in entries[0]["resource"]
    assert entries[1:] == bundle["entry"][1:]  # type: ignore[index]
    assert cut(Form(summary="count"), text) == {"resourceType": "Bundle", "type": "searchset", "total": 1}
    with pytest.raises(Invalid, match="_summary"):
        shaped(WHOLE, Form(summary="count"))


def test_what_is_set_out_is_the_same_on_more_lines() -> None:
    made = shaped(WHOLE, Form(pretty=True))
    assert made.count(b"\n") > 20  # type: ignore[arg-type]
    assert exact_json.dumps(exact_json.loads(made)) == exact_json.dumps(exact_json.loads(WHOLE))


@pytest.mark.parametrize("meta", [None, 7, {}, {"tag": 7}, {"tag": [7, {}]}])
def test_whatever_meta_looks_like_it_can_be_asked_whether_it_says_subsetted(meta: Any) -> None:
    assert not is_subsetted({"meta": meta})
