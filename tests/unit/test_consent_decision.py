"""The decision about one item, by the table of tests/consent_cases.py: deny is the default, and each answer has its rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import pytest
from conftest import NOW, ROOT
from consent_builders import (
    ANN,
    HOSPITAL,
    NORTH,
    OTHER_SURGERY,
    PLACE,
    SURGERY,
    facts,
    item,
    lens_of,
    objects,
    related,
    staff,
)
from consent_cases import ANN_HERSELF, HIS, NOBODY, PRACTICE, SAM, TOM, Case
from consent_cases_whole import CASES

from carelink.consent import rules
from carelink.consent.agreements import shared_with
from carelink.consent.lens import Lens
from carelink.consent.rules import Effect
from carelink.consent.sensitivity import ALL, NAMES, NOT_FOR_THE_PERSON, mask, names
from carelink.ids import PersonKey


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_the_table(case: Case) -> None:
    decided = lens_of(case.who, case.place).decide(case.item, case.person)
    assert (decided.effect, decided.rule.id) == (case.effect, case.rule), decided


def test_the_table_has_every_rule_and_says_nothing_twice() -> None:
    told = {case.rule for case in CASES}
    # Jobs, questions of identity, and what is counted: no decision about one item.
    elsewhere = {"L6-consent-exception", "L0-system", "L0-identity", "L10-opt-out", "L10-counted"}
    assert told == set(rules.BY_ID) - elsewhere
    assert len({case.says for case in CASES}) == len(CASES) >= 150


def test_the_digit_of_a_rule_is_its_place_and_each_says_why() -> None:
    order = [int(rule.id[1:].partition("-")[0]) for rule in rules.ALL]
    assert order == sorted(order)
    assert len(rules.BY_ID) == len(rules.ALL)
    assert all(rule.because for rule in rules.ALL)


@pytest.mark.parametrize("rule", sorted(rules.BY_ID))
def test_the_page_for_information_governance_leads_has_a_row_for_every_rule(rule: str) -> None:
    assert f"\n| `{rule}` |" in (ROOT / "docs" / "consent.md").read_text()


def test_a_job_of_the_system_sees_all_and_says_for_what() -> None:
    lens = Lens.system("compose golden Patients", NOW)
    for one in (item(SURGERY, "problems", "LEGAL"), item(NORTH, "other", of=None)):
        decided = lens.decide(one, facts(objects(), restricted=True))
        assert (decided.effect, decided.rule, decided.detail) == (
            Effect.PERMIT,
            rules.SYSTEM,
            "compose golden Patients",
        )


def test_where_nothing_is_agreed_only_directories_are_seen() -> None:
    """Deny is the default: with no agreement, no relationship and no organisation in common nothing is permitted."""
    place = replace(PLACE, agreements=())
    known = facts(related("caseload", NORTH, user="sam"))
    for category, custodian in product(place.categories, place.organisations):
        decided = lens_of(SAM, place).decide(item(custodian, category), known)
        own = custodian == NORTH
        assert decided.effect is (Effect.PERMIT if own else Effect.DENY), (category, custodian, decided)


def test_a_permit_names_its_agreements_and_the_relationship() -> None:
    decided = lens_of(TOM).decide(item(HOSPITAL, "problems", "MH"), PRACTICE)
    assert decided.detail == "hospital-to-gp, against-the-law; registered-practice"


def test_a_refusal_names_the_sensitivities_that_nobody_agreed_on() -> None:
    assert lens_of(SAM).decide(item(SURGERY, "problems", "HIV", "STD"), HIS).detail == "HIV, STD"


def test_a_refusal_by_objection_names_the_consent_and_never_what_it_says() -> None:
    objection = objects()
    known = replace(HIS, directed=(objection,))
    assert lens_of(SAM).decide(item(SURGERY, "problems"), known).detail == f"Consent/{objection.consent}"


def test_several_agreements_add_up_but_no_two_of_them_lift_the_law() -> None:
    offer = shared_with(PLACE, TOM).offer(HOSPITAL, "problems")
    assert offer is not None
    assert offer.agreements == ("hospital-to-gp", "against-the-law")
    assert names(offer.lacks(ALL)) == tuple(name for name in NAMES if name not in ("MH", "ETH", "NOPAT"))


def test_agreements_hold_for_organisations_by_code_by_type_and_for_all() -> None:
    by = {
        agreement.id: {custodian for (custodian, _), offer in shared.offers.items() if agreement.id in offer.agreements}
        for agreement in PLACE.agreements
        for shared in [shared_with(PLACE, SAM)]
    }
    assert by["identity"] == set(PLACE.organisations)
    assert by["health-to-care"] == {SURGERY, OTHER_SURGERY}
    assert by["one-to-one"] == {HOSPITAL}
    assert by["care-to-health"] == set()  # for nurses of the hospital


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_sensitivity_bars_what_is_agreed_without_naming_it_but_for_what_is_the_persons_alone(name: str) -> None:
    decided = lens_of(SAM).decide(item(SURGERY, "problems", name), HIS)
    assert (decided.effect is Effect.PERMIT) == (name == "NOPAT")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_person_does_not_see_what_tells_of_others_or_could_harm_them(name: str) -> None:
    decided = lens_of(ANN_HERSELF).decide(item(SURGERY, "problems", name), NOBODY)
    assert (decided.effect is Effect.DENY) == bool(mask([name]) & NOT_FOR_THE_PERSON)
    assert {"THIRD-PARTY", "SDV", "SAFEGUARDING", "NOPAT", "LEGAL"} == set(names(NOT_FOR_THE_PERSON))


def test_what_a_role_may_beside_reading_it_may_only_for_its_own_purposes() -> None:
    assert lens_of(staff("iris")).may == {"explain", "decide-links", "see-quarantine"}
    assert lens_of(staff("iris", "TREAT")).may == frozenset()
    assert lens_of(staff("tom")).may_locate
    assert not lens_of(staff("tom", "HRESCH")).may_locate


@dataclass(frozen=True)
class Shown:
    rule: str
    person: PersonKey | None = ANN


def test_shown_rows_are_told_by_the_rule_that_let_them() -> None:
    rows = [Shown("L8-agreement"), Shown("L9-break-glass"), Shown("L8-agreement"), Shown("L0-directory", None)]
    assert lens_of(SAM).grounds(rows) == ("L0-directory", "L8-agreement", "L9-break-glass")
    assert lens_of(SAM).grounds([]) == ()
    assert Lens.system("why", NOW).grounds(rows) == ("L0-system",)
