"""From an HTTP request to a question: what is asked is checked before anything is looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from carelink.consent.requester import Requester
from carelink.errors import Invalid
from carelink.fhir.asking import no_parameters
from carelink.fhir.page_links import PAGE, PageLinks
from carelink.fhir.search_asking import COUNT, Search, of_one_person, search_of
from carelink.ids import Ods, PersonKey, UserId
from carelink.record.query import Criterion

LINKS = PageLinks.of("a key for tests")
ANN = PersonKey(UUID(int=1))
WARD = Requester(UserId("client:ward"), "ward", Ods("RDV"), "nhs-trust", "nurse", "TREAT", types=frozenset({"Patient"}))
GIVEN = [("identifier", "https://fhir.nhs.uk/Id/nhs-number|9990000018"), ("_count", "7")]


AT = datetime(2026, 11, 24, tzinfo=UTC)
BASE = "http://localhost/fhir/R4"


def search(given: list[tuple[str, str]], type_: str = "Patient", after: str = "") -> Search:
    return search_of(type_, given, BASE, AT, after)


def test_a_search_becomes_values_that_the_record_understands() -> None:
    query = search([("identifier", "a|1,2"), ("_count", "7"), ("_format", "json")], after="there").query
    assert query.criteria == (Criterion("identifier", ("a|1", "2")),)
    assert (query.types, query.count, query.after, query.goldens) == (("Patient",), 7, "there", True)
    assert search([("identifier", "1")]).query.count == COUNT


def test_a_chain_and_what_refers_to_it_are_criteria_within_each_other() -> None:
    chained, has = search(
        [("subject:Patient.name:exact", "Hart"), ("_has:Condition:encounter:code", "1")], "Encounter"
    ).query.criteria
    assert chained == Criterion("subject", modifier="Patient", chained=Criterion("name", ("Hart",), "exact"))
    assert has == Criterion("encounter", referring="Condition", chained=Criterion("code", ("1",)))


def test_what_is_escaped_belongs_to_a_value_and_our_own_address_to_none() -> None:
    (one,) = search([("identifier", r"a\,b,c\|d"), ("_count", "1")]).query.criteria
    assert one.values == (r"a\,b", r"c\|d")
    (other,) = search(
        [("encounter", f"{BASE}/Encounter/1,https://other.example/Encounter/1")], "Condition"
    ).query.criteria
    assert other.values == ("Encounter/1", "https://other.example/Encounter/1")


def test_one_person_is_asked_about_by_their_own_key() -> None:
    whose = search([("patient", f"Patient/{ANN}"), ("code", "1")], "Condition").query
    assert of_one_person(whose) == replace(whose, person=ANN, criteria=(Criterion("code", ("1",)),))
    for several in ([("patient", f"{ANN},{ANN}")], [("patient", "x")], [("patient:missing", "true")], [("code", "1")]):
        assert of_one_person(search(several, "Condition").query) is None


def test_the_same_parameter_twice_must_hold_twice() -> None:
    assert len(search([("identifier", "1"), ("identifier", "2")]).query.criteria) == 2


@pytest.mark.parametrize("count", ["501", "-1", "1.0", " 1", "²", "٣", "9" * 5000, ""])
def test_a_page_of_no_sensible_size_is_refused(count: str) -> None:
    with pytest.raises(Invalid, match="_count"):
        search([("identifier", "1"), ("_count", count)])


def test_a_parameter_that_is_not_known_is_named_with_those_that_are() -> None:
    with pytest.raises(Invalid, match="colour: not a search parameter of Patient here; known are _id, _lastUpdated"):
        search([("identifier", "1"), ("colour", "1950")])


def test_a_lenient_search_leaves_out_what_is_not_known_and_says_so() -> None:
    given = [("identifier", "1"), ("colour", "blue"), ("birthdate", "soon")]
    found = search_of("Patient", given, BASE, AT, lenient=True)
    assert ([one.parameter for one in found.query.criteria], [one.place for one in found.left_out]) == (
        ["identifier"],
        ["colour", "birthdate"],
    )


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
