"""The pages of the documentation hold together: links, files, commands and words that they name are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import ROOT
from docs_reading import DOCS, PAGES, called, page, part, tables

from carelink.cli import cli


@pytest.mark.parametrize("path", PAGES, ids=called)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        led_to = (path.parent / file).resolve() if file else path
        assert led_to.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in _anchors(led_to.read_text("utf-8")), f"{target}: there is no such heading"


def _anchors(text: str) -> set[str]:
    """As Git hosts make them of headings: lower case, no punctuation, dashes for spaces."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=called)
def test_no_page_names_a_path_of_somebodys_machine(path: Path) -> None:
    found = re.findall(
        r"(?<![\w.~-])/(?:home|root|tmp|work|Users|mnt|private)/\S*|[A-Z]:\\\S*", path.read_text("utf-8")
    )
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=called)
def test_every_file_of_the_project_that_a_page_names_is_there(path: Path) -> None:
    named = re.findall(
        r"`((?:carelink|fhir_adapters|tests|config|docs|benchmarks|requirements)/[\w./-]+)(?:::\w+)?`",
        path.read_text("utf-8"),
    )
    assert [one for one in named if not (ROOT / one).exists()] == []


def _commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*before, name))


@pytest.mark.parametrize("path", PAGES, ids=called)
def test_every_command_that_a_page_names_is_there(path: Path) -> None:
    known = set(_commands(cli))
    groups = {one[0]: {two[1] for two in known if len(two) == 2 and two[0] == one[0]} for one in known if len(one) == 1}
    text = path.read_text("utf-8")
    for line in re.findall(r"(?:^    |`)(?:\.venv/bin/)?carelink ([a-z-]+(?: [a-z-]+)?)", text, re.MULTILINE):
        first, _, second = line.partition(" ")
        assert first in groups, f"carelink {line}"
        assert not groups[first] or second in groups[first], f"carelink {line}"


def test_the_notices_that_users_are_told_of_stand_on_pages() -> None:
    texts = [path.read_text("utf-8") for end in ("html", "py", "toml") for path in _shown(end)]
    for row in tables(part(page("users.md"), "## What the notices mean"))[0]:
        said = row[0].strip('"')
        parts = [one.strip(" .,") for one in re.split(r"\d+:\d+|\d+ minutes ago|\.\.\.|: |, ", said)]
        for one in parts:
            assert any(one in text for text in texts), f"no page says {one!r}"


def _shown(end: str) -> list[Path]:
    return sorted([*(ROOT / "carelink").rglob(f"*.{end}"), *(ROOT / "config").rglob(f"*.{end}")])


def test_decisions_are_numbered_without_a_gap_and_each_says_context_choice_and_consequence() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:3]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        text = path.read_text("utf-8")
        assert text.startswith(f"# {int(path.name[:3])}. "), path.name
        assert all(f"**{word}.**" in text for word in ("Context", "Choice", "Consequence")), path.name
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than a page"


def test_the_glossary_has_each_word_once_in_order() -> None:
    words = [row[0].lower() for row in tables(page("glossary.md"))[0]]
    assert words == sorted(set(words))
