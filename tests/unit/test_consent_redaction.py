"""Of a restricted person (PDS 'S') whatever tells where they are is taken out of every kind of resource, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from typing import Any

import pytest

from carelink.consent.labels import CATEGORY
from carelink.consent.redaction import LOCATING, redact
from carelink.record.parameters import PARAMETERS
from carelink.record.validation import check
from carelink.record.validation_shapes import Shape, model_of, shape_of

UKCORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
GPC = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-"
WHERE = "12 Hidden Lane"


def said(type_: str, **body: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": "r1", **body}


def extension(url: str) -> dict[str, Any]:
    return {"url": url, "valueString": WHERE}


PLACE = {"reference": "Location/l1", "display": WHERE}
ADDRESS = [{"line": [WHERE], "postalCode": "DM9 9ZZ"}]
PHONE = [{"system": "phone", "value": "01632 960999"}]
HOME = said("Location", name="Home", address=ADDRESS[0])

# what is told -> the resource, what is left of it (beside type and id); None: nothing was taken out
TABLE = [
    ("an address", said("Patient", address=ADDRESS, birthDate="1950"), {"birthDate": "1950"}),
    ("a telephone number", said("Patient", telecom=PHONE, gender="female"), {"gender": "female"}),
    ("family who may live nearby", said("Patient", contact=[{"address": ADDRESS[0]}]), {}),
    ("the practice", said("Patient", generalPractitioner=[PLACE], managingOrganization=PLACE), {}),
    ("the practice as a contained resource", said("Patient", contained=[said("Organization", name=WHERE)]), {}),
    ("the narrative, which repeats it all", said("Patient", text={"status": "generated", "div": WHERE}), {}),
    ("where they were born", said("Patient", extension=[extension(f"{UKCORE}BirthPlace")]), {}),
    ("the pharmacy around the corner", said("Patient", extension=[extension(f"{UKCORE}NominatedPharmacy")]), {}),
    ("the doctor who dispenses", said("Patient", extension=[extension(f"{UKCORE}PreferredDispenserOrganization")]), {}),
    ("who supplies appliances", said("Patient", extension=[extension(f"{UKCORE}MedicalApplianceSupplier")]), {}),
    ("registration at a practice", said("Patient", extension=[extension(f"{GPC}RegistrationDetails-1")]), {}),
    ("an absent address too", said("Patient", _birthDate={"id": "b"}, _address=[None]), {"_birthDate": {"id": "b"}}),
    ("a relative's address and number", said("RelatedPerson", address=ADDRESS, telecom=PHONE, active=True), {"active": True}),
    ("the ward", said("Encounter", status="in-progress", location=[{"location": PLACE}]), {"status": "in-progress"}),
    ("where they were discharged to", said("Encounter", hospitalization={"destination": PLACE}), {}),
    ("whose ward or surgery it is", said("Encounter", serviceProvider=PLACE), {}),
    ("the clinic they go to", said("Appointment", participant=[{"actor": PLACE}], start="2026-12-01"), {"start": "2026-12-01"}),
    ("the care home of a package", said("EpisodeOfCare", managingOrganization=PLACE), {}),
    ("the agency of a package", said("EpisodeOfCare", extension=[extension("https://carelink.example/StructureDefinition/provider")]), {}),
    ("where a task is done", said("Task", location=PLACE, status="accepted"), {"status": "accepted"}),
    ("where a request is to be met", said("ServiceRequest", locationReference=[PLACE], locationCode=[]), {}),
    ("where a vaccination was given", said("Immunization", location=PLACE), {}),
    ("where a procedure was done", said("Procedure", location=PLACE), {}),
    ("where their equipment stands", said("Device", location=PLACE, contact=PHONE), {}),
    ("the pharmacy of a prescription", said("MedicationRequest", dispenseRequest={"performer": PLACE, "numberOfRepeatsAllowed": 2}), {"dispenseRequest": {"numberOfRepeatsAllowed": 2}}),
    ("a prescription that says the pharmacy alone", said("MedicationRequest", dispenseRequest={"performer": PLACE}), {}),
    ("where medicines are sent", said("MedicationDispense", destination=PLACE, location=PLACE), {}),
    ("the team's number", said("CareTeam", telecom=PHONE, managingOrganization=[PLACE], status="active"), {"status": "active"}),
    ("the head of a letter", said("DocumentReference", content=[{"attachment": {"data": "TGV0dGVy", "title": "Letter"}}]), {"content": [{"attachment": {"title": "Letter"}}]}),
    ("the head of a report", said("DiagnosticReport", presentedForm=[{"data": "TGV0dGVy"}], status="final"), {"status": "final"}),
    ("a place contained in anything", said("Observation", contained=[HOME], status="final"), {"contained": [said("Location", name="Home")], "status": "final"}),
    ("a patient contained in anything", said("Composition", contained=[said("Patient", address=ADDRESS)]), {"contained": [said("Patient")]}),
    ("an address in whatever extension", said("Patient", extension=[{"url": "https://x.example/moved-to", "valueAddress": ADDRESS[0]}]), {}),
    ("an address within an extension", said("Flag", extension=[{"url": "https://x.example/safe", "extension": [{"url": "at", "valueAddress": ADDRESS[0]}]}]), {}),
    ("an address that a task carries", said("Task", input=[{"type": {"text": "Visit"}, "valueAddress": ADDRESS[0]}]), {"input": [{"type": {"text": "Visit"}}]}),
    ("where a plan is carried out", said("CarePlan", activity=[{"detail": {"location": PLACE, "status": "scheduled"}}]), {"activity": [{"detail": {"status": "scheduled"}}]}),
    ("nothing", said("Patient", birthDate="1950", extension=[extension(f"{UKCORE}EthnicCategory")]), None),
    ("nothing of a problem", said("Condition", code={"text": "Asthma"}), None),
    ("nothing of a letter that is kept elsewhere", said("DocumentReference", content=[{"attachment": {"title": "Letter"}}]), None),
    ("nothing of what is contained but locates not", said("List", contained=[said("AllergyIntolerance")]), None),
    ("nothing of a type that nobody knows", said("Rumour", address=ADDRESS), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "left"), TABLE, ids=[what for what, *_ in TABLE])
def test_what_locates_is_taken_out_and_the_rest_stays(
    what: str, body: dict[str, Any], left: dict[str, Any] | None
) -> None:
    before = deepcopy(body)
    redacted = redact(body["resourceType"], body)
    assert redacted == (None if left is None else {"resourceType": body["resourceType"], "id": "r1"} | left)
    assert body == before, "the full form is kept as it was"
    if redacted is not None:
        assert WHERE not in str(redacted)
        assert redact(body["resourceType"], redacted) is None, "there is nothing left to take out"


def test_other_extensions_of_a_restricted_patient_stay_in_their_order() -> None:
    kept = [extension(f"{UKCORE}EthnicCategory"), extension(f"{UKCORE}DeathNotificationStatus")]
    body = said("Patient", extension=[kept[0], extension(f"{UKCORE}BirthPlace"), kept[1]])
    assert redact("Patient", body) == said("Patient", extension=kept)


def test_a_redacted_patient_is_still_valid_fhir() -> None:
    body = said("Patient", address=ADDRESS, telecom=PHONE, birthDate="1950", generalPractitioner=[{"display": WHERE}])
    redacted = redact("Patient", body)
    assert redacted is not None
    assert check("Patient", redacted).problems == ()


# What could locate by its datatype and yet does not, with the reason. Anything new must be judged here or be taken out.
NOT_TAKEN_OUT = {
    "DiagnosticReport.subject": "the person; what is about a place is of nobody's record",
    "Observation.subject": "the person; what is about a place is of nobody's record",
    "Flag.subject": "the person; what is about a place is of nobody's record",
    "ServiceRequest.subject": "the person; what is about a place is of nobody's record",
    "Specimen.subject": "the person; what is about a place is of nobody's record",
    "Location.partOf": "of a directory, which is about nobody",
    "HealthcareService.coverageArea": "of a directory, which is about nobody",
    "HealthcareService.location": "of a directory, which is about nobody",
    "HealthcareService.telecom": "of a directory, which is about nobody",
    "Practitioner.address": "of a directory, which is about nobody",
    "Practitioner.telecom": "of a directory, which is about nobody",
    "PractitionerRole.location": "of a directory, which is about nobody",
    "PractitionerRole.telecom": "of a directory, which is about nobody",
}


def locating_by_datatype(type_: str) -> Iterator[str]:
    """Every element that holds an address or a number, or may point at a Location, by its path."""
    shape = shape_of(type_)
    assert shape is not None
    yield from _within(shape, type_, model_of(type_), (type_,))


def _within(shape: Shape, path: str, model: Any, seen: tuple[str, ...]) -> Iterator[str]:
    fields = {str(field.alias or name): field for name, field in model.model_fields.items()}
    for name, element in shape.elements.items():
        extra = fields[name].json_schema_extra or {}
        targets = extra.get("enum_reference_types") or [] if isinstance(extra, dict) else []
        if element.datatype in ("Address", "ContactPoint", "ContactDetail") or "Location" in targets:
            yield f"{path}.{name}"
        elif element.shape is not None and element.datatype.startswith(seen[0]) and element.datatype not in seen:
            yield from _within(element.shape, f"{path}.{name}", _model(element.model), (*seen, element.datatype))


def _model(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    return getattr(import_module(module), name)


def taken_out(path: str) -> bool:
    """Whether the table takes it, or something around it, out."""
    type_, _, element = path.partition(".")
    return any(f"{element}.".startswith(f"{name}.") for name in LOCATING.get(type_, ()))


def test_every_element_that_can_hold_a_place_is_taken_out_or_has_a_reason_why_not() -> None:
    found = {path for type_ in sorted(CATEGORY) for path in locating_by_datatype(type_)}
    assert len(found) > 30
    assert sorted(path for path in found if not taken_out(path) and path not in NOT_TAKEN_OUT) == []
    assert sorted(set(NOT_TAKEN_OUT) - found) == [], "a reason for what is not there"


def test_no_search_parameter_reads_what_is_taken_out_unless_it_leaves_restricted_people_out() -> None:
    """A hit on a postcode would tell where they are, though the body that is sent does not say it."""
    open_ = [
        f"{type_}.{parameter.code}"
        for parameter in PARAMETERS
        for type_, paths in parameter.paths.items()
        for path in paths
        if not parameter.locating and taken_out(".".join((type_, *path)))
    ]
    assert open_ == []
    assert {"address-postalcode", "telecom"} <= {one.code for one in PARAMETERS if one.locating}
