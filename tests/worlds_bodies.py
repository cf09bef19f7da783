"""What each type of an invented world says, by whose it is, the word that marks it and the place that it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from conftest import NOW
from consent_builders import key_of
from ingest_builders import SNOMED
from page_builders import ALERT, VERIFIED

from carelink.consent.capacity_codes import AUTHORITY, DECISION, OUTCOME, PART, RECORD, SEEN
from carelink.consent.kept_out import ROLES
from carelink.consent.members import CATEGORIES
from carelink.ids import NHS_NUMBER, ODS, PersonKey, ResourceKey, resource_key

Json = dict[str, Any]
WORKERS = "https://northdale.example/worker"
USER = "https://carelink.example/user"
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042")  # with good check digits
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@dataclass(frozen=True)
class Label:
    custodian: str
    category: str
    sensitivities: int


@dataclass(frozen=True)
class Said:
    """One version: how it is labelled, a word that marks it, what tells where the person is, and how many days ago."""

    label: Label
    mark: str
    place: str
    ago: int


@dataclass(frozen=True)
class Thing:
    """One resource with its versions, the oldest first. `shape` picks the details; `names` is what it refers to."""

    of: int | None
    type: str
    id: str
    shape: int
    source: str
    said: tuple[Said, ...]
    deleted: bool = False
    names: tuple[tuple[str, ResourceKey], ...] = ()

    def one_of(self, *choices: Any) -> Any:
        """A detail of it, always the same."""
        return Random(self.shape).choice(choices)

    def another_of(self, *choices: Any) -> Any:
        return Random(self.shape + 1).choice(choices)


@dataclass(frozen=True)
class Kind:
    said: Callable[[Thing, Said], Json]
    category: str


def person(number: int) -> PersonKey:
    return key_of(f"of a world {number}")


def patient_key(number: int) -> ResourceKey:
    """Of the Patient that the first source sent."""
    return resource_key("gp", "", "Patient", f"{number}-0")


def key(one: Thing) -> ResourceKey:
    return resource_key(one.source if one.type == "Patient" else "world", "", one.type, one.id)


def born(number: int) -> str:
    return f"195{number}-02-03"


def day(said: Said) -> str:
    return (NOW - timedelta(days=said.ago)).date().isoformat()


def _text(said: Said) -> Json:
    return {"text": f"Thing {said.mark}"}


def _me(one: Thing) -> Json:
    return {"reference": f"Patient/{person(one.of or 0)}"}


def _named(one: Thing, *types: str) -> Json | None:
    """A reference to one of these types, where it has one."""
    found = [f"{type_}/{key_}" for type_, key_ in one.names if type_ in types]
    return {"reference": found[0]} if found else None


def _with(body: Json, **more: Any) -> Json:
    return {**body, **{name.rstrip("_"): value for name, value in more.items() if value is not None}}


def _active() -> Json:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}


def _ods(value: str) -> Json:
    return {"identifier": {"system": ODS, "value": value}}


def _patient(one: Thing, said: Said) -> Json:
    number = one.of or 0
    practice = one.one_of("P81001", None) if one.source == "gp" else None
    return _with(
        {
            "identifier": [{"system": NHS_NUMBER, "value": NUMBERS[number], "extension": [VERIFIED]}],
            "name": [{"use": "official", "family": f"Family{number}", "given": [f"Given{number}"]}, {"use": "old", "family": f"Former{said.mark}"}],
            "birthDate": born(number),
            "gender": "female",
            "address": [{"use": "home", "line": [said.place], "postalCode": f"DM{number} 4QT"}],
            "telecom": [{"system": "phone", "value": f"01632 96000{len(said.place)}{said.mark[-3:]}"}],
        },
        generalPractitioner=[{**_ods(practice), "display": said.place}] if practice else None,
    )  # fmt: skip


def _condition(one: Thing, said: Said) -> Json:
    code = {"coding": [{"system": SNOMED, "code": one.one_of("73211009", "86406008")}], "text": f"Thing {said.mark}"}
    body = {"code": code, "subject": _me(one), "onsetDateTime": day(said), "clinicalStatus": _active()}
    told_by = {"recorder": _named(one, "Practitioner"), "asserter": _named(one, "RelatedPerson")}
    return _with(body, encounter=_named(one, "Encounter"), **told_by, note=[_hinted(one, said)])


def _hinted(one: Thing, said: Said) -> Json:
    """Now and then in words that make somebody look."""
    return {"text": one.another_of(said.mark, f"Talks of gambling {said.mark}", f"MARAC {said.mark}", said.mark)}


def _allergy(one: Thing, said: Said) -> Json:
    code = one.one_of({"coding": [{"system": SNOMED, "code": "716186003"}]}, _text(said), _text(said))
    return {"code": code, "patient": _me(one), "clinicalStatus": _active(), "recordedDate": day(said), "criticality": one.another_of("high", "low")}  # fmt: skip


def _observation(one: Thing, said: Said) -> Json:
    if one.one_of(True, False):
        return _assessment(one, said)
    body = {"status": "final", "code": _text(said), "subject": _me(one), "effectiveDateTime": day(said)}
    return _with(body, valueQuantity={"value": said.ago, "unit": "%"}, performer=_several(_named(one, "Practitioner")))


def _assessment(one: Thing, said: Said) -> Json:
    """Of capacity, as it is recorded here."""
    about = {
        "code": _code(PART, "decision"),
        "valueCodeableConcept": _code(DECISION, one.another_of("sharing", "care")),
    }
    return {
        "status": "final",
        "code": _code(RECORD, "capacity-assessment"),
        "subject": _me(one),
        "effectiveDateTime": day(said),
        "valueCodeableConcept": _code(OUTCOME, one.another_of("has", "lacks")),
        "performer": [{"display": f"Assessor {said.mark}"}],
        "component": [about],
        "note": [{"text": f"Said {said.mark}"}],
    }


def _code(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _several(one: Json | None) -> list[Json] | None:
    return [one] if one else None


def _statement(one: Thing, said: Said) -> Json:
    medicine = _named(one, "Medication")
    named = {"medicationReference": medicine} if medicine else {"medicationCodeableConcept": _text(said)}
    return {"status": "active", **named, "subject": _me(one), "note": [_text(said)], "dateAsserted": day(said)}


def _encounter(one: Thing, said: Said) -> Json:
    status = one.one_of("in-progress", "in-progress", "finished")
    period = {"start": day(said)} | ({"end": "2026-11-22"} if status == "finished" else {})
    by = one.another_of("RDV", "RDV", "P81001")
    where = {"location": {**(_named(one, "Location") or {}), "display": said.place}}
    return {"status": status, "class": {"system": _ACT, "code": "IMP"}, "subject": _me(one), "serviceType": _text(said), "period": period, "location": [where], "serviceProvider": _ods(by)}  # fmt: skip


def _team(one: Thing, said: Said) -> Json:
    """An allocation; or an enquiry, with whom it keeps out."""
    body = {"status": "active", "subject": _me(one), "period": {"start": "2025-01-01"}, "note": [_text(said)]}
    if one.one_of(True, True, True, True, False):
        worker = one.another_of("W001", "W001", "W002", None)
        member = {"member": {"identifier": {"system": WORKERS, "value": worker}}} if worker else {}
        return body | {"name": "adults-north", "participant": [member] if member else [], "managingOrganization": [_ods("901")]}  # fmt: skip
    kind, role = one.another_of(("safeguarding-enquiry", "source-of-harm"), ("court-order", "kept-away"))
    who = {"identifier": {"system": USER, "value": one.another_of("sam.okafor", "nadia.rahman", "tom.ellis")}}
    return body | {"name": f"Team {said.mark}", "category": [_code(CATEGORIES, kind)], "participant": [{"role": [_code(ROLES, role)], "member": who}]}  # fmt: skip


def _consent(one: Thing, said: Said) -> Json:
    effect, provision = one.one_of(
        ("permit", {"actor": [_actor("901"), _actor("RDV")]}),
        ("permit", {"actor": [_actor("902")], "securityLabel": [{"system": _ACT, "code": "HIV"}]}),
        ("permit", {}),
        ("deny", {"actor": [_actor("902")]}),
        ("deny", {"class": [{"system": "https://carelink.example/category", "code": "medicines"}]}),
        ("deny", {"class": [{"system": "https://carelink.example/category", "code": "services"}], "actor": [_actor("P81001")]}),
        ("deny", {}),
        ("deny", {"actor": [_actor("A UNKNOWN")]}),
    )  # fmt: skip
    return {
        "status": "active",
        "scope": _code("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [_code("http://loinc.org", "59284-0")],
        "patient": _me(one),
        "performer": [_me(one)],
        "dateTime": day(said),
        "policyRule": _code(_ACT, "OPTIN" if effect == "permit" else "OPTOUT"),
        "sourceReference": {"display": f"Letter {said.mark}"},
        "provision": {"type": effect, **provision},
    }


def _actor(ods: str) -> Json:
    role = _code("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
    return {"role": role, "reference": _ods(ods)}


def _relative(one: Thing, said: Said) -> Json:
    kind = one.one_of(
        *((None,) if one.source != "carelink" else ()),
        "lpa-health-and-welfare",
        "deputy-welfare",
        "lpa-property-and-affairs",
    )
    body: Json = {
        "patient": _me(one),
        "name": [{"family": f"Relative{said.mark}"}],
        "telecom": [{"system": "phone", "value": f"01632 961{said.place[-1]}"}],
        "address": [{"text": said.place}],
        "relationship": [_code(AUTHORITY, kind) if kind else {"text": "Daughter"}],
    }
    seen = {
        "url": SEEN,
        "extension": [{"url": "seen", "valueDate": "2025-05-05"}, {"url": "registered", "valueBoolean": True}],
    }
    return body | ({"extension": [seen]} if kind else {})


def _document(one: Thing, said: Said) -> Json:
    attachment = {
        "contentType": "text/plain",
        "title": f"Letter {said.mark}",
        "data": "V2hl" + str(len(said.place)) * 4,
    }
    return {"status": "current", "type": _text(said), "subject": _me(one), "date": f"{day(said)}T10:00:00Z", "content": [{"attachment": attachment}]}  # fmt: skip


def _task(one: Thing, said: Said) -> Json:
    due = {"restriction": {"period": {"end": "2026-12-01"}}}
    owner = {"owner": _ods("902"), "focus": {"display": "a referral"}} if one.one_of(True, False, False) else {}
    return {"status": "in-progress", "intent": "order", "code": _text(said), "for": _me(one), "authoredOn": day(said), "location": {"display": said.place}, **due, **owner}  # fmt: skip


def _flag(one: Thing, said: Said) -> Json:
    code = one.one_of("key-safe", "legal", "vip")
    return {"status": "active", "code": {"coding": [{"system": ALERT, "code": code}], "text": f"Alert {said.mark}"}, "subject": _me(one), "period": {"start": day(said)}}  # fmt: skip


def _episode(one: Thing, said: Said) -> Json:
    where = {"url": "https://carelink.example/StructureDefinition/provider", "valueString": said.place}
    return {"status": "active", "type": [_text(said)], "patient": _me(one), "period": {"start": day(said)}, "managingOrganization": {"display": said.place}, "extension": [where]}  # fmt: skip


def _provenance(one: Thing, said: Said) -> Json:
    of = next((f"{type_}/{key_}" for type_, key_ in one.names), "Condition/none")
    who = {"identifier": {"system": ODS, "value": "QDM"}}
    return {"target": [{"reference": of}], "recorded": f"{day(said)}T10:00:00Z", "reason": [_text(said)], "agent": [{"who": who}]}  # fmt: skip


def _notice(one: Thing, said: Said) -> Json:
    return {"status": "completed", "subject": _me(one), "topic": _text(said), "sent": f"{day(said)}T10:00:00Z", "payload": [{"contentString": f"Words {said.mark}"}]}  # fmt: skip


BODIES: Mapping[str, Kind] = {
    "Patient": Kind(_patient, "demographics"),
    "Condition": Kind(_condition, "problems"),
    "AllergyIntolerance": Kind(_allergy, "allergies"),
    "Observation": Kind(_observation, "results"),
    "Medication": Kind(lambda one, said: {"code": _text(said)}, "medicines"),
    "MedicationStatement": Kind(_statement, "medicines"),
    "Encounter": Kind(_encounter, "encounters"),
    "CareTeam": Kind(_team, "contacts"),
    "Consent": Kind(_consent, "consent"),
    "RelatedPerson": Kind(_relative, "contacts"),
    "DocumentReference": Kind(_document, "documents"),
    "Task": Kind(_task, "assessments"),
    "Flag": Kind(_flag, "alerts"),
    "EpisodeOfCare": Kind(_episode, "services"),
    "Provenance": Kind(_provenance, "problems"),
    "Communication": Kind(_notice, "notice"),
    "CarePlan": Kind(lambda one, said: {"status": "active", "intent": "plan", "title": f"Plan {said.mark}", "subject": _me(one), "period": {"start": day(said)}, "activity": [{"detail": {"status": "scheduled", "location": {"display": said.place}}}]}, "plans"),
    "ServiceRequest": Kind(lambda one, said: {"status": "active", "intent": "order", "code": _text(said), "subject": _me(one), "authoredOn": day(said), "locationCode": [{"text": said.place}]}, "referrals"),
    "QuestionnaireResponse": Kind(lambda one, said: {"status": "completed", "questionnaire": f"https://x.example/{said.mark}", "subject": _me(one), "authored": day(said)}, "assessments"),
    "List": Kind(lambda one, said: {"status": "current", "mode": "snapshot", "title": "Allergies", "subject": _me(one), "emptyReason": {"coding": [{"code": one.one_of("nilknown", "notasked")}], "text": said.mark}}, "allergies"),
    "Practitioner": Kind(lambda one, said: {"name": [{"family": f"Doctor{said.mark}"}]}, "directory"),
    "Location": Kind(lambda one, said: {"name": f"Ward {said.mark}"}, "directory"),
    "Organization": Kind(lambda one, said: {"name": f"House {said.mark}"}, "directory"),
}  # fmt: skip
PERSONAL = tuple(one for one in BODIES if one not in ("Practitioner", "Location", "Organization"))


def natural(type_: str) -> str:
    """The category that such a thing mostly has."""
    return BODIES[type_].category
