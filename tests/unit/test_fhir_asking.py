"""From an HTTP request to a question: what is asked is checked before anything is looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from carelink.consent.requester import Requester
from carelink.errors import Invalid
from carelink.fhir.asking import COUNT, no_parameters, query_of
from carelink.fhir.page_links import PAGE, PageLinks
from carelink.ids import Ods, UserId
from carelink.record.query import Criterion

LINKS = PageLinks.of("a key for tests")
WARD = Requester(UserId("client:ward"), "ward", Ods("RDV"), "nhs-trust", "nurse", "TREAT", types=frozenset({"Patient"}))
GIVEN = [("identifier", "https://fhir.nhs.uk/Id/nhs-number|9990000018"), ("_count", "7")]


def test_a_search_becomes_values_that_the_record_understands() -> None:
    query = query_of("Patient", [("identifier", "a|1,2"), ("_count", "7"), ("_format", "json")], after="there")
    assert query.criteria == (Criterion("identifier", ("a|1", "2")),)
    assert (query.types, query.count, query.after, query.goldens) == (("Patient",), 7, "there", True)
    assert query_of("Patient", [("identifier", "1")]).count == COUNT


def test_the_same_parameter_twice_must_hold_twice() -> None:
    assert len(query_of("Patient", [("identifier", "1"), ("identifier", "2")]).criteria) == 2


@pytest.mark.parametrize("count", ["0", "501", "-1", "1.0", " 1", "²", "٣", "9" * 5000, ""])
def test_a_page_of_no_sensible_size_is_refused(count: str) -> None:
    with pytest.raises(Invalid, match="_count"):
        query_of("Patient", [("identifier", "1"), ("_count", count)])


def test_a_parameter_that_is_not_known_is_named_with_those_that_are() -> None:
    with pytest.raises(Invalid, match="birthdate: not a search parameter of Patient here; known are identifier"):
        query_of("Patient", [("identifier", "1"), ("birthdate", "1950")])


def test_everything_takes_nothing_that_narrows_it() -> None:
    no_parameters([("_format", "json")])
    with pytest.raises(Invalid, match="_type"):
        no_parameters([("_type", "Observation")])


def test_a_sealed_link_gives_back_the_question_and_shows_nothing_of_it() -> None:
    link = LINKS.sealed(GIVEN, WARD, "place")
    assert "9990000018" not in link
    assert LINKS.followed([(PAGE, link.removeprefix(f"{PAGE}="))], WARD) == (GIVEN, "place")
    assert LINKS.sealed(GIVEN, WARD, "place") != link, "two links don't tell that two asked the same"


def test_a_search_without_a_link_is_what_was_given() -> None:
    assert LINKS.followed(GIVEN, WARD) == (GIVEN, "")


def test_a_link_that_was_changed_or_sealed_elsewhere_is_refused() -> None:
    whole = LINKS.sealed(GIVEN, WARD).removeprefix(f"{PAGE}=")
    for link in (whole[:-2] + ("AA" if whole[-2:] != "AA" else "BB"), whole[5:], "", "....", "é.é"):
        with pytest.raises(Invalid, match=PAGE):
            LINKS.followed([(PAGE, link)], WARD)
    with pytest.raises(Invalid, match=PAGE):
        PageLinks.of("another key").followed([(PAGE, whole)], WARD)


@pytest.mark.parametrize(
    "other",
    [
        {"user": UserId("client:other")},
        {"organisation": Ods("901")},
        {"role": "gp"},
        {"purpose": "ETREAT"},
        {"types": None},
        {"types": frozenset({"Patient", "Condition"})},
    ],
    ids=["user", "organisation", "role", "purpose", "all types", "more types"],
)
def test_a_link_is_followed_by_whom_it_was_given_to_and_with_a_new_token_of_the_same_kind(
    other: dict[str, Any],
) -> None:
    link = [(PAGE, LINKS.sealed(GIVEN, WARD, "place").removeprefix(f"{PAGE}="))]
    assert LINKS.followed(link, replace(WARD, request="the next one")) == (GIVEN, "place")
    with pytest.raises(Invalid, match="another client, or for other scopes or another purpose"):
        LINKS.followed(link, replace(WARD, **other))
