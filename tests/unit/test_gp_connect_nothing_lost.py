"""Nothing of a GP record is dropped silently: each text and number of what came is in what there is of it afterwards.

Afterwards means: the R4 item, the trace of its repairs, or what was refused and is kept whole. What is meant to go is
named here, with why. Two kinds of input: resources that have every element which STU3 knows, and the published records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gp_connect_cases import NUMBER, PATIENT, PRACTICE, ref
from stu3_everything import everything, leaves

from carelink.record.validation import check
from fhir_adapters import exact_json
from fhir_adapters.gp_connect import Mapped, map_record
from fhir_adapters.gp_connect.tables import TYPES
from fhir_adapters.simulators.gp_published import published_records
from fhir_adapters.source import Item

# path of the STU3 element (a regular expression) -> why its value is not found afterwards
MEANT_TO_GO: Mapping[str, str] = {
    r"(.+\.)?meta\.(profile|versionId|lastUpdated)": "STU3's profile and the source's version; the store puts its own on",
    r"resourceType": "two types of STU3 are one in R4; the id says which it was",
    r"(.+\.)?extension\.url": "the same extension has another URL in UK Core; test_gp_connect_mapping has the table",
    r"(.+\.)?coding\.system": "the same code system has another URI in R4; test_gp_connect_mapping has the table",
    r"related\.type": "R4 has an element or an extension for each kind of tie",
    r"fhir_comments": "a comment on the entry in the manner of DSTU2, no part of the record",
}
_MEANT_TO_GO = re.compile("|".join(MEANT_TO_GO))


def lost(came: Any, items: Iterable[Item], rejected: Iterable[str] = ()) -> list[tuple[str, str]]:
    """(path, value) of what came and is not there afterwards, as often as it came."""
    items = list(items)
    there = Counter(value for item in items for _, value in leaves(item.body))
    there.update(item.source_id for item in items)
    quoted = [repair.was for item in items for repair in item.repairs]
    for text in (*quoted, *rejected):
        there.update(value for _, value in leaves(exact_json.loads(text) if text.startswith(("{", "[")) else text))
    whole = "\n".join(there)
    missing = []
    for path, value in leaves(came):
        if _MEANT_TO_GO.fullmatch(path):
            continue
        if there[value] > 0:
            there[value] -= 1
        elif not _led(path, value, whole):
            missing.append((path, value))
    return missing


def _led(path: str, value: str, whole: str) -> bool:
    """A reference is found by the id to which it leads, an id by the end of what the item goes by."""
    return path.endswith(("reference", "id")) and value.rpartition("/")[2].lstrip("#") in whole


# Every element of STU3


def mapped(type_: str, resource: dict[str, Any]) -> Item:
    about = TYPES[type_].about
    one = resource | ({about: ref("Patient/p")} if about else {})
    if type_ == "Patient":
        one = one | {"identifier": PATIENT["identifier"]}
    entries = [{"resource": one}] if type_ == "Patient" else [{"resource": PATIENT}, {"resource": one}]
    record = map_record({"entry": entries}, PRACTICE, NUMBER)
    assert record.rejected == ()
    return record.items[-1]


# What becomes of a status beside a flag that says that it did not happen: test_gp_connect_mapping_findings.
_TURNED = {("Immunization", "status"), ("Procedure", "status")}
_GROUND = {"subject", "patient", "identifier"}  # ours, in this test


@pytest.mark.parametrize("beside", [False, True], ids=["elements", "what stands beside primitives"])
@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_element_that_stu3_has_is_found_again(type_: str, beside: bool) -> None:
    for resource in everything(type_, beside=beside):
        came = {key: value for key, value in resource.items() if key not in _GROUND}
        gone = [path for path, _ in lost(came, [mapped(type_, resource)]) if (type_, path) not in _TURNED]
        assert gone == []


# A resource that has everything breaks what STU3 itself forbids together.
TOGETHER = ("obs-6:", "lst-1:", "lst-2:", "cmp-2:")


@pytest.mark.parametrize("beside", [False, True], ids=["elements", "what stands beside primitives"])
@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_element_and_every_code_that_stu3_has_is_valid_in_r4(type_: str, beside: bool) -> None:
    for resource in everything(type_, beside=beside):
        item = mapped(type_, resource)
        problems = check(item.type, item.body | {"id": "x"}).problems
        assert [(one.place, one.why) for one in problems if not one.why.startswith(TOGETHER)] == []


def test_the_resources_that_have_everything_are_what_they_say() -> None:
    resources = everything("Observation")
    assert {value for one in resources for value in leaves(one["status"])} >= {("", "final"), ("", "amended")}
    kinds = {key for one in resources for key in one if key.startswith("value")}
    assert {"valueQuantity", "valueString", "valueAttachment", "valuePeriod"} <= kinds
    texts = Counter(value for path, value in leaves(resources[0]) if not path.endswith(("status", "code", "type")))
    assert [value for value, times in texts.items() if times > 1 and value.startswith("word")] == []


# The published records


def of_the_entry(resource: Mapping[str, Any], record: Mapped) -> Iterator[Item]:
    """The items that one entry became: itself, and what it contained."""
    type_, id_ = resource["resourceType"], resource.get("id")
    if id_ is None:
        code = f"list-{resource['code']['coding'][0]['code']}"
        names = {code, f"List.{code}"}
    else:
        names = {id_, f"{type_}.{id_}"}
    for item in record.items:
        within = item.source_id.rpartition(".")[0]
        if (item.source_id in names and item.type == TYPES[type_].type) or within in {
            f"{type_}.{one}" for one in names
        } | names:
            yield item


def test_every_text_and_number_of_the_published_records_is_found_again(shared_examples: Path) -> None:
    walked = 0
    for practice, number, file in published_records(shared_examples):
        bundle = exact_json.loads(file.read_bytes())
        record = map_record(bundle, practice, number)
        refused = {(one.type, one.source_id): one.raw for one in record.rejected}
        for entry in bundle["entry"]:
            resource = entry["resource"]
            key = (resource["resourceType"], resource.get("id", ""))
            raw = [refused[key]] if key in refused else _nameless(resource, record)
            assert lost(entry | {"resource": None}, ()) == []
            assert lost(resource, of_the_entry(resource, record), raw) == [], (file.name, key)
            walked += sum(1 for _ in leaves(resource))
    assert walked > 39_000


def _nameless(resource: Mapping[str, Any], record: Mapped) -> list[str]:
    """A list without an id that was refused goes by its code."""
    if "id" in resource:
        return []
    name = f"list-{resource['code']['coding'][0]['code']}"
    return [one.raw for one in record.rejected if one.source_id == name]
