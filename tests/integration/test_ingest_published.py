"""The published GP records, pulled over HTTP beside invented people: what became of each of their entries, one by one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from published_oddities import ODDITIES, REFUSED, Oddity
from published_records import Became, Entry, found, published_entries, table
from sqlalchemy import Connection, Engine, select

from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import quarantine, resource
from carelink.ids import PersonKey, resource_key
from carelink.jobs.pull import PullReport, pull
from carelink.place import Place
from carelink.record.references import rewritten
from carelink.record.summary import summary
from carelink.record.timeline import timeline
from carelink.record.validation import check
from carelink.settings import Settings
from fhir_adapters import exact_json
from fhir_adapters.gp_connect import map_record
from fhir_adapters.simulators import gp
from fhir_adapters.simulators.gp_published import published_records
from fhir_adapters.simulators.population import people

# record -> entries, quarantined, duplicates; all others are stored
PUBLISHED = {
    "9388098431.structuredRecord.json": (274, 34, 1),
    "EMISPatientStructurede2eResponsePWTP10.json": (126, 0, 0),
    "EMISPatientStructurede2eResponsePWTP2.json": (186, 0, 0),
    "EMISPatientStructurede2eResponsePWTP3.json": (155, 0, 0),
    "EMISPatientStructurede2eResponsePWTP5.json": (112, 0, 0),
    "TPPPatientStructuredRecordE2EPWTP11.json": (134, 0, 0),
    "TPPPatientStructuredRecordE2EPWTP2.json": (186, 0, 0),
    "TPPPatientStructuredRecordE2EPWTP6.json": (175, 0, 0),
    "TPPPatientStructuredRecordE2EPWTP7.json": (109, 0, 0),
    "correctPatientNoDocsStructuredRecordResponse.json": (163, 0, 0),
    "malformedDateStructuredRecord.json": (244, 6, 1),
}
INVENTED = 6


@dataclass(frozen=True)
class Pulled:
    """A place after it pulled its practices once."""

    engine: Engine
    report: PullReport
    again: PullReport
    before: list[Any]  # of every version, ahead of the second pull


@pytest.fixture(scope="module")
def pulled(
    postgres: Embedded, place: Place, shared_examples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pulled]:
    """Everything is pulled twice, over HTTP, by the adapter and the ingest of every day."""
    engine = engine_for(postgres.database("published", template="template_carelink"))
    population = people(1, INVENTED)
    records = published_records(shared_examples)
    cohort = tmp_path_factory.mktemp("published") / "cohort.txt"
    lines = [f"{number},{practice}" for practice, number, _ in records]
    lines += [f"{one.nhs_number},{one.person.practice}" for one in population.gp]
    cohort.write_text("\n".join(lines))
    practices = gp.serve(population, published=records)
    with engine.begin() as conn:
        sync.sync(conn, place)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARELINK_SOURCE_GP_URL", practices.url)
        report = pull(engine, place, Settings(cohort=cohort), "gp", lambda: NOW)
        before = everything(engine)
        again = pull(engine, place, Settings(cohort=cohort), "gp", lambda: NOW)
    yield Pulled(engine, report, again, before)
    practices.close()
    engine.dispose()
    postgres.drop("published")


@pytest.fixture
def stored(pulled: Pulled) -> Iterator[Connection]:
    with pulled.engine.connect() as conn:
        yield conn


def everything(engine: Engine) -> list[Any]:
    t = resource.c
    with engine.connect() as conn:
        return list(conn.execute(select(t.key, t.version, t.body).order_by(t.key)))


def test_every_entry_of_every_record_is_accounted_for(stored: Connection, shared_examples: Path) -> None:
    there = found(stored)
    became: list[tuple[Entry, Became]] = [(one, there.became(one)) for one in published_entries(shared_examples)]
    sys.stdout.write(table(became))
    counts: dict[str, Counter[Became]] = {}
    for entry, one in became:
        counts.setdefault(entry.file, Counter())[one] += 1
    assert {file: (n.total(), n[Became.QUARANTINED], n[Became.DUPLICATE]) for file, n in counts.items()} == PUBLISHED
    assert len(became) == 1_864


def test_the_store_holds_nothing_of_the_records_but_their_entries_and_what_these_contained(
    stored: Connection, shared_examples: Path
) -> None:
    entries = {(one.namespace, one.source_id) for one in published_entries(shared_examples)}
    namespaces = {namespace for namespace, _ in entries}
    more = []
    for type_, source_id in found(stored).stored:
        practice, number, name = source_id.split("/", 2)
        if f"{practice}/{number}" in namespaces and (f"{practice}/{number}", name) not in entries:
            more.append((type_, name.partition(".")[0]))
    assert Counter(more) == {("AllergyIntolerance", "List"): 3}, "ended allergies, which come only within a list"


def test_what_was_repaired_says_by_which_rules(stored: Connection, shared_examples: Path) -> None:
    """The rules are found again by mapping and checking each entry without a store."""
    expected: dict[str, list[str]] = {}
    for practice, number, path in published_records(shared_examples):
        for item in map_record(exact_json.loads(path.read_bytes()), practice, number).items:
            key = resource_key("gp", item.namespace, item.type, item.source_id)
            body = rewritten(item.body, "gp", item.namespace)
            checked = check(item.type, {**body, "id": str(key), "resourceType": item.type})
            if rules := [one.rule for one in (*item.repairs, *checked.repairs)]:
                expected[f"{item.type}/{key}"] = rules
    told = {}
    t = resource.c
    for body in stored.execute(select(t.body).where(t.type == "Provenance")).scalars():
        provenance = exact_json.loads(body)
        told[provenance["target"][0]["reference"]] = [
            part["valueString"]
            for repair in provenance["extension"]
            for part in repair["extension"]
            if part["url"] == "rule"
        ]
    assert expected
    assert {target: told.get(target) for target in expected} == expected


def test_pulling_everything_again_writes_no_version_and_nothing_twice(pulled: Pulled) -> None:
    assert (pulled.report.why, pulled.again.why) == ("", "")
    assert pulled.report.stored > 1_800
    assert pulled.again.stored == 0
    assert everything(pulled.engine) == pulled.before
    with pulled.engine.connect() as conn:
        rows = list(conn.execute(select(quarantine.c.hash, quarantine.c.namespace)))
    assert len(rows) == len(set(rows)) == sum(quarantined for _, quarantined, _ in PUBLISHED.values())


def test_the_invented_people_beside_them_are_pulled_too(stored: Connection) -> None:
    patients = [source_id for type_, source_id in found(stored).stored if type_ == "Patient"]
    assert sum(one.startswith("P81001/") for one in patients) == len(people(1, INVENTED).gp)
    assert len(patients) == len(PUBLISHED) + len(people(1, INVENTED).gp)


def test_every_persons_story_and_summary_can_be_told(stored: Connection) -> None:
    lens = Lens.system("test", NOW)
    t = resource.c
    persons = stored.execute(select(t.person).where(t.person.is_not(None)).distinct()).scalars().all()
    assert len(persons) >= len(PUBLISHED)
    for person in persons:
        told = timeline(stored, lens, PersonKey(person)).entries
        assert told
        assert all(one.title and "None" not in one.title for one in told)
        summary(stored, lens, PersonKey(person))


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda one: f"{one.file}: {one.says}")
def test_each_oddity_of_the_records_became_what_a_rule_says(
    stored: Connection, shared_examples: Path, oddity: Oddity
) -> None:
    entry = next(one for one in published_entries(shared_examples) if _is(one, oddity))
    key = found(stored).stored[entry.type, f"{entry.namespace}/{entry.source_id}"]
    assert _at(_body(stored, entry.type, key), oddity.path) == oddity.now
    provenance = resource_key("carelink", "provenance", entry.type, str(key))
    told = [_parts(one) for one in _body(stored, "Provenance", provenance)["extension"]] if oddity.rule else []
    by_rule = [one["was"] for one in told if one["rule"] == oddity.rule]
    assert not oddity.rule or (oddity.was in by_rule if oddity.was else by_rule)


@pytest.mark.parametrize(
    ("file", "type_", "name", "why"), REFUSED, ids=[f"{one[0]}: {one[1]} {one[2]}" for one in REFUSED]
)
def test_what_must_not_be_filed_waits_in_quarantine_with_the_reason(
    stored: Connection, shared_examples: Path, file: str, type_: str, name: str, why: str
) -> None:
    entry = next(
        one
        for one in reversed(list(published_entries(shared_examples)))
        if one.file.startswith(file) and (one.type, one.name) == (type_, name)
    )
    ((raw, reasons),) = found(stored).refused[entry.namespace, entry.type, entry.source_id]
    assert raw == entry.raw
    assert why in reasons[0]["why"]


def _is(entry: Entry, oddity: Oddity) -> bool:
    return entry.file.startswith(oddity.file) and entry.type == oddity.type and oddity.name in ("", entry.name)


def _body(conn: Connection, type_: str, key: Any) -> Any:
    t = resource.c
    return exact_json.loads(conn.execute(select(t.body).where(t.type == type_, t.key == key)).scalar_one())


def _at(body: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        body = body[part]
    return body


def _parts(repair: Any) -> dict[str, str]:
    return {part["url"]: part["valueString"] for part in repair["extension"]}
