"""What a whole part of a source covers: its own ids, never those of another table, never who somebody is."""

from __future__ import annotations

import pytest

from fhir_adapters.whole import Id, IdForm, Whole

REVIEWS, REQUESTS, PLAIN = IdForm("Task", "review-"), IdForm("Task", "request-"), IdForm("Task")

# the table's own forms, those of the others, an id: whether it belongs to the table
CASES: list[tuple[tuple[IdForm, ...], tuple[IdForm, ...], Id, bool]] = [
    ((REVIEWS,), (REQUESTS,), ("Task", "review-1"), True),
    ((REVIEWS,), (REQUESTS,), ("Task", "request-1"), False),
    ((REVIEWS,), (), ("Flag", "review-1"), False),
    ((REVIEWS,), (), ("Task", "review-"), False),
    ((PLAIN,), (REQUESTS,), ("Task", "request-1"), False),  # the more exact form made it
    ((PLAIN,), (REQUESTS,), ("Task", "17"), True),
    ((REQUESTS,), (PLAIN,), ("Task", "request-1"), True),
    ((PLAIN,), (PLAIN,), ("Task", "17"), False),  # nobody can tell whose it is
    ((IdForm("Flag", "", "-x"),), (), ("Flag", "1-x"), True),
    ((IdForm("Flag", "", "-x"),), (), ("Flag", "1"), False),
    ((), (), ("Condition", "1"), True),  # a person's record: all of it
    ((), (), ("Patient", "1"), False),
    ((IdForm("Patient"),), (), ("Patient", "1"), False),
]


@pytest.mark.parametrize(("forms", "others", "one", "covered"), CASES)
def test_an_id_belongs_to_the_table_whose_form_fits_it_best(
    forms: tuple[IdForm, ...], others: tuple[IdForm, ...], one: Id, covered: bool
) -> None:
    assert Whole("t", frozenset(), forms=forms, others=others).covers(one) is covered


def test_gone_is_what_is_held_of_the_part_and_not_told() -> None:
    whole = Whole("t", frozenset({("Task", "review-1")}), forms=(REVIEWS,), others=(REQUESTS,))
    held = [("Task", "review-1"), ("Task", "review-2"), ("Task", "request-3")]
    assert whole.gone(held) == [("Task", "review-2")]
