"""Pulling a council's JSON API over a real connection."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Asked, Reply, reply, scripted

from fhir_adapters.registry import make
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings

NOW = datetime(2025, 3, 1, tzinfo=UTC)
MAPPING = """
[api]
rows = "found.items"
total = "found.total"
since = "updated_since"
updated = "changed"

[table.people]
path = "v1/people"

[table.people.Patient]
id = "{id}"
name = [ { family = "{name.family}", given = ["{name.given.0}"] } ]
active = "{active | boolean}"
address = [ { postalCode = "{address.postcode}" } ]
extension = [ { url = "urn:weight", valueDecimal = "{weight | decimal}" } ]

[table.alerts]
path = "v1/alerts"

[table.alerts.Flag]
id = "{id}"
status = "active"
code = "{what | concept}"
subject = { reference = "{person | reference people}" }
"""
OPTIONAL = MAPPING.replace('path = "v1/people"', 'path = "v1/people"\noptional = ["name.given.0"]')


def person(id_: str, minute: int, **more: Any) -> dict[str, Any]:
    name = {"family": f"Name{id_}", "given": ["Ann"]}
    changed = f"2025-01-01T10:{minute:02}:00Z"
    row = {"id": id_, "changed": changed, "name": name, "active": True, "address": None, "weight": 61.5}
    return row | more


@dataclass
class Api:
    """A small API: filters and pages as asked. `odd` replaces the answer to the nth question about people."""

    people: list[dict[str, Any]]
    alerts: list[dict[str, Any]] = field(default_factory=list)
    odd: dict[int, Reply] = field(default_factory=dict)
    sorts: bool = True
    asked: int = 0
    url: str = ""

    def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("x-api-key") != "k3y":
            return reply({}, 401)
        if asked.path.endswith("people"):
            self.asked += 1
            if self.asked in self.odd:
                return self.odd[self.asked]
        rows = self.people if asked.path.endswith("people") else self.alerts
        since, size = asked.param("updated_since"), int(asked.param("page_size"))
        found = [row for row in rows if row["changed"] >= since]
        found = sorted(found, key=lambda row: row["changed"]) if self.sorts else found
        start = (int(asked.param("page")) - 1) * size
        return answer(*found[start : start + size], total=len(found))


def answer(*rows: Any, total: Any) -> Reply:
    return reply({"found": {"items": rows, "total": total}}, content_type="application/json")


@pytest.fixture
def api() -> Iterator[Api]:
    """Five people; b, c and d changed in the same instant."""
    alert = {"id": "f1", "changed": "2025-01-01T10:00:00Z", "what": "Dog", "person": "a"}
    held = Api([person("a", 1), person("b", 2), person("c", 2), person("d", 2), person("e", 3)], [alert])
    with scripted(held) as server:
        held.url = server.url
        yield held


@dataclass
class Council:
    api: Api
    mapping: Path

    def pull(self, cursor: Cursor | None = None, secret: str = "k3y") -> tuple[list[Batch], str]:
        """The batches, and the line of the failure that ended them."""
        options = {"mapping": str(self.mapping), "page_size": 2}
        settings = SourceSettings("council-b", "council_rest", "902", self.api.url, secret, 1, 1, options)
        batches: list[Batch] = []
        try:
            for batch in make(settings).pull(cursor, (), NOW):
                batches.append(batch)
        except SourceFailed as failed:
            return batches, failed.why
        return batches, ""


@pytest.fixture
def council(api: Api, tmp_path: Path) -> Council:
    made = Council(api, tmp_path / "council-b.toml")
    made.mapping.write_text(MAPPING)
    return made


def ids(batches: list[Batch]) -> str:
    return "".join(item.source_id for batch in batches for item in batch.items)


def test_endpoints_come_in_the_order_of_the_mapping_file_a_batch_a_page(council: Council) -> None:
    batches, why = council.pull()
    assert (ids(batches), why) == ("abcdef1", "")
    assert [(batch.done, batch.total) for batch in batches] == [(2, 5), (4, 5), (5, 5), (6, 6)]
    first = batches[0].items[0].body
    assert first["name"] == [{"family": "Namea", "given": ["Ann"]}]
    assert (first["active"], first["extension"][0]["valueDecimal"].text) == (True, "61.5")
    assert "address" not in first


def test_only_what_changed_comes_again(council: Council) -> None:
    cursor = council.pull()[0][-1].cursor
    assert council.pull(cursor) == ([], "")
    council.api.people[0] = person("a", 9)
    assert ids(council.pull(cursor)[0]) == "a"


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_pull_goes_on_from_any_batch_without_loss_or_duplication(council: Council, kept: int) -> None:
    first = council.pull()[0][:kept]
    rest, why = council.pull(first[-1].cursor)
    assert (ids(first) + ids(rest), why) == ("abcdef1", "")


def test_an_api_that_does_not_sort_loses_nothing_when_a_pull_breaks_off(council: Council) -> None:
    council.api.sorts = False
    council.api.people.reverse()
    first = council.pull()[0][:2]
    rest, _ = council.pull(first[-1].cursor)
    assert set(ids(first) + ids(rest)) == set("abcdef1")


def test_another_mapping_reads_everything_again(council: Council) -> None:
    cursor = council.pull()[0][-1].cursor
    council.mapping.write_text(OPTIONAL)
    assert ids(council.pull(cursor)[0]) == "abcdef1"


NAMELESS = {name: value for name, value in person("c", 2).items() if name != "name"}

# what the second page of people is | the line
FAULTS = [
    (reply({}, 500), "v1/people: answered 500"),
    (Reply(hang=True), "v1/people: no answer in 1 s"),
    (
        reply(b'{"found": ', content_type="application/json"),
        "v1/people: malformed JSON: Input data was truncated (byte 10)",
    ),
    (reply(b"<p>", content_type="text/html"), "v1/people: wrong content type text/html, expected JSON"),
    (Reply(b'{"found":', claims=900), "v1/people: half an answer: the connection broke before its end"),
    (answer(total=5), "v1/people: half a page: 2 rows came of the 5 that it says there are"),
    (answer(person("a", 1), person("b", 2), total=5), "v1/people: the same page came twice"),
    (answer(person("c", 2), total="5"), "v1/people: the answer does not say 'found.total', how many rows there are"),
    (reply([1]), "v1/people: the answer has no list 'found.items'"),
    (answer(NAMELESS, total=5), "v1/people: column name.family, name.given.0 is missing"),
]


@pytest.mark.parametrize(("second", "line"), FAULTS, ids=[line for _, line in FAULTS])
def test_a_fault_stops_the_pull_with_a_line_and_the_next_pull_goes_on_from_there(
    council: Council, second: Reply, line: str
) -> None:
    council.api.odd = {2: second}
    batches, why = council.pull()
    assert (ids(batches), why) == ("ab", line)
    council.api.odd = {}
    rest, why = council.pull(batches[-1].cursor)
    assert (ids(batches) + ids(rest), why) == ("abcdef1", "")


def test_a_wrong_key_is_said_without_the_key(council: Council) -> None:
    why = council.pull(secret="wr0ng")[1]
    assert why == "v1/people: answered 401: it does not accept our credentials"


def test_a_row_that_is_no_object_or_has_a_bad_cell_is_kept_as_rejected(council: Council) -> None:
    council.api.odd = {1: answer("text", person("b", 2, weight="heavy"), person("c", 2), total=3)}
    batches, why = council.pull()
    assert (ids(batches), why) == ("cf1", "")
    reasons = [(bad.reasons[0].place, bad.reasons[0].why) for bad in batches[0].rejected]
    assert reasons == [
        ("v1/people", "the row is no object"),
        ("v1/people:b:weight", "is no decimal number"),
    ]


LINKED = """
[api]
rows = ""
next = ""
page = "page"
"""


def test_an_api_of_bare_lists_without_totals_ends_at_a_page_that_is_not_full(tmp_path: Path) -> None:
    pages = {"1": [{"id": "a"}, {"id": "b"}], "2": [{"id": "c"}]}
    mapping = tmp_path / "m.toml"
    mapping.write_text(LINKED + '[table.people]\npath = "people"\n[table.people.Patient]\nid = "{id}"\n')
    with scripted(lambda asked: reply(pages[asked.param("page")])) as server:
        settings = SourceSettings("b", "council_rest", "902", server.url, options={"mapping": mapping, "page_size": 2})
        assert ids(list(make(settings).pull(None, (), NOW))) == "abc"


def test_an_api_with_next_links_is_followed_to_its_end(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text('[api]\nnext = "next"\n[table.people]\npath = "people"\n[table.people.Patient]\nid = "{id}"\n')

    def linked(asked: Asked) -> Reply:
        if asked.param("after"):
            return reply({"items": [{"id": "b"}], "next": None})
        return reply({"items": [{"id": "a"}], "next": f"{server.url}/people?after=a"})

    with scripted(linked) as server:
        settings = SourceSettings("b", "council_rest", "902", server.url, options={"mapping": mapping})
        assert ids(list(make(settings).pull(None, (), NOW))) == "ab"
