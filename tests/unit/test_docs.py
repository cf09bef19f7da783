"""The documentation is true of the code where a machine can tell: rules, keys, tables, and the tests of hazards."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from docs_reading import CODE_WORD, first_words, page, part, tables
from marshmallow import Schema, missing

from carelink.cases import subject_access_rules
from carelink.consent import rules, sensitivity
from carelink.db.tables import metadata
from carelink.place_schemas import FILES, LEVELS, MAY, PURPOSES, RELATIONSHIPS
from carelink.record.blocking import BLOCKS
from carelink.record.invariants import OF_DATATYPE
from carelink.record.matching import SAFETY
from carelink.record.repairs import RULES
from carelink.settings import KEYS, Settings
from fhir_adapters.registry import KINDS

CODE = [path for name in ("carelink", "fhir_adapters") for path in sorted((ROOT / name).rglob("*.py"))]


# Rules ---------------------------------------------------------------------------------------------


def test_every_rule_of_the_decision_is_explained_and_no_other() -> None:
    told = re.findall(r"`(L\d+-[a-z-]+)`", page("consent.md"))
    assert set(told) == set(rules.BY_ID)
    in_table = first_words(tables(part(page("consent.md"), "## The rules, highest first"))[0])
    assert in_table == [rule.id for rule in rules.ALL], "once each, in the order of the code"


def test_the_law_of_every_rule_is_the_same_on_pages_and_in_the_docs() -> None:
    told = {row[0].strip("`"): row[2] for row in tables(part(page("consent.md"), "## The rules, highest first"))[0]}
    assert told == {rule.id: rule.law for rule in rules.ALL}


def test_the_sensitivities_are_told_with_what_the_person_does_not_see() -> None:
    for row in tables(part(page("consent.md"), "## Sensitivities"))[0]:
        hidden = bool(sensitivity.NAMES[row[0].strip("`")] & sensitivity.NOT_FOR_THE_PERSON)
        assert (row[2] == "yes") == hidden, row
    assert first_words(tables(part(page("consent.md"), "## Sensitivities"))[0]) == list(sensitivity.NAMES)


def test_every_reason_to_look_at_an_item_before_it_is_given_to_its_person_is_told() -> None:
    told = tables(part(page("subject-access.md"), "## What is proposed"))[0]
    words = {"leave-out": "leave out", "redact": "take words out"}
    real = [(rule.id, words[rule.proposes.value]) for rule in subject_access_rules.RULES]
    assert [(row[0].strip("`"), row[2]) for row in told] == real


def test_every_kind_of_relationship_is_explained() -> None:
    assert first_words(tables(part(page("consent.md"), "## Relationships"))[0]) == list(RELATIONSHIPS)


def test_every_repair_is_in_the_table() -> None:
    assert first_words(tables(part(page("ingest.md"), "## Repairs"))[0]) == [rule.id for rule in RULES]


def test_every_repair_of_the_gp_mapping_is_in_the_table() -> None:
    noted = {
        id_
        for path in (ROOT / "fhir_adapters" / "gp_connect").glob("*.py")
        for id_ in re.findall(r'"(GP-[a-z0-9-]+)"', path.read_text("utf-8"))
    }
    told = first_words(tables(part(page("ingest.md"), "### From GP Connect's STU3 to R4"))[0])
    assert sorted(told) == sorted(noted)


def test_every_invariant_is_in_the_table_with_what_a_breach_comes_to() -> None:
    told = {row[0].strip("`"): row[3] for row in tables(part(page("ingest.md"), "## Invariants"))[0]}
    real = {one.id: one.breach for of_type in OF_DATATYPE.values() for one in of_type}
    assert told.keys() == real.keys()
    words = {"REFUSE": "to quarantine", "KEEP": "kept", "MEND": "mended"}
    assert {id_: words[breach.name] for id_, breach in real.items()} == {
        id_: said.partition(":")[0] for id_, said in told.items()
    }


def test_every_block_and_safety_rule_of_linking_is_told() -> None:
    blocks, safety = tables(part(page("ingest.md"), "## Linking"))
    assert [row[1] for row in blocks] == [why.replace("same number, ", "") for _, why in BLOCKS]
    assert first_words(safety) == [one.id for one in SAFETY]


# Keys ----------------------------------------------------------------------------------------------


def _usual(schema: type[Schema]) -> dict[str, str]:
    """Each key with what holds where it is left out, as the docs write it."""
    return {name: _written(one) for name, one in schema().fields.items()}


def _written(one: Any) -> str:
    if one.required:
        return "**required**"
    default = one.load_default() if callable(one.load_default) else one.load_default
    assert default is not missing
    text = {True: "true", False: "false"}.get(default) if isinstance(default, bool) else None
    return f"`{text or (repr(default).replace(chr(39), chr(34)))}`"


@pytest.mark.parametrize(("file", "table"), [(file, name) for file, entries in FILES.items() for name, _ in entries])
def test_every_key_of_a_place_pack_is_documented_and_none_more(file: str, table: str) -> None:
    schema = dict(FILES[file])[table]
    text = part(page("place-packs.md"), f"## `{file}`")
    text = part(text, f"### `[[{table}]]`") if table else text
    told = {row[0].strip("`"): row[2] for row in tables(text)[0]}
    assert told == _usual(schema)


def test_the_closed_lists_of_a_place_pack_are_documented() -> None:
    packs = page("place-packs.md")
    staff, linking = part(packs, "## `staff.toml`"), part(packs, "## `linking.toml`")
    purposes = next(row for row in tables(staff)[0] if row[0] == "`purposes`")[1]
    assert tuple(CODE_WORD.findall(purposes.partition(". ")[0])) == PURPOSES
    assert sorted(first_words(tables(staff)[1])) == sorted(MAY)
    assert {row[0].strip("`"): tuple(CODE_WORD.findall(row[1])) for row in tables(linking)[1]} == LEVELS
    kind = next(row for row in tables(part(packs, "## `sources.toml`"))[0] if row[0] == "`kind`")[1]
    assert sorted(CODE_WORD.findall(kind)) == sorted(KINDS)
    agreements = part(packs, "## `agreements.toml`").partition("Sensitivities are")[2].partition(". ")[0]
    assert set(CODE_WORD.findall(agreements)) == set(sensitivity.NAMES)


def test_every_option_of_a_source_is_documented() -> None:
    used = {
        name
        for path in (ROOT / "fhir_adapters").rglob("*.py")
        for name in re.findall(r'options\.get\("(\w+)"', path.read_text("utf-8"))
    }
    told = set(first_words(tables(part(page("place-packs.md"), "## `sources.toml`"))[1]))
    assert used <= told
    assert told - used == {"token_url", "client_id", "key_id"}, "read by a loop over their names"


def test_every_setting_is_documented_with_its_usual_value() -> None:
    settings, others = tables(part(page("operators.md"), "## Settings"))
    defaults = {one.name: one.default for one in fields(Settings) if one.default is not MISSING}
    assert {row[0].strip("`"): row[2] for row in settings} == {
        key: _said(defaults[name]) for key, (name, _) in KEYS.items()
    }
    in_code = {key for path in CODE for key in re.findall(r"CARELINK_[A-Z_]+[A-Z]", path.read_text("utf-8"))}
    in_docs = set(first_words(others)) | set(KEYS)
    assert {key for key in in_code if not key.startswith("CARELINK_SOURCE")} <= in_docs
    assert set(first_words(others)) - in_code == {"CARELINK_SOURCE_NAME_URL", "CARELINK_SOURCE_NAME_SECRET"}


def _said(default: object) -> str:
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT).as_posix()}`"
    if default in ("", None):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_table_of_the_database_is_on_the_page_of_the_architecture() -> None:
    told = first_words(tables(part(page("architecture.md"), "## The tables"))[0])
    assert sorted(told) == sorted(metadata.tables)


# Tests and hazards ---------------------------------------------------------------------------------


def test_every_hazard_names_a_test_that_exists_or_says_that_it_is_open() -> None:
    rows = [row for table in tables(page("safety.md")) for row in table]
    assert len(rows) >= 25
    for hazard, control, shown in rows:
        tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
        assert control, hazard
        assert tests or shown.startswith("open"), f"{hazard}: names no test and is not said to be open"
        for file, name in tests:
            assert name in _tests_of(ROOT / file), f"{hazard}: there is no test {name} in {file}"


def _tests_of(file: Path) -> set[str]:
    assert file.is_file(), f"there is no {file}"
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
