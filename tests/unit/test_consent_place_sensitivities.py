"""The sensitivities that a place adds: their bits for good, their codes, who is barred by them, and what they hide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from consent_builders import PLACE
from sqlalchemy import Integer

from carelink.consent.agreements import shared_with
from carelink.consent.labels import label
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import (
    EVERY_BIT,
    NATIONAL,
    NOT_FOR_THE_PERSON,
    OWN_CODE,
    Sensitivity,
    sensitivities,
)
from carelink.db.tables import resource
from carelink.ids import Ods, UserId
from carelink.place import LabelRule, LocalSensitivity, Place

STOMA = LocalSensitivity("STOMA", "Stoma care", 1, "a test")
FAITH = LocalSensitivity("FAITH", "Religious belief", 16, "a test", hidden_from_person=True)
CODE = ("http://snomed.info/sct", "239751000")


def with_own(*own: LocalSensitivity, place: Place = PLACE) -> Place:
    return replace(place, sensitivities=own)


def test_the_bits_of_a_place_stand_above_the_national_ones_and_fit_the_column() -> None:
    known = sensitivities(with_own(STOMA, FAITH))
    assert {"STOMA": known.flags["STOMA"], "FAITH": known.flags["FAITH"]} == {"STOMA": 1 << 15, "FAITH": 1 << 30}
    assert known.flags["STOMA"] > max(int(one) for one in Sensitivity)
    assert isinstance(resource.c.sensitivities.type, Integer)
    assert known.flags["FAITH"] | EVERY_BIT == EVERY_BIT == 2**31 - 1, "four bytes with a sign"


@pytest.mark.parametrize("number", range(1, 17))
def test_every_number_that_a_pack_may_give_has_a_bit_of_its_own(number: int) -> None:
    known = sensitivities(with_own(replace(STOMA, number=number)))
    assert known.flags["STOMA"] == 1 << (14 + number)
    assert known.names(known.flags["STOMA"]) == ("STOMA",)


def test_the_bit_is_of_the_number_and_not_of_the_place_in_the_file() -> None:
    assert sensitivities(with_own(FAITH, STOMA)).flags == sensitivities(with_own(STOMA, FAITH)).flags


def test_names_become_bits_and_bits_names_in_order() -> None:
    known = sensitivities(with_own(STOMA, FAITH))
    assert known.mask(["FAITH", "HIV", "STOMA", "HIV"]) == 2 | 1 << 15 | 1 << 30
    assert known.names(2 | 1 << 15 | 1 << 30) == ("HIV", "STOMA", "FAITH")
    assert known.all == known.mask(known.flags)
    with pytest.raises(KeyError):
        NATIONAL.mask(["STOMA"])


def test_each_has_a_coding_that_is_read_back_and_words() -> None:
    known = sensitivities(with_own(STOMA, FAITH))
    for name in known.flags:
        assert known.names(known.told({"meta": {"security": [known.codings[name]]}})) == (name,)
        assert known.labels[name]
    assert known.codings["STOMA"] == {"system": OWN_CODE, "code": "STOMA"}
    assert known.codings["HIV"] == NATIONAL.codings["HIV"]


def test_another_places_code_says_nothing_here() -> None:
    assert NATIONAL.told({"meta": {"security": [{"system": OWN_CODE, "code": "STOMA"}]}}) == 0


def test_the_person_is_not_shown_what_the_place_hides_nor_what_nobody_can_name() -> None:
    hidden = sensitivities(with_own(STOMA, FAITH)).hidden_from_person
    assert hidden & NOT_FOR_THE_PERSON == NOT_FOR_THE_PERSON
    assert hidden & 1 << 30, "the pack hides it"
    assert not hidden & 1 << 15, "the pack shows it"
    assert hidden & 1 << 20, "a bit that no pack names any more"
    assert not hidden & int(Sensitivity.HIV)


def test_a_rule_puts_it_on() -> None:
    rule = LabelRule("stoma", "a test", sensitivities=("STOMA",), codes=frozenset([CODE]))
    place = replace(with_own(STOMA), labels=(rule,))
    body = {"code": {"coding": [{"system": CODE[0], "code": CODE[1]}]}}
    assert label(place, "gp", "Condition", body).sensitivities == 1 << 15


def _nurse_lacks(place: Place, bits: int) -> int:
    nurse = Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT")
    offer = shared_with(place, nurse).offer(Ods("901"), "services")
    assert offer is not None
    return offer.lacks(bits)


def test_an_agreement_must_name_it() -> None:
    place = with_own(STOMA)
    assert _nurse_lacks(place, 1 << 15) == 1 << 15
    named = tuple(replace(one, sensitivities=one.sensitivities | {"STOMA"}) for one in place.agreements)
    assert _nurse_lacks(replace(place, agreements=named), 1 << 15) == 0


def test_a_bit_that_no_pack_names_any_more_still_bars() -> None:
    """The item was labelled for a reason; a pack that forgot it is no leave to share."""
    assert _nurse_lacks(PLACE, 1 << 15) == 1 << 15
    nurse = Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT")
    groups = shared_with(PLACE, nurse).sql
    assert str(EVERY_BIT & ~int(Sensitivity.NOPAT)) in groups, "in SQL too"
