"""One resource in plain words: what it is, what of it matters, whether it is over. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
HIGH_RISK = "high risk"  # such an allergy is always the first


@dataclass(frozen=True)
class Said:
    """A resource as a line on a page."""

    title: str
    detail: str = ""
    state: str = ""  # "ended", "in hospital now", ...: a word beside the title
    over: bool = False  # it is past: shown after what is current
    by: str = ""  # who did or answers for it, where the resource says


def concept(value: Any) -> str:
    """The words of a CodeableConcept (or the first of a list): its text, else the chosen coding's display, else a code."""
    if isinstance(value, list):
        return next(filter(None, map(concept, value)), "")
    if not isinstance(value, Mapping):
        return ""
    if text := value.get("text"):
        return str(text)
    codings = sorted(value.get("coding", ()), key=lambda one: not one.get("userSelected", False))
    return next((str(one["display"]) for one in codings if one.get("display")), "") or next(
        (str(one["code"]) for one in codings if one.get("code")), ""
    )


def code(value: Any) -> str:
    """The first code of a CodeableConcept."""
    return next((str(one["code"]) for one in (value or {}).get("coding", ()) if one.get("code")), "")


def named(reference: Any) -> str:
    """What a reference says of itself."""
    if isinstance(reference, list):
        return next(filter(None, map(named, reference)), "")
    return str((reference or {}).get("display", ""))


def human_name(names: Iterable[Mapping[str, Any]]) -> str:
    """A name as it is written: the official or usual one, else the first."""
    ranked = sorted(names or (), key=lambda one: {"official": 0, "usual": 1}.get(one.get("use", ""), 2))
    if not ranked:
        return ""
    one = ranked[0]
    parts = [*one.get("prefix", ()), *one.get("given", ()), one.get("family", "")]
    return str(one.get("text") or " ".join(part for part in parts if part))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _amount(value: Mapping[str, Any]) -> str:
    number, unit = value.get("value", ""), value.get("unit") or value.get("code") or ""
    return f"{value.get('comparator', '')}{number} {unit}".strip()


def _value(body: Body) -> str:
    if "valueQuantity" in body:
        return _amount(body["valueQuantity"])
    if "valueCodeableConcept" in body:
        return concept(body["valueCodeableConcept"])
    for name in ("valueString", "valueDateTime", "valueInteger", "valueBoolean"):
        if name in body:
            return str(body[name])
    parts = (f"{concept(one.get('code'))} {_value(one)}".strip() for one in body.get("component", ()))
    return ", ".join(part for part in parts if part)


def _allergy(body: Body) -> Said:
    reactions = [concept(one.get("manifestation")) for one in body.get("reaction", ())]
    severe = HIGH_RISK if body.get("criticality") == "high" else ""
    resolved = code(body.get("clinicalStatus")) in ("resolved", "inactive")
    doubt = {"refuted": "refuted", "entered-in-error": "entered in error", "unconfirmed": "unconfirmed"}
    state = "ended" if resolved else doubt.get(code(body.get("verificationStatus")), severe)
    over = resolved or state in ("refuted", "entered in error")
    return Said(concept(body.get("code")), ", ".join(filter(None, reactions)), state, over)


def _condition(body: Body) -> Said:
    status = code(body.get("clinicalStatus"))
    over = status in ("inactive", "resolved", "remission")
    doubt = code(body.get("verificationStatus"))
    over = over or doubt in ("refuted", "entered-in-error")
    state = doubt.replace("-", " ") if doubt in ("refuted", "entered-in-error") else ("past" if over else "")
    notes = " ".join(str(one.get("text", "")) for one in body.get("note", ()))
    return Said(concept(body.get("code")), notes, state, over)


def _dosage(body: Body) -> str:
    lines = body.get("dosage") or body.get("dosageInstruction") or ()
    return "; ".join(filter(None, (str(one.get("text") or one.get("patientInstruction") or "") for one in lines)))


def _medicine(body: Body) -> Said:
    title = concept(body.get("medicationCodeableConcept")) or named(body.get("medicationReference"))
    status = body.get("status", "")
    over = status in ("completed", "stopped", "cancelled", "entered-in-error", "not-taken", "ended")
    reason = concept(body.get("statusReason")) or concept(body.get("reasonCode"))
    return Said(
        title, _joined(_dosage(body), reason), "stopped" if over else {"on-hold": "on hold"}.get(status, ""), over
    )


def _encounter(body: Body) -> Said:
    kind = concept(body.get("type")) or str((body.get("class") or {}).get("display", "")) or "Contact"
    inside = (body.get("class") or {}).get("code") in ("IMP", "ACUTE", "NONAC", "EMER", "OBSENC")
    status = body.get("status", "")
    state = {"in-progress": "in hospital now" if inside else "going on", "planned": "planned", "cancelled": "cancelled"}
    detail = _joined(concept(body.get("reasonCode")), named([one.get("location") for one in body.get("location", ())]))
    return Said(
        kind, detail, state.get(status, ""), status in ("finished", "cancelled"), named(body.get("serviceProvider"))
    )


def _package(body: Body) -> Said:
    over = body.get("status") in ("finished", "cancelled")
    extras = (_extension(one) for one in body.get("extension", ()))
    detail = _joined(*filter(None, extras))
    state = {"planned": "planned", "onhold": "on hold", "waitlist": "waiting", "finished": "ended"}
    return Said(
        concept(body.get("type")) or "Care package",
        detail,
        state.get(str(body.get("status")), ""),
        over,
        named(body.get("managingOrganization")),
    )


def _extension(one: Mapping[str, Any]) -> str:
    """Hours, cost and delivery of a package stand in extensions; those that carry words or amounts are said."""
    if "valueQuantity" in one:
        return _amount(one["valueQuantity"])
    if "valueMoney" in one:
        return f"£{one['valueMoney'].get('value', '')} a week"
    return concept(one.get("valueCodeableConcept")) or str(one.get("valueString", ""))


TASK_STATES = {
    "requested": "asked for",
    "received": "received",
    "accepted": "accepted",
    "ready": "to do",
    "in-progress": "in progress",
    "on-hold": "on hold",
    "completed": "done",
    "cancelled": "cancelled",
    "rejected": "not accepted",
    "failed": "not done",
    "draft": "draft",
    "entered-in-error": "entered in error",
}
TASK_OVER = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})


def _task(body: Body) -> Said:
    status = str(body.get("status", ""))
    outcomes = (
        concept(one.get("valueCodeableConcept")) or str(one.get("valueString", "")) for one in body.get("output", ())
    )
    detail = _joined(str(body.get("description", "")), *filter(None, outcomes), concept(body.get("businessStatus")))
    return Said(
        concept(body.get("code")) or "Task",
        detail,
        TASK_STATES.get(status, status),
        status in TASK_OVER,
        named(body.get("owner")),
    )


def _request(body: Body) -> Said:
    status = str(body.get("status", ""))
    over = status in ("completed", "revoked", "entered-in-error")
    detail = _joined(
        concept(body.get("reasonCode")), " ".join(str(one.get("text", "")) for one in body.get("note", ()))
    )
    title = concept(body.get("code")) or concept(body.get("category")) or "Referral"
    return Said(
        title, detail, {"completed": "done", "revoked": "withdrawn"}.get(status, ""), over, named(body.get("performer"))
    )


def _flag(body: Body) -> Said:
    over = body.get("status") != "active"
    return Said(
        concept(body.get("code")),
        concept(body.get("category")),
        "ended" if over else "",
        over,
        named(body.get("author")),
    )


def _relative(body: Body) -> Said:
    numbers = [str(one.get("value", "")) for one in body.get("telecom", ())]
    return Said(human_name(body.get("name", ())), _joined(concept(body.get("relationship")), ", ".join(numbers)))


def _team(body: Body) -> Said:
    members = []
    for one in body.get("participant", ()):
        role = concept(one.get("role"))
        members.append(f"{named(one.get('member'))} ({role.lower()})" if role else named(one.get("member")))
    over = body.get("status") in ("inactive", "entered-in-error")
    title = str(body.get("name", "")) or "Care team"
    return Said(
        title, ", ".join(filter(None, members)), "ended" if over else "", over, named(body.get("managingOrganization"))
    )


def _observation(body: Body) -> Said:
    flagged = concept(body.get("interpretation"))
    return Said(concept(body.get("code")), _joined(_value(body), str(concept(body.get("dataAbsentReason")))), flagged)


def _plan(body: Body) -> Said:
    over = body.get("status") in ("completed", "revoked", "entered-in-error")
    title = str(body.get("title", "")) or concept(body.get("category")) or "Care plan"
    return Said(title, str(body.get("description", "")), "ended" if over else "", over, named(body.get("author")))


def _document(body: Body) -> Said:
    return Said(
        concept(body.get("type")) or "Document",
        str(body.get("description", "")),
        "",
        False,
        named(body.get("custodian")),
    )


def _consent(body: Body) -> Said:
    provision = body.get("provision") or {}
    title = "Objection to sharing" if provision.get("type") == "deny" else "Consent"
    over = body.get("status") != "active"
    return Said(title, concept(provision.get("code")), "ended" if over else "", over)


def _appointment(body: Body) -> Said:
    kind = concept(body.get("serviceType")) or str(body.get("description", "")) or "Appointment"
    over = body.get("status") in ("fulfilled", "cancelled", "noshow", "entered-in-error")
    return Said(kind, concept(body.get("reasonCode")), str(body.get("status", "")), over)


def _coded(fallback: str) -> Callable[[Body], Said]:
    def say(body: Body) -> Said:
        title = concept(body.get("code")) or concept(body.get("vaccineCode")) or concept(body.get("type"))
        title = title or str(body.get("title", "")) or str(body.get("description", "")) or fallback
        return Said(title, " ".join(str(one.get("text", "")) for one in body.get("note", ())))

    return say


# Type: what the line is called on a page, and how it is said.
TYPES: Mapping[str, tuple[str, Callable[[Body], Said]]] = {
    "AllergyIntolerance": ("Allergy", _allergy),
    "Appointment": ("Appointment", _appointment),
    "CarePlan": ("Plan", _plan),
    "CareTeam": ("Care team", _team),
    "Communication": ("Message", _coded("Message")),
    "Condition": ("Problem", _condition),
    "Consent": ("Consent", _consent),
    "Device": ("Equipment", _coded("Equipment")),
    "DiagnosticReport": ("Report", _coded("Report")),
    "DocumentReference": ("Document", _document),
    "Encounter": ("Contact or stay", _encounter),
    "EpisodeOfCare": ("Care package", _package),
    "Flag": ("Alert", _flag),
    "Goal": ("Goal", _coded("Goal")),
    "Immunization": ("Vaccination", _coded("Vaccination")),
    "List": ("List", _coded("List")),
    "MedicationRequest": ("Prescription", _medicine),
    "MedicationStatement": ("Medicine", _medicine),
    "Observation": ("Observation", _observation),
    "Procedure": ("Procedure", _coded("Procedure")),
    "QuestionnaireResponse": ("Form", _coded("Form")),
    "RelatedPerson": ("Contact", _relative),
    "ServiceRequest": ("Referral", _request),
    "Task": ("Task", _task),
}


def kind(type_: str) -> str:
    """What a resource of this type is called on a page."""
    return TYPES[type_][0] if type_ in TYPES else type_


def say(type_: str, body: Body) -> Said:
    """The resource in words; a title is never empty."""
    said = TYPES[type_][1](body) if type_ in TYPES else _coded(type_)(body)
    return said if said.title else Said(f"{kind(type_)} without a name", said.detail, said.state, said.over, said.by)
