"""What is to be put right is said on a page by names: nobody reads addresses of code systems there."""

from __future__ import annotations

import pytest

from carelink.cases.oversight import in_words

SAID = [
    ("Give the system https://fhir.nhs.uk/Id/nhs-number.", "Give the system nhs-number."),
    ("as a code of urn:ietf:bcp:47; other codings", "as a code of BCP 47; other codings"),
    (
        "Patient.extension('https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory').value",
        "Patient.extension('Extension-UKCore-EthnicCategory').value",
    ),
    ("Patient.name.family", "Patient.name.family"),
]


@pytest.mark.parametrize(("text", "on_a_page"), SAID, ids=[one[1] for one in SAID])
def test_an_address_is_told_by_the_name_at_its_end(text: str, on_a_page: str) -> None:
    assert in_words(text) == on_a_page
