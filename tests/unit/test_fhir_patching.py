"""JSON Patch and FHIRPath Patch, applied: what comes out, and what is said of what can't be done."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.errors import Conflict, Invalid
from carelink.fhir.patching import JSON_PATCH, patched
from fhir_adapters import exact_json

PARAMETERS = "application/fhir+json"
BODY = """{"resourceType": "Patient", "id": "1", "birthDate": "1920-01-01", "deceasedBoolean": false,
  "name": [{"use": "official", "family": "Aye", "given": ["Bea", "Cee"]}, {"use": "usual", "family": "Dee"}],
  "extension": [{"url": "urn:weight", "valueDecimal": 1.00}]}"""


def body() -> dict[str, Any]:
    made: dict[str, Any] = exact_json.loads(BODY)
    return made


def operation(type_: str, path: str, **parts: Any) -> dict[str, Any]:
    """One of a FHIRPath Patch. A part is given with its datatype: value={"valueDate": ...}."""
    said = {"type": {"valueCode": type_}, "path": {"valueString": path}}
    said |= {name: {"valueString": one} if isinstance(one, str) else {"valueInteger": one} if isinstance(one, int) else one for name, one in parts.items()}  # fmt: skip
    return {"name": "operation", "part": [{"name": name, **one} for name, one in said.items()]}


def parameters(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def after(*operations: dict[str, Any]) -> dict[str, Any]:
    return patched(body(), parameters(*operations), PARAMETERS)


def by_json(*operations: Any) -> dict[str, Any]:
    return patched(body(), list(operations), JSON_PATCH)


# FHIRPath Patch -------------------------------------------------------------------------------------

DONE = [
    ("a value is replaced", operation("replace", "Patient.birthDate", value={"valueDate": "1930-01-01"}), {"birthDate": "1930-01-01"}),
    ("what is not there is added", operation("add", "Patient", name="gender", value={"valueCode": "male"}), {"gender": "male"}),
    ("something is added at the end of a list", operation("add", "Patient.name[1]", name="given", value={"valueString": "X"}), {"name.1.given": ["X"]}),
    ("something of parts is added", operation("add", "Patient", name="contact", value={"part": [{"name": "name", "valueHumanName": {"text": "E"}}, {"name": "gender", "valueCode": "male"}]}), {"contact": [{"name": {"text": "E"}, "gender": "male"}]}),
    ("a value is put into a list", operation("insert", "Patient.name.first().given", index=1, value={"valueString": "X"}), {"name.0.given": ["Bea", "X", "Cee"]}),
    ("a value is deleted", operation("delete", "Patient.name.where(use = 'official' and given.exists()).given[0]"), {"name.0.given": ["Cee"]}),
    ("the last of a list is deleted", operation("delete", "Patient.extension('urn:weight')"), {"extension": None}),
    ("what is not there need not be deleted", operation("delete", "Patient.photo"), {"photo": None}),
    ("a list gets another order", operation("move", "Patient.name", source=1, destination=0), {"name.0.family": "Dee", "name.1.family": "Aye"}),
    ("a choice becomes another datatype", operation("replace", "Patient.deceased", value={"valueDateTime": "2020"}), {"deceasedBoolean": None, "deceasedDateTime": "2020"}),
    ("a primitive gets an extension", operation("add", "Patient.birthDate", name="extension", value={"valueExtension": {"url": "urn:x", "valueCode": "y"}}), {"_birthDate": {"extension": [{"url": "urn:x", "valueCode": "y"}]}, "birthDate": "1920-01-01"}),
    ("a value is found by what it is", operation("replace", "name[0].given.where($this = 'Cee')", value={"valueString": "X"}), {"name.0.given": ["Bea", "X"]}),
    ("a value is found by its datatype", operation("delete", "Patient.deceased.ofType(boolean)"), {"deceasedBoolean": None}),
    ("a resource is contained", operation("add", "Patient", name="contained", value={"resource": {"resourceType": "Organization", "id": "o"}}), {"contained": [{"resourceType": "Organization", "id": "o"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "asked", "wanted"), DONE, ids=[what for what, *_ in DONE])
def test_a_fhirpath_patch_does_what_it_says_and_nothing_else(what: str, asked: Any, wanted: dict[str, Any]) -> None:
    made = after(asked)
    assert {path: at(made, path) for path in wanted} == wanted
    touched = {path.partition(".")[0] for path in wanted}
    untouched = {name: value for name, value in made.items() if name not in touched}
    assert untouched == {name: value for name, value in body().items() if name not in touched}


def at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return value


WRONG = [
    (operation("add", "Patient", name="birthDate", value={"valueDate": "1930"}), "Parameters.parameter[0].name", "there already"),
    (operation("add", "Patient", name="shoe", value={"valueDate": "1930"}), "Parameters.parameter[0].name", "no element of Patient"),
    (operation("add", "Patient", name="deceased", value={"valueQuantity": {}}), "Parameters.parameter[0].name", "can't be a Quantity"),
    (operation("add", "Patient", name="name", value={"valueString": "x"}), "Parameters.parameter[0].value", "HumanName"),
    (operation("add", "Patient.name", name="given", value={"valueString": "x"}), "Parameters.parameter[0].path", "names 2"),
    (operation("add", "Patient", name="contact", value={"part": [{"name": "nam", "valueString": "x"}]}), "Parameters.parameter[0].value.part[0]", "no element of Patient.contact"),
    (operation("delete", "Patient.name"), "Parameters.parameter[0].path", "names 2"),
    (operation("delete", "Patient"), "Parameters.parameter[0].path", "the whole resource"),
    (operation("replace", "Patient.gender", value={"valueCode": "male"}), "Parameters.parameter[0].path", "names 0"),
    (operation("replace", "Patient.name[0]"), "Parameters.parameter[0].value", "is missing"),
    (operation("replace", "Patient.name[0", value={"valueCode": "x"}), "Parameters.parameter[0].path", "needs a ]"),
    (operation("replace", "Patient.managingOrganization.resolve().name", value={"valueString": "x"}), "Parameters.parameter[0].path", "resolve() is not known"),
    (operation("replace", "Patient.birthDate = 3", value={"valueString": "x"}), "Parameters.parameter[0].path", "not understood"),
    (operation("insert", "Patient.name", index=3, value={"valueHumanName": {}}), "Parameters.parameter[0].index", "from 0 to 2"),
    (operation("insert", "Patient.birthDate", index=0, value={"valueDate": "1930"}), "Parameters.parameter[0].path", "collection"),
    (operation("move", "Patient.name", source=0, destination=2), "Parameters.parameter[0].destination", "less than 2"),
    (operation("shake", "Patient.name"), "Parameters.parameter[0].type", "must be one of add"),
    (operation("replace", "Patient.id", value={"valueId": "2"}), "id", "can't be changed"),
    ({"name": "operation"}, "Parameters.parameter[0]", "have parts"),
    ({"name": "operation", "part": [{"name": "shoe"}]}, "Parameters.parameter[0]", "no operation has"),
    (7, "Parameters.parameter[0]", "named operation"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "place", "why"), WRONG)
def test_what_a_fhirpath_patch_can_not_do_is_told_with_its_place(asked: Any, place: str, why: str) -> None:
    with pytest.raises(Invalid) as told:
        after(asked)
    assert told.value.place == place
    assert why in told.value.why


@pytest.mark.parametrize("patch", [None, 7, [], {}, {"resourceType": "Parameters"}, {"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": [{}] * 1001}])  # fmt: skip
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    with pytest.raises(Invalid):
        patched(body(), patch, PARAMETERS)


def test_a_patch_is_never_half_applied() -> None:
    whole = body()
    with pytest.raises(Invalid):
        patched(whole, parameters(operation("delete", "Patient.name[0]"), operation("delete", "Patient.name[0].x")), PARAMETERS)  # fmt: skip
    with pytest.raises(Invalid):
        patched(whole, [{"op": "remove", "path": "/name"}, {"op": "remove", "path": "/name"}], JSON_PATCH)
    assert whole == body()


def test_numbers_keep_their_text() -> None:
    made = patched(body(), parameters(operation("delete", "Patient.name[0]")), PARAMETERS)
    assert b'"valueDecimal":1.00' in exact_json.dumps(made)
    value = exact_json.loads('{"valueDecimal": 2.50}')
    made = patched(body(), parameters(operation("replace", "Patient.extension.value", value=value)), PARAMETERS)
    assert b'"valueDecimal":2.50' in exact_json.dumps(made)


# JSON Patch -----------------------------------------------------------------------------------------


def test_a_json_patch_does_one_operation_after_the_other() -> None:
    made = by_json(
        {"op": "test", "path": "/name/0/family", "value": "Aye"},
        {"op": "add", "path": "/name/0/given/-", "value": "X"},
        {"op": "remove", "path": "/name/0/given/0"},
        {"op": "replace", "path": "/birthDate", "value": "1930"},
        {"op": "copy", "from": "/name/0/given", "path": "/name/1/given"},
        {"op": "move", "from": "/name/1", "path": "/name/0"},
        {"op": "add", "path": "/a~1b~0", "value": None},
    )
    assert [one["family"] for one in made["name"]] == ["Dee", "Aye"]
    assert [one["given"] for one in made["name"]] == [["Cee", "X"], ["Cee", "X"]]
    assert (made["birthDate"], made["a/b~"]) == ("1930", None)


@pytest.mark.parametrize(
    ("path", "value"), [("/deceasedBoolean", 0), ("/birthDate", "1920"), ("/name/0/given", ["Cee", "Bea"])]
)
def test_a_test_that_fails_changes_nothing(path: str, value: Any) -> None:
    with pytest.raises(Conflict, match=r"patch\[0\]"):
        by_json({"op": "test", "path": path, "value": value})


def test_numbers_are_tested_by_what_they_come_to() -> None:
    by_json({"op": "test", "path": "/extension/0/valueDecimal", "value": exact_json.loads("1.0")})
    by_json({"op": "test", "path": "/extension/0/valueDecimal", "value": 1})


JSON_WRONG = [
    ({"op": "shake"}, "patch[0].op"),
    ({"op": "add", "path": "name", "value": 1}, "patch[0].path"),
    ({"op": "add", "path": "/a~2", "value": 1}, "patch[0].path"),
    ({"op": "add", "path": "/name/0"}, "patch[0].value"),
    ({"op": "add", "path": "/name/3", "value": 1}, "patch[0].path"),
    ({"op": "add", "path": "/name/01", "value": 1}, "patch[0].path"),
    ({"op": "add", "path": "/birthDate/x", "value": 1}, "patch[0].path"),
    ({"op": "remove", "path": "/name/-"}, "patch[0].path"),
    ({"op": "remove", "path": "/photo"}, "patch[0].path"),
    ({"op": "remove", "path": ""}, "patch[0].path"),
    ({"op": "replace", "path": "/photo", "value": 1}, "patch[0].path"),
    ({"op": "replace", "path": "", "value": 1}, "resourceType"),
    ({"op": "replace", "path": "/resourceType", "value": "Flag"}, "resourceType"),
    ({"op": "remove", "path": "/id"}, "id"),
    ({"op": "move", "from": "/name", "path": "/name/0/x"}, "patch[0].path"),
    ({"op": "copy", "from": "/photo", "path": "/name"}, "patch[0].from"),
    (7, "patch[0]"),
]


@pytest.mark.parametrize(("asked", "place"), JSON_WRONG)
def test_what_a_json_patch_can_not_do_is_told_with_its_place(asked: Any, place: str) -> None:
    with pytest.raises(Invalid) as told:
        by_json(asked)
    assert told.value.place == place


def test_copies_of_copies_come_to_an_end() -> None:
    doubled = [{"op": "copy", "from": "/name", "path": "/name/0/x"}] * 1000
    with pytest.raises(Invalid):
        by_json(*doubled)
    with pytest.raises(Invalid, match="nested deeper"):
        by_json(*[{"op": "add", "path": "/photo" + "/x" * depth, "value": {}} for depth in range(120)])
