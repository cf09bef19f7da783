"""Published STU3 examples that no simulator serves (directory, registration, appointments): each is valid in R4 once mapped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stu3_everything import leaves

from carelink.record.validation import check
from fhir_adapters import exact_json
from fhir_adapters.gp_connect import map_record
from fhir_adapters.gp_connect.tables import TYPES

FOLDERS = {
    "gp-connect-foundations": {"Location": 1, "Organization": 1, "Patient": 2, "Practitioner": 1},
    "gp-connect-appointments": {
        "Appointment": 5,
        "Location": 1,
        "Organization": 1,
        "Practitioner": 1,
        "Schedule": 1,
        "Slot": 2,
    },
}


def resources(node: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a mapped type, whatever Bundle or Parameters it is in."""
    if isinstance(node, list):
        for one in node:
            yield from resources(one)
    elif isinstance(node, dict):
        if node.get("resourceType") in TYPES:
            yield node
        else:
            yield from resources(list(node.values()))


def published(folder: Path) -> list[dict[str, Any]]:
    return [one for path in sorted(folder.glob("*.json")) for one in resources(exact_json.loads(path.read_bytes()))]


def whose(one: dict[str, Any]) -> str:
    """The id of the person whom an appointment is of."""
    told = [
        value.rpartition("/")[2] for path, value in leaves(one) if path.endswith("reference") and "Patient/" in value
    ]
    return next(iter(told), "p")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_resource_of_the_published_examples_is_valid_in_r4(shared_examples: Path, folder: str) -> None:
    found = published(shared_examples / folder)
    assert Counter(one["resourceType"] for one in found) == FOLDERS[folder]
    for one in found:
        person = {"resourceType": "Patient", "id": whose(one)}
        entries = [one] if one["resourceType"] == "Patient" else [person, one]
        record = map_record({"entry": [{"resource": entry} for entry in entries]}, "A00001", "")
        assert record.rejected == ()
        item = record.items[-1]
        checked = check(item.type, item.body | {"id": "x"})
        assert [(problem.place, problem.why) for problem in checked.problems] == []
