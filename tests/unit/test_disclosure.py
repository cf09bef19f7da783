"""No count that is kept back can be worked out: tried on every small table, by whoever knows how it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from carelink.cases.disclosure import FEWEST, SPREAD, Disclosure, shown

MOST = 11  # people in one cell of the small tables
THRESHOLDS = range(FEWEST, FEWEST + SPREAD)
Table = tuple[int, ...]
Published = tuple[object, ...]


@pytest.mark.parametrize("people", range(200))
def test_none_under_five_is_shown_and_the_others_to_the_nearest_five(people: int) -> None:
    for threshold in THRESHOLDS:
        told = shown(people, threshold)
        assert (told is None) == (people < threshold)
        assert told is None or (people >= 5 and told % 5 == 0 and abs(told - people) <= 2)


def possible(publish: Callable[[Table, Table], Published], tables: list[Table]) -> dict[Published, set[Table]]:
    """What was published -> the tables that it may have been, whatever thresholds they had: what anybody can work out."""
    found: dict[Published, set[Table]] = {}
    for table in tables:
        for thresholds in product(THRESHOLDS, repeat=len(table)):
            found.setdefault(publish(table, thresholds), set()).add(table)
    return found


def plainly(table: Table, thresholds: Table) -> tuple[int | None, ...]:
    return tuple(map(shown, table, thresholds))


def tables(cells: int, most: int = MOST) -> list[Table]:
    return list(product(range(most + 1), repeat=cells))


def kept_back(found: dict[Published, set[Table]]) -> Iterator[tuple[Published, set[int]]]:
    """Each cell that is published as nothing, with all that it may be."""
    for published, may_be in found.items():
        for number, told in enumerate(published):
            if told is None:
                yield published, {table[number] for table in may_be}


def test_of_what_is_kept_back_nobody_can_tell_even_whether_it_is_under_five() -> None:
    for cells in (1, 2, 3):
        for published, may_be in kept_back(possible(plainly, tables(cells, 9 if cells == 3 else MOST))):
            assert may_be == set(range(FEWEST + SPREAD - 1)), published


def test_of_two_answers_that_differ_by_one_person_neither_tells_what_is_kept_back() -> None:
    """Somebody comes to be counted in one of two cells, and it is known that it was one person, and in which."""

    def before_and_after(table: Table, thresholds: Table) -> Published:
        return (*plainly(table, thresholds), *plainly((table[0] + 1, table[1]), thresholds))

    found = possible(before_and_after, tables(2))
    for published, may_be in found.items():
        for number, told in enumerate(published[:2]):
            values = {table[number] for table in may_be}
            if told is None:
                assert len(values) >= 2, published
                assert max(values) >= FEWEST, published
        if published[2] is None:
            assert len({table[0] + 1 for table in may_be}) >= 2, published


def test_with_one_threshold_for_all_that_everybody_knows_it_would_be_told() -> None:
    """Why the threshold is drawn: the test above could fail."""
    appears = {people for people in range(MOST) if shown(people, 5) is None and shown(people + 1, 5) is not None}
    assert appears == {4}, "the one person who came is known to be the fifth"


def test_nor_does_a_count_of_all_who_are_in_any_of_the_cells() -> None:
    """People who are in one or more cells of a table may be counted together by another question."""

    def with_any(table: Table, thresholds: Table) -> Published:
        *cells, together = table
        return (*plainly(tuple(cells), thresholds[:-1]), shown(together, thresholds[-1]))

    overlapping = [
        (one, other, together)
        for one, other in product(range(MOST), repeat=2)
        for together in range(max(one, other), one + other + 1)
    ]
    for published, may_be in kept_back(possible(with_any, overlapping)):
        assert max(may_be) >= FEWEST, f"it is told that a count is under five: {published}"


def test_a_total_of_cells_that_exclude_each_other_would_tell_and_so_there_is_none() -> None:
    """Ages and sexes exclude each other. Rounded for itself, their total tells with fixed thresholds: 7, 7 and 4."""

    def with_total(table: Table) -> Published:
        return (*plainly(table, (5,) * len(table)), shown(sum(table), 5))

    found: dict[Published, set[Table]] = {}
    for table in tables(3, 12):
        found.setdefault(with_total(table), set()).add(table)
    assert {table[2] for table in found[5, 5, None, 20]} == {4}


def test_a_threshold_is_always_the_same_and_hangs_on_the_secret_of_the_installation() -> None:
    here, there = Disclosure.of("one secret"), Disclosure.of("another")
    cells = [("question", str(number), "x") for number in range(400)]
    assert [here.threshold(*cell) for cell in cells] == [Disclosure.of("one secret").threshold(*cell) for cell in cells]
    assert {here.threshold(*cell) for cell in cells} == set(THRESHOLDS)
    assert [here.threshold(*cell) for cell in cells] != [there.threshold(*cell) for cell in cells]
    assert here.shown(4, *cells[0]) is None
    assert here.shown(12, *cells[0]) == 10
