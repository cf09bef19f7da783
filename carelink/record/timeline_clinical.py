"""What was found, given and done, each as a line of a person's story. Pure."""

from __future__ import annotations

from collections.abc import Callable

from carelink.record.timeline_said import MISTAKEN, Words, by, status, told
from carelink.record.timeline_values import (
    Body,
    Names,
    capital,
    codes,
    concept,
    extensions,
    first,
    listed,
    notes,
    quantity,
    sentence,
    value_of,
    whole,
)

HIGH_RISK = "high risk"
IN_HOSPITAL = "in hospital now"
# SNOMED CT (as hospitals, and as GP systems have it) and LOINC
SYSTOLIC = frozenset({"271649006", "72313002", "163030003", "8480-6"})
DIASTOLIC = frozenset({"271650006", "1091811000000102", "163031004", "8462-4"})
INPATIENT = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "SS"})  # v3-ActCode

# status of the resource -> what is said of it
APPOINTMENT_STATES = {
    "cancelled": "cancelled",
    "noshow": "not attended",
    "fulfilled": "attended",
    "waitlist": "waiting",
}
APPOINTMENT_OVER = frozenset({"cancelled", "noshow", "fulfilled"}) | MISTAKEN
MEDICINE_STATES = {"on-hold": "on hold", "stopped": "stopped", "cancelled": "cancelled", "not-taken": "not taken"}
MEDICINE_OVER = frozenset({"completed", "stopped", "cancelled", "not-taken"}) | MISTAKEN
ENCOUNTER_STATES = {"in-progress": "going on", "planned": "planned", "cancelled": "cancelled"}
ENCOUNTER_OVER = frozenset({"finished", "cancelled"}) | MISTAKEN


def allergy(body: Body, names: Names) -> Words:
    """What the person must not have, and what happened when they did."""
    reactions = sentence(*(concept(one.get("manifestation")) for one in listed(body.get("reaction"))))
    doubts = codes(body.get("verificationStatus"))
    gone = codes(body.get("clinicalStatus")) & {"inactive", "resolved"}
    state = "ended" if gone else HIGH_RISK if body.get("criticality") == "high" else ""
    state = first(word for word in ("refuted", "entered-in-error", "unconfirmed") if word in doubts) or state
    over = bool(gone or doubts & {"refuted", "entered-in-error"})
    lines = told(by("Reaction:", reactions), *notes(body))
    return Words(capital(concept(body.get("code"))), lines, state.replace("-", " "), over)


def condition(body: Body, names: Names) -> Words:
    """A problem or diagnosis; a council's reason for support is called what the council calls it."""
    wrong = codes(body.get("verificationStatus")) & {"refuted", "entered-in-error"}
    past = codes(body.get("clinicalStatus")) & {"inactive", "resolved", "remission"}
    state = "entered by mistake" if "entered-in-error" in wrong else "refuted" if wrong else "past" if past else ""
    lines = told(*notes(body), by("Recorded by", names.of(body.get("recorder"), body)))
    own_words = first(str(one.get("text", "")) for one in listed(body.get("category")) if "coding" not in one)
    return Words(concept(body.get("code")), lines, state, bool(wrong or past), kind=own_words)


def medicine_name(body: Body, names: Names) -> str:
    """The medicine's name, wherever it stands."""
    return concept(body.get("medicationCodeableConcept")) or names.of(body.get("medicationReference"), body)


def medicine(body: Body, names: Names) -> Words:
    """A medicine that is taken, or a prescription of one."""
    doses = [*listed(body.get("dosage")), *listed(body.get("dosageInstruction"))]
    said = (sentence(str(one.get("text", "")), str(one.get("patientInstruction", ""))) for one in doses)
    supply = body.get("dispenseRequest", {}).get("quantity", {})
    amount = quantity(supply) or first(str(one.get("valueString", "")) for one in extensions(supply, "QuantityText"))
    lines = told(
        *said,
        by("Quantity:", amount),
        by("Reason:", concept(body.get("reasonCode"))),
        by("Prescribed by", names.of(body.get("requester"), body)),
        *notes(body),
    )
    return Words(medicine_name(body, names), lines, status(body, MEDICINE_STATES), body.get("status") in MEDICINE_OVER)


def observation(body: Body, names: Names) -> Words:
    """What was measured or seen, with its value; a blood pressure as people write it."""
    flag, mistaken = concept(body.get("interpretation")), body.get("status") in MISTAKEN
    parts = listed(body.get("component"))
    if pressure := _pressure(parts):
        return Words(f"Blood pressure {pressure}", told(*notes(body)), flag, mistaken)
    lines = [f"{concept(one.get('code'))} {value_of(one)}".strip() for one in parts]
    title = f"{concept(body.get('code'))} {value_of(body)}".strip()
    return Words(capital(title), told(*lines, *notes(body)), flag, mistaken)


def _pressure(parts: list[Body]) -> str:
    upper, lower = (_measured(parts, wanted) for wanted in (SYSTOLIC, DIASTOLIC))
    return f"{upper}/{lower}" if upper and lower else ""


def _measured(parts: list[Body], wanted: frozenset[str]) -> str:
    amounts = (one["valueQuantity"] for one in parts if "valueQuantity" in one and codes(one.get("code")) & wanted)
    return first(whole(amount.get("value", "")) for amount in amounts)


def encounter(body: Body, names: Names) -> Words:
    """A contact with a service or a stay in hospital."""
    inside = bool(codes(body.get("class")) & INPATIENT)
    kind = concept(body.get("type")) or ("Hospital stay" if inside else concept(body.get("class")))
    seen = names.of([one.get("individual") for one in listed(body.get("participant"))], body)
    lines = told(by("Reason:", concept(body.get("reasonCode"))), by("With", seen), whereabouts(body, names))
    state = status(body, ENCOUNTER_STATES | ({"in-progress": IN_HOSPITAL} if inside else {}))
    return Words(capital(kind), lines, state, body.get("status") in ENCOUNTER_OVER)


def whereabouts(body: Body, names: Names) -> str:
    """Where an encounter takes place, where it is now before where it was: ward and hospital."""
    places = sorted(listed(body.get("location")), key=lambda one: one.get("status") != "active")
    where = names.of([one.get("location") for one in places], body)
    return sentence(where, names.of(body.get("serviceProvider"), body))


def appointment(body: Body, names: Names) -> Words:
    """A time that was or is booked."""
    what = concept(body.get("serviceType")) or str(body.get("description", ""))
    others = (one.get("actor", {}) for one in listed(body.get("participant")))
    seen = [one for one in others if not str(one.get("reference", "")).startswith("Patient/")]
    lines = told(by("Reason:", concept(body.get("reasonCode"))), by("With", names.of(seen, body)))
    return Words(what, lines, status(body, APPOINTMENT_STATES), body.get("status") in APPOINTMENT_OVER)


def report(body: Body, names: Names) -> Words:
    """The report on an investigation."""
    lines = told(str(body.get("conclusion", "")), by("By", names.of(body.get("performer"), body)))
    return Words(concept(body.get("code")), lines, "", body.get("status") in MISTAKEN)


def coded(*elements: str) -> Callable[[Body, Names], Words]:
    """For types of which the name is all there is to say: it stands in the first of these elements that has words."""

    def said(body: Body, names: Names) -> Words:
        words = first(value if isinstance(value := body.get(name), str) else concept(value) for name in elements)
        over = body.get("status") in ("entered-in-error", "not-done")
        return Words(words, told(*notes(body)), "not done" if over else "", over)

    return said
