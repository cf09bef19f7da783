"""One person's whole structured record at the practice: a GP Connect `collection` Bundle (FHIR STU3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from fhir_adapters.simulators import gp_clinical as clinical
from fhir_adapters.simulators.fhir import NHS_NUMBER, ODS, SNOMED, Json, at, coding, concept
from fhir_adapters.simulators.gp_chart import EXTENSION, PROFILE, Chart
from fhir_adapters.simulators.health import CONSULTATIONS, Health, Measured, Seen, health, written
from fhir_adapters.simulators.news import news
from fhir_adapters.simulators.people import PRACTICE, Belief
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.vocabulary import measurements

# Title, SNOMED CT code and display of the lists that tell what is in the record, and which types they hold.
LISTS = (
    ("Allergies and adverse reactions", "886921000000105", "AllergyIntolerance"),
    ("Ended allergies", "1103671000000101", ""),
    ("Medications and medical devices", "933361000000108", "MedicationStatement"),
    ("Problems", "717711000000103", "Condition"),
    ("Immunisations", "1102181000000102", "Immunization"),
    ("List of consultations", "1149501000000101", "Encounter"),
)
STAFF = (("doctor", "Ellis", "Tom", "Dr", "R0260", "General Medical Practitioner", "male"),
         ("nurse", "Marsh", "Helen", "Sister", "R0600", "Practice Nurse", "female"))  # fmt: skip


def record(population: Population, belief: Belief) -> Json:
    """The Bundle as it is on the population's day, news included. Entries in no useful order, as in life."""
    chart = Chart(belief, population.today)
    entries = [*_demographics(chart), *_entries(chart, health(belief.person, population.today))]
    entries += _news(chart, population)
    entries += _lists(chart, entries)
    Random(belief.key).shuffle(entries)
    return {
        "resourceType": "Bundle",
        "meta": {"profile": ["https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-StructuredRecord-Bundle-1"]},
        "type": "collection",
        "entry": [{"resource": one} for one in entries],
    }


def _demographics(chart: Chart) -> Iterator[Json]:
    yield _patient(chart)
    yield chart.administrative(
        "Organization",
        "practice",
        identifier=[{"system": ODS, "value": PRACTICE}],
        type=[{"coding": [coding("https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1", "gp-practice")]}],
        name="Riverside Surgery",
        telecom=[{"system": "phone", "value": "01632 960 400", "use": "work"}],
    )
    managed = {"managingOrganization": chart.ref("Organization", "practice")}
    yield chart.administrative("Location", "surgery", status="active", name="Riverside Surgery") | managed
    for what, family, given, title, role, job, gender in STAFF:
        name = {"use": "official", "family": family, "given": [given], "prefix": [title]}
        yield chart.administrative("Practitioner", what, name=[name], gender=gender)
        yield chart.administrative("PractitionerRole", f"{what}-role") | {
            "practitioner": chart.ref("Practitioner", what),
            "organization": chart.ref("Organization", "practice"),
            "code": [concept("https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-SDSJobRoleName-1", role, job)],
        }


def _patient(chart: Chart) -> Json:
    belief, person = chart.belief, chart.belief.person
    verified = concept(
        "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1",
        "01",
        "Number present and verified",
    )
    branch = {"url": "preferredBranchSurgery", "valueReference": chart.ref("Location", "surgery")}
    name: Json = {"use": "official", "family": belief.family, "given": list(belief.given)}
    if person.title:
        name["prefix"] = [person.title]
    former = [{"use": "old", "family": person.maiden}] if person.maiden else []
    died = {"deceasedDateTime": at(person.died_on(chart.today), 12)} if belief.knows_of_death else {}
    return (
        chart.administrative("Patient", "patient")
        | died
        | {
            "extension": [{"url": EXTENSION.format("RegistrationDetails"), "extension": [branch]}],
            "identifier": [
                {
                    "extension": [
                        {"url": EXTENSION.format("NHSNumberVerificationStatus"), "valueCodeableConcept": verified}
                    ],
                    "system": NHS_NUMBER,
                    "value": belief.nhs_number,
                }
            ],
            "active": True,
            "name": [name, *former],
            "telecom": [
                {"system": "phone", "value": belief.landline, "use": "home"},
                {"system": "phone", "value": belief.mobile, "use": "mobile"},
            ],
            "gender": person.gender,
            "birthDate": belief.born.isoformat(),
            "address": [
                {
                    "use": "home",
                    "type": "physical",
                    "line": list(belief.address.lines),
                    "city": belief.address.town,
                    "postalCode": belief.address.postcode,
                }
            ],
            "generalPractitioner": [chart.ref("Practitioner", "doctor")],
            "managingOrganization": chart.ref("Organization", "practice"),
        }
    )


def _entries(chart: Chart, found: Health) -> Iterator[Json]:
    for place, has in enumerate(found.problems):
        yield from clinical.problem(chart, place, has)
    for place, allergic in enumerate(found.allergies):
        # TPP keeps ended allergies inside the list of them.
        if not (chart.tpp and allergic.until):
            yield clinical.allergy(chart, place, allergic)
    for place, takes in enumerate(found.medicines):
        yield from clinical.medicine(chart, place, takes)
    for place, measured in enumerate(found.measured):
        yield from clinical.measured(chart, f"measured-{place}", measured)
    for place, done in enumerate(found.immunised):
        yield clinical.immunised(chart, place, done)
    for place, seen in enumerate(found.seen):
        yield from clinical.consultation(chart, f"consultation-{place}", seen)
    if chart.belief.person.age(chart.today) >= 65 and not chart.belief.person.died_days_ago:
        yield clinical.diary(chart)


def _news(chart: Chart, population: Population) -> Iterator[Json]:
    weight = measurements()["weight"]
    for day, on, rng in news(population, chart.belief):
        yield from clinical.consultation(chart, f"news-{day}", Seen(rng.choice(CONSULTATIONS), on, None))
        yield from clinical.measured(chart, f"news-{day}-weight", Measured(weight, (written(rng, weight),), on))


def _lists(chart: Chart, entries: Iterable[Json]) -> Iterator[Json]:
    present = list(entries)
    for title, code, type_ in LISTS:
        held = [one for one in present if one["resourceType"] == type_]
        if type_ == "AllergyIntolerance":
            held = [one for one in held if one["clinicalStatus"] == "active"]
        if title == "Ended allergies":
            yield _ended_allergies(chart, title, code, present)
        else:
            yield _list(chart, title, code, [f"{type_}/{one['id']}" for one in held])


def _ended_allergies(chart: Chart, title: str, code: str, present: Iterable[Json]) -> Json:
    """EMIS refers to them; TPP contains them."""
    if not chart.tpp:
        ended = [
            one for one in present if one["resourceType"] == "AllergyIntolerance" and one["clinicalStatus"] != "active"
        ]
        return _list(chart, title, code, [f"AllergyIntolerance/{one['id']}" for one in ended])
    found = health(chart.belief.person, chart.today).allergies
    inside = [
        clinical.allergy(chart, place, one) | {"id": f"ended{place}"} for place, one in enumerate(found) if one.until
    ]
    listed = _list(chart, title, code, [f"#{one['id']}" for one in inside])
    return listed | ({"contained": inside} if inside else {})


def _list(chart: Chart, title: str, code: str, references: list[str]) -> Json:
    """A list of what the record has of a kind. One with nothing in it says so, as text and as a reason."""
    items = [{"item": {"reference": one}} for one in references]
    empty = {
        "note": [{"text": "Information not available"}],
        "emptyReason": concept(
            "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1",
            "no-content-recorded",
            "No Content Recorded",
        ),
    }
    return {
        "resourceType": "List",
        "meta": {"profile": [PROFILE.format("List")]},
        "status": "current",
        "mode": "snapshot",
        "title": title,
        "code": {"coding": [{"system": SNOMED, "code": code, "display": title}]},
        "subject": chart.patient,
        "date": chart.recorded(chart.today),
        "orderedBy": concept("http://hl7.org/fhir/list-order", "event-date", "Sorted by Event Date"),
    } | ({"entry": items} if items else empty)
