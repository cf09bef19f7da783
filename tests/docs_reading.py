"""Reading the project's Markdown: pages, parts under a heading, tables, and what stands in back-ticks."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
CODE_WORD = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def part(text: str, heading: str) -> str:
    """From that heading to the next of its level or above."""
    level = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def tables(text: str) -> list[list[list[str]]]:
    """Every table of the text as rows of cells, without its head."""
    blocks = re.findall(r"((?:^\|.*\|$\n?)+)", text, re.MULTILINE)
    return [[_cells(line) for line in block.splitlines()[2:]] for block in blocks]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def first_words(rows: list[list[str]]) -> list[str]:
    """What stands in back-ticks in the first column."""
    return [word for row in rows for word in CODE_WORD.findall(row[0])]


def called(path: Path) -> str:
    """How a test names the page."""
    return path.relative_to(ROOT).as_posix()
