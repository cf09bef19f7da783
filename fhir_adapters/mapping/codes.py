"""Code maps: what a source's word is in a published code system."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_adapters.mapping.problems import Key, Problems

_SETTINGS = {"values", "file", "system", "otherwise"}
_CODE = {"code", "system", "display"}


@dataclass(frozen=True)
class Code:
    code: str
    system: str = ""
    display: str = ""

    def coding(self) -> dict[str, str]:
        """As a FHIR Coding."""
        parts = {"system": self.system, "code": self.code, "display": self.display}
        return {name: text for name, text in parts.items() if text}


@dataclass(frozen=True)
class CodeMap:
    """Upper and lower case, and white space around a word, make no difference."""

    values: Mapping[str, Code]
    otherwise: Code | None = None

    def find(self, word: str) -> Code | None:
        """The code of that word; else the map's `otherwise`; else None."""
        return self.values.get(word.strip().casefold(), self.otherwise)


def code_maps(written: Any, folder: Path, problems: Problems) -> dict[str, CodeMap]:
    """All maps of `[codes.*]`. CSV files are read from beside the mapping file."""
    if not isinstance(written, Mapping):
        problems.add(("codes",), "must be tables [codes.NAME]")
        return {}
    return {name: _code_map(name, one, folder, problems) for name, one in written.items()}


def _code_map(name: str, written: Any, folder: Path, problems: Problems) -> CodeMap:
    key = ("codes", name)
    if not isinstance(written, Mapping):
        problems.add(key, "must be a table")
        return CodeMap({})
    for setting in written.keys() - _SETTINGS:
        problems.add((*key, setting), f"is not known here; known are {', '.join(sorted(_SETTINGS))}")
    if "values" not in written and "file" not in written:
        problems.add(key, "needs `values` or a `file`")
    system = str(written.get("system", ""))
    values = _from_file(written["file"], system, folder, problems, (*key, "file")) if "file" in written else {}
    inline = written.get("values", {})
    for word, code in inline.items() if isinstance(inline, Mapping) else ():
        values[word.strip().casefold()] = _code(code, system, problems, (*key, "values", word))
    otherwise = written.get("otherwise")
    return CodeMap(values, None if otherwise is None else _code(otherwise, system, problems, (*key, "otherwise")))


def _code(written: Any, system: str, problems: Problems, key: Key) -> Code:
    if isinstance(written, str):
        return Code(written, system)
    if isinstance(written, Mapping) and isinstance(written.get("code"), str) and written.keys() <= _CODE:
        return Code(written["code"], written.get("system", system), written.get("display", ""))
    problems.add(key, 'must be a code in quotes, or { code = "…", display = "…", system = "…" }')
    return Code("")


def _from_file(name: Any, system: str, folder: Path, problems: Problems, key: Key) -> dict[str, Code]:
    """A CSV with the columns value, code and, if it likes, display and system."""
    path = folder / str(name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except FileNotFoundError:
        problems.add(key, f"{name} is not there (looked in {folder.name}/)")
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        problems.add(key, f"{name} can't be read: {wrong}")
        return {}
    if any(not (row.get("value") and row.get("code")) for row in rows):
        problems.add(key, f"{name} needs the columns value and code, filled in every row")
        return {}
    return {
        row["value"].strip().casefold(): Code(row["code"], row.get("system") or system, row.get("display") or "")
        for row in rows
    }
