"""A batch is stored whole or not at all; the same batch again changes nothing; nothing that was sent is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from ingest_builders import (
    SNOMED,
    body,
    condition,
    item,
    key,
    observation,
    patient,
    person_of,
    read,
    refused,
    take,
    versions,
)
from sqlalchemy import Connection, Engine, func, select

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db import sync, tables
from carelink.db.tables import quarantine, resource, resource_version
from carelink.errors import Forbidden, NotFound
from carelink.ids import Ods, UserId, resource_key
from carelink.place import Place
from carelink.record import quarantine as kept
from carelink.record import search, source_state
from carelink.record.ingest import IngestReport, ingest, replay
from carelink.record.query import Query
from fhir_adapters import exact_json
from fhir_adapters.source import Batch, Item, Reason, Rejected, Repair

LATER = timedelta(minutes=5)


def count(conn: Connection, table: Any) -> int:
    return conn.execute(select(func.count()).select_from(table)).scalar_one()


def everything_stored(conn: Connection) -> list[tuple[Any, ...]]:
    """Every row of the record, without the order in which they were written."""
    found: list[tuple[Any, ...]] = []
    for name in ("resource", "resource_version", "index_token", "index_string", "index_date", "index_reference"):
        table = tables.metadata.tables[name]
        found += sorted((name, *map(str, row)) for row in conn.execute(select(table)))
    return found


def test_a_resource_gets_our_id_our_references_where_it_came_from_and_its_person(
    conn: Connection, place: Place, now: datetime
) -> None:
    who, what = patient(), condition(encounter={"reference": "Encounter/e9"})
    report = take(conn, place, [who, what], now)
    row = read(conn, what, now)
    assert (report.stored, report.quarantined, report.links) == (2, 0, {"founder": 1})
    assert report.persons == (person_of(conn, who),)
    assert (row.version, row.source, row.custodian, row.category) == (1, "hospital", "RDV", "problems")
    assert row.person == person_of(conn, who)
    assert body(row)["id"] == str(key(what))
    assert body(row)["subject"] == {"reference": f"Patient/{key(who)}"}
    assert body(row)["encounter"] == {"reference": f"Encounter/{resource_key('hospital', '', 'Encounter', 'e9')}"}
    assert body(row)["meta"] == {
        "profile": ["https://fhir.hl7.org.uk/StructureDefinition/UKCore-Condition"],
        "source": "urn:carelink:source:hospital",
        "versionId": "1",
        "lastUpdated": "2026-11-24T12:00:00.000Z",
    }


def test_what_is_served_is_canonical_and_keeps_the_text_of_decimals(
    conn: Connection, place: Place, now: datetime
) -> None:
    written = observation(value="7.10"), observation("o2", value="0.00"), observation("o3", value="1E+2")
    take(conn, place, [patient(), *written], now)
    told = [read(conn, one, now).body.partition('"value":')[2].partition("}")[0] for one in written]
    assert told == ["7.10", "0.00", "1E+2"]
    row = read(conn, written[0], now)
    assert exact_json.dumps(exact_json.loads(row.body)).decode() == row.body


def test_the_same_batch_again_writes_no_version_and_announces_nothing(
    conn: Connection, place: Place, now: datetime
) -> None:
    items = [patient(), condition(), observation(), item("Observation", "bad", status="no such status")]
    take(conn, place, items, now)
    before, announced = everything_stored(conn), count(conn, tables.outbox)
    again = take(conn, place, items, now + LATER)
    assert (again.stored, again.unchanged, again.quarantined) == (0, 3, 1)
    assert everything_stored(conn) == before
    assert count(conn, tables.outbox) == announced
    assert len(refused(conn)) == 1


def test_a_source_that_only_counts_its_versions_on_causes_none_here(
    conn: Connection, place: Place, now: datetime
) -> None:
    def told(version: str) -> Item:
        return condition(meta={"versionId": version, "lastUpdated": f"2026-11-2{version}T00:00:00Z"})

    take(conn, place, [patient(), told("1")], now)
    assert take(conn, place, [told("2")], now + LATER).stored == 0


def test_a_change_is_a_new_version_with_the_old_one_kept_and_only_the_new_one_indexed(
    conn: Connection, place: Place, now: datetime
) -> None:
    take(conn, place, [patient(), condition()], now)
    take(conn, place, [condition(code="44054006")], now + LATER)
    row = read(conn, condition(), now)
    assert (row.version, row.last_updated) == (2, now + LATER)
    kept_versions = select(resource_version.c.version).where(resource_version.c.key == row.key).order_by("version")
    assert conn.execute(kept_versions).scalars().all() == [1, 2]
    indexed = select(tables.index_token.c.code).where(
        tables.index_token.c.key == row.key, tables.index_token.c.parameter == 100
    )
    assert conn.execute(indexed).scalars().all() == ["44054006"]


def test_of_two_with_one_id_in_a_batch_the_last_counts(conn: Connection, place: Place, now: datetime) -> None:
    report = take(conn, place, [patient(), condition(code="1111"), condition(code="2222")], now)
    assert report.stored == 2
    assert body(read(conn, condition(), now))["code"]["coding"][0]["code"] == "2222"
    assert versions(conn)[key(condition())] == 1


def test_what_is_wrong_is_kept_whole_with_its_places_and_the_rest_is_stored(
    conn: Connection, place: Place, now: datetime
) -> None:
    bad = item("Observation", "bad", status="finished", subject={"reference": "Patient/p1"}, valueInteger="seven")
    report = take(conn, place, [patient(), bad, condition()], now)
    assert (report.stored, report.quarantined) == (2, 1)
    (row,) = conn.execute(select(quarantine)).all()
    assert (row.source, row.custodian, row.type, row.source_id) == ("hospital", "RDV", "Observation", "bad")
    assert row.person == person_of(conn, patient())
    assert {reason["place"] for reason in row.reasons} >= {"Observation.valueInteger"}
    assert '"finished"' in row.raw
    assert "seven" in row.raw
    with pytest.raises(NotFound):
        read(conn, bad, now)


def test_what_an_adapter_rejects_is_kept_too(conn: Connection, place: Place, now: datetime) -> None:
    half = Rejected("Condition", "c7", '{"resourceType": "Cond', (Reason("Condition", "is cut off"),))
    assert take(conn, place, [], now, rejected=[half]).quarantined == 1
    assert refused(conn) == [("Condition", "c7", ["Condition"])]
    assert replay(conn, place, place.source("hospital"), now + LATER).stored == 0
    assert len(refused(conn)) == 1


def test_what_an_adapter_rejected_is_never_stored_by_trying_again_however_sound_it_looks(
    conn: Connection, place: Place, now: datetime
) -> None:
    """It may be in another version of FHIR, or about another person than the one who was asked for."""
    raw = exact_json.dumps(condition("of another").body | {"subject": {"reference": "Patient/p1"}}).decode()
    other = Rejected("Condition", "of another", raw, (Reason("Condition.subject", "is about another person"),))
    take(conn, place, [patient()], now, rejected=[other])
    assert replay(conn, place, place.source("hospital"), now + LATER) == IngestReport()
    assert refused(conn) == [("Condition", "of another", ["Condition.subject"])]


def test_what_comes_before_its_person_waits_and_is_stored_once_they_are_here(
    conn: Connection, place: Place, now: datetime
) -> None:
    hospital = place.source("hospital")
    assert take(conn, place, [condition(), observation()], now).quarantined == 2
    take(conn, place, [patient()], now)
    assert replay(conn, place, hospital, now + LATER).stored == 2
    assert refused(conn) == []
    assert read(conn, condition(), now).person == person_of(conn, patient())
    assert replay(conn, place, hospital, now + LATER).unchanged == 0


def test_a_replayed_resource_keeps_the_repairs_and_custodian_that_its_adapter_gave(
    conn: Connection, place: Place, now: datetime
) -> None:
    repair = Repair("drop-impossible-date", "Condition.onsetDateTime", "2019-05-93", "no such day")
    early = replace(condition(onsetDateTime=None), repairs=(repair,), custodian="P81001")
    take(conn, place, [early], now)
    take(conn, place, [patient()], now)
    replay(conn, place, place.source("hospital"), now + LATER)
    assert read(conn, early, now).custodian == "P81001"
    page = search.run(conn, Lens.system("test", now), Query(types=("Provenance",)))
    (told,) = [body(row) for row in page.rows]
    assert told["target"] == [{"reference": f"Condition/{key(early)}"}]
    assert [part["valueString"] for part in told["extension"][0]["extension"]] == [
        repair.rule,
        repair.path,
        repair.was,
        repair.why,
    ]


def test_a_provenance_ends_when_its_resource_needs_no_repair_any_more(
    conn: Connection, place: Place, now: datetime
) -> None:
    broken = patient(birthDate="1961-04-93")
    assert take(conn, place, [broken], now).repaired == 1
    asked = Query(types=("Provenance",))
    assert len(search.run(conn, Lens.system("test", now), asked).rows) == 1
    take(conn, place, [patient(birthDate="1961-04-09")], now + LATER)
    assert search.run(conn, Lens.system("test", now), asked).rows == ()


def test_a_corrected_resource_ends_its_quarantine_and_a_broken_one_after_it_opens_another(
    conn: Connection, place: Place, now: datetime
) -> None:
    bad = item("Condition", "c1", code={"text": "of nobody"})
    take(conn, place, [patient(), bad], now)
    take(conn, place, [condition()], now + LATER)
    assert refused(conn) == []
    take(conn, place, [condition(), bad], now + LATER)
    assert refused(conn) == [("Condition", "c1", ["Condition.subject"])]
    assert read(conn, bad, now).version == 1


def test_in_one_persons_record_what_names_nobody_is_of_that_person_also_when_it_comes_later(
    conn: Connection, place: Place, now: datetime
) -> None:
    record = "P81001/9990000018"
    medicine = item("Medication", "m1", record, code={"text": "Ramipril 5 mg capsules"})
    surgery = item("Organization", "g1", record, name="Riverside Surgery")
    who = item("Patient", "gp-p", record, name=[{"family": "Hart", "given": ["Nora"]}])
    take(conn, place, [who, medicine, surgery], now, "gp")
    device = item("Device", "d1", record, deviceName=[{"name": "Walking frame", "type": "user-friendly-name"}])
    take(conn, place, [device], now, "gp")
    person = person_of(conn, who, "gp")
    assert read(conn, medicine, now, "gp").person == person
    assert read(conn, device, now, "gp").person == person
    assert (read(conn, surgery, now, "gp").person, read(conn, surgery, now, "gp").category) == (None, "directory")


def test_a_batch_that_fails_in_the_middle_leaves_nothing_and_its_cursor_stays(
    engine: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
        ingest(conn, place, place.source("hospital"), Batch((patient("p0"),), {"page": 1}), now)
        before = everything_stored(conn)

    def stop(*_: Any) -> None:
        raise OSError("the machine is gone")

    batch = Batch((patient(), condition(), item("Observation", "bad", status="x")), {"page": 2})
    with monkeypatch.context() as patched:
        patched.setattr(source_state, "advance", stop)
        with pytest.raises(OSError, match="gone"), engine.begin() as conn:
            ingest(conn, place, place.source("hospital"), batch, now)
    with engine.begin() as conn:
        assert everything_stored(conn) == before
        assert refused(conn) == []
        assert source_state.standings(conn)["hospital"].cursor == {"page": 1}
        ingest(conn, place, place.source("hospital"), batch, now)
        assert source_state.standings(conn)["hospital"].cursor == {"page": 2}


def noise(length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
    """Text that no index can press together."""
    chance = Random(length)
    return "".join(chance.choice(alphabet) for _ in range(length))


HOSTILE = [
    ("a NUL in a name", {"name": [{"family": "Ha\0rt"}]}),
    ("a name of a hundred thousand letters", {"name": [{"family": noise(100_000)}]}),
    ("an identifier longer than an index row", {"identifier": [{"system": "urn:x", "value": noise(9_000)}]}),
    ("a tab, a line end and a backslash", {"name": [{"family": "a\tb\nc\\N\\.d"}]}),
    (
        "a telephone of nine thousand digits",
        {"telecom": [{"system": "phone", "value": "0" + noise(9_000, "123456789")}]},
    ),
    ("a postcode of nine thousand letters", {"address": [{"postalCode": noise(9_000).upper()}]}),
    ("the first day of time", {"birthDate": "0001-01-01"}),
    ("the last day of time", {"birthDate": "9999-12-31"}),
]


@pytest.mark.parametrize(("why", "changed"), HOSTILE, ids=[why for why, _ in HOSTILE])
def test_no_value_of_one_resource_stops_the_others(
    conn: Connection, place: Place, now: datetime, why: str, changed: dict[str, Any]
) -> None:
    report = take(conn, place, [patient("p0"), patient("p1", **changed), condition(subject="p0")], now)
    assert report.stored + report.quarantined == 3
    assert report.stored >= 2


def test_no_number_and_no_id_of_a_source_stops_the_others(conn: Connection, place: Place, now: datetime) -> None:
    huge, endless = observation(value="1E+400000"), condition(noise(9_000))
    report = take(conn, place, [patient(), huge, endless, condition()], now)
    assert (report.stored, report.quarantined) == (2, 2)
    assert ("Observation", "o1", ["Observation.valueQuantity.value"]) in refused(conn), "no statement can read it"
    assert replay(conn, place, place.source("hospital"), now + LATER).stored == 0


def test_labels_of_the_place_become_security_codes_that_every_reader_knows(
    conn: Connection, place: Place, now: datetime
) -> None:
    take(conn, place, [patient(), condition(code="66590003")], now)
    row = read(conn, condition(), now)
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert body(row)["meta"]["security"] == [{"system": act, "code": "ETH"}]
    assert conn.execute(select(resource.c.sensitivities).where(resource.c.key == row.key)).scalar() == 1


def test_the_news_names_the_persons_whose_record_changed(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, [patient(), patient("p2"), condition()], now)
    take(conn, place, [condition(code="44054006"), condition("c2", "p2")], now + LATER)
    told = conn.execute(select(tables.outbox.c.payload).where(tables.outbox.c.kind == "record.changed")).scalars().all()
    both = sorted(str(person_of(conn, patient(id_))) for id_ in ("p1", "p2"))
    times = [at.isoformat() for at in (now, now + LATER)]
    assert told == [{"source": "hospital", "persons": both, "at": at} for at in times]


def test_a_worker_of_the_caseload_is_involved_as_soon_as_their_team_is_stored(
    conn: Connection, place: Place, now: datetime
) -> None:
    team = item(
        "CareTeam",
        "t1",
        status="active",
        subject={"reference": "Patient/p1"},
        participant=[{"member": {"identifier": {"system": "https://northdale.example/worker", "value": "W001"}}}],
    )
    take(conn, place, [patient(), team], now, "council-a")
    involved = select(tables.relationship.c.kind).where(
        tables.relationship.c.person == person_of(conn, patient(), "council-a"), tables.relationship.c.user.is_not(None)
    )
    assert conn.execute(involved).scalars().all() == ["caseload"]


def test_only_those_who_watch_over_data_quality_see_quarantine_or_end_a_row_of_it(
    conn: Connection, place: Place, now: datetime
) -> None:
    take(conn, place, [condition()], now)
    nurse = Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT")
    with pytest.raises(Forbidden):
        kept.listed(conn, Lens.compile(place, nurse, now))
    lens = Lens.system("test", now)
    (row,) = kept.listed(conn, lens)
    kept.resolve(conn, place, lens, row["id"], "the source has deleted it")
    assert kept.listed(conn, lens) == []
    with pytest.raises(NotFound):
        kept.resolve(conn, place, lens, row["id"], "again")


def test_a_code_system_is_kept_beside_its_code(conn: Connection, place: Place, now: datetime) -> None:
    take(conn, place, [patient(), condition()], now)
    t = tables.index_token.c
    asked = select(t.system, t.code, t.person).where(t.key == key(condition()), t.parameter == 100)
    assert conn.execute(asked).all() == [(SNOMED, "73211009", person_of(conn, patient()))]
