"""Whatever type is searched can be stored, and what no rule of the place names is shared by no agreement."""

from __future__ import annotations

import pytest
from conftest import ROOT

from carelink.consent.labels import CATEGORY, label
from carelink.fhir import searched
from carelink.place_loader import load
from carelink.record.differences import not_in_r4
from carelink.record.validation_shapes import model_of

TYPES = ("Patient", *searched.TYPES)


@pytest.mark.parametrize("type_", TYPES)
def test_what_is_searched_can_be_stored(type_: str) -> None:
    assert model_of(type_) is not None
    assert not not_in_r4(type_)


@pytest.mark.parametrize("pack", ["example", "saltmarsh"])
def test_each_type_has_a_category_of_the_place_or_one_that_nobody_shares(pack: str) -> None:
    place = load(ROOT / "config" / "places" / pack)
    shared = {category for agreement in place.agreements for category in agreement.categories}
    for type_ in TYPES:
        category = label(place, "any", type_, {"resourceType": type_}).category
        assert category in place.categories
        assert type_ in CATEGORY or category not in shared, type_
