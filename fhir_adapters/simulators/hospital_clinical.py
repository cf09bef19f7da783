"""What the hospital knows of one person: stays, problems, observations, letters, clinics, referrals (FHIR R4)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators.fhir import Json, at, coding, concept, quantity, snomed
from fhir_adapters.simulators.health import Allergic, Has, Health, Stay
from fhir_adapters.simulators.hospital_chart import TERMINOLOGY, Chart, organisation, trust
from fhir_adapters.simulators.vocabulary import measurements, medicine

CONSULTANT = {"reference": "Practitioner/doctor-7", "display": "Dr Anjali Desai"}
VITAL_SIGNS = ("news2", "pulse", "temperature", "respiration", "oxygen")
MOST_PROBLEMS = 3  # that the hospital writes down


def problems(chart: Chart, found: Health) -> Iterator[Json]:
    """The problems that the hospital knows of."""
    for place, has in enumerate(found.problems[:MOST_PROBLEMS]):
        yield _condition(chart, place, has)


def _condition(chart: Chart, place: int, has: Has) -> Json:
    status = "resolved" if has.until else "active"
    known = max(has.since, chart.today - timedelta(days=1500))
    return chart.entry(
        "Condition",
        f"con-{place}",
        known,
        clinicalStatus=concept(f"{TERMINOLOGY}condition-clinical", status),
        verificationStatus=concept(f"{TERMINOLOGY}condition-ver-status", "confirmed"),
        category=[concept(f"{TERMINOLOGY}condition-category", "problem-list-item", "Problem List Item")],
        code=snomed(has.problem.code, has.problem.display),
        subject=chart.patient,
        onsetDateTime=has.since.isoformat(),
        recordedDate=known.isoformat(),
    ) | ({"abatementDateTime": has.until.isoformat()} if has.until else {})


def allergy(chart: Chart, place: int, one: Allergic) -> Json:
    """An allergy as the hospital has it."""
    kind = {"medication": "medication", "food": "food"}.get(one.row["kind"], "environment")
    severe = {"severe": "high"}.get(one.row["severity"], "low")
    manifestation = snomed(one.row["manifestation_code"], one.row["manifestation"])
    return chart.entry(
        "AllergyIntolerance",
        f"all-{place}",
        max(one.since, chart.today - timedelta(days=1500)),
        clinicalStatus=concept(f"{TERMINOLOGY}allergyintolerance-clinical", "inactive" if one.until else "active"),
        verificationStatus=concept(f"{TERMINOLOGY}allergyintolerance-verification", "confirmed"),
        category=[kind],
        criticality=severe,
        code=snomed(one.row["code"], one.row["display"]),
        patient=chart.patient,
        recordedDate=one.since.isoformat(),
        reaction=[{"manifestation": [manifestation], "severity": one.row["severity"]}],
    )


def stay(chart: Chart, place: int, one: Stay, rng: Random) -> Iterator[Json]:
    """The encounter, what was measured, the medicine at discharge and the discharge summary."""
    what = f"enc-{place}"
    last = one.until or chart.today - timedelta(days=1)
    yield _encounter(chart, what, one, last)
    days = (last - one.since).days + 1
    for day in range(days) if one.until is None else (0,):
        for key in VITAL_SIGNS if one.until is None else VITAL_SIGNS[:2]:
            yield _observation(chart, f"{what}-{key}-{day}", key, one.since + timedelta(days=day), rng, what)
    key = rng.choice(("paracetamol", "oramorph", "omeprazole", "amoxicillin"))
    yield _prescription(chart, what, key, one, last)
    if one.until:
        yield _letter(chart, what, one, one.until)


def _encounter(chart: Chart, what: str, one: Stay, last: date) -> Json:
    period = {"start": at(one.since, 14, 20)} | ({"end": at(one.until, 11, 5)} if one.until else {})
    reason = [snomed(one.reason.code, one.reason.display)] if one.reason else []
    ward = {"reference": f"Location/{ward_id(one.ward)}", "display": one.ward}
    left = {"dischargeDisposition": concept(f"{TERMINOLOGY}discharge-disposition", "home", "Home")} if one.until else {}
    return chart.entry("Encounter", what, last) | {
        "status": "finished" if one.until else "in-progress",
        "class": coding(f"{TERMINOLOGY}v3-ActCode", "IMP", "inpatient encounter"),
        "type": [{"text": f"Hospital stay, {one.specialty}"}],
        "subject": chart.patient,
        "participant": [{"individual": CONSULTANT}],
        "period": period,
        **({"reasonCode": reason} if reason else {}),
        "location": [{"location": ward, "status": "completed" if one.until else "active"}],
        "serviceProvider": trust(),
        **({"hospitalization": left} if left else {}),
    }


def ward_id(ward: str) -> str:
    """The id of a ward's Location."""
    return ward.lower().replace(" ", "-")


def _observation(chart: Chart, what: str, key: str, on: date, rng: Random, encounter: str = "") -> Json:
    kind = measurements()[key]
    value = f"{rng.uniform(kind.low, kind.high):.{kind.decimals}f}"
    category = concept(f"{TERMINOLOGY}observation-category", "vital-signs", "Vital Signs")
    return chart.entry(
        "Observation",
        f"obs-{what}",
        on,
        status="final",
        category=[category],
        code=snomed(kind.code, kind.display),
        subject=chart.patient,
        effectiveDateTime=at(on, rng.randrange(6, 18), rng.randrange(60)),
        performer=[trust()],
        valueQuantity=quantity(value, kind.unit, kind.ucum),
        **({"encounter": chart.ref("Encounter", encounter)} if encounter else {}),
    )


def _prescription(chart: Chart, what: str, key: str, one: Stay, last: date) -> Json:
    known = medicine(key)
    text = {} if known.product == known.display else {"text": known.product}
    return chart.entry(
        "MedicationRequest",
        f"med-{what}",
        last,
        status="completed" if one.until else "active",
        intent="order",
        category=[concept(f"{TERMINOLOGY}medicationrequest-category", "discharge" if one.until else "inpatient")],
        medicationCodeableConcept=snomed(known.code, known.display) | text,
        subject=chart.patient,
        encounter=chart.ref("Encounter", what),
        authoredOn=at(last, 10, 30),
        requester=CONSULTANT,
        dosageInstruction=[{"text": known.dose}],
        substitution={"allowedBoolean": False},
    )


def _letter(chart: Chart, what: str, one: Stay, on: date) -> Json:
    reason = one.reason.display if one.reason else "observation"
    days = (on - one.since).days
    text = f"Admitted to {one.ward} ({one.specialty}) for {days} days: {reason}. Discharged home. Medicines reviewed."
    return chart.entry(
        "DocumentReference",
        f"doc-{what}",
        on,
        status="current",
        type=snomed("373942005", "Discharge summary"),
        subject=chart.patient,
        date=f"{on.isoformat()}T12:00:00+00:00",
        author=[CONSULTANT],
        custodian=trust(),
        content=[
            {
                "attachment": {
                    "contentType": "text/plain",
                    "data": b64encode(text.encode()).decode(),
                    "title": f"Discharge summary, {one.ward}",
                }
            }
        ],
        context={"encounter": [chart.ref("Encounter", what)]},
    )


def clinic(chart: Chart, place: int, name: str, on: date) -> Json:
    """A clinic that is booked, or was kept."""
    status, shown = ("booked", "accepted") if on > chart.today else ("fulfilled", "accepted")
    return chart.entry(
        "Appointment",
        f"app-{place}",
        min(on, chart.today - timedelta(days=7 + place)),
        status=status,
        serviceType=[{"text": name}],
        description=name,
        start=at(on, 10, 0),
        end=at(on, 10, 30),
        participant=[
            {"actor": chart.patient, "status": shown},
            {"actor": trust(), "status": "accepted"},
        ],
    )


def discharge_referral(chart: Chart, place: int, on: date) -> Iterator[Json]:
    """The hospital asks the council to assess somebody who is about to go home; the council has accepted."""
    council = organisation("901", "Northdale Council")
    yield chart.entry(
        "ServiceRequest",
        f"ref-{place}",
        on,
        status="active",
        intent="order",
        priority="urgent",
        code={"text": "Discharge to assess, pathway 1: home with support"},
        subject=chart.patient,
        encounter=chart.ref("Encounter", f"enc-{place}"),
        authoredOn=at(on, 15, 0),
        requester=trust(),
        performer=[council],
        reasonCode=[{"text": "Needs an assessment before going home"}],
    )
    yield chart.entry(
        "Task",
        f"tsk-{place}",
        on,
        status="accepted",
        intent="order",
        basedOn=[chart.ref("ServiceRequest", f"ref-{place}")],
        focus=chart.ref("ServiceRequest", f"ref-{place}"),
        description="Assess at home within two days of discharge",
        code={"text": "Fulfil the referral"},
        **{"for": chart.patient},
        authoredOn=at(on, 15, 0),
        lastModified=at(on, 16, 40),
        requester=trust(),
        owner=council,
    )


def vital_signs(chart: Chart, what: str, on: date, rng: Random) -> Iterator[Json]:
    """What is measured at a visit."""
    for key in VITAL_SIGNS:
        yield _observation(chart, f"{what}-{key}", key, on, rng)
