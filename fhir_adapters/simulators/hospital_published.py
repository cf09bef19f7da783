"""The published UK Core examples, where a folder of them is there: served by the hospital beside its own records."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from fhir_adapters.simulators.fhir import Json, instant
from fhir_adapters.simulators.xml_reading import read

EXAMPLES = "uk-core"
# Not what a search by type would find in a patient record.
NOT_SERVED = frozenset({"Bundle", "OperationOutcome"})


def published(folder: Path, today: date) -> tuple[Json, ...]:
    """The examples as JSON, each with an own lastUpdated long ago; none where there is no such folder."""
    long_ago = today - timedelta(days=2100)
    found = []
    for minutes, path in enumerate(sorted((folder / EXAMPLES).glob("*.xml"))):
        one = read(path.read_bytes())
        if one["resourceType"] not in NOT_SERVED:
            meta = {"versionId": "1"} | one.get("meta", {}) | {"lastUpdated": instant(long_ago, minutes)}
            found.append(one | {"meta": meta})
    return tuple(found)
