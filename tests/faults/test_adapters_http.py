"""What a source can do wrong on the wire, and the line that each ends as. Over a real connection."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from scripted_server import Asked, Reply, Scripted, reply, scripted

from fhir_adapters.auth import ApiKey
from fhir_adapters.breaker import Breaker
from fhir_adapters.http import Client
from fhir_adapters.source import SourceFailed, SourceSettings

SETTINGS = SourceSettings("hospital", "fhir_r4", "RDV", timeout=0.5, attempts=2)


@contextmanager
def asking(answer: Callable[[Asked], Reply], **options: Any) -> Iterator[tuple[Client, Scripted]]:
    """A client of a server that answers so."""
    with scripted(answer) as server, Client(replace(SETTINGS, url=server.url), **options) as client:
        yield client, server


# what the source does | the line | how often it is asked (2: it may pass, so it is tried again)
FAULTS = [
    (Reply(hang=True), "no answer in 0.5 s", 2),
    (reply({}, 500), "answered 500", 2),
    (reply({}, 503), "answered 503", 2),
    (reply({}, 429, Retry_After="0"), "answered 429", 2),
    (reply({}, 404), "answered 404", 1),
    (reply({}, 401), "answered 401: it does not accept our credentials", 1),
    (reply({}, 302, Location="http://elsewhere.example/"), "answered 302", 1),
    (reply(b"<html>", content_type="text/html"), "wrong content type text/html, expected JSON", 1),
    (reply(b"[1, 2"), "malformed JSON: Input data was truncated (byte 5)", 1),
    (reply(b'{"a": nul}'), "malformed JSON: JSON is malformed: invalid character (byte 10)", 1),
    (reply(b'{"a": "\xff"}'), "malformed JSON: not UTF-8 (byte 7)", 1),
    (reply(b"[" * 2000), "malformed JSON: nested too deeply", 1),
    (reply(b""), "malformed JSON: the answer is empty", 1),
    (Reply(b'{"half"', claims=500), "half an answer: the connection broke before its end", 2),
    (reply(b'"' + b"x" * 3000 + b'"'), "the answer is larger than 2 kB", 1),
    (replace(reply(b"not gzip"), headers={"Content-Encoding": "gzip"}), "the answer's compression is broken", 1),
]


@pytest.mark.parametrize(("answer", "line", "times"), FAULTS, ids=[line for _, line, _ in FAULTS])
def test_each_fault_of_a_source_ends_as_one_clear_line(answer: Reply, line: str, times: int) -> None:
    with asking(lambda asked: answer, largest=2048) as (client, server), pytest.raises(SourceFailed) as failed:
        client.get("Patient", {"family": "Secretname"})
    assert failed.value.why == line
    assert failed.value.source == "hospital"
    assert len(server.asked) == times


def test_an_answer_that_only_drips_ends_at_the_timeout_too() -> None:
    seconds = count(0, 1)
    with (
        asking(lambda asked: reply({"a": "slowly"}), clock=lambda: next(seconds)) as (client, server),
        pytest.raises(SourceFailed, match=r"the answer did not end in 0\.5 s"),
    ):
        client.get("Patient")
    assert len(server.asked) == 2


def test_a_certificate_that_is_not_there_is_said() -> None:
    settings = replace(SETTINGS, url="https://spine.example", options={"client_certificate": "/nowhere.pem"})
    with pytest.raises(SourceFailed, match="names no usable PEM file"):
        Client(settings)


def test_a_source_that_is_down_is_not_reachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            Client(replace(SETTINGS, url=url)) as client,
            pytest.raises(SourceFailed, match=r"^hospital: not reachable$"),
        ):
            client.get("Patient")


@pytest.mark.parametrize("url", ["", "ftp://x.example", "/srv/folder", "http://"])
def test_a_source_without_a_web_address_says_what_to_set(url: str) -> None:
    with pytest.raises(SourceFailed, match="has no http"):
        Client(replace(SETTINGS, url=url))


def test_a_failure_that_passes_is_not_seen_by_the_caller() -> None:
    answers = iter([reply({}, 503), reply({"ok": True})])
    with asking(lambda asked: next(answers)) as (client, _):
        assert client.get("Patient").json == {"ok": True}


def test_decimals_keep_their_text_and_expected_statuses_come_back() -> None:
    with asking(lambda asked: reply(b'{"value": 1.00}', 404)) as (client, _):
        answer = client.get("Patient/1", expect={404})
    assert (answer.status, answer.json["value"].text) == (404, "1.00")


def test_a_key_goes_in_its_header_and_never_to_another_host() -> None:
    with asking(lambda asked: reply({}), auth=ApiKey("s3cret", "X-Key")) as (client, server):
        client.post("Patient/$everything", {"resourceType": "Parameters"})
        with pytest.raises(SourceFailed, match="leads to another host"):
            client.get("http://elsewhere.example/Patient?page=2")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["x-key"]) == ("POST", "/Patient/$everything", "s3cret")
    assert asked.body == b'{"resourceType":"Parameters"}'


def test_after_enough_failures_a_source_is_left_alone_until_its_rest_is_over() -> None:
    at = [100.0]
    answers = [reply({}, 400), reply({}, 400), reply({"ok": True})]
    breaker = Breaker(failures_to_open=2, rest=30)
    with asking(lambda asked: answers.pop(0), breaker=breaker, clock=lambda: at[0]) as (client, server):
        for line in ("answered 400", "answered 400", "failed 2 times in a row; left alone for another 30 s"):
            with pytest.raises(SourceFailed, match=line):
                client.get("Patient")
        assert len(server.asked) == 2
        at[0] += 30
        assert client.get("Patient").json == {"ok": True}
    assert breaker.failures == 0


def test_no_line_and_no_log_repeats_what_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level("INFO"),
        asking(lambda asked: reply({}, 500)) as (client, _),
        pytest.raises(SourceFailed) as failed,
    ):
        client.get("Patient/9990000018", {"family": "Secretname"})
    for text in (str(failed.value), caplog.text):
        assert "Secretname" not in text
        assert "9990000018" not in text


# A file: no JSON is expected of it.
FILES = [
    (reply(b"x" * 3000, content_type="application/pdf"), "the answer is larger than 2 kB", 1),
    (reply({}, 404), "answered 404", 1),
    (reply({}, 302, Location="http://elsewhere.example/"), "answered 302", 1),
    (
        Reply(b"half", content_type="application/pdf", claims=500),
        "half an answer: the connection broke before its end",
        2,
    ),
    (Reply(hang=True), "no answer in 0.5 s", 2),
]


@pytest.mark.parametrize(("answer", "line", "times"), FILES, ids=[line for _, line, _ in FILES])
def test_each_fault_of_a_file_ends_as_one_clear_line(answer: Reply, line: str, times: int) -> None:
    with asking(lambda asked: answer, largest=2048) as (client, server), pytest.raises(SourceFailed) as failed:
        client.download("files/1")
    assert failed.value.why == line
    assert len(server.asked) == times


def test_a_file_comes_as_its_bytes_and_only_from_the_host_of_the_source() -> None:
    with asking(lambda asked: reply(b"%PDF", content_type="Application/PDF; version=1.4")) as (client, server):
        got = client.download(f"{server.url}/files/1")
        assert (got.content, got.content_type) == (b"%PDF", "application/pdf")
        with pytest.raises(SourceFailed):
            client.download("http://elsewhere.example/files/1")
    assert [one.path for one in server.asked] == ["/files/1"]
