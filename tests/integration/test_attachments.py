"""Files that resources name: no source's address is served, and whoever may see the resource gets the file from us."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import ANN, BOB, HER_ITEMS, HIS_ITEMS, api, people, read, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import body, item, key, take
from ingest_builders import read as stored
from push_builders import body as sending
from push_builders import pushing_in
from scripted_server import Asked, Reply, Scripted, reply, scripted
from sqlalchemy import Connection, Engine, select

from carelink import clock
from carelink.consent.redaction import redact
from carelink.db.tables import attachment
from carelink.place import Place
from carelink.record.attachments import addressed
from fhir_adapters.source import Item

ROOT = "/fhir/R4"
LETTER = b"Admitted for three days."
PDF = b"%PDF-1.4 a letter"


def document(id_: str, *attachments: dict[str, Any], of: str = "ann", **more: Any) -> Item:
    listed = [{"attachment": one} for one in attachments]
    return item("DocumentReference", id_, status="current", subject={"reference": f"Patient/{of}"}, content=listed, **more)  # fmt: skip


def inline(content: bytes = LETTER, kind: str = "text/plain", **more: Any) -> dict[str, Any]:
    return {"contentType": kind, "data": base64.b64encode(content).decode(), **more}


def addresses(conn: Connection, one: Item) -> list[str]:
    told = body(stored(conn, one, clock.now()))
    return [each["attachment"]["url"] for each in told["content"]]


def hold(engine: Engine, place: Place, *items: Item) -> list[str]:
    """Store them; gives the addresses of the files of the first."""
    with engine.begin() as conn:
        take(conn, place, items, clock.now())
        return addresses(conn, items[0])


@pytest.fixture
def asks(engine: Engine, place: Place) -> Iterator[FlaskClient]:
    """A system of the hospital, on a ward of which Ann is."""
    people(engine, place)
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """The hospital, which has one letter."""

    def answer(asked: Asked) -> Reply:
        return reply(PDF, content_type="application/pdf") if asked.path == "/files/1" else reply({}, 404)

    with scripted(answer) as server:
        monkeypatch.setenv("CARELINK_SOURCE_HOSPITAL_URL", server.url)
        monkeypatch.setenv("CARELINK_SOURCE_HOSPITAL_SECRET", "the key of the hospital")
        yield server


# Where a file may stand ------------------------------------------------------------------------------

URL = "https://northdale.example/files/1"
PLACES: list[tuple[str, dict[str, Any]]] = [
    ("a photo of a Patient", {"photo": [{"url": URL}]}),
    ("a report", {"presentedForm": [{"url": URL}]}),
    ("a document", {"content": [{"attachment": {"url": URL}}]}),
    ("a message", {"payload": [{"contentAttachment": {"url": URL}}]}),
    ("an answer within an answer", {"item": [{"answer": [{"item": [{"answer": [{"valueAttachment": {"url": URL}}]}]}]}]}),
    ("an extension", {"extension": [{"url": "https://x.example/e", "valueAttachment": {"url": URL}}]}),
    ("something contained", {"contained": [{"resourceType": "Patient", "photo": [{"url": URL}]}]}),
    ("a paper that was signed", {"sourceAttachment": {"url": URL}}),
    ("a picture", {"resourceType": "Media", "content": {"url": URL}}),
    ("an address within the source", {"photo": [{"url": "Binary/7"}]}),
]  # fmt: skip


@pytest.mark.parametrize("said", [row[1] for row in PLACES], ids=[row[0] for row in PLACES])
def test_no_address_of_a_source_is_left(said: dict[str, Any]) -> None:
    left, files = addressed({"id": "a", **said})
    [file] = files
    assert f"Binary/att-{file.key}" in str(left)
    assert not any(one in str(left) for one in ("northdale", "Binary/7"))
    again, same = addressed(left)
    assert again is left, "our address stays"
    assert [one.key for one in same] == [file.key]
    assert same[0].url is None


def test_what_is_no_place_stays() -> None:
    said = {"id": "a", "photo": [{"url": "urn:uuid:1"}, {"url": "#a"}, {"title": "none"}]}
    assert addressed(said) == (said, ())


# What is served ---------------------------------------------------------------------------------------


def test_a_file_in_the_resource_is_given_as_bytes_that_no_page_opens(
    asks: FlaskClient, engine: Engine, place: Place
) -> None:
    [address] = hold(engine, place, document("d1", inline()))
    answer = asks.get(f"{ROOT}/{address}", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.data, answer.content_type) == (200, LETTER, "text/plain; charset=utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="attachment.txt"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    kept = trail(engine)[-1]
    assert (kept.action, kept.detail["resource"]) == ("read", str(key(document("d1"))))


def test_who_asks_for_fhir_gets_a_binary(asks: FlaskClient, engine: Engine, place: Place) -> None:
    one = document("d1", inline())
    [address] = hold(engine, place, one)
    told = read(asks.get(f"{ROOT}/{address}", headers={"Accept": "application/fhir+json"}))
    assert told == {
        "resourceType": "Binary",
        "id": address.removeprefix("Binary/"),
        "contentType": "text/plain",
        "securityContext": {"reference": f"DocumentReference/{key(one)}"},
        "data": base64.b64encode(LETTER).decode(),
    }


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/x-sh"]
)
def test_what_a_browser_might_run_is_only_bytes(asks: FlaskClient, engine: Engine, place: Place, kind: str) -> None:
    [address] = hold(engine, place, document("d1", inline(b"<script>1</script>", kind)))
    answer = asks.get(f"{ROOT}/{address}")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="attachment.bin"'


def test_a_file_at_the_source_is_fetched_by_our_connection(
    asks: FlaskClient, engine: Engine, place: Place, files: Scripted
) -> None:
    [address] = hold(engine, place, document("d1", {"contentType": "application/pdf", "url": f"{files.url}/files/1"}))
    answer = asks.get(f"{ROOT}/{address}")
    assert (answer.status_code, answer.data, answer.content_type) == (200, PDF, "application/pdf")
    assert [one.path for one in files.asked] == ["/files/1"]
    assert "the key of the hospital" in str(files.asked[0].headers)


def test_an_address_within_the_source_is_asked_for_there(
    asks: FlaskClient, engine: Engine, place: Place, files: Scripted
) -> None:
    told = {"resourceType": "Binary", "contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}
    files.answer = lambda asked: reply(told)
    [address] = hold(engine, place, document("d1", {"url": "Binary/7"}))
    answer = asks.get(f"{ROOT}/{address}")
    assert (answer.status_code, answer.data, answer.content_type) == (200, PDF, "application/pdf")
    assert files.asked[0].path == "/Binary/7"


@pytest.mark.parametrize("url", ["https://elsewhere.example/files/1", "http://127.0.0.1:1/", "file:///etc/passwd"])
def test_no_other_host_is_asked(asks: FlaskClient, engine: Engine, place: Place, files: Scripted, url: str) -> None:
    [address] = hold(engine, place, document("d1", {"url": url}))
    said = wrong(asks.get(f"{ROOT}/{address}"), 503, "transient")
    assert url not in str(said)
    assert files.asked == []


def test_a_source_that_sends_on_to_elsewhere_is_not_followed(
    asks: FlaskClient, engine: Engine, place: Place, files: Scripted
) -> None:
    files.answer = lambda asked: reply(b"", 302, Location="https://elsewhere.example/")
    [address] = hold(engine, place, document("d1", {"url": f"{files.url}/files/1"}))
    wrong(asks.get(f"{ROOT}/{address}"), 503, "transient")
    assert len(files.asked) == 1


def test_a_source_without_files_says_so(asks: FlaskClient, engine: Engine, place: Place) -> None:
    with engine.begin() as conn:
        moved = {"key": key(document("d1")), "source": "council-a"}
        take(conn, place, [document("d1", {"url": "files/1"})], clock.now())
        conn.execute(attachment.update().where(attachment.c.resource == moved["key"]).values(source=moved["source"]))
        [address] = addresses(conn, document("d1"))
    said = wrong(asks.get(f"{ROOT}/{address}"), 503, "transient")
    assert "gives no files" in said["diagnostics"]


def _as_ann() -> dict[str, Any]:
    return {name: value for name, value in ANN.body.items() if name not in ("resourceType", "id")}


# Who may have it ---------------------------------------------------------------------------------------


def test_a_file_of_what_may_not_be_seen_is_as_one_that_is_not_there(
    asks: FlaskClient, engine: Engine, place: Place
) -> None:
    [his] = hold(engine, place, document("d2", inline(), of="bob"))
    nothing = wrong(asks.get(f"{ROOT}/Binary/att-{uuid4()}"), 404, "not-found")
    assert wrong(asks.get(f"{ROOT}/{his}"), 404, "not-found") == nothing


def test_a_file_is_of_the_types_that_the_scopes_name(engine: Engine, place: Place) -> None:
    people(engine, place)
    [hers] = hold(engine, place, document("d1", inline()))
    app = api(engine, place)
    with system(app, place, "binaries", "RDV", "nurse", "system/Binary.r system/Condition.rs") as client:
        wrong(client.get(f"{ROOT}/{hers}"), 404, "not-found")
    with system(app, place, "documents", "RDV", "nurse", "system/DocumentReference.rs") as client:
        wrong(client.get(f"{ROOT}/{hers}"), 403, "forbidden")
    with system(app, place, "both", "RDV", "nurse", "system/Binary.r system/DocumentReference.rs") as client:
        assert client.get(f"{ROOT}/{hers}").status_code == 200


def test_the_redacted_form_of_a_letter_leads_to_no_file() -> None:
    body, _ = addressed({"id": "a", "content": [{"attachment": {"url": URL, "title": "Letter"}}]})
    assert redact("DocumentReference", body) == {"id": "a", "content": [{"attachment": {"title": "Letter"}}]}


# Storing -------------------------------------------------------------------------------------------------


def test_the_same_again_is_the_same_and_another_file_has_another_address(engine: Engine, place: Place) -> None:
    people(engine, place)
    first = hold(engine, place, document("d1", inline(), {"url": URL}))
    assert hold(engine, place, document("d1", inline(), {"url": URL})) == first
    second = hold(engine, place, document("d1", inline(b"Another."), {"url": URL}))
    assert (second[0] != first[0], second[1] == first[1]) == (True, True)
    with engine.connect() as conn:
        kept = conn.execute(select(attachment.c.key, attachment.c.url).order_by(attachment.c.url)).all()
    assert {f"Binary/att-{row.key}": row.url for row in kept} == {second[0]: "", second[1]: URL}


def test_nothing_that_was_published_is_served_with_an_address_of_a_source(engine: Engine, place: Place) -> None:
    people(engine, place)
    photo = {**_as_ann(), "photo": [{"url": URL, "title": "Me"}]}
    with engine.begin() as conn:
        take(conn, place, [item("Patient", "ann", **photo), *HER_ITEMS, *HIS_ITEMS, BOB], clock.now())
        assert "northdale" not in stored(conn, ANN, clock.now()).body


# What clients write ------------------------------------------------------------------------------------


def test_a_client_that_writes_back_what_it_read_loses_no_file(engine: Engine, place: Place, files: Scripted) -> None:
    pushing = pushing_in(engine, place)
    one = document("d1", {"contentType": "application/pdf", "url": f"{files.url}/files/1"})
    [address] = hold(engine, place, one)
    path = f"{ROOT}/DocumentReference/{key(one)}"
    there = read(pushing.ward.get(path))
    sent = {name: value for name, value in there.items() if name != "meta"} | {"description": "Read"}
    written = pushing.ward.put(path, **sending(sent))
    assert written.status_code == 200, written.text
    again = read(pushing.ward.get(path))
    assert again["content"] == there["content"]
    assert pushing.ward.get(f"{ROOT}/{address}").data == PDF


def test_a_client_can_not_take_the_file_of_another_resource_as_its_own(engine: Engine, place: Place) -> None:
    pushing = pushing_in(engine, place)
    [his] = hold(engine, place, document("d2", inline(), of="bob"))
    sent = {**document("d3").body, "subject": {"reference": pushing.ann}, "content": [{"attachment": {"url": his}}]}
    sent.pop("id")
    made = pushing.ward.post(f"{ROOT}/DocumentReference", **sending(sent))
    assert made.status_code == 201, made.text
    wrong(pushing.ward.get(f"{ROOT}/{his}"), 404, "not-found")


def test_an_address_that_a_client_wrote_is_never_asked_for_with_our_key(
    engine: Engine, place: Place, files: Scripted
) -> None:
    pushing = pushing_in(engine, place)
    sent = {**document("d3").body, "subject": {"reference": pushing.ann}, "content": [{"attachment": {"url": f"{files.url}/Patient?name=Hill"}}]}  # fmt: skip
    sent.pop("id")
    made = pushing.ward.post(f"{ROOT}/DocumentReference", **sending(sent))
    assert made.status_code == 201, made.text
    there = read(pushing.ward.get(made.headers["Location"].partition("/_history")[0]))
    wrong(pushing.ward.get(f"{ROOT}/{there['content'][0]['attachment']['url']}"), 503, "transient")
    assert files.asked == []


def test_a_source_that_answers_with_a_record_in_place_of_a_file_is_not_passed_on(
    asks: FlaskClient, engine: Engine, place: Place, files: Scripted
) -> None:
    files.answer = lambda asked: reply({"resourceType": "Bundle", "type": "searchset"})
    [address] = hold(engine, place, document("d1", {"url": f"{files.url}/Patient?name=Hill"}))
    wrong(asks.get(f"{ROOT}/{address}"), 503, "transient")
