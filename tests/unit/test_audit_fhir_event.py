"""A row of the audit as a FHIR AuditEvent: what BALP and DICOM call it, who asked, whom it was about, and by which rules."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from conftest import NOW
from consent_builders import PLACE, key_of
from fhir.resources.R4B.auditevent import AuditEvent

from carelink.audit.fhir_codes import SORTS, actions_of, actions_typed
from carelink.audit.fhir_event import event
from carelink.audit.reading import Kept
from carelink.place import Watch
from fhir_adapters import exact_json

BASE = "https://carelink.example/fhir/R4"
ANN, BOB = key_of("ann"), key_of("bob")
RESOURCE = UUID("7b1f0f7e-0000-4000-8000-000000000001")
READ = Kept(
    id=7,
    at=NOW,
    action="read",
    user="sam",
    organisation="901",
    role="social-worker",
    purpose="CAREMGT",
    person=ANN,
    query="Condition",
    count=1,
    rules=("L8-agreement",),
    request="7F3K-92QD",
    detail={"relationships": ["caseload"], "resource": str(RESOURCE)},
)
TABLE = [  # action, outcome -> type, subtype, action code
    ("read", "success", "rest", "read", "R"),
    ("vread", "success", "rest", "vread", "R"),
    ("history", "success", "rest", "history-instance", "R"),
    ("search", "success", "rest", "search", "E"),
    ("create", "success", "rest", "create", "C"),
    ("update", "success", "rest", "update", "U"),
    ("delete", "success", "rest", "delete", "D"),
    ("sign-in", "success", "110114", "110122", "E"),
    ("sign-in", "refused", "110114", "110122", "E"),
    ("sign-out", "success", "110114", "110123", "E"),
    ("refusal", "refused", "110113", "110132", "E"),
    ("break-glass", "success", "110113", "110127", "E"),
    ("export", "success", "110106", "export", "R"),
    ("print", "success", "110106", "print", "R"),
    ("pull", "failure", "110107", "pull", "C"),
    ("policy-change", "success", "110113", "110129", "U"),
    ("audit", "success", "110101", "audit", "R"),
    ("explain", "success", "110112", "explain", "E"),
    ("merge", "success", "110110", "merge", "U"),
    ("what nobody has thought of yet", "success", "110110", "what nobody has thought of yet", "U"),
]


def told(kept: Kept, own: Any = None) -> dict[str, Any]:
    """The event, which FHIR's own classes must accept."""
    made = event(kept, PLACE, BASE, own)
    AuditEvent.model_validate_json(exact_json.dumps(made))
    return made


def entity(of: dict[str, Any], type_: str, role: str = "") -> dict[str, Any]:
    found = [
        one
        for one in of["entity"]
        if one["type"]["code"] == type_ and (not role or one.get("role", {}).get("code") == role)
    ]
    assert len(found) == 1, of["entity"]
    return dict(found[0])


@pytest.mark.parametrize(("action", "outcome", "type_", "subtype", "code"), TABLE)
def test_every_action_is_what_balp_and_dicom_call_it(
    action: str, outcome: str, type_: str, subtype: str, code: str
) -> None:
    made = told(replace(READ, action=action, outcome=outcome))
    assert (made["type"]["code"], made["subtype"][0]["code"], made["action"]) == (type_, subtype, code)
    assert made["subtype"][-1]["code"] == action
    assert made["outcome"] == {"success": "0", "refused": "4", "failure": "8"}[outcome]


def test_the_requestor_is_the_worker_with_role_and_purpose_and_beside_them_is_their_organisation() -> None:
    worker, organisation, server = told(READ)["agent"]
    assert worker["requestor"] is True
    assert worker["who"]["identifier"] == {"system": "https://carelink.example/user", "value": "sam"}
    assert worker["name"] == "Sam Okafor"
    assert worker["role"][0]["text"] == "Social worker"
    assert worker["purposeOfUse"][0]["coding"][0]["code"] == "CAREMGT"
    assert organisation["who"]["identifier"] == {
        "system": "https://fhir.nhs.uk/Id/ods-organization-code",
        "value": "901",
    }
    assert (organisation["requestor"], server["requestor"], server["network"]["address"]) == (False, False, BASE)


def test_a_purpose_that_hl7_has_not_is_of_our_own_system() -> None:
    purpose = told(replace(READ, purpose="SAFEGUARDING"))["purposeOfEvent"][0]["coding"][0]
    assert purpose == {"system": "https://carelink.example/CodeSystem/purpose", "code": "SAFEGUARDING"}


def test_the_person_the_query_the_resource_and_the_request_are_entities() -> None:
    made = told(READ)
    person = entity(made, "1", "1")
    assert person["what"] == {"reference": f"Patient/{ANN}"}
    assert person["detail"] == [
        {"type": "rule", "valueString": "L8-agreement"},
        {"type": "relationship", "valueString": "caseload"},
    ]
    assert base64.b64decode(entity(made, "2", "24")["query"]) == b"Condition"
    assert entity(made, "2", "24")["detail"] == [{"type": "count", "valueString": "1"}]
    assert entity(made, "2", "4")["what"] == {"reference": f"Condition/{RESOURCE}"}
    assert entity(made, "XrequestId")["what"]["identifier"]["value"] == "7F3K-92QD"


def test_everybody_whom_a_list_showed_is_an_entity() -> None:
    made = told(replace(READ, person=None, detail={"persons": [str(BOB), str(ANN)]}))
    people = {one["what"]["reference"] for one in made["entity"] if one["type"]["code"] == "1"}
    assert people == {f"Patient/{ANN}", f"Patient/{BOB}"}


def test_broken_glass_is_grave() -> None:
    made = told(replace(READ, action="break-glass", detail={"severity": "high"}))
    assert {"type": "severity", "valueString": "high"} in entity(made, "1", "1")["detail"]


def test_a_job_is_carelink_itself_and_a_system_is_named_by_its_client_id() -> None:
    job = told(Kept(1, NOW, "link", reason="linking", rules=("L0-system",)))
    assert job["agent"][0]["who"]["identifier"]["value"] == "carelink"
    system = told(replace(READ, user="client:ward"))["agent"][0]
    assert system["who"]["identifier"]["value"] == "client:ward"
    assert system["type"]["coding"][0]["code"] == "110152"


def test_who_views_as_another_is_the_requestor_and_that_other_is_named_beside_them() -> None:
    viewed = replace(READ, user="iris", organisation=None, role=None, purpose=None, detail={"view_of": "sam"})
    agents = told(viewed)["agent"]
    assert [(one["who"].get("identifier", {}).get("value"), one["requestor"]) for one in agents[:2]] == [
        ("iris", True),
        ("sam", False),
    ]


def test_the_person_reads_who_and_when_but_no_purpose_rule_count_query_nor_anybody_else() -> None:
    kept = replace(READ, purpose="SAFEGUARDING", rules=("L4-source-of-harm",), detail={"persons": [str(BOB)]})
    made = told(kept, ANN)
    text = repr(made)
    assert made["agent"][0]["name"] == "Sam Okafor"
    assert [one["what"] for one in made["entity"]] == [{"reference": f"Patient/{ANN}"}]
    for hidden in ("SAFEGUARDING", "L4", "Condition", "'query'", str(BOB)):
        assert hidden not in text, hidden


def test_where_the_place_names_no_staff_the_person_reads_their_role_alone() -> None:
    place = replace(PLACE, watch=Watch(name_staff=False))
    made = event(READ, place, BASE, ANN)
    assert made["agent"][0]["who"] == {"display": "Social worker"}
    assert "sam" not in repr(made).lower()
    assert event(READ, place, BASE)["agent"][0]["name"] == "Sam Okafor"


def test_the_codes_that_a_search_asks_by_are_those_of_the_table() -> None:
    assert actions_of("C") == {"create", "pull"}
    assert actions_typed("", "110113") >= {"break-glass", "refusal", "policy-change"}
    assert actions_typed("http://hl7.org/fhir/restful-interaction", "read") == {"read"}
    assert actions_typed("http://terminology.hl7.org/CodeSystem/audit-event-type", "110113") == frozenset()
    assert actions_typed("", "merge") == {"merge"}
    assert all(sort.action in "CRUDE" for sort in SORTS.values())
