"""What practices can do wrong or refuse, what of it is told, who is asked all the same, and from where the next pull goes on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from gp_connect_builders import A, B, C, D, gives, number_of, practice_of, pulled, refusal, wanted, whose
from scripted_server import Asked, Reply, Scripted, reply, scripted


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(gives) as running:
        yield running


# Refusals: the practice answers, and gives no record


# status | GP Connect's code | whether the data-quality worklist is told
REFUSALS = [
    (404, "PATIENT_NOT_FOUND", False),
    (404, "NO_RECORD_FOUND", False),
    (403, "NO_PATIENT_CONSENT", True),
    (400, "INVALID_NHS_NUMBER", True),
    (400, "INVALID_PATIENT_DEMOGRAPHICS", True),
    (403, "ACCESS_DENIED", True),
    (403, "NO_ORGANISATION_CONSENT", True),
]


@pytest.mark.parametrize(("status", "code", "told"), REFUSALS, ids=[code for _, code, _ in REFUSALS])
def test_a_refusal_about_one_person_stops_nobody_else_and_is_told(
    server: Scripted, status: int, code: str, told: bool
) -> None:
    server.answer = lambda asked: refusal(code, status) if number_of(asked) == B else gives(asked)
    batches, why = pulled(server.url, wanted(A, B, C))
    assert (whose(batches), why) == ([A, C], "")
    assert batches[1].items == ()
    assert batches[-1].cursor == {"after": "", "counts": {code: 1}}
    rejected = batches[1].rejected
    assert [(one.type, one.source_id, one.namespace) for one in rejected] == (
        [("OperationOutcome", code, f"P81001/{B}")] if told else []
    )
    assert all(code in one.reasons[0].why and B not in one.reasons[0].why + one.raw for one in rejected)


def test_a_refusal_that_comes_again_is_the_same_though_its_answer_differs(server: Scripted) -> None:
    diagnostics = count()
    server.answer = lambda asked: refusal("NO_PATIENT_CONSENT", 403, diagnostics=f"trace {next(diagnostics)}")
    assert pulled(server.url, wanted(A)) == pulled(server.url, wanted(A))


def test_a_practice_that_is_not_switched_on_is_a_failure_only_where_there_is_no_other(server: Scripted) -> None:
    server.answer = lambda asked: refusal("ACCESS_DENIED", 403) if practice_of(asked) == "P81002" else gives(asked)
    elsewhere = wanted(B, D, practice="P81002")
    assert pulled(server.url, [*wanted(A), *elsewhere])[1] == ""
    assert pulled(server.url, elsewhere)[1] == "answered 403 (ACCESS_DENIED)"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (refusal("BAD_REQUEST", 400), "answered 400 (BAD_REQUEST)"),
        (refusal("INVALID_PARAMETER", 422), "answered 422 (INVALID_PARAMETER)"),
        (reply({"error": "no route"}, 404), "answered 404"),
        (reply(b"<h1>Forbidden</h1>", 403, "text/html"), "answered 403"),
        (reply({"resourceType": "OperationOutcome", "issue": [{"details": "odd"}, "odd"]}, 404), "answered 404"),
        (reply({}, 401), "answered 401: it does not accept our credentials"),
    ],
    ids=["bad request", "invalid parameter", "gateway", "html", "odd outcome", "unauthorised"],
)
def test_a_refusal_that_is_not_about_the_person_is_a_failure(answer: Reply, line: str) -> None:
    with scripted(lambda asked: answer) as server:
        assert pulled(server.url, wanted(A)) == ([], line)


# Failures

FAULTS = [
    (reply({}, 500), "answered 500"),
    (Reply(hang=True), "no answer in 1 s"),
    (reply(b'{"resourceType": "Bun'), "malformed JSON: Input data was truncated (byte 21)"),
    (reply(b"<html>", content_type="text/html"), "wrong content type text/html, expected JSON"),
    (Reply(b'{"resourceType":', claims=900), "half an answer: the connection broke before its end"),
    (reply([1, 2]), "the answer is no Bundle"),
    (reply({"resourceType": "OperationOutcome"}), "the answer is no Bundle"),
    (reply({"resourceType": "Bundle", "entry": {"no": "list"}}), "the answer's Bundle has no list of entries"),
]
NAMES = ["500", "slow", "malformed", "html", "half", "list", "outcome with 200", "no entries"]


@pytest.mark.parametrize(("answer", "line"), FAULTS, ids=NAMES)
def test_a_source_that_fails_for_everybody_stops_with_that_line_and_moves_nothing(answer: Reply, line: str) -> None:
    with scripted(lambda asked: answer) as server:
        assert pulled(server.url, wanted(A, B)) == ([], line)


@pytest.mark.parametrize(("answer", "line"), FAULTS, ids=NAMES)
def test_one_persons_failure_keeps_nobody_else_from_it_and_is_told_at_the_end(
    server: Scripted, answer: Reply, line: str
) -> None:
    server.answer = lambda asked: answer if number_of(asked) == B else gives(asked)
    batches, why = pulled(server.url, wanted(A, B, C))
    assert whose(batches) == [A, C]
    assert why == f"1 of 3 people could not be asked about: {line} (1)"
    server.answer = gives
    again, why = pulled(server.url, wanted(A, B, C), batches[-1].cursor)
    assert (whose(again), why) == ([A, B, C], "")


def test_a_source_that_is_down_is_not_reachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        assert pulled(f"http://127.0.0.1:{taken.getsockname()[1]}", wanted(A)) == ([], "not reachable")


def test_a_practice_that_keeps_failing_is_left_alone_and_the_others_are_asked(server: Scripted) -> None:
    ill, well = wanted(*NUMBERS[:8], practice="P81002"), wanted(*NUMBERS[8:10])
    server.answer = lambda asked: reply({}, 500) if practice_of(asked) == "P81002" else gives(asked)
    batches, why = pulled(server.url, [*ill, *well])
    assert whose(batches) == NUMBERS[8:10]
    assert [practice_of(asked) for asked in server.asked].count("P81002") == 3
    assert why == "8 of 10 people could not be asked about: answered 500 (8)"


def test_when_one_practice_after_the_other_fails_the_pull_stops(server: Scripted) -> None:
    asked = [one for at, number in enumerate(NUMBERS) for one in wanted(number, practice=f"P8{at:04}")]
    server.answer = lambda asked: reply({}, 503)
    assert pulled(server.url, asked) == ([], "answered 503")
    assert len(server.asked) == 6


def test_no_line_names_a_person(server: Scripted) -> None:
    server.answer = lambda asked: reply({}, 500) if number_of(asked) == B else gives(asked)
    assert not {A, B} & set(pulled(server.url, wanted(A, B))[1].split())


NUMBERS = [A, B, C, D, "9990000050", "9990000069", "9990000077", "9990000085", "9990000093", "9990000107"]


# Going on


def fails_from(at: int, server: Scripted) -> Callable[[Asked], Reply]:
    return lambda asked: reply({}, 500) if len(server.asked) >= at else gives(asked)


@pytest.mark.parametrize("broken_at", [2, 5, 10])
def test_a_pull_that_breaks_off_goes_on_with_those_who_are_left(server: Scripted, broken_at: int) -> None:
    server.answer = fails_from(broken_at, server)
    first, why = pulled(server.url, wanted(*NUMBERS))
    assert whose(first) == NUMBERS[: broken_at - 1]
    assert "answered 500" in why
    server.answer = gives
    server.asked.clear()
    rest, why = pulled(server.url, wanted(*NUMBERS), first[-1].cursor)
    assert (whose(rest), why) == (NUMBERS[broken_at - 1 :], "")
    assert [batch.done for batch in rest] == list(range(broken_at, 11))
    assert rest[-1].cursor == {"after": ""}


def test_the_rest_of_a_round_that_keeps_failing_does_not_keep_the_others_from_being_asked(server: Scripted) -> None:
    server.answer = lambda asked: reply({}, 500) if number_of(asked) == D else gives(asked)
    first, _ = pulled(server.url, wanted(A, D))
    second, why = pulled(server.url, wanted(A, D), first[-1].cursor)
    assert (whose(second), why) == ([], "answered 500")
    third, _ = pulled(server.url, wanted(A, D), second[-1].cursor)
    assert whose(third) == [A]


def test_somebody_new_before_the_cursor_waits_for_the_next_round_and_moves_nobody(server: Scripted) -> None:
    server.answer = fails_from(3, server)
    first, _ = pulled(server.url, wanted(B, C, D))
    server.answer = gives
    rest, _ = pulled(server.url, wanted(A, B, C, D), first[-1].cursor)
    assert whose(rest) == [D]
    assert whose(pulled(server.url, wanted(A, B, C, D), rest[-1].cursor)[0]) == [A, B, C, D]


def test_refusals_are_counted_over_a_round_that_broke_off(server: Scripted) -> None:
    def answers(asked: Asked) -> Reply:
        if number_of(asked) in (A, C):
            return refusal("PATIENT_NOT_FOUND", 404)
        return reply({}, 500) if number_of(asked) == B and len(server.asked) < 4 else gives(asked)

    server.answer = answers
    first, _ = pulled(server.url, wanted(A, B))
    assert first[-1].cursor == {"after": A, "counts": {"PATIENT_NOT_FOUND": 1}}
    rest, _ = pulled(server.url, wanted(A, B, C), first[-1].cursor)
    assert rest[-1].cursor["counts"] == {"PATIENT_NOT_FOUND": 2}
    again, _ = pulled(server.url, wanted(A, B, C), rest[-1].cursor)
    assert again[-1].cursor["counts"] == {"PATIENT_NOT_FOUND": 2}, "of the new round alone"


def test_a_cursor_after_everybody_begins_anew(server: Scripted) -> None:
    assert whose(pulled(server.url, wanted(A), {"after": D})[0]) == [A]
