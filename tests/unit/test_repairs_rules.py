"""Each repair rule by example: what a source sent, what is kept, and the rule that leaves the trace."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record.repairs import RULES
from carelink.record.validation import check

UNKNOWN = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
OBSERVATION = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "pulse"}}
PATIENT = {"resourceType": "Patient", "id": "p"}

# rule, what was sent, what is kept in its place
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("R01-empty", {**PATIENT, "birthDate": ""}, {}),
    ("R01-empty", {**PATIENT, "name": []}, {}),
    ("R01-empty", {**PATIENT, "maritalStatus": {}}, {}),
    ("R01-empty", {**PATIENT, "name": [{"family": "Hall", "given": ["Ann", None]}]}, {"name": [{"family": "Hall", "given": ["Ann"]}]}),
    ("R02-seconds", {**OBSERVATION, "effectiveDateTime": "2026-01-10T09:30Z"}, {"effectiveDateTime": "2026-01-10T09:30:00Z"}),
    ("R03-zone-london", {**OBSERVATION, "effectiveDateTime": "2026-01-10T09:30:00"}, {"effectiveDateTime": "2026-01-10T09:30:00+00:00"}),
    ("R03-zone-london", {**OBSERVATION, "effectiveDateTime": "2026-07-10T09:30:00"}, {"effectiveDateTime": "2026-07-10T09:30:00+01:00"}),
    ("R03-zone-london", {**OBSERVATION, "effectiveDateTime": "2026-10-25T01:30:00"}, {"effectiveDateTime": "2026-10-25T01:30:00+01:00"}),
    ("R04-day-for-instant", {**OBSERVATION, "issued": "2026-07-10"}, {"issued": "2026-07-10T00:00:00+01:00"}),
    ("R05-blank-for-t", {**OBSERVATION, "effectiveDateTime": "2026-01-10 09:30:00Z"}, {"effectiveDateTime": "2026-01-10T09:30:00Z"}),
    ("R06-time-on-a-date", {**PATIENT, "birthDate": "1961-04-03T00:00:00"}, {"birthDate": "1961-04-03"}),
    ("R07-impossible-date", {**PATIENT, "birthDate": "1961-04-93"}, {"_birthDate": UNKNOWN}),
    ("R07-impossible-date", {**PATIENT, "birthDate": "1961-02-29"}, {"_birthDate": UNKNOWN}),
    ("R07-impossible-date", {**OBSERVATION, "effectiveDateTime": "19"}, {"_effectiveDateTime": UNKNOWN}),
    ("R07-impossible-date", {**OBSERVATION, "issued": "soon"}, {"_issued": UNKNOWN}),
    ("R11-white-space", {**PATIENT, "gender": " female "}, {"gender": "female"}),
    ("R12-one-for-many", {**PATIENT, "name": {"family": "Hall"}}, {"name": [{"family": "Hall"}]}),
    ("R12-one-for-many", {**PATIENT, "name": [{"given": "Ann"}]}, {"name": [{"given": ["Ann"]}]}),
    ("R13-case-of-a-code", {**PATIENT, "gender": "Female"}, {"gender": "female"}),
    ("R14-use", {**PATIENT, "name": [{"use": "birth", "family": "Hall"}]}, {"name": [{"family": "Hall"}]}),
    ("R15-whole-number-as-text", {**PATIENT, "multipleBirthInteger": "2"}, {"multipleBirthInteger": 2}),
    ("R16-truth-as-text", {**PATIENT, "active": "True"}, {"active": True}),
    ("R17-space-in-a-uri", {**PATIENT, "identifier": [{"system": " https://x.example/a b", "value": "1"}]}, {"identifier": [{"system": "https://x.example/a%20b", "value": "1"}]}),
    ("R18-comments", {**PATIENT, "name": [{"family": "Hall", "fhir_comments": ["sic"]}]}, {"name": [{"family": "Hall"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "sent", "kept"), CASES, ids=[f"{row[0]}-{place}" for place, row in enumerate(CASES)])
def test_the_rule_keeps_what_is_safe_and_leaves_its_trace(
    rule: str, sent: dict[str, Any], kept: dict[str, Any]
) -> None:
    bare = OBSERVATION if sent["resourceType"] == "Observation" else PATIENT
    before = repr(sent)
    checked = check(sent["resourceType"], sent)
    assert checked.problems == ()
    assert checked.body == {**{key: value for key, value in sent.items() if key in bare}, **bare, **kept}
    assert rule in [one.rule for one in checked.repairs]
    assert all(one.path.startswith(sent["resourceType"]) and one.why for one in checked.repairs)
    assert repr(sent) == before, "what was sent must not be changed in place"


def test_every_rule_has_an_example_here() -> None:
    shown = {row[0] for row in CASES} | {"R08-contained-id", "R09-local-reference", "R10-id"}
    assert {rule.id for rule in RULES} == shown


def test_an_id_that_fhir_does_not_allow_makes_room_for_ours() -> None:
    checked = check("Patient", {**PATIENT, "id": "3f2a_9b"})
    assert ("id" in checked.body, [one.rule for one in checked.repairs]) == (False, ["R10-id"])


def test_an_id_put_right_in_something_contained_is_followed_by_its_references() -> None:
    body = {
        **PATIENT,
        "contained": [{"resourceType": "Organization", "id": "9_9", "name": "Trust"}],
        "managingOrganization": {"reference": "#9_9"},
    }
    checked = check("Patient", body)
    assert checked.body["contained"][0]["id"] == "9-9"
    assert checked.body["managingOrganization"]["reference"] == "#9-9"
    assert [one.rule for one in checked.repairs] == ["R08-contained-id", "R09-local-reference"]


def test_the_trace_says_what_was_sent_and_where() -> None:
    (repair,) = check("Patient", {**PATIENT, "birthDate": "1961-04-93"}).repairs
    assert (repair.path, repair.was) == ("Patient.birthDate", "1961-04-93")


def test_several_repairs_of_one_list_do_not_get_in_each_others_way() -> None:
    names = [{"family": ""}, {"family": "Hall", "given": [""]}, {}, {"family": "Hill", "given": "Ann"}]
    checked = check("Patient", {**PATIENT, "name": names})
    assert checked.problems == ()
    assert checked.body["name"] == [{"family": "Hall"}, {"family": "Hill", "given": ["Ann"]}]


def test_a_null_that_keeps_the_place_of_an_extension_stays() -> None:
    name = {"given": [None, "Ann"], "_given": [UNKNOWN, None]}
    checked = check("Patient", {**PATIENT, "name": [name]})
    assert (checked.body["name"], checked.repairs) == ([name], ())
