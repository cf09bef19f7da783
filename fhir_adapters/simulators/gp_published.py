"""The published GP Connect records and examples, where a folder of them is there: served as they are, odd corners included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhir_adapters import exact_json
from fhir_adapters.simulators.fhir import NHS_NUMBER, ODS, Json

RECORDS = "gp-connect-records"
EXAMPLES = "gp-connect-structured"  # of the specification: parts of one record, each an answer to another question


def published_records(folder: Path) -> list[tuple[str, str, Path]]:
    """(ODS code of the practice, NHS number, file) of each, sorted; none where the folder is not there.

    `folder` is the folder of published examples. A record without a practice or a number is left out.
    """
    return sorted(_told(folder / RECORDS))


def published(folder: Path) -> list[tuple[str, str, Path]]:
    """The records and the examples: what a practice serves beside its invented people."""
    return [*published_records(folder), *published_examples(folder)]


def published_examples(folder: Path) -> list[tuple[str, str, Path]]:
    """The same of the specification's examples. Several files of one person are parts of one record."""
    return sorted(_told(folder / EXAMPLES))


def _told(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for path in folder.glob("*.json") if folder.is_dir() else ():
        resources = [entry["resource"] for entry in exact_json.loads(path.read_bytes()).get("entry", [])]
        patient: Json = next((one for one in resources if one["resourceType"] == "Patient"), {})
        number = _identifier(patient, NHS_NUMBER)
        practice = _practice(patient, resources)
        if number and practice:
            yield practice, number, path


def _practice(patient: Json, resources: list[Json]) -> str:
    """The ODS code of the Patient's managing organisation."""
    managing = patient.get("managingOrganization", {}).get("reference", "")
    found = (one for one in resources if f"{one['resourceType']}/{one.get('id')}" == managing)
    return next((code for one in found if (code := _identifier(one, ODS))), "")


def _identifier(resource: Json, system: str) -> str:
    values = (one.get("value", "") for one in resource.get("identifier", []) if one.get("system") == system)
    return next(values, "")
