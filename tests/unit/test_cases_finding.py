"""What may be typed to find a person, right and wrong: every mistake is said beside its field."""

from __future__ import annotations

import pytest

from carelink.cases.finding import Asked, read

RIGHT = [
    ({"nhs_number": "999 000 0018"}, Asked(nhs_number="9990000018"), "an NHS number with spaces"),
    ({"nhs_number": "999-000-0018 "}, Asked(nhs_number="9990000018"), "an NHS number with hyphens"),
    (
        {"nhs_number": "9990000018", "family": "Hart"},
        Asked(nhs_number="9990000018"),
        "an NHS number beside a name: the number is what counts",
    ),
    (
        {"family": " Hart ", "born-day": "6", "born-month": "5", "born-year": "1944"},
        Asked(family="Hart", born="1944-05-06"),
        "a name and a birth date",
    ),
    (
        {"family": "Hart", "given": "Nora", "postcode": "dm1 4qt"},
        Asked(family="Hart", given="Nora", postcode="DM1 4QT"),
        "names and a postcode",
    ),
    ({"family": "Hart", "postcode": "DM14QT"}, Asked(family="Hart", postcode="DM14QT"), "a postcode without its space"),
    ({"family": "Ha\0rt\n", "postcode": "DM1 4QT"}, Asked(family="Hart", postcode="DM1 4QT"), "what nobody can type"),
    ({"family": "O’Brien", "postcode": "DM1 4QT"}, Asked(family="O’Brien", postcode="DM1 4QT"), "an apostrophe"),
]


@pytest.mark.parametrize(("form", "asked", "why"), RIGHT, ids=[why for *_, why in RIGHT])
def test_a_person_is_asked_for_by(form: dict[str, str], asked: Asked, why: str) -> None:
    assert read(form) == (asked, {})


BORN = {"born-day": "6", "born-month": "5", "born-year": "1944"}
WRONG = [
    ({}, {"nhs_number"}, "nothing"),
    ({"nhs_number": " - "}, {"nhs_number"}, "nothing but spaces"),
    ({"nhs_number": "9990000019"}, {"nhs_number"}, "a wrong check digit"),
    ({"nhs_number": "999000001"}, {"nhs_number"}, "nine digits"),
    ({"nhs_number": "nora hart"}, {"nhs_number"}, "letters"),
    ({"given": "Nora", **BORN}, {"family"}, "no family name"),
    ({"family": "Hart"}, {"born"}, "a family name alone"),
    ({"family": "Hart", "postcode": "DM1"}, {"postcode"}, "half a postcode"),
    ({"family": "Hart", "born-year": "1944"}, {"born"}, "a year alone"),
    ({"family": "Hart", **BORN, "born-day": "31", "born-month": "2"}, {"born"}, "a day that does not exist"),
    ({"family": "Hart", **BORN, "born-year": "44"}, {"born"}, "a year of two digits"),
    ({"family": "Hart", **BORN, "born-year": "9" * 30}, {"born"}, "a year without end"),
    ({"family": "Hart", **BORN, "born-day": "9" * 30}, {"born"}, "a day without end"),
    ({"family": "Hart", **BORN, "born-day": "²"}, {"born"}, "a digit that is none"),
    ({"born-day": "x", "born-month": "y", "born-year": "z"}, {"born", "family"}, "two mistakes"),
]


@pytest.mark.parametrize(("form", "fields", "why"), WRONG, ids=[why for *_, why in WRONG])
def test_what_is_wrong_is_said_beside_its_field(form: dict[str, str], fields: set[str], why: str) -> None:
    _, wrong = read(form)
    assert set(wrong) == fields
    assert all(text[0].isupper() for text in wrong.values())
