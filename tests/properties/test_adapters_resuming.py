"""However a pull is cut off, and however many rows share an instant, going on brings the rest: all of it, and once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapters.marks import Mark, Reading

Row = tuple[str, str]  # id, last updated

rows = st.lists(st.integers(0, 4), max_size=12).map(
    lambda minutes: [(f"r{at}", f"2025-01-01T10:{minute:02}:00Z") for at, minute in enumerate(minutes)]
)


def read(held: list[Row], saved: object, size: int, pages: int) -> tuple[list[str], object]:
    """What is new on so many pages of a source that answers from the mark on, in the order in which it holds its rows."""
    start = Mark.of(saved)
    reading = Reading(start)
    found = [row for row in held if row[1] >= start.since]
    new, mark = [], start
    for at in range(0, min(len(found), size * pages), size):
        new += [id_ for id_, changed in found[at : at + size] if reading.is_new(id_, changed)]
        mark = reading.mark(last=at + size >= len(found))
    return new, mark.saved()


@settings(max_examples=80)
@given(rows, st.integers(1, 4), st.integers(0, 4))
def test_a_source_that_sorts_gives_everything_once(held: list[Row], size: int, pages: int) -> None:
    held.sort(key=lambda row: row[1])
    first, saved = read(held, None, size, pages)
    rest, saved = read(held, saved, size, pages=100)
    assert first + rest == [id_ for id_, _ in held]
    assert read(held, saved, size, pages=100)[0] == []


@settings(max_examples=80)
@given(rows, st.integers(1, 4))
def test_a_source_that_does_not_sort_still_gives_everything_that_is_read_to_the_end(held: list[Row], size: int) -> None:
    new, saved = read(held, None, size, pages=100)
    assert new == [id_ for id_, _ in held]
    assert read(held, saved, size, pages=100)[0] == []
