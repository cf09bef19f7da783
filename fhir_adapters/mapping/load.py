"""Reads a mapping file of a place pack into tables of rules. docs/mapping.md explains the file."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fhir_adapters.exact_json import ExactDecimal
from fhir_adapters.mapping.api import Api, api_of
from fhir_adapters.mapping.cells import Words
from fhir_adapters.mapping.codes import code_maps
from fhir_adapters.mapping.dates import DateForms, unknown_form
from fhir_adapters.mapping.problems import MappingWrong, Problem, Problems, lines_of
from fhir_adapters.mapping.table import Table
from fhir_adapters.mapping.tables import Sections, references, table_of

_SETTINGS = {"about", "encoding", "separator", "dates", "timezone", "blank", "api", "codes", "table"}


@dataclass(frozen=True)
class SourceMapping:
    """A mapping file: its tables in the order in which they are read, and how the source writes."""

    file: str
    tables: tuple[Table, ...]
    encoding: str
    separator: str
    digest: str  # of the file and its code maps: another mapping means reading everything again
    api: Api


def load(path: Path) -> SourceMapping:
    """The checked mapping. Raises MappingWrong with every problem of the file: its line, its key and what is wrong."""
    written, problems = _read(path)
    for name in written.keys() - _SETTINGS:
        problems.add((name,), f"is not known; known are {', '.join(sorted(_SETTINGS))}")
    tables = _sections(written, problems)
    codes = code_maps(written.get("codes", {}), path.parent, problems)
    words = Words(codes, _dates(written, problems), references(tables))
    blank = frozenset(_texts(written, "blank", [], problems))
    made = tuple(table_of(name, one, blank, words, problems) for name, one in tables.items())
    api = api_of(written.get("api", {}), problems)
    encoding, separator = _encoding(written, problems), _separator(written, problems)
    problems.stop_if_any()
    return SourceMapping(path.name, made, encoding, separator, _digest(path, written), api)


def _read(path: Path) -> tuple[dict[str, Any], Problems]:
    try:
        text = path.read_bytes().decode()
        return tomllib.loads(text, parse_float=ExactDecimal), Problems(path.name, lines_of(text))
    except OSError as wrong:
        raise MappingWrong([Problem(path.name, 0, "", f"can't be read: {wrong.strerror}")]) from wrong
    except UnicodeDecodeError as wrong:
        raise MappingWrong([Problem(path.name, 0, "", f"is not UTF-8 (byte {wrong.start})")]) from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise MappingWrong([Problem(path.name, 0, "", f"is not TOML: {wrong}")]) from wrong


def _digest(path: Path, written: Mapping[str, Any]) -> str:
    files = [path, *(path.parent / one["file"] for one in written.get("codes", {}).values() if "file" in one)]
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _sections(written: Mapping[str, Any], problems: Problems) -> dict[str, Sections]:
    tables = written.get("table")
    if not isinstance(tables, dict) or not tables:
        problems.add(("table",), "needs at least one [table.NAME]")
        return {}
    wrong = [name for name, one in tables.items() if not isinstance(one, dict)]
    for name in wrong:
        problems.add(("table", name), "must be a table")
    return {name: one for name, one in tables.items() if name not in wrong}


def _dates(written: Mapping[str, Any], problems: Problems) -> DateForms:
    forms = _texts(written, "dates", ["ISO"], problems)
    for form in filter(unknown_form, forms):
        problems.add(("dates",), f'{form!r} is no form of a date; write it as in "DD/MM/YYYY HH:mm", or "ISO"')
    try:
        zone = ZoneInfo(str(written.get("timezone", "Europe/London")))
    except (ZoneInfoNotFoundError, ValueError):
        problems.add(("timezone",), "is not known; write it as in Europe/London")
        zone = ZoneInfo("Europe/London")
    return DateForms(tuple(forms), zone)


def _texts(written: Mapping[str, Any], name: str, usual: list[str], problems: Problems) -> list[str]:
    texts = written.get(name, usual)
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        problems.add((name,), "must be a list of texts")
        return usual
    return texts


def _encoding(written: Mapping[str, Any], problems: Problems) -> str:
    encoding = str(written.get("encoding", "utf-8"))
    try:
        if "\n".encode(encoding) == b"\n":  # lines are told apart before they are decoded
            return codecs.lookup(encoding).name
    except LookupError:
        pass
    problems.add(
        ("encoding",), f"{encoding!r} is not known or has no single-byte line end; write utf-8 or windows-1252"
    )
    return "utf-8"


def _separator(written: Mapping[str, Any], problems: Problems) -> str:
    separator = written.get("separator", ",")
    if not isinstance(separator, str) or len(separator) != 1:
        problems.add(("separator",), "must be one character")
        return ","
    return separator
