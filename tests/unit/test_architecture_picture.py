"""The picture in docs/architecture.md shows the imports that there really are: no arrow more, none less."""

from __future__ import annotations

import re
from pathlib import Path

import grimp

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
ROOTS = ("carelink", "fhir_adapters")
# Values and errors that everything uses: arrows to them would hide the others.
EVERYWHERE = {
    "carelink.errors",
    "carelink.ids",
    "carelink.place",
    "carelink.clock",
    "carelink.settings",
    "carelink.logs",
}


def room(module: str) -> str:
    """`carelink.record.search` is in the room `record`; `fhir_adapters.pds` in `fhir_adapters`."""
    parts = module.split(".")
    return parts[1] if parts[0] == "carelink" and len(parts) > 1 else parts[0]


def real_arrows() -> set[tuple[str, str]]:
    graph = grimp.build_graph(*ROOTS)
    return {
        (room(module), room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported not in EVERYWHERE and module not in EVERYWHERE and room(module) != room(imported)
    }


def drawn_arrows() -> set[tuple[str, str]]:
    picture = re.search(r"```mermaid\n(.*?)```", PICTURE.read_text(), re.DOTALL)
    assert picture, "docs/architecture.md has no mermaid picture"
    return {
        (source, target.strip())
        for source, targets in re.findall(r"^\s*(\w+) --> (.+)$", picture[1], re.MULTILINE)
        for target in targets.split(" & ")
    }


def test_the_picture_of_the_architecture_shows_the_imports_that_there_are() -> None:
    drawn, real = drawn_arrows(), real_arrows()
    assert sorted(drawn - real) == [], "drawn, but no such import"
    assert sorted(real - drawn) == [], "imported, but not drawn"
