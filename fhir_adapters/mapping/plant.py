"""From what a mapping file says of a resource to the tree that fills it; every mistake is noted with its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from fhir_adapters.mapping.cells import Words, converter
from fhir_adapters.mapping.problems import CellWrong, Key, Problems
from fhir_adapters.mapping.tree import ANYTHING, Cell, Choice, Condition, Constant, Group, Listed, Node, Template

_BRACES = re.compile(r"\{([^{}]*)\}")


def plant(written: Any, words: Words, problems: Problems, key: Key) -> Node:
    """The node of an element: tables become groups, arrays lists, text a template, the rest constants."""
    if isinstance(written, Mapping) and "choose" in written:
        return _choice(written["choose"], words, problems, (*key, "choose"))
    if isinstance(written, Mapping):
        return _group(written, words, problems, key)
    if isinstance(written, list):
        nodes = [plant(one, words, problems, (*key, f"[{at}]")) for at, one in enumerate(written)]
        return Listed(tuple(nodes))
    if isinstance(written, str):
        return template(written, words, problems, key)
    if isinstance(written, date | datetime | time):
        problems.add(key, "a date must stand in quotes")
    return Constant(written)


def template(written: str, words: Words, problems: Problems, key: Key) -> Template | Constant:
    """Text with columns in braces, as in `{Surname}` or `{Born | date}`; a constant where it has none."""
    parts: list[str | Cell] = []
    at = 0
    for braces in _BRACES.finditer(written):
        parts += [written[at : braces.start()], _cell(braces[1], words, problems, key)]
        at = braces.end()
    rest = written[at:]
    if "{" in _BRACES.sub("", written) or "}" in _BRACES.sub("", written):
        problems.add(key, f"{written!r}: a brace has no partner")
    if not parts:
        return Constant(written)
    return Template(tuple(part for part in (*parts, rest) if part != ""))


def condition(written: Mapping[str, Any], problems: Problems, key: Key) -> Condition | None:
    """The condition that `when` and `unless` of a table make; None where it has neither."""
    if "when" not in written and "unless" not in written:
        return None
    both = [_words_by_column(written.get(name, {}), problems, (*key, name)) for name in ("when", "unless")]
    return Condition(*both)


def _group(written: Mapping[str, Any], words: Words, problems: Problems, key: Key) -> Group:
    elements = {name: one for name, one in written.items() if name not in ("when", "unless")}
    fields = tuple((name, plant(one, words, problems, (*key, name))) for name, one in elements.items())
    return Group(fields, condition(written, problems, key))


def _choice(written: Any, words: Words, problems: Problems, key: Key) -> Choice:
    options = written if isinstance(written, list) else []
    if not options or not all(isinstance(one, Mapping) and "be" in one for one in options):
        problems.add(key, 'must be a list such as [ { when = { Column = "word" }, be = "value" }, { be = "other" } ]')
        return Choice(())
    keys = [(*key, f"[{at}]") for at in range(len(options))]
    return Choice(
        tuple(
            (condition(one, problems, here), plant(one["be"], words, problems, (*here, "be")))
            for one, here in zip(options, keys, strict=True)
        )
    )


def _cell(inside: str, words: Words, problems: Problems, key: Key) -> Cell:
    column, *rules = [part.strip() for part in inside.split("|")]
    if not column:
        problems.add(key, "braces need the name of a column")
    converts = []
    for rule in rules:
        try:
            converts.append(converter(rule, words))
        except CellWrong as wrong:
            problems.add(key, str(wrong))
    return Cell(column, tuple(converts))


def _words_by_column(written: Any, problems: Problems, key: Key) -> dict[str, frozenset[str]]:
    if not isinstance(written, Mapping):
        problems.add(key, 'must be { Column = "word" } or { Column = ["word", "word"] }')
        return {}
    return {column: _some_words(some, problems, (*key, column)) for column, some in written.items()}


def _some_words(written: Any, problems: Problems, key: Key) -> frozenset[str]:
    some = written if isinstance(written, list) else [written]
    if not all(isinstance(word, str) for word in some):
        problems.add(key, f'must be words in quotes ("{ANYTHING}" for: not empty)')
        return frozenset()
    return frozenset(word.casefold() for word in some)
