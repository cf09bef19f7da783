"""Small batches of a source are stored together; nothing is lost, doubled or moved by that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ingest_builders import patient

from carelink.jobs.joined import joined
from fhir_adapters.source import Batch, Reason, Rejected, SourceFailed


def batch(at: int, items: int, rejected: int = 0) -> Batch:
    refused = tuple(Rejected("Patient", f"r{at}-{one}", "{}", (Reason("Patient", "why"),)) for one in range(rejected))
    return Batch(tuple(patient(f"p{at}-{one}") for one in range(items)), {"at": at}, refused, at, 9)


def ids(batches: list[Batch]) -> list[list[str]]:
    return [[one.source_id for one in (*each.items, *each.rejected)] for each in batches]


def test_batches_are_joined_until_there_is_enough_and_the_last_ones_cursor_is_kept() -> None:
    found = list(joined([batch(1, 2), batch(2, 1, 1), batch(3, 1)], least=4))
    assert ids(found) == [["p1-0", "p1-1", "p2-0", "r2-0"], ["p3-0"]]
    assert [(one.cursor, one.done, one.total) for one in found] == [({"at": 2}, 2, 9), ({"at": 3}, 3, 9)]


def test_a_batch_that_is_big_enough_stays_as_it_is() -> None:
    big = [batch(1, 4), batch(2, 5)]
    assert list(joined(big, least=4)) == big


def test_an_empty_batch_still_moves_the_cursor() -> None:
    assert [one.cursor for one in joined([batch(1, 0)], least=4)] == [{"at": 1}]
    assert list(joined([], least=4)) == []


@pytest.mark.parametrize("wrong", [SourceFailed("gp", "no answer in 10 s"), ZeroDivisionError()])
def test_what_came_before_a_failure_is_given_before_it_is_raised(wrong: Exception) -> None:
    def breaks() -> Iterator[Batch]:
        yield batch(1, 1)
        raise wrong

    found: list[Batch] = []
    with pytest.raises(type(wrong)):
        found.extend(joined(breaks(), least=4))
    assert ids(found) == [["p1-0"]]
