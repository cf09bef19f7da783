"""What one source's Patient says in confidence does not come back by the golden Patient, which everybody who cares sees."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from consent_builders import BOARD, PLACE

from carelink.consent.sensitivity import CODINGS, CONFIDENTIALITY, NAMES, names, told
from carelink.ids import PersonKey, ResourceKey
from carelink.record.golden import compose, is_restricted
from carelink.record.survivorship import SourceRecord

PERSON = PersonKey(UUID(int=7))
SECRET = {"system": CONFIDENTIALITY, "code": "R"}


def patient(number: int, source: str, *security: dict[str, str], **body: Any) -> SourceRecord:
    key = ResourceKey(UUID(int=number))
    said = {"resourceType": "Patient", "id": str(key), "meta": {"security": list(security)}, **body}
    return SourceRecord(key, source, said, datetime(2026, 11, 1, tzinfo=UTC))


def golden(*records: SourceRecord) -> dict[str, Any]:
    made = [compose(PERSON, order, PLACE.survivorship, PLACE.organisations[BOARD]) for order in permutations(records)]
    assert all(one == made[0] for one in made), "the order makes no difference"
    return made[0]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_nothing_of_a_sensitive_patient_is_in_it_however_trusted_its_source(name: str) -> None:
    made = golden(
        patient(1, "pds", CODINGS[name], name=[{"family": "Former"}], birthDate="1950", gender="male"),
        patient(2, "council", name=[{"family": "Now"}], birthDate="1950-03-04"),
    )
    assert made["name"][0]["family"] == "Now"
    assert "Former" not in str(made)
    assert "gender" not in made
    assert [one["other"]["reference"] for one in made["link"]] == [f"Patient/{UUID(int=2)}"]
    assert told(made) == 0


def test_where_there_is_no_other_it_is_as_sensitive_as_they_are() -> None:
    made = golden(
        patient(1, "pds", CODINGS["LEGAL"], name=[{"family": "Former"}]),
        patient(2, "gp", CODINGS["SDV"], birthDate="1950"),
    )
    assert names(told(made)) == ("SDV", "LEGAL")
    assert made["name"][0]["family"] == "Former"


def test_a_sensitive_patient_can_still_say_that_the_person_is_restricted() -> None:
    made = golden(
        patient(1, "pds", SECRET, CODINGS["SDV"]),
        patient(2, "council", name=[{"family": "Now"}], address=[{"postalCode": "NE1 1AA"}]),
    )
    assert is_restricted(made)
    assert "address" not in made


def test_very_restricted_is_at_least_restricted() -> None:
    """PDS's V: of such a person PDS itself gives nothing; what others hold must not tell where they are."""
    made = golden(
        patient(1, "pds", {"system": CONFIDENTIALITY, "code": "V"}),
        patient(2, "council", telecom=[{"system": "phone", "value": "01632 960001"}]),
    )
    assert is_restricted(made)
    assert "telecom" not in made
