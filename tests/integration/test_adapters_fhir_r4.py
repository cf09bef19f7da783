"""Pulling a FHIR R4 server over a real connection: what comes, in what order, and from where the next pull goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_server import Asked, Reply, Scripted, reply, scripted

from fhir_adapters.fhir_r4 import FhirR4
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings

NOW = datetime(2025, 3, 1, tzinfo=UTC)
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-supported"}]}


def patient(id_: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    changed = f"2025-01-01T10:{minute:02}:00.000+00:00"
    return {"resourceType": "Patient", "id": id_, "meta": {"lastUpdated": changed}} | more


@dataclass
class Hospital:
    """A small FHIR server: sorts and pages as asked. `odd` replaces the answer to the nth question about Patient."""

    held: list[dict[str, Any]]
    odd: dict[int, Reply] = field(default_factory=dict)
    sorts: bool = True
    patients_asked: int = 0
    url: str = ""

    def __call__(self, asked: Asked) -> Reply:
        if asked.path != "/Patient":
            return reply(OUTCOME, 404)
        self.patients_asked += 1
        if self.patients_asked in self.odd:
            return self.odd[self.patients_asked]
        return reply(self.bundle(asked))

    def bundle(self, asked: Asked) -> dict[str, Any]:
        since = asked.param("_lastUpdated", "ge")[2:]
        found = [one for one in self.held if one["meta"]["lastUpdated"] >= since]
        if self.sorts:
            found.sort(key=lambda one: one["meta"]["lastUpdated"])
        start, count = int(asked.param("page", "0")), int(asked.param("_count", "2"))
        shown = found[start : start + count]
        more = f"{self.url}/Patient?_lastUpdated=ge{since.replace('+', '%2B')}&_count={count}&page={start + count}"
        links = [{"relation": "next", "url": more}] if start + count < len(found) else []
        entries = [{"resource": one, "search": {"mode": "match"}} for one in shown]
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links, "entry": entries}


@pytest.fixture
def five() -> Hospital:
    """Five people; b, c and d changed in the same instant."""
    return Hospital([patient("a", 1), patient("b", 2), patient("c", 2), patient("d", 2), patient("e", 3)])


@pytest.fixture
def server(five: Hospital) -> Iterator[Scripted]:
    with scripted(five) as running:
        five.url = running.url
        yield running


def source(url: str, **options: Any) -> FhirR4:
    return FhirR4(SourceSettings("hospital", "fhir_r4", "RDV", url, timeout=1, attempts=1, options=options))


def pulled(url: str, cursor: Cursor | None = None) -> tuple[list[Batch], str]:
    """The batches until the end or the failure, and the line of the failure."""
    batches = []
    try:
        for batch in source(url, page_size=2).pull(cursor, (), NOW):
            batches.append(batch)
    except SourceFailed as failed:
        return batches, failed.why
    return batches, ""


def ids(batches: list[Batch]) -> str:
    return "".join(item.source_id for batch in batches for item in batch.items)


def test_all_pages_come_as_batches_with_how_far_they_are(server: Scripted) -> None:
    batches, why = pulled(server.url)
    assert why == ""
    assert ids(batches) == "abcde"
    assert [(batch.done, batch.total) for batch in batches] == [(2, 5), (4, 5), (5, 5)]
    assert server.asked[0].path == "/Organization"


def test_nothing_new_comes_after_everything_was_read_and_a_change_comes_alone(server: Scripted, five: Hospital) -> None:
    cursor = pulled(server.url)[0][-1].cursor
    assert pulled(server.url, cursor) == ([], "")
    five.held[0] = patient("a", 9)
    assert ids(pulled(server.url, cursor)[0]) == "a"


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_pull_goes_on_from_any_batch_without_loss_or_duplication(server: Scripted, kept: int) -> None:
    first = pulled(server.url)[0][:kept]
    rest, why = pulled(server.url, first[-1].cursor)
    assert (ids(first) + ids(rest), why) == ("abcde", "")


def test_one_that_changes_while_it_is_paged_is_not_lost(server: Scripted, five: Hospital) -> None:
    first = pulled(server.url)[0][:1]
    five.held[1] = patient("b", 5)
    assert ids(pulled(server.url, first[-1].cursor)[0]) == "cdeb"


def bundle(*resources: Any, total: int | None = None, following: str = "", **more: Any) -> Reply:
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource} for resource in resources]
    said = {} if total is None else {"total": total}
    return reply({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries} | said | more)


WARNED = [{"resource": OUTCOME, "search": {"mode": "outcome"}}]

# what the second page of Patient is | the line
FAULTS = [
    (reply({}, 500), "Patient: answered 500"),
    (Reply(hang=True), "Patient: no answer in 1 s"),
    (reply(b'{"resourceType": "Bun'), "Patient: malformed JSON: Input data was truncated (byte 21)"),
    (reply(b"<html>", content_type="text/html"), "Patient: wrong content type text/html, expected JSON"),
    (Reply(b'{"resourceType":', claims=900), "Patient: half an answer: the connection broke before its end"),
    (bundle(patient("c", 2), total=5), "Patient: half a page: 3 came of the 5 that it says there are"),
    (bundle(patient("a", 1), patient("b", 2), total=5), "Patient: the same page came twice"),
    (bundle(patient("c", 2), following="http://elsewhere.example/Patient"), ""),
    (reply({"resourceType": "Patient", "id": "a"}), "Patient: the answer is no Bundle"),
    (reply([1, 2]), "Patient: the answer is no Bundle"),
    (bundle(type="history"), "Patient: the answer is no Bundle of type searchset"),
    (bundle(entry={"no": "list"}), "Patient: the Bundle's entry or link is no list"),
    (bundle(entry=WARNED), "Patient: it says that its answer is not complete"),
]


@pytest.mark.parametrize(("second", "line"), FAULTS, ids=[line or "another host" for _, line in FAULTS])
def test_a_fault_stops_the_pull_with_a_line_and_the_next_pull_goes_on_from_there(
    server: Scripted, five: Hospital, second: Reply, line: str
) -> None:
    five.odd = {2: second}
    batches, why = pulled(server.url)
    assert why == line or "leads to another host" in why
    assert ids(batches).startswith("ab")
    five.odd = {}
    rest, why = pulled(server.url, batches[-1].cursor)
    assert (ids(batches) + ids(rest), why) == ("abcde", "")


def test_a_next_link_that_leads_round_in_a_circle_is_noticed(server: Scripted, five: Hospital) -> None:
    round_and_round = f"{server.url}/Patient?page=2"
    five.odd = {
        1: bundle(patient("a", 1), following=round_and_round),
        2: bundle(patient("b", 2), following=round_and_round),
    }
    assert pulled(server.url)[1] == "Patient: the same page came twice"


def test_a_server_that_does_not_sort_loses_nothing_when_a_pull_breaks_off(server: Scripted, five: Hospital) -> None:
    five.sorts = False
    five.held.reverse()
    first = pulled(server.url)[0][:2]
    rest, _ = pulled(server.url, first[-1].cursor)
    assert set(ids(first) + ids(rest)) == set("abcde")
    assert pulled(server.url, rest[-1].cursor) == ([], "")


def test_what_has_no_id_or_is_no_object_is_kept_as_rejected(server: Scripted, five: Hospital) -> None:
    nameless = {"resourceType": "Patient", "active": True}
    five.odd = {1: bundle(patient("a", 1), nameless, "text", {"id": "x"}, total=4)}
    (batch,), why = pulled(server.url)
    assert (ids([batch]), why) == ("a", "")
    assert [(bad.type, bad.reasons[0].place, bad.reasons[0].why) for bad in batch.rejected] == [
        ("Patient", "Patient.id", "the resource has no id"),
        ("Patient", "Bundle.entry.resource", "is no object"),
        ("Patient", "resourceType", "the resource does not say its type"),
    ]
    assert batch.rejected[0].raw == '{"active":true,"resourceType":"Patient"}'


def test_a_warning_beside_the_matches_is_not_an_item(server: Scripted, five: Hospital) -> None:
    harmless = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    entries = [{"resource": patient("a", 1)}, {"resource": harmless, "search": {"mode": "outcome"}}]
    five.odd = {1: bundle(entry=entries, total=1)}
    batches, why = pulled(server.url)
    assert (ids(batches), why) == ("a", "")


def test_a_type_that_a_place_names_must_be_served(server: Scripted) -> None:
    with pytest.raises(SourceFailed, match="Task: answered 404"):
        list(source(server.url, types=["Patient", "Task"]).pull(None, (), NOW))


def test_a_404_that_is_not_of_a_fhir_server_is_a_failure_not_an_empty_type() -> None:
    with scripted(lambda asked: reply({"error": "no route"}, 404)) as server:
        batches, why = pulled(server.url)
    assert (batches, why) == ([], "Organization: the answer is no Bundle")
