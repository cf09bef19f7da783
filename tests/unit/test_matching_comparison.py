"""How alike two records are, field by field: a table that a data quality lead can read."""

from __future__ import annotations

import pytest

from carelink.record.comparison import compare, compare_all
from carelink.record.traits import Traits

N, M, OLD = "9990000018", "9990000026", "9990000034"


@pytest.mark.parametrize(
    ("field", "one", "other", "level"),
    [
        ("family", "smith", "smith", "same"),
        ("family", "smith jones", "smithjones", "same"),
        ("family", "smith jones", "jones", "part"),
        ("family", "thompson", "thomson", "near"),
        ("family", "smith", "smyth", "near"),
        ("family", "smith", "jones", "different"),
        ("family", "jones|smith", "smith", "same"),  # the maiden name
        ("family", "", "smith", "missing"),
        ("given", "elizabeth", "elizabeth", "same"),
        ("given", "elizabeth ann", "elizabeth jane", "same"),
        ("given", "liz", "elizabeth", "nickname"),
        ("given", "elisabet", "elizabet", "near"),
        ("given", "j", "john", "initial"),
        ("given", "j", "thomas", "different"),
        ("given", "mary ann", "maryann", "near"),
        ("given", "john robert", "robert", "other"),  # called by the middle name
        ("given", "jack", "oliver", "different"),
        ("given", "", "oliver", "missing"),
        ("birth_date", "1950-03-04", "1950-03-04", "same"),
        ("birth_date", "1950-03-04", "1950-04-03", "near"),  # day and month swapped
        ("birth_date", "1950-03-04", "1950-03-05", "near"),
        ("birth_date", "1956-03-04", "1965-03-04", "near"),
        ("birth_date", "1950-03-04", "1950-11-27", "year"),
        ("birth_date", "1950", "1950-11-27", "part"),
        ("birth_date", "1951", "1950-11-27", "different"),
        ("birth_date", "1950-03-04", "1957-11-27", "different"),
        ("birth_date", "1950-03-04", "1980-03-04", "far"),  # one digit, but a father and a son
        ("birth_date", "", "1980-03-04", "missing"),
        ("gender", "male", "male", "same"),
        ("gender", "male", "female", "different"),
        ("gender", "", "female", "missing"),
        ("postcode", "NE11AA", "NE11AA", "same"),
        ("postcode", "NE11AA", "NE11AB", "near"),
        ("postcode", "NE11AA", "NE21AA", "near"),
        ("postcode", "NE11AA", "LS16AE", "different"),
        ("address", "12 high street", "12 high street", "same"),
        ("address", "12 high street", "12 high street kirkby", "same"),
        ("address", "12 hihg street", "12 high street", "near"),
        ("address", "12 high street", "14 high street", "different"),  # next door
        ("telephone", "01632960001", "01632960001", "same"),
        ("telephone", "01632960001", "01632960010", "near"),
        ("telephone", "01632960001", "07700900123", "different"),
    ],
)
def test_levels(field: str, one: str, other: str, level: str) -> None:
    a, b = Traits(**{field: one}), Traits(**{field: other})
    assert compare(a, b)[field] == compare(b, a)[field] == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (Traits(N, True), Traits(N, True), "verified"),
        (Traits(N, True), Traits(N, False), "same"),
        (Traits(N, True), Traits(M, True), "conflict"),
        (Traits(N, True), Traits("4010232137", False), "different"),
        (Traits("9990000108", True), Traits("9990000180", False), "near"),
        (Traits(N, True, (OLD,)), Traits(OLD, True), "verified"),  # PDS says that one superseded the other
        (Traits(N, True, (OLD,)), Traits(OLD, False), "former"),
        (Traits(N, True), Traits(), "missing"),
    ],
)
def test_nhs_numbers(one: Traits, other: Traits, level: str) -> None:
    assert compare(one, other)["nhs_number"] == compare(other, one)["nhs_number"] == level


def test_of_several_records_the_best_that_is_known_counts() -> None:
    arriving = Traits(family="jones", given="ann", postcode="LS16AE")
    known = [Traits(family="smith", given="ann", postcode="LS16AE"), Traits(family="jones")]
    levels = compare_all(arriving, known)
    assert (levels["family"], levels["given"], levels["postcode"]) == ("same", "same", "same")


def test_a_record_without_a_name_does_not_hide_that_another_has_a_different_one() -> None:
    assert compare_all(Traits(given="jack"), [Traits(given="oliver"), Traits()])["given"] == "different"


def test_a_verified_number_of_somebody_else_is_not_outweighed_by_a_record_without_one() -> None:
    assert compare_all(Traits(N, True), [Traits(), Traits(M, True)])["nhs_number"] == "conflict"
