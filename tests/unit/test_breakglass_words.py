"""Break-glass without a database: what is asked of a worker, what is promised, what a reviewer reads."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from conftest import NOW

from carelink.cases import breakglass, breakglass_evidence, breakglass_finding, breakglass_opening, breakglass_review
from carelink.cases.breakglass_evidence import Look
from carelink.cases.breakglass_review import Case
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.errors import Forbidden
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

Row = namedtuple("Row", "action query count rules")
BORN = {"born-day": "6", "born-month": "5", "born-year": "1944"}


def lens_of(place: Place, user: str, **changed: object) -> Lens:
    """What this worker may ask in their usual role."""
    one = place.staff[UserId(user)]
    purpose = place.roles[one.role].purposes[0]
    type_ = place.organisations[one.organisation].type
    asked = Requester(one.id, one.name, one.organisation, type_, one.role, purpose, one.team)
    return Lens.compile(place, replace(asked, **changed), NOW)  # type: ignore[arg-type]


# Who may -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "changed", "may"),
    [
        ("gwen.price", {}, True),
        ("nadia.rahman", {}, True),
        ("iris.lang", {}, False),
        ("paul.reyes", {}, False),
        ("gwen.price", {"purpose": "HOPERAT"}, False),
        ("gwen.price", {"behind": UserId("iris.lang")}, False),
        ("gwen.price", {"person": PersonKey(UUID(int=1))}, False),
    ],
)
def test_break_glass_is_offered_to_a_role_that_may_for_direct_care_and_to_nobody_who_views_as_another(
    place: Place, user: str, changed: dict[str, object], may: bool
) -> None:
    assert breakglass.offered(place, lens_of(place, user, **changed)) is may


def test_a_place_without_it_offers_it_to_nobody_and_a_system_never_asks(place: Place) -> None:
    assert not breakglass.offered(replace(place, glass=None), lens_of(place, "gwen.price"))
    assert not breakglass.offered(place, Lens.system("a job", NOW))
    with pytest.raises(Forbidden):
        breakglass.must_be_offered(place, Lens.system("a job", NOW))


# What is asked -------------------------------------------------------------------------------------


def test_words_are_kept_on_one_line_without_what_nobody_types(place: Place) -> None:
    why, wrong = breakglass.read({"reason": "duty", "words": " came to\n\tthe  desk\x00 alone "}, place)
    assert (why.words, wrong) == ("came to the desk alone", {})


FORMS = [
    ({"nhs_number": "999 000 0018", **BORN}, {}, "identifier&birthdate"),
    ({"family": "Hart", "postcode": "dm1 4qt", **BORN}, {}, "family&birthdate&address-postalcode"),
    ({"nhs_number": "9990000018"}, {"born": "Enter the whole date of birth"}, None),
    ({"nhs_number": "123", **BORN}, {"nhs_number": "This is not an NHS number: check the ten digits"}, None),
    (BORN, {"nhs_number": "Enter the NHS number, or the family name and the postcode"}, None),
    ({"family": "Hart", **BORN}, {"postcode": "Enter a whole postcode, like DM1 4QT"}, None),
    ({"postcode": "DM1 4QT", **BORN}, {"family": "Enter the family name"}, None),
    ({"family": "Hart", "postcode": "DM1", **BORN}, {"postcode": "Enter a whole postcode, like DM1 4QT"}, None),
    ({}, {"born": "Enter the whole date of birth", "nhs_number": "Enter the NHS number, or the family name and the postcode"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("form", "wrong", "kinds"), FORMS)
def test_what_is_typed_names_somebody_by_two_facts_or_is_sent_back(
    form: dict[str, str], wrong: dict[str, str], kinds: str | None
) -> None:
    facts, found = breakglass_finding.read(form)
    assert found == wrong
    if kinds is not None:
        assert facts.kinds == kinds


# What is promised ----------------------------------------------------------------------------------


def test_the_second_look_promises_what_the_place_says_and_nothing_of_the_person(place: Place) -> None:
    told = breakglass.promise(place, lens_of(place, "gwen.price"))
    assert (told.minutes, told.ends, told.reviewer) == (60, NOW + timedelta(hours=1), "Information governance lead")
    assert (told.review_days, told.person_is_told) == (3, True)
    assert "medicines" in told.shown
    assert "organisations and staff" not in told.shown


@pytest.mark.parametrize(("left", "minutes"), [(3600, 60), (3599, 60), (61, 2), (60, 1), (1, 1), (0, 0), (-5, 0)])
def test_minutes_left_count_a_begun_one(left: int, minutes: int) -> None:
    assert breakglass_opening.minutes_left(NOW + timedelta(seconds=left), NOW) == minutes


# What the reviewer reads ---------------------------------------------------------------------------

CASE = Case(
    1,
    PersonKey(UUID(int=1)),
    UserId("gwen.price"),
    "Gwen Price",
    "social-worker",
    "Social worker",
    Ods("902"),
    "Southmere Council",
    "",
    "Emergency",
    "words",
    NOW - timedelta(hours=2),
    NOW - timedelta(hours=1),
    NOW,
    "",
    "",
    "",
    None,
    NOW,
)


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (NOW + timedelta(days=3), "due in 3 days"),
        (NOW + timedelta(hours=13), "due in 1 day"),
        (NOW + timedelta(hours=1), "due today"),
        (NOW - timedelta(hours=1), "late since today"),
        (NOW - timedelta(hours=13), "1 day late"),
        (NOW - timedelta(days=2), "2 days late"),
    ],
)
def test_a_review_says_when_it_is_due_in_days_of_london(due: datetime, words: str) -> None:
    assert replace(CASE, due=due).due_words == words


def test_days_are_those_of_london_in_summer_too() -> None:
    night = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # half past midnight of 1 July in London
    assert replace(CASE, at=night, due=night - timedelta(hours=1)).due_words == "1 day late"


def test_what_is_answered_is_never_overdue() -> None:
    assert not replace(CASE, finding="justified", due=NOW - timedelta(days=9)).overdue


@pytest.mark.parametrize(
    ("user", "behind", "theirs"), [("gwen.price", None, True), ("iris.lang", None, False), ("iris.lang", "x", True)]
)
def test_nobody_reviews_what_they_opened_nor_while_they_view_as_another(
    place: Place, user: str, behind: str | None, theirs: bool
) -> None:
    lens = lens_of(place, user, behind=UserId(behind) if behind else None)
    assert breakglass_review.is_theirs(lens, CASE) is theirs


QUERIES = [
    ("Patient?", "who they are"),
    ("Condition?code", "problem"),
    ("Condition,AllergyIntolerance?", "allergy, problem"),
    ("*?", "the whole record"),
    ("AllergyIntolerance,Appointment,CarePlan,CareTeam,Condition?", "the whole record"),
    ("by key", "what other items name"),
    ("who they are, before break-glass", "who they are"),
    ("/people/<uuid:person>", "other"),
]


@pytest.mark.parametrize(("query", "words"), QUERIES)
def test_a_question_in_the_audit_is_told_in_words(query: str, words: str) -> None:
    assert breakglass_evidence.kind_of(query) == words


def test_alike_looks_are_told_together_in_the_order_in_which_they_came() -> None:
    rows = [Row("search", "Patient?", 1, []), Row("search", "*?", 10, []), Row("search", "Patient?", 2, [])]
    assert breakglass_evidence.looks(rows) == (
        Look("Looked at: who they are", 2, 3),
        Look("Looked at: the whole record", 1, 10),
    )
