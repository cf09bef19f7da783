"""A person's health as entries of a GP Connect record: problems, allergies, medicines, observations (FHIR STU3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fhir_adapters.simulators.fhir import Json, concept, number, quantity, snomed
from fhir_adapters.simulators.gp_chart import EXTENSION, HL7_EXTENSION, Chart
from fhir_adapters.simulators.health import Allergic, Has, Immunised, Measured, Seen, Takes

STU3 = "http://hl7.org/fhir/"
GPC = "https://fhir.nhs.uk/STU3/CodeSystem/"
# Analysed in a laboratory: TPP reports these in a DiagnosticReport.
LABORATORY = frozenset({"hba1c", "egfr", "creatinine", "potassium", "haemoglobin", "cholesterol"})


def problem(chart: Chart, place: int, has: Has) -> Iterator[Json]:
    """The problem's header; EMIS adds the Observation that it stands for."""
    what, code = f"problem-{place}", chart.code(has.problem.code, has.problem.display)
    major = "major" if place < 3 else "minor"
    extensions: list[Json] = [{"url": HL7_EXTENSION.format("ProblemSignificance"), "valueCode": major}]
    if not chart.tpp:
        actual = chart.ref("Observation", what)
        extensions.append({"url": EXTENSION.format("ActualProblem"), "valueReference": actual})
    category = concept(f"{STU3}condition-category", "problem-list-item", "Problem List Item")
    status = {"clinicalStatus": "inactive" if has.until else "active"}
    ended = {"abatementDateTime": has.until.isoformat()} if has.until else {}
    yield (
        chart.entry("Condition", f"{what}#PROB", "ProblemHeader-Condition", extension=extensions)
        | status
        | {"category": [category], "code": code, "subject": chart.patient, "onsetDateTime": has.since.isoformat()}
        | ended
        | {"assertedDate": chart.recorded(has.since), "asserter": chart.ref("Practitioner", "doctor")}
    )
    if not chart.tpp:
        yield _observation(chart, what, code, chart.recorded(has.since), effective=has.since.isoformat())


def allergy(chart: Chart, place: int, one: Allergic) -> Json:
    """An allergy; one that has ended says until when and why."""
    row = one.row
    manifestation = snomed(row["manifestation_code"], row["manifestation"])
    ended: Json = {}
    if one.until:
        parts = [
            {"url": "endDate", "valueDateTime": chart.recorded(one.until)},
            {"url": "reasonEnded", "valueString": "Tolerated since"},
        ]
        ended = {"extension": [{"url": EXTENSION.format("AllergyIntoleranceEnd"), "extension": parts}]}
    return (
        chart.entry("AllergyIntolerance", f"allergy-{place}")
        | ended
        | {"clinicalStatus": "resolved" if one.until else "active", "verificationStatus": "unconfirmed"}
        | {"category": [row["kind"]], "code": chart.code(row["code"], row["display"]), "patient": chart.patient}
        | {"onsetDateTime": one.since.isoformat(), "assertedDate": chart.recorded(one.since)}
        | {"recorder": chart.ref("Practitioner", "doctor")}
        | {"reaction": [{"manifestation": [manifestation], "severity": row["severity"]}]}
    )


def medicine(chart: Chart, place: int, one: Takes) -> Iterator[Json]:
    """The statement, the plan that it is based on, and the medicine."""
    what = f"medicine-{place}"
    known = one.medicine
    reference = {"medicationReference": chart.ref("Medication", f"{what}#MED"), "subject": chart.patient}
    status = "completed" if one.until and known.key == "amoxicillin" else "stopped" if one.until else "active"
    period = {"start": one.since.isoformat()} | ({"end": one.until.isoformat()} if one.until else {})
    yield chart.administrative("Medication", f"{what}#MED", code=_product(chart, one)) | {
        "meta": {"profile": ["https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Medication-1"]}
    }
    agency = concept(f"{GPC}CareConnect-PrescribingAgency-1", "prescribed-at-gp-practice", "Prescribed at GP practice")
    yield (
        chart.entry("MedicationStatement", f"{what}#MS")
        | {
            "extension": [
                {
                    "url": EXTENSION.format("MedicationStatementLastIssueDate"),
                    "valueDateTime": chart.recorded(one.issued),
                },
                {"url": EXTENSION.format("PrescribingAgency"), "valueCodeableConcept": agency},
            ],
            "basedOn": [chart.ref("MedicationRequest", what)],
            "status": status,
            "effectivePeriod": period,
            "dateAsserted": chart.recorded(one.since),
            "taken": "unk",
            "dosage": [{"text": known.dose}],
        }
        | reference
    )
    yield _plan(chart, what, one, status, period) | reference


def _plan(chart: Chart, what: str, one: Takes, status: str, period: Json) -> Json:
    kind = ("acute", "Acute") if one.medicine.key == "amoxicillin" else ("repeat", "Repeat")
    prescription = concept(f"{GPC}CareConnect-PrescriptionType-1", *kind)
    extensions: list[Json] = [{"url": EXTENSION.format("PrescriptionType"), "valueCodeableConcept": prescription}]
    if status == "stopped" and one.until:
        parts = [
            {"url": "statusReason", "valueCodeableConcept": {"text": "No longer indicated"}},
            {"url": "statusChangeDate", "valueDateTime": chart.recorded(one.until)},
        ]
        extensions.append({"url": EXTENSION.format("MedicationStatusReason"), "extension": parts})
    return chart.entry("MedicationRequest", what, extension=extensions) | {
        "status": status,
        "intent": "plan",
        "authoredOn": chart.recorded(one.since),
        "requester": {"agent": chart.ref("Practitioner", "doctor")},
        "recorder": chart.ref("Practitioner", "doctor"),
        "dosageInstruction": [{"text": one.medicine.dose}],
        "dispenseRequest": {
            "validityPeriod": period,
            "quantity": {"value": number(one.medicine.quantity), "unit": one.medicine.unit},
            "expectedSupplyDuration": {"value": 28, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"},
        },
    }


def _product(chart: Chart, one: Takes) -> Json:
    text = "" if one.medicine.product == one.medicine.display else one.medicine.product
    return chart.code(one.medicine.code, one.medicine.display, text)


def measured(chart: Chart, what: str, one: Measured) -> Iterator[Json]:
    """An Observation; with TPP a report around what came from a laboratory."""
    taken = chart.recorded(one.on)
    if one.measurement is None:
        yield _blood_pressure(chart, what, one, taken)
        return
    kind = one.measurement
    code = chart.code(kind.code, kind.display)
    value = {"valueQuantity": quantity(one.values[0], kind.unit, kind.ucum)}
    yield _observation(chart, what, code, taken) | value
    if chart.tpp and kind.key in LABORATORY:
        yield chart.entry("DiagnosticReport", f"{what}-report") | {
            "status": "final",
            "code": chart.code("721981007", "Diagnostic studies report"),
            "subject": chart.patient,
            "issued": taken,
            "performer": [{"actor": chart.ref("Organization", "practice")}],
            "result": [chart.ref("Observation", what)],
        }


def _blood_pressure(chart: Chart, what: str, one: Measured, taken: str) -> Json:
    parts = (("72313002", "Systolic arterial pressure"), ("1091811000000102", "Diastolic arterial pressure"))
    components = [
        {"code": chart.code(*code), "valueQuantity": quantity(value, "mmHg", "mm[Hg]")}
        for code, value in zip(parts, one.values, strict=True)
    ]
    code = chart.code("163020007", "O/E - blood pressure reading")
    return _observation(chart, what, code, taken) | {"component": components}


def _observation(chart: Chart, what: str, code: Json, taken: str, effective: str = "") -> Json:
    return chart.entry("Observation", what) | {
        "status": "final",
        "code": code,
        "subject": chart.patient,
        "effectiveDateTime": effective or taken,
        "issued": taken,
        "performer": [chart.ref("Practitioner", "nurse")],
    }


def immunised(chart: Chart, place: int, one: Immunised) -> Json:
    """A vaccination: what was done in the extension, what with in the code."""
    done = chart.code(one.row["code"], one.row["display"])
    return chart.entry("Immunization", f"immunisation-{place}") | {
        "extension": [
            {"url": HL7_EXTENSION.format("DateRecorded"), "valueDateTime": chart.recorded(one.on)},
            {"url": HL7_EXTENSION.format("VaccinationProcedure"), "valueCodeableConcept": done},
        ],
        "status": "completed",
        "notGiven": False,
        "vaccineCode": snomed(one.row["vaccine_code"], one.row["vaccine"]),
        "patient": chart.patient,
        "date": one.on.isoformat(),
        "primarySource": True,
        "practitioner": [
            {
                "role": concept("http://hl7.org/fhir/v2/0443", "AP", "Administering Provider"),
                "actor": chart.ref("Practitioner", "nurse"),
            }
        ],
    }


def consultation(chart: Chart, what: str, one: Seen) -> Iterator[Json]:
    """The encounter, and what it was about as a list of its own."""
    primary = concept("http://hl7.org/fhir/v3/ParticipationType", "PPRF", "primary performer")
    yield chart.entry("Encounter", what) | {
        "status": "finished",
        "type": [{"text": one.how}],
        "subject": chart.patient,
        "participant": [{"type": [primary], "individual": chart.ref("Practitioner", "doctor")}],
        "period": {"start": chart.recorded(one.on)},
        "location": [{"location": chart.ref("Location", "surgery")}],
        "serviceProvider": chart.ref("Organization", "practice"),
    }
    if one.about:
        yield _observation(
            chart, f"{what}-topic", chart.code(one.about.code, one.about.display), chart.recorded(one.on)
        ) | {"context": chart.ref("Encounter", what), "comment": f"{one.how}: reviewed, plan discussed and agreed."}


def diary(chart: Chart) -> Json:
    """When the practice wants to see the person next."""
    due = chart.today + timedelta(days=60)
    return chart.entry("ProcedureRequest", "diary") | {
        "status": "active",
        "intent": "plan",
        "code": chart.code("86198006", "Administration of influenza vaccine"),
        "subject": chart.patient,
        "occurrenceDateTime": due.isoformat(),
        "authoredOn": chart.recorded(chart.today - timedelta(days=20)),
        "requester": {"agent": chart.ref("Practitioner", "doctor")},
    }
