"""Each type of resource as a line of a person's story: a title in plain words, details, and whether it is over. Pure.

The table at the end is what a clinical reader checks; every describer takes (body, names) and gives Words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from carelink.record.timeline_values import (
    Body,
    Names,
    capital,
    codes,
    concept,
    extensions,
    first,
    human_name,
    listed,
    notes,
    quantity,
    sentence,
    value_of,
    whole,
)


@dataclass(frozen=True)
class Words:
    """A resource in words. `state` qualifies the title ("ended", "high risk"); `over`: it is past or was withdrawn."""

    title: str
    lines: tuple[str, ...] = ()
    state: str = ""
    over: bool = False


MISTAKEN = frozenset({"entered-in-error"})
SYSTOLIC = frozenset({"271649006", "8480-6"})  # SNOMED CT, LOINC
DIASTOLIC = frozenset({"271650006", "8462-4"})
INPATIENT = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "SS"})  # v3-ActCode

# status of the resource -> what is said of it
TASK_STATES = {
    "draft": "being written",
    "requested": "asked for",
    "received": "received",
    "accepted": "accepted",
    "rejected": "not accepted",
    "ready": "to be done",
    "in-progress": "started",
    "on-hold": "on hold",
    "failed": "not done",
    "completed": "completed",
    "cancelled": "cancelled",
    "entered-in-error": "entered by mistake",
}
TASK_OVER = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})
EPISODE_STATES = {"planned": "planned", "waitlist": "waiting", "onhold": "on hold", "finished": "ended"}
APPOINTMENT_STATES = {
    "cancelled": "cancelled",
    "noshow": "not attended",
    "fulfilled": "attended",
    "waitlist": "waiting",
}
APPOINTMENT_OVER = frozenset({"cancelled", "noshow", "fulfilled"}) | MISTAKEN
MEDICINE_STATES = {"on-hold": "on hold", "stopped": "stopped", "cancelled": "cancelled", "not-taken": "not taken"}
MEDICINE_OVER = frozenset({"completed", "stopped", "cancelled", "not-taken"}) | MISTAKEN
REQUEST_STATES = {"completed": "done", "revoked": "withdrawn", "on-hold": "on hold", "draft": "being written"}
REQUEST_OVER = frozenset({"completed", "revoked"}) | MISTAKEN


def _lines(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in parts if part)


def _by(label: str, name: str) -> str:
    return f"{label} {name}" if name else ""


def _allergy(body: Body, names: Names) -> Words:
    reactions = sentence(*(concept(one.get("manifestation")) for one in listed(body.get("reaction"))))
    doubts = codes(body.get("verificationStatus"))
    gone = codes(body.get("clinicalStatus")) & {"inactive", "resolved"}
    state = "ended" if gone else "high risk" if body.get("criticality") == "high" else ""
    state = first(word for word in ("refuted", "entered-in-error", "unconfirmed") if word in doubts) or state
    over = bool(gone or doubts & {"refuted", "entered-in-error"})
    lines = _lines(_by("Reaction:", reactions), *notes(body))
    name = concept(body.get("code")) or "not named"
    title = capital(name) if "allerg" in name.lower() else f"Allergy: {name}"
    return Words(title, lines, state.replace("-", " "), over)


def _condition(body: Body, names: Names) -> Words:
    wrong = codes(body.get("verificationStatus")) & {"refuted", "entered-in-error"}
    past = codes(body.get("clinicalStatus")) & {"inactive", "resolved", "remission"}
    state = "entered by mistake" if "entered-in-error" in wrong else "refuted" if wrong else "past" if past else ""
    ended = str(body.get("abatementDateTime", ""))[:10]
    lines = _lines(_by("Ended", ended), *notes(body), _by("Recorded by", names.of(body.get("recorder"), body)))
    return Words(f"Problem: {concept(body.get('code')) or 'not named'}", lines, state, bool(wrong or past))


def medicine_name(body: Body, names: Names) -> str:
    """The medicine's name, wherever it stands."""
    return concept(body.get("medicationCodeableConcept")) or names.of(body.get("medicationReference"), body)


def _medicine(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    doses = [*listed(body.get("dosage")), *listed(body.get("dosageInstruction"))]
    said = (sentence(str(one.get("text", "")), str(one.get("patientInstruction", ""))) for one in doses)
    supply = body.get("dispenseRequest", {}).get("quantity", {})
    amount = quantity(supply) or first(str(one.get("valueString", "")) for one in extensions(supply, "QuantityText"))
    lines = _lines(
        *said,
        _by("Quantity:", amount),
        _by("Reason:", concept(body.get("reasonCode"))),
        _by("Prescribed by", names.of(body.get("requester"), body)),
        *notes(body),
    )
    kind = "Medicine" if body.get("resourceType") == "MedicationStatement" else "Prescription"
    name = medicine_name(body, names) or "not named"
    return Words(f"{kind}: {name}", lines, MEDICINE_STATES.get(status, ""), status in MEDICINE_OVER)


def _observation(body: Body, names: Names) -> Words:
    parts = [(codes(one.get("code")), one) for one in listed(body.get("component"))]
    upper = first(
        whole(one["valueQuantity"].get("value", "")) for found, one in parts if _measured(found, one, SYSTOLIC)
    )
    lower = first(
        whole(one["valueQuantity"].get("value", "")) for found, one in parts if _measured(found, one, DIASTOLIC)
    )
    flag = concept(body.get("interpretation"))
    if upper and lower:
        return Words(f"Blood pressure {upper}/{lower}", _lines(*notes(body)), flag, body.get("status") in MISTAKEN)
    lines = [f"{concept(one.get('code'))} {value_of(one)}".strip() for _, one in parts]
    title = f"{concept(body.get('code')) or 'Observation'} {value_of(body)}".strip()
    return Words(capital(title), _lines(*lines, *notes(body)), flag, body.get("status") in MISTAKEN)


def _measured(found: set[str], component: Body, wanted: frozenset[str]) -> bool:
    return bool(found & wanted) and "valueQuantity" in component


def _encounter(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    inside = bool(codes(body.get("class")) & INPATIENT)
    kind = concept(body.get("type")) or ("Hospital stay" if inside else concept(body.get("class"))) or "Contact"
    states = {
        "in-progress": "in hospital now" if inside else "going on",
        "planned": "planned",
        "cancelled": "cancelled",
    }
    seen = names.of([one.get("individual") for one in listed(body.get("participant"))], body)
    where = names.of([one.get("location") for one in listed(body.get("location"))], body)
    lines = _lines(
        _by("Reason:", concept(body.get("reasonCode"))),
        _by("With", seen),
        sentence(where, names.of(body.get("serviceProvider"), body)),
        _by("Until", str(body.get("period", {}).get("end", ""))[:10]) if inside else "",
    )
    return Words(capital(kind), lines, states.get(status, ""), status in ("finished", "cancelled", "entered-in-error"))


def _package(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    hours = first(_units(one) for one in extensions(body, "planned-units-per-week"))
    title = sentence(f"Care package: {concept(body.get('type')) or 'not named'}", hours)
    provider = first(value_of(one) for one in extensions(body, "/provider"))
    cost = first(
        f"£{one['valueMoney'].get('value', '')}" for one in extensions(body, "unit-cost") if "valueMoney" in one
    )
    often = first(value_of(one) for one in extensions(body, "cost-frequency")).lower()
    ended = str(body.get("period", {}).get("end", ""))[:10]
    lines = _lines(
        _by("Provided by", provider),
        first(value_of(one) for one in extensions(body, "delivery-mechanism")),
        f"{cost} {often}".strip() if cost else "",
        _by("Arranged by", names.of(body.get("managingOrganization"), body)),
        _by("Ended" if status == "finished" else "Until", ended),
    )
    return Words(title, lines, EPISODE_STATES.get(status, ""), status in ("finished", "cancelled", "entered-in-error"))


def _units(extension: Body) -> str:
    """What the councils plan a week is hours (Client Level Data, Planned Units Per Week)."""
    amount = extension.get("valueDecimal", extension.get("valueQuantity", {}).get("value"))
    return f"{whole(amount)} hour{'' if whole(amount) == '1' else 's'} a week" if amount is not None else ""


def _task(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    outcome = sentence(*(value_of(one) for one in listed(body.get("output"))))
    lines = _lines(
        str(body.get("description", "")),
        _by("Outcome:", outcome or concept(body.get("businessStatus"))),
        _by("With", names.of(body.get("owner"), body)),
        *notes(body),
    )
    title = f"{concept(body.get('code')) or 'Task'} {TASK_STATES.get(status, status)}".strip()
    return Words(capital(title), lines, TASK_STATES.get(status, status), status in TASK_OVER)


def _referral(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    lines = _lines(
        _by("Reason:", concept(body.get("reasonCode"))),
        _by("From", names.of(body.get("requester"), body)),
        _by("To", names.of(body.get("performer"), body)),
        *notes(body),
    )
    kind = concept(body.get("code")) or concept(body.get("category")) or "not named"
    return Words(f"Referral: {kind}", lines, REQUEST_STATES.get(status, ""), status in REQUEST_OVER)


def _flag(body: Body, names: Names) -> Words:
    over = body.get("status") != "active"
    lines = _lines(concept(body.get("category")), _by("Raised by", names.of(body.get("author"), body)))
    return Words(f"Alert: {concept(body.get('code')) or 'not named'}", lines, "ended" if over else "", over)


def _team(body: Body, names: Names) -> Words:
    over = body.get("status") in ("inactive", "entered-in-error")
    people = [(concept(one.get("role")), names.of(one.get("member"), body)) for one in listed(body.get("participant"))]
    lines = [f"{role}: {name}" if role and name else role or name for role, name in people]
    title = f"Care team: {body.get('name') or names.of(body.get('managingOrganization'), body) or 'not named'}"
    return Words(title, _lines(*lines), "ended" if over else "", over)


def _relative(body: Body, names: Names) -> Words:
    over = body.get("active") is False or bool(body.get("period", {}).get("end"))
    numbers = sentence(*(str(one.get("value", "")) for one in listed(body.get("telecom")) if one.get("use") != "old"))
    relation = sentence(*filter(None, (concept(one) for one in listed(body.get("relationship")))))
    return Words(human_name(body.get("name")) or "Not named", _lines(relation, numbers), "ended" if over else "", over)


def _consent(body: Body, names: Names) -> Words:
    provision = body.get("provision", {})
    over = body.get("status") != "active"
    of = sentence(*(concept(one) for one in (*listed(provision.get("class")), *listed(provision.get("code")))))
    to = names.of([one.get("reference") for one in listed(provision.get("actor"))], body)
    title = "Objection to sharing" if provision.get("type") == "deny" else "Consent"
    return Words(title, _lines(of, _by("With", to)), "ended" if over else "", over)


def _plan(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    title = str(body.get("title", "")) or concept(body.get("category")) or "not named"
    lines = _lines(str(body.get("description", "")), _by("By", names.of(body.get("author"), body)), *notes(body))
    return Words(f"Plan: {title}", lines, REQUEST_STATES.get(status, ""), status in REQUEST_OVER)


def _appointment(body: Body, names: Names) -> Words:
    status = str(body.get("status", ""))
    what = concept(body.get("serviceType")) or str(body.get("description", "")) or "not named"
    others = (one.get("actor", {}) for one in listed(body.get("participant")))
    seen = [one for one in others if not str(one.get("reference", "")).startswith("Patient/")]
    lines = _lines(_by("Reason:", concept(body.get("reasonCode"))), _by("With", names.of(seen, body)))
    return Words(f"Appointment: {what}", lines, APPOINTMENT_STATES.get(status, ""), status in APPOINTMENT_OVER)


def _document(body: Body, names: Names) -> Words:
    titles = (str(one.get("attachment", {}).get("title", "")) for one in listed(body.get("content")))
    lines = _lines(first(titles), str(body.get("description", "")), _by("By", names.of(body.get("author"), body)))
    over = body.get("status") in ("superseded", "entered-in-error")
    return Words(f"Document: {concept(body.get('type')) or 'not named'}", lines, "replaced" if over else "", over)


def _report(body: Body, names: Names) -> Words:
    lines = _lines(str(body.get("conclusion", "")), _by("By", names.of(body.get("performer"), body)))
    return Words(f"Report: {concept(body.get('code')) or 'not named'}", lines, "", body.get("status") in MISTAKEN)


def _goal(body: Body, names: Names) -> Words:
    over = body.get("lifecycleStatus") in ("completed", "cancelled", "rejected", "entered-in-error")
    return Words(f"Goal: {concept(body.get('description'))}", _lines(*notes(body)), "ended" if over else "", over)


def _coded(kind: str, *elements: str) -> Callable[[Body, Names], Words]:
    """For types of which the name is all there is to say."""

    def said(body: Body, names: Names) -> Words:
        words = first(value if isinstance(value := body.get(name), str) else concept(value) for name in elements)
        over = body.get("status") in ("entered-in-error", "not-done")
        return Words(f"{kind}: {words}" if words else kind, _lines(*notes(body)), "not done" if over else "", over)

    return said


DESCRIBERS: Mapping[str, Callable[[Body, Names], Words]] = {
    "AllergyIntolerance": _allergy,
    "Appointment": _appointment,
    "CarePlan": _plan,
    "CareTeam": _team,
    "Communication": _coded("Message", "topic", "category"),
    "Composition": _coded("Document", "title", "type"),
    "Condition": _condition,
    "Consent": _consent,
    "Device": _coded("Equipment", "type"),
    "DiagnosticReport": _report,
    "DocumentReference": _document,
    "Encounter": _encounter,
    "EpisodeOfCare": _package,
    "FamilyMemberHistory": _coded("Family history", "name", "relationship"),
    "Flag": _flag,
    "Goal": _goal,
    "Immunization": _coded("Vaccination", "vaccineCode"),
    "List": _coded("List", "title", "code"),
    "MedicationRequest": _medicine,
    "MedicationStatement": _medicine,
    "Observation": _observation,
    "Procedure": _coded("Procedure", "code"),
    "QuestionnaireResponse": _coded("Form completed"),
    "RelatedPerson": _relative,
    "ServiceRequest": _referral,
    "Specimen": _coded("Sample", "type"),
    "Task": _task,
}


def say(body: Body, names: Names) -> Words:
    """The resource in words; a type without a describer by its name alone."""
    type_ = str(body.get("resourceType", ""))
    return DESCRIBERS.get(type_, _coded(type_, "code", "type"))(body, names)
