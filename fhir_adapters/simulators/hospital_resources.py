"""All that the hospital serves: its directory, and each person's records, in the order of last change (FHIR R4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from fhir_adapters.simulators import hospital_clinical as clinical
from fhir_adapters.simulators.cast import OBJECTED, OBJECTED_IN_PART
from fhir_adapters.simulators.fhir import NHS_NUMBER, ODS, Json, at, coding, concept
from fhir_adapters.simulators.health import WARDS, health
from fhir_adapters.simulators.hospital_chart import (
    TERMINOLOGY,
    TRUST,
    TRUST_NAME,
    Chart,
    organisation,
    resource,
    trust,
)
from fhir_adapters.simulators.news import news
from fhir_adapters.simulators.people import Belief
from fhir_adapters.simulators.population import Population

MRN = "https://dalevalley.example/mrn"
VERIFICATION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
STATUS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
OBJECTIONS_OF_A_THOUSAND = 5


def resources(population: Population) -> tuple[Json, ...]:
    """Every resource, sorted by lastUpdated and id."""
    found = [*_directory(population)]
    for belief in population.hospital:
        found += _of(population, belief)
    return tuple(sorted(found, key=lambda one: (one["meta"]["lastUpdated"], one["resourceType"], one["id"])))


def _directory(population: Population) -> Iterator[Json]:
    long_ago = population.today - timedelta(days=2000)
    yield resource(
        "Organization", "org-rdv", long_ago, identifier=[{"system": ODS, "value": TRUST}], active=True, name=TRUST_NAME
    )
    yield resource(
        "Practitioner",
        "doctor-7",
        long_ago,
        identifier=[{"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": "999000000007"}],
        name=[{"use": "official", "family": "Desai", "given": ["Anjali"], "prefix": ["Dr"]}],
    )
    for ward, specialty in WARDS:
        yield resource(
            "Location",
            clinical.ward_id(ward),
            long_ago,
            status="active",
            name=ward,
            description=specialty,
            managingOrganization=trust(),
        )


def _of(population: Population, belief: Belief) -> Iterator[Json]:
    chart = Chart(belief, population.today)
    rng = Random(f"{belief.key}:hospital")
    found = health(belief.person, population.today)
    yield _patient(chart)
    yield from _objection(chart, rng)
    yield from clinical.problems(chart, found)
    for place, allergic in enumerate(found.allergies):
        yield clinical.allergy(chart, place, allergic)
    for place, stay in enumerate(found.stays):
        yield from clinical.stay(chart, place, stay, rng)
        if stay.until is None:
            yield from clinical.discharge_referral(chart, place, chart.today - timedelta(days=1))
    for place, (name, on) in enumerate(found.clinics):
        yield clinical.clinic(chart, place, name, on)
    for day, on, luck in news(population, belief):
        yield from clinical.vital_signs(chart, f"news-{day}", on, luck)


def _patient(chart: Chart) -> Json:
    belief, person = chart.belief, chart.belief.person
    name: Json = {"use": "official", "family": belief.family, "given": list(belief.given)}
    changed = chart.today - timedelta(days=Random(belief.id).randrange(2, 900))
    made = chart.entry(
        "Patient",
        "",
        changed,
        identifier=[{"system": MRN, "value": f"D{belief.id.removeprefix('pat-')}"}, *_nhs_number(belief)],
        active=True,
        name=[name | ({"prefix": [person.title]} if person.title else {})],
        telecom=[
            {"system": "phone", "value": belief.landline, "use": "home"},
            {"system": "phone", "value": belief.mobile, "use": "mobile"},
        ],
        gender=person.gender,
        birthDate=belief.born.isoformat(),
        address=[
            {
                "use": "home",
                "line": list(belief.address.lines),
                "city": belief.address.town,
                "postalCode": belief.address.postcode,
            }
        ],
        managingOrganization=trust(),
    )
    if belief.knows_of_death:
        made["deceasedDateTime"] = at(person.died_on(chart.today), 4, 10)
    if person.restricted:
        made["meta"]["security"] = [coding(f"{TERMINOLOGY}v3-Confidentiality", "R", "restricted")]
    return made


def _nhs_number(belief: Belief) -> list[Json]:
    if not belief.nhs_number:
        return []
    status = ("01", "Number present and verified") if belief.verified else ("02", "Number present but not traced")
    extension = {"url": VERIFICATION, "valueCodeableConcept": concept(STATUS, *status)}
    return [{"extension": [extension], "system": NHS_NUMBER, "value": belief.nhs_number}]


def _objection(chart: Chart, rng: Random) -> Iterator[Json]:
    """A FHIR Consent that denies: everything to everyone, or a category to one organisation."""
    part = chart.belief.person.part
    drawn = rng.randrange(1000) < OBJECTIONS_OF_A_THOUSAND and not part
    if part == OBJECTED.part or drawn:
        yield _consent(chart, {"type": "deny"})
    elif part == OBJECTED_IN_PART.part:
        role = concept(f"{TERMINOLOGY}v3-ParticipationType", "IRCP", "information recipient")
        yield _consent(
            chart,
            {
                "type": "deny",
                "actor": [{"role": role, "reference": organisation("901", "Northdale Council")}],
                "class": [coding("https://carelink.example/category", "mental-health", "Mental health")],
            },
        )


def _consent(chart: Chart, provision: Json) -> Json:
    on = chart.today - timedelta(days=45)
    return chart.entry(
        "Consent",
        "consent",
        on,
        status="active",
        scope=concept(f"{TERMINOLOGY}consentscope", "patient-privacy", "Privacy Consent"),
        category=[concept("http://loinc.org", "59284-0", "Consent Document")],
        patient=chart.patient,
        dateTime=at(on, 11, 15),
        organization=[trust()],
        policyRule=concept(f"{TERMINOLOGY}v3-ActCode", "OPTOUT", "opt-out"),
        provision=provision,
    )
