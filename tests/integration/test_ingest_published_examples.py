"""The other published examples, pulled from the simulators that serve them: each is stored, or refused with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from published_records import Became, example_entries, found
from sqlalchemy import Engine, select

from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import quarantine, resource
from carelink.jobs.pull import PullReport, pull
from carelink.place import Place
from carelink.settings import Settings
from fhir_adapters.simulators import gp, gp_published, hospital, hospital_published, pds
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.simulators.serving import Simulated
from fhir_adapters.simulators.xml_reading import read


@dataclass(frozen=True)
class Pulled:
    engine: Engine
    reports: Mapping[str, PullReport]


@pytest.fixture(scope="module")
def pulled(
    postgres: Embedded, place: Place, shared_examples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pulled]:
    """PDS, the practices and the hospital, each with the published examples beside invented people, pulled once."""
    engine = engine_for(postgres.database("examples", template="template_carelink"))
    population = people(1, 6)
    servers = _serve(population, shared_examples)
    cohort = tmp_path_factory.mktemp("examples") / "cohort.txt"
    national = [one["id"] for one in pds.published(shared_examples)]
    cohort.write_text("\n".join([*population.cohort, *national, "9999999999,O001"]))
    every = _asking_for_every_type(place, shared_examples)
    with engine.begin() as conn:
        sync.sync(conn, place)
    with pytest.MonkeyPatch.context() as patched:
        for name, server in servers.items():
            patched.setenv(f"CARELINK_SOURCE_{name.upper()}_URL", server.url)
            patched.setenv(f"CARELINK_SOURCE_{name.upper()}_SECRET", SECRETS.get(name, ""))
        reports = {name: pull(engine, every, Settings(cohort=cohort), name, lambda: NOW) for name in servers}
    yield Pulled(engine, reports)
    for server in servers.values():
        server.close()
    engine.dispose()
    postgres.drop("examples")


def _serve(population: Population, shared: Path) -> dict[str, Simulated]:
    return {
        "pds": pds.serve(population, extra=pds.published(shared)),
        "gp": gp.serve(population, published=gp_published.published_examples(shared)),
        "hospital": hospital.serve(population, extra=hospital_published.published(shared, population.today)),
    }


def _asking_for_every_type(place: Place, shared: Path) -> Place:
    """As a place does that names the types of its hospital: not only those that are usually asked for."""
    types = dict.fromkeys(["Organization", "Practitioner", "Patient", *sorted(uk_core(shared))])
    sources = tuple(
        replace(one, options={**one.options, "types": list(types)}) if one.name == "hospital" else one
        for one in place.sources
    )
    return replace(place, sources=sources)


def uk_core(shared: Path) -> dict[str, list[Any]]:
    """The published UK Core examples as they were published, by type."""
    found: dict[str, list[Any]] = {}
    for path in sorted((shared / hospital_published.EXAMPLES).glob("*.xml")):
        one = read(path.read_bytes())
        found.setdefault(one["resourceType"], []).append(one)
    return {type_: found[type_] for type_ in sorted(found) if type_ not in hospital_published.NOT_SERVED}


def test_every_pull_reached_its_end(pulled: Pulled) -> None:
    assert {name: report.why for name, report in pulled.reports.items()} == {"pds": "", "gp": "", "hospital": ""}


# The examples of UK Core that can't be filed, and why. All others are stored.
NOBODYS = "it does not say whom it is about"
NOT_FILED = {
    ("Composition", "Extension-UKCore-CareSettingType-Example"): NOBODYS,
    ("Composition", "UKCore-Composition-Discharge-Example"): NOBODYS,
    ("Device", "Extension-UKCore-CuffSize-Example"): NOBODYS,
    ("Device", "UKCore-Device-BloodSpotContainer-Example"): NOBODYS,
    ("Encounter", "Extension-UKCore-EmergencyCareDischargeStatus-Example"): NOBODYS,
    ("Encounter", "Extension-UKCore-OutcomeOfAttendance-Example"): NOBODYS,
    ("Immunization", "Extension-UKCore-ParentPresent-Example"): "the person that it is about is not here yet",
    ("MedicationStatement", "Extension-UKCore-MedicationChangeSummary-Example"): NOBODYS,
    ("MessageHeader", "Extension-UKCore-ResponseRequest-Example"): NOBODYS,
}


def test_every_uk_core_example_is_stored_or_waits_with_its_reason(pulled: Pulled, shared_examples: Path) -> None:
    stored, refused = _at(pulled.engine, "hospital")
    examples = {(type_, one["id"]) for type_, found in uk_core(shared_examples).items() for one in found}
    assert len(examples) == 104
    assert {key: refused[key] for key in examples & refused.keys()} == NOT_FILED
    assert examples - stored == NOT_FILED.keys()


def test_only_what_no_search_for_a_patients_record_finds_is_not_served(shared_examples: Path) -> None:
    files = [read(path.read_bytes()) for path in (shared_examples / hospital_published.EXAMPLES).glob("*.xml")]
    left_out = Counter(one["resourceType"] for one in files if one["resourceType"] in hospital_published.NOT_SERVED)
    assert left_out == {"Bundle": 3, "OperationOutcome": 1}
    served = hospital_published.published(shared_examples, date(2026, 11, 24))
    assert len(served) == len(files) - left_out.total()


def test_every_published_patient_of_pds_is_stored(pulled: Pulled, shared_examples: Path) -> None:
    stored, refused = _at(pulled.engine, "pds")
    national = {("Patient", one["id"]) for one in pds.published(shared_examples)}
    assert {id_ for _, id_ in national} == {"9000000009", "9000000017", "9000000033"}
    assert national <= stored
    assert refused == {}


def test_every_entry_of_the_specifications_own_record_is_accounted_for(pulled: Pulled, shared_examples: Path) -> None:
    with pulled.engine.connect() as conn:
        there = found(conn)
    became = [(one, there.became(one)) for one in example_entries(shared_examples)]
    refused = Counter(entry.type for entry, one in became if one is Became.QUARANTINED)
    assert Counter(one for _, one in became) == {Became.STORED: 15, Became.DUPLICATE: 8, Became.QUARANTINED: 11}
    assert refused == {
        "AllergyIntolerance": 3,  # the ids of medicines
        "List": 2,  # under another NHS number
        "MedicationRequest": 5,  # amounts in quotation marks
        "OperationOutcome": 1,
    }


def test_invented_people_are_served_beside_them(pulled: Pulled) -> None:
    population = people(1, 6)
    for source, known in (("pds", population.pds), ("gp", population.gp), ("hospital", population.hospital)):
        patients = {id_ for type_, id_ in _at(pulled.engine, source)[0] if type_ == "Patient"}
        published = {"pds": 3, "gp": 1, "hospital": 11}[source]
        assert len(patients) == len(known) + published


def _at(engine: Engine, source: str) -> tuple[set[tuple[str, str]], dict[tuple[str, str], str]]:
    """(type, id) of what is stored of a source, and of what waits, with the first reason."""
    t, q = resource.c, quarantine.c
    with engine.connect() as conn:
        stored = {
            (row.type, row.source_id)
            for row in conn.execute(select(t.type, t.source_id).where(t.source == source, t.deleted.is_(False)))
        }
        asked = select(q.type, q.source_id, q.reasons).where(q.source == source, q.resolved_at.is_(None))
        return stored, {(row.type, row.source_id): row.reasons[0]["why"] for row in conn.execute(asked)}
