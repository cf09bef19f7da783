"""Asking PDS about people over a real connection."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient
from scripted_server import Asked, Reply, Scripted, reply, scripted

from fhir_adapters import exact_json
from fhir_adapters.pds import Pds
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

NOW = datetime(2025, 3, 1, tzinfo=UTC)
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
PRESENT, OLD, RESTRICTED, DECEASED, UNKNOWN = "9990000018", "9990000026", "9990000034", "9990000042", "9990000050"


def patient(number: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": number, "identifier": [{"system": NHS, "value": number}]} | more


CONFIDENTIAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
HELD = {
    PRESENT: patient(
        PRESENT, generalPractitioner=[{"reference": "https://directory.example/STU3/Organization/p81001"}]
    ),
    OLD: patient(PRESENT),
    RESTRICTED: patient(RESTRICTED, meta={"security": [CONFIDENTIAL]}),
    DECEASED: patient(DECEASED, deceasedDateTime="2024-12-24T00:00:00+00:00"),
}
MATCHES = {"Only": [PRESENT], "Twin": [RESTRICTED, DECEASED], "Nobody": []}


def outcome(status: int) -> Reply:
    return reply({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}, status)


def pds(asked: Asked) -> Reply:
    if asked.path != "/Patient":
        number = asked.path.rpartition("/")[2]
        return reply(HELD[number]) if number in HELD else outcome(404)
    if asked.param("family") == "Many":
        return outcome(200)
    found = [{"resource": {"resourceType": "Patient", "id": number}} for number in MATCHES[asked.param("family")]]
    return reply({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(pds) as running:
        yield running


def pull(url: str, *wanted: Wanted, cursor: Cursor | None = None) -> list[Batch]:
    return list(Pds(SourceSettings("pds", "pds", "X26", url, timeout=1, attempts=1)).pull(cursor, wanted, NOW))


def number(value: str) -> Wanted:
    return Wanted(nhs_number=value)


def named(family: str, birth_date: str = "1950-02-03") -> Wanted:
    return Wanted(family=family, given="Ann", birth_date=birth_date, gender="female", postcode="AB1 2CD")


def test_a_person_is_read_by_nhs_number_and_their_practice_goes_by_its_ods_code(server: Scripted) -> None:
    (batch,) = pull(server.url, number(PRESENT))
    (item,) = batch.items
    assert (item.type, item.source_id, batch.done, batch.total) == ("Patient", PRESENT, 1, 1)
    (practice,) = item.body["generalPractitioner"]
    assert practice["identifier"] == {"system": ODS, "value": "P81001"}
    assert server.asked[0].headers["x-request-id"]


def test_a_superseded_number_is_kept_as_old_beside_the_new_one(server: Scripted) -> None:
    (batch,) = pull(server.url, number(OLD))
    (item,) = batch.items
    assert item.source_id == PRESENT
    assert item.body["identifier"] == [
        {"system": NHS, "value": PRESENT},
        {"use": "old", "type": {"text": "Superseded NHS number"}, "system": NHS, "value": OLD},
    ]


def test_asked_by_the_old_number_and_by_the_new_one_the_same_resource_comes_every_time(server: Scripted) -> None:
    (both,) = pull(server.url, number(OLD), number(PRESENT))
    (item,) = both.items
    (again,) = pull(server.url, number(PRESENT), cursor=both.cursor)
    assert exact_json.dumps(again.items[0].body["identifier"]) == exact_json.dumps(item.body["identifier"])


def test_restricted_and_deceased_people_come_as_pds_says(server: Scripted) -> None:
    (batch,) = pull(server.url, number(RESTRICTED), number(DECEASED))
    restricted, deceased = batch.items
    assert restricted.body["meta"]["security"] == [CONFIDENTIAL]
    assert deceased.body["deceasedDateTime"] == "2024-12-24T00:00:00+00:00"


# who is asked about | how it ends | questions to PDS
CASES = [
    (number(UNKNOWN), "unknown", 1),
    (number("9990000019"), "invalid", 0),
    (named("Only"), "found", 2),
    (named("Twin"), "several", 1),
    (named("Many"), "several", 1),
    (named("Nobody"), "unknown", 1),
    (named("Only", birth_date="1950"), "too-little", 0),
    (Wanted(), "too-little", 0),
]


@pytest.mark.parametrize(("wanted", "ends", "questions"), CASES, ids=[f"{case[1]}-{case[2]}" for case in CASES])
def test_only_a_single_match_is_stored_and_the_others_are_counted(
    server: Scripted, wanted: Wanted, ends: str, questions: int
) -> None:
    (batch,) = pull(server.url, wanted)
    assert batch.cursor["counts"] == {ends: 1}
    assert len(batch.items) == (1 if ends == "found" else 0)
    assert len(server.asked) == questions


def test_a_search_asks_for_every_detail_that_is_known(server: Scripted) -> None:
    pull(server.url, named("Only"))
    asked = {name: values[0] for name, values in server.asked[0].params.items()}
    expected = {"family": "Only", "given": "Ann", "birthdate": "eq1950-02-03", "gender": "female"}
    assert asked == expected | {"address-postalcode": "AB1 2CD"}


def people(count: int) -> list[Wanted]:
    return [Wanted(family="Nobody", given=f"G{n:03}", birth_date="1950-02-03") for n in range(count)]


def test_a_pull_that_breaks_off_goes_on_at_the_batch_that_was_not_stored(server: Scripted) -> None:
    def fails_at_the_thirtieth(asked: Asked) -> Reply:
        return reply({}, 500) if len(server.asked) == 30 else pds(asked)

    server.answer = fails_at_the_thirtieth
    pulling = Pds(SourceSettings("pds", "pds", "X26", server.url, attempts=1)).pull(None, people(60), NOW)
    batches = [next(pulling)]
    with pytest.raises(SourceFailed, match=r"^pds: answered 500$"):
        next(pulling)
    assert [batch.done for batch in batches] == [25]
    server.answer = pds
    server.asked.clear()
    rest = pull(server.url, *people(60), cursor=batches[-1].cursor)
    assert [batch.done for batch in rest] == [50, 60]
    assert len(server.asked) == 35
    assert rest[-1].cursor["counts"] == {"unknown": 60}


def test_a_finished_round_is_followed_by_another_one(server: Scripted) -> None:
    (first,) = pull(server.url, number(PRESENT))
    (again,) = pull(server.url, number(PRESENT), cursor=first.cursor)
    assert again == first


def test_another_list_of_people_starts_from_its_beginning(server: Scripted) -> None:
    first, _ = pull(server.url, *people(30))
    assert pull(server.url, *people(26), cursor=first.cursor)[0].done == 25


FAULTS = [
    (reply({"error": "no route"}, 404), "answered 404, and not as PDS does"),
    (reply([1]), "the answer to a search is no Bundle"),
    (reply({"resourceType": "Bundle", "total": 3, "entry": []}), "half a page: 0 came of the 3 that it says there are"),
    (reply({"resourceType": "Bundle", "entry": [{}]}), "a match of a search is no Patient with an id"),
    (reply(b"<p>", content_type="text/html"), "wrong content type text/html, expected JSON"),
]


@pytest.mark.parametrize(("answer", "line"), FAULTS, ids=[line for _, line in FAULTS])
def test_nonsense_stops_the_pull_with_a_line(answer: Reply, line: str) -> None:
    wanted = number(PRESENT) if "404" in line else named("Only")
    with scripted(lambda asked: answer) as server, pytest.raises(SourceFailed, match=line):
        pull(server.url, wanted)


def test_an_answer_that_is_no_patient_is_kept_as_rejected() -> None:
    answers = {PRESENT: {"resourceType": "Patient"}, RESTRICTED: ["odd"], DECEASED: patient(DECEASED, identifier={})}
    with scripted(lambda asked: reply(answers[asked.path.rpartition("/")[2]])) as server:
        (batch,) = pull(server.url, *[number(one) for one in answers])
    assert batch.items == ()
    reasons = [(bad.reasons[0].place, bad.reasons[0].why) for bad in batch.rejected]
    assert reasons == [
        ("Patient.id", "the resource has no id"),
        ("Patient", "the answer is no Patient"),
        ("Patient.identifier", "is no list"),
    ]
    assert json.loads(batch.rejected[2].raw)["identifier"] == {}


def test_what_is_kept_is_a_valid_r4_patient(server: Scripted) -> None:
    for batch in pull(server.url, number(OLD), number(RESTRICTED), number(DECEASED)):
        for item in batch.items:
            Patient.model_validate_json(exact_json.dumps(item.body))
