"""The R4 invariants that the models leave out: who breaks them, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record.invariants import OF_DATATYPE, Breach
from carelink.record.validation import check

OF = {
    "AllergyIntolerance": {"patient": {"reference": "Patient/p"}, "code": {"text": "nuts"}, "clinicalStatus": {"coding": [{"code": "active"}]}},
    "Appointment": {"status": "proposed", "participant": [{"status": "accepted", "actor": {"display": "A"}}]},
    "CarePlan": {"status": "active", "intent": "plan", "subject": {"reference": "Patient/p"}},
    "Condition": {"subject": {"reference": "Patient/p"}},
    "Consent": {"status": "active", "scope": {"text": "x"}, "category": [{"text": "x"}], "policyRule": {"text": "x"}},
    "Encounter": {"status": "finished", "class": {"code": "AMB"}},
    "Goal": {"lifecycleStatus": "active", "description": {"text": "x"}, "subject": {"reference": "Patient/p"}},
    "List": {"status": "current", "mode": "snapshot"},
    "MedicationRequest": {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "x"}, "subject": {"reference": "Patient/p"}},
    "Observation": {"status": "final", "code": {"text": "x"}},
    "Patient": {},
    "QuestionnaireResponse": {"status": "completed"},
    "ServiceRequest": {"status": "active", "intent": "order", "subject": {"reference": "Patient/p"}},
    "Task": {"status": "requested", "intent": "order"},
}  # fmt: skip
IN_ERROR = {"coding": [{"code": "entered-in-error"}]}
ACTIVE = {"coding": [{"code": "active"}]}


def timed(**repeat: Any) -> dict[str, Any]:
    return {"dosageInstruction": [{"timing": {"repeat": repeat}}]}


# invariant, type, what breaks it
BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("per-1", "Encounter", {"period": {"start": "2026-05-02", "end": "2026-05-01"}}),
    ("per-1", "Encounter", {"period": {"start": "2026-06", "end": "2026-05-31"}}),
    ("cpt-2", "Patient", {"telecom": [{"value": "01632 960 001"}]}),
    ("qty-3", "Observation", {"valueQuantity": {"value": 3, "code": "mg"}}),
    ("att-1", "Patient", {"photo": [{"data": "QUJD"}]}),
    ("ext-1", "Patient", {"extension": [{"url": "https://x.example/a"}]}),
    ("ext-1", "Patient", {"extension": [{"url": "https://x.example/a", "valueCode": "b", "extension": [{"url": "c", "valueCode": "d"}]}]}),
    ("ref-1", "Observation", {"performer": [{"reference": "#nobody"}]}),
    ("dom-3", "Observation", {"contained": [{"resourceType": "Organization", "id": "a", "name": "A"}]}),
    ("dom-4", "Observation", {"performer": [{"reference": "#a"}], "contained": [{"resourceType": "Organization", "id": "a", "name": "A", "meta": {"versionId": "1", "profile": ["https://x.example/p"]}}]}),
    ("dom-5", "Observation", {"performer": [{"reference": "#a"}], "contained": [{"resourceType": "Organization", "id": "a", "name": "A", "meta": {"security": [{"code": "R"}]}}]}),
    ("rng-2", "Observation", {"valueRange": {"low": {"value": 2}, "high": {"value": 1}}}),
    ("rat-1", "Observation", {"valueRatio": {"numerator": {"value": 2}}}),
    ("tim-1", "MedicationRequest", timed(duration=2)),
    ("tim-2", "MedicationRequest", timed(period=1)),
    ("tim-4", "MedicationRequest", timed(duration=-2, durationUnit="h")),
    ("tim-5", "MedicationRequest", timed(period=-1, periodUnit="d")),
    ("tim-6", "MedicationRequest", timed(periodMax=2)),
    ("tim-7", "MedicationRequest", timed(durationMax=2)),
    ("tim-8", "MedicationRequest", timed(countMax=2)),
    ("tim-9", "MedicationRequest", timed(offset=30)),
    ("tim-9", "MedicationRequest", timed(offset=30, when=["CM"])),
    ("tim-10", "MedicationRequest", timed(timeOfDay=["09:00:00"], when=["MORN"])),
    ("ait-1", "AllergyIntolerance", {"clinicalStatus": None}),
    ("ait-2", "AllergyIntolerance", {"verificationStatus": IN_ERROR}),
    ("app-1", "Appointment", {"participant": [{"status": "accepted"}]}),
    ("app-2", "Appointment", {"start": "2026-05-01T09:00:00Z"}),
    ("app-3", "Appointment", {"status": "booked"}),
    ("app-4", "Appointment", {"cancelationReason": {"text": "rain"}}),
    ("cpl-3", "CarePlan", {"activity": [{"reference": {"display": "x"}, "detail": {"status": "scheduled"}}]}),
    ("con-4", "Condition", {"clinicalStatus": ACTIVE, "abatementDateTime": "2026"}),
    ("con-5", "Condition", {"clinicalStatus": ACTIVE, "verificationStatus": IN_ERROR}),
    ("ppc-1", "Consent", {"policyRule": None}),
    ("gol-1", "Goal", {"target": [{"detailString": "walks 10 m"}]}),
    ("lst-1", "List", {"emptyReason": {"text": "x"}, "entry": [{"item": {"display": "x"}}]}),
    ("lst-2", "List", {"entry": [{"deleted": True, "item": {"display": "x"}}]}),
    ("lst-3", "List", {"entry": [{"date": "2026", "item": {"display": "x"}}]}),
    ("obs-6", "Observation", {"valueString": "a", "dataAbsentReason": {"text": "b"}}),
    ("obs-7", "Observation", {"valueString": "a", "component": [{"code": {"text": "x"}, "valueString": "b"}]}),
    ("pat-1", "Patient", {"contact": [{"gender": "male"}]}),
    ("qrs-1", "QuestionnaireResponse", {"item": [{"linkId": "1", "answer": [{"valueString": "a"}], "item": [{"linkId": "2"}]}]}),
    ("prr-1", "ServiceRequest", {"orderDetail": [{"text": "x"}]}),
    ("inv-1", "Task", {"authoredOn": "2026-05-02", "lastModified": "2026-05-01"}),
]  # fmt: skip
BREACH = {one.id: one.breach for rows in OF_DATATYPE.values() for one in rows}


def sent(type_: str, said: dict[str, Any]) -> dict[str, Any]:
    body = {"resourceType": type_, "id": "x", **OF[type_], **said}
    return {key: value for key, value in body.items() if value is not None}


@pytest.mark.parametrize(("id_", "type_", "said"), BROKEN, ids=[f"{row[0]}-{n}" for n, row in enumerate(BROKEN)])
def test_a_breach_is_refused_kept_or_mended_as_the_table_says(id_: str, type_: str, said: dict[str, Any]) -> None:
    body = sent(type_, said)
    checked = check(type_, body)
    assert check(type_, sent(type_, {})).problems == (), "the example itself must be sound"
    if BREACH[id_] is Breach.REFUSE:
        assert any(id_ in one.why for one in checked.problems)
    else:
        assert checked.problems == ()
        assert id_ in [one.rule for one in checked.repairs]
        assert (checked.body == body) == (BREACH[id_] is Breach.KEEP)


# What looks like a breach and is none.
FINE: list[tuple[str, dict[str, Any]]] = [
    ("Encounter", {"period": {"start": "2026-05-31", "end": "2026-05"}}),  # the whole of May ends after it
    ("Encounter", {"period": {"start": "2026-05-01T09:00:00+01:00", "end": "2026-05-01T08:30:00Z"}}),
    ("MedicationRequest", timed(offset=30, when=["ACM"])),
    ("Observation", {"valueRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 1, "unit": "kg"}}}),
    ("Observation", {"valueRatio": {"extension": [{"url": "https://x.example/a", "valueCode": "b"}]}}),
    ("Patient", {"contained": [{"resourceType": "Organization", "id": "a"}], "contact": [{"organization": {"reference": "#a"}}], "_note": None}),
    ("Condition", {"clinicalStatus": {"coding": [{"code": "resolved"}]}, "abatementDateTime": "2026"}),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "said"), FINE)
def test_what_only_looks_like_a_breach_is_left_alone(type_: str, said: dict[str, Any]) -> None:
    checked = check(type_, sent(type_, said))
    assert [one.rule for one in checked.repairs if one.rule != "org-1"] == []
    assert checked.problems == ()


def test_every_invariant_is_broken_once_here_and_says_why_it_is_not_refused() -> None:
    rows = [one for rows in OF_DATATYPE.values() for one in rows]
    assert {one.id for one in rows} - {row[0] for row in BROKEN} == {"cmp-1", "cmp-2", "dom-2", "org-1"}
    assert all(one.because for one in rows if one.breach is not Breach.REFUSE)
    assert all((one.mend is not None) == (one.breach is Breach.MEND) for one in rows)
