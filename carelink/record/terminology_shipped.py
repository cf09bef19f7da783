"""The small code systems, value sets and maps that come with CareLink and with a place pack.

Of code systems that others publish (SNOMED CT among them) a pack names some codes: these are in value sets, and nothing
is said of the rest.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from carelink.audit.fhir_codes import OURS, OWN_PURPOSE, SORTS
from carelink.consent.sensitivity import OWN_CODE, sensitivities
from carelink.place import Place
from carelink.place_codes import SNOMED
from carelink.record.bindings import REQUIRED
from carelink.record.terminology import CodeSystem, Concept, ConceptMap, Meant, Terminology, ValueSet

HERE = "https://carelink.example/"
# The code systems of FHIR R4 whose codes stand in `bindings`: url, title, datatype or resource type and element.
_OF_FHIR: tuple[tuple[str, str, str, str], ...] = (
    ("http://hl7.org/fhir/audit-event-action", "AuditEventAction", "AuditEvent", "action"),
    ("http://hl7.org/fhir/diagnostic-report-status", "DiagnosticReportStatus", "DiagnosticReport", "status"),
    ("http://hl7.org/fhir/encounter-status", "EncounterStatus", "Encounter", "status"),
    ("http://hl7.org/fhir/item-type", "QuestionnaireItemType", "QuestionnaireItem", "type"),
    ("http://hl7.org/fhir/observation-status", "ObservationStatus", "Observation", "status"),
    ("http://hl7.org/fhir/quantity-comparator", "QuantityComparator", "Quantity", "comparator"),
    ("http://hl7.org/fhir/task-status", "TaskStatus", "Task", "status"),
)


def shipped(place: Place) -> Terminology:
    """All of it, read from the files of the pack once."""
    maps = list(_maps(place.folder))
    sets = [*_code_sets(place.folder), *_lists(place.folder)]
    systems = {one.url: one for one in (*_ours(place), *_of_fhir())}
    for url, concept in _named(maps, sets):
        if url == SNOMED:
            continue
        known = systems.get(url) or CodeSystem(_id(url), url, _id(url), {}, url.startswith(HERE))
        systems[url] = replace(known, concepts={concept.code: concept} | dict(known.concepts))
    sets += [_all_of(one) for one in systems.values() if one.whole]
    return Terminology(
        {url: systems[url] for url in sorted(systems)},
        {one.url: one for one in sorted(sets, key=lambda one: one.url)},
        {one.url: one for one in sorted(maps, key=lambda one: one.url)},
    )


def _named(maps: list[ConceptMap], sets: list[ValueSet]) -> Iterator[tuple[str, Concept]]:
    yield from ((meant.system, meant.concept) for one in maps for meant in one.meant)
    yield from (coding for one in sets for coding in one.codings)


def _ours(place: Place) -> Iterator[CodeSystem]:
    known = sensitivities(place)
    ours = [name for name, coding in known.codings.items() if coding["system"] == OWN_CODE]
    yield _system(OWN_CODE, "Sensitivities of this system and this place", {name: known.labels[name] for name in ours})
    yield _system(OURS, "What happened, as the audit names it", {name: name.replace("-", " ") for name in SORTS})
    yield _system(
        OWN_PURPOSE, "Purposes of use that HL7 has not", {"SAFEGUARDING": "Safeguarding of adults and children"}
    )


def _of_fhir() -> Iterator[CodeSystem]:
    for url, title, of, element in _OF_FHIR:
        yield _system(url, title, {code: code.replace("-", " ") for code in REQUIRED[of][element]})


def _system(url: str, title: str, words: Mapping[str, str]) -> CodeSystem:
    return CodeSystem(_id(url), url, title, {code: Concept(code, words[code]) for code in sorted(words)}, whole=True)


def _all_of(system: CodeSystem) -> ValueSet:
    """Every code of a code system that is whole."""
    url = (
        system.url.replace("/CodeSystem/", "/ValueSet/")
        if system.url.startswith(HERE)
        else f"{HERE}ValueSet/{system.id}"
    )
    return ValueSet(
        f"all-{system.id}", f"{url}-all", system.title, tuple((system.url, one) for one in system.concepts.values())
    )


def _code_sets(folder: Path) -> Iterator[ValueSet]:
    """The lists by which items are labelled (place_codes)."""
    for path in sorted((folder / "codes").glob("*.csv")):
        rows = _rows(path)
        codings = tuple((row["system"], Concept(row["code"], row["meaning"], row.get("parent", ""))) for row in rows)
        yield ValueSet(_id(path.stem), f"{HERE}ValueSet/{path.stem}", f"Codes labelled by {path.name}", codings)


def _lists(folder: Path) -> Iterator[ValueSet]:
    """What the words of a source's tables are mapped to."""
    for path in sorted((folder / "mappings" / "codes").glob("*.csv")):
        codings = {
            (row["system"], row["code"]): Concept(row["code"], row.get("display", ""))
            for row in _rows(path)
            if row.get("system")
        }
        yield ValueSet(
            f"words-{_id(path.stem)}",
            f"{HERE}ValueSet/words-{path.stem}",
            f"What the words of {path.name} are mapped to",
            tuple((system, concept) for (system, _), concept in codings.items()),
        )


def _maps(folder: Path) -> Iterator[ConceptMap]:
    for path in sorted((folder / "mappings").glob("*.toml")):
        written = tomllib.loads(path.read_text("utf-8")).get("codes", {})
        for name, one in sorted(written.items()):
            id_ = _id(f"{path.stem}-{name}")
            meant = tuple(_meant(path.parent, one))
            if meant:
                yield ConceptMap(id_, f"{HERE}ConceptMap/{id_}", f"{name} of {path.name}", f"{HERE}words/{id_}", meant)


def _meant(folder: Path, written: Mapping[str, Any]) -> Iterator[Meant]:
    """Of words that are codes of a code system; the others are FHIR's own and need no map."""
    usual = str(written.get("system", ""))
    if "file" in written:
        for row in _rows(folder / str(written["file"])):
            if system := row.get("system") or usual:
                yield Meant(row["value"], system, Concept(row["code"], row.get("display", "")))
    for word, code in dict(written.get("values", {})).items():
        said = {"code": code} if isinstance(code, str) else code
        if system := said.get("system", usual):
            yield Meant(word, system, Concept(said["code"], said.get("display", "")))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: (value or "").strip() for name, value in row.items() if name} for row in csv.DictReader(file)]


def _id(text: str) -> str:
    """A FHIR id of it."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text.rstrip("/").rpartition("/")[2] or text)[:64]
