"""How well records of the invented people are linked, against the truth that the generator keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlalchemy import Connection, select

from carelink.db.tables import person_link
from carelink.ids import ResourceKey, resource_key
from carelink.place import Place
from carelink.record.persons import SourcePatient, link_patients
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, GP, HOSPITAL, PDS, Belief
from fhir_adapters.simulators.population import Population, people

PEOPLE = 2000
SEED = 1
BATCH = 500  # records a transaction
ORDER = (COUNCIL_A, COUNCIL_B, HOSPITAL, PDS, GP)  # as the example place pulls them
VERIFICATION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
Pairs = set[tuple[ResourceKey, ResourceKey]]


def patient(belief: Belief) -> dict[str, Any]:
    """What every source's Patient says in the end, whatever shape it came in."""
    status = {"coding": [{"code": "01" if belief.verified else "02"}]}
    number = {
        "system": "https://fhir.nhs.uk/Id/nhs-number",
        "value": belief.nhs_number,
        "extension": [{"url": VERIFICATION, "valueCodeableConcept": status}],
    }
    former = [number | {"use": "old", "value": belief.person.former_number}]
    if belief.source != PDS or not belief.person.former_number:
        former = []  # only PDS's answer to the old number tells that there was one
    home = {"use": "home", "line": list(belief.address.lines), "postalCode": belief.address.postcode}
    return {
        "resourceType": "Patient",
        "identifier": [*([number] if belief.nhs_number else []), *former],
        "name": [{"use": "official", "family": belief.family, "given": list(belief.given)}],
        "gender": belief.person.gender,
        "birthDate": belief.born.isoformat(),
        "address": [] if belief.source == PDS and belief.person.restricted else [home],
        "telecom": [{"system": "phone", "value": one} for one in (belief.landline, belief.mobile)],
    }


def key(belief: Belief) -> ResourceKey:
    return resource_key(belief.source, "", "Patient", belief.id)


def linked(conn: Connection, place: Place, population: Population, now: datetime) -> Mapping[ResourceKey, Hashable]:
    """The person of every record, after all sources were pulled one after the other in batches."""
    for source in ORDER:
        held = population.held[source]
        for start in range(0, len(held), BATCH):
            arrived = [SourcePatient(key(one), patient(one), source) for one in held[start : start + BATCH]]
            link_patients(conn, place, arrived, now)
    rows = conn.execute(select(person_link.c.patient, person_link.c.person).where(person_link.c.undone_at.is_(None)))
    return {row.patient: row.person for row in rows}


def together(whose: Iterable[tuple[ResourceKey, Hashable]]) -> Pairs:
    """Every pair of records that are one person's."""
    records: dict[Hashable, list[ResourceKey]] = defaultdict(list)
    for key, person in whose:
        records[person].append(key)
    return {pair for keys in records.values() for pair in combinations(sorted(keys), 2)}


def test_nobody_is_linked_wrongly_and_nearly_everybody_rightly(conn: Connection, place: Place, now: datetime):
    population = people(SEED, PEOPLE)
    found = linked(conn, place, population, now)
    truth = {key(one): one.key for held in population.held.values() for one in held}
    assert found.keys() == truth.keys()
    said, right = together(found.items()), together(truth.items())
    wrong = said - right
    precision, recall = 1 - len(wrong) / len(said), len(said & right) / len(right)
    print(f"{PEOPLE} people, {len(truth)} records: precision {precision:.3f}, recall {recall:.4f}")  # noqa: T201
    assert precision == 1.0
    assert recall >= 0.98
