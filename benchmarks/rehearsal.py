"""How long `carelink what-if` takes on a whole place: 20,000 people and 1,000,000 resources, made in the database.

    python -m benchmarks.rehearsal [people]

It stands apart from the other benchmarks: the database takes minutes to make, and nothing is compared with a floor.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.world import NOW, PLACE
from carelink.cases.rehearsal import what_if
from carelink.db import embedded, schema, sync
from carelink.db.engine import engine_for
from carelink.place_loader import load

PEOPLE = 20_000
EACH = 50  # resources a person

PERSONS = """
insert into person (key, created) select md5('person ' || n)::uuid, :now from generate_series(1, :people) n
"""
# What a person has, by turns: a Patient, who is responsible, a stay, and clinical things of four organisations.
RESOURCES = """
insert into resource (key, type, person, custodian, category, sensitivities, last_updated, body, redacted, hash, version,
                      source, source_id)
select md5(n || ' ' || i)::uuid, kind.type, md5('person ' || n)::uuid, kind.custodian, kind.category,
       case when i % 23 = 0 then 1 when i % 29 = 0 then 64 else 0 end, :now,
       '{"resourceType":"' || kind.type || '","id":"' || md5(n || ' ' || i)::uuid || '",' || kind.said
         || '"code":{"coding":[{"system":"http://snomed.info/sct","code":"' || 100000 + (n * 7 + i * 13) % 5000
         || '","display":"Something that was found"}],"text":"Something that was found"},"note":[{"text":"'
         || repeat('words of a note ', 20) || '"}],"meta":{"source":"urn:carelink:source:x","versionId":"1"}}',
       case when kind.type = 'Patient' then '{}' end, ''::bytea, 1, kind.source, n || '-' || i
from generate_series(1, :people) n cross join generate_series(1, :each) i
cross join lateral (select * from (values
  (1, 'Patient', 'P81001', 'demographics', 'gp',
   '"generalPractitioner":[{"identifier":{"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":"P81001"}}],'),
  (2, 'CareTeam', '901', 'contacts', 'council-a', case when n % 20 = 0 then '"status":"active","participant":[{"member":'
   || '{"identifier":{"system":"https://northdale.example/worker","value":"W001"}}}],' else '"status":"inactive",' end),
  (3, 'Encounter', 'RDV', 'encounters', 'hospital', case when n % 10 = 0 then '"status":"in-progress","serviceProvider":'
   || '{"identifier":{"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":"RDV"}},' else '"status":"planned",' end),
  (4, 'Condition', 'P81001', 'problems', 'gp', ''),
  (5, 'Condition', 'RDV', 'problems', 'hospital', ''),
  (6, 'MedicationStatement', 'P81001', 'medicines', 'gp', ''),
  (7, 'Observation', 'P81001', 'results', 'gp', ''),
  (8, 'Observation', 'RDV', 'results', 'hospital', ''),
  (9, 'EpisodeOfCare', '901', 'services', 'council-a', ''),
  (0, 'DocumentReference', 'RDV', 'documents', 'hospital', '')
) kind (turn, type, custodian, category, source, said)
  where kind.turn = case when i <= 3 then i else 4 + i % 6 end % 10) kind
"""
INVOLVED = """
insert into relationship (person, kind, organisation, "user", team, starts)
select md5('person ' || n)::uuid, kind, organisation, who, team, '2020-01-01' from generate_series(1, :people) n
cross join lateral (values ('registered-practice', 'P81001', null, null, true), ('encounter', 'RDV', null, null, n % 10 = 0),
  ('caseload', '901', 'sam.okafor', null, n % 20 = 0), ('caseload', '901', null, 'adults-north', n % 20 = 0))
  involved (kind, organisation, who, team, holds) where holds
"""
OBJECTIONS = """
insert into directive (person, consent, rule, effect, starts, organisation)
select md5('person ' || n)::uuid, gen_random_uuid(), 'L7-objection', 'deny', '2020-01-01', case when n % 2 = 0 then '901' end
from generate_series(1, :people) n where n % 33 = 0
"""
# What is tried: (file, what it says, what it says instead).
_RULE = '[[label]]\nid = "tried"\nbecause = "tried"\nsensitivities = ["PSY"]\n'
TRIED = {
    "an agreement less": ("agreements.toml", '"services", "assessments"', '"assessments"'),
    "shorter grace, so everybody's involvement anew": ("relationships.toml", "grace_days = 28", "grace_days = 7"),
    "a label rule of one code": (
        "labels.toml",
        "[[label]]",
        f'{_RULE}codes = [["http://snomed.info/sct", "100013"]]\n[[label]]',
    ),
    "a label rule for every Condition": ("labels.toml", "[[label]]", f'{_RULE}types = ["Condition"]\n[[label]]'),
}


@contextmanager
def filled(people: int) -> Iterator[Engine]:
    """A database of so many people; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="carelink-rehearsal-"))
    server = embedded.start(folder / "postgres")
    engine = engine_for(server.url)
    try:
        schema.upgrade(engine)
        with engine.begin() as conn:
            sync.sync(conn, load(PLACE))
            for statement in (PERSONS, RESOURCES, INVOLVED, OBJECTIONS):
                conn.execute(text(statement), {"people": people, "each": EACH, "now": NOW})
        with engine.connect() as conn:
            conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")
        yield engine
    finally:
        engine.dispose()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def tried(folder: Path, file: str, was: str, now: str) -> Path:
    """The example pack with that change."""
    shutil.copytree(PLACE, folder)
    (folder / file).write_text((folder / file).read_text("utf-8").replace(was, now, 1), "utf-8")
    return folder


def main(people: int) -> None:
    """A line for each change: what it took and what came out."""
    with filled(people) as engine, tempfile.TemporaryDirectory() as packs:
        print(f"{people} people, {people * EACH} resources")
        for number, (name, (file, was, now)) in enumerate(TRIED.items()):
            pack, began = load(tried(Path(packs) / str(number), file, was, now)), time.perf_counter()
            with engine.begin() as conn:
                report = what_if(conn, load(PLACE), pack, NOW, "benchmark")
            totals = "; ".join(f"{one.change}: {one.people} people, {one.items} items" for one in report.totals)
            print(f"{time.perf_counter() - began:6.1f} s  {name}: {totals or 'nobody'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE)
