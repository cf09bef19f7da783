"""From the sections `[table.NAME]` of a mapping file to tables of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_adapters.mapping.cells import Words
from fhir_adapters.mapping.plant import condition, plant, template
from fhir_adapters.mapping.problems import Key, Problems
from fhir_adapters.mapping.shape import check_shape
from fhir_adapters.mapping.table import Rule, Table
from fhir_adapters.mapping.tree import Group, Template

Sections = Mapping[str, Any]

_SETTINGS = {"file", "path", "optional", "may_be_missing", "duplicates", "rows"}
_OF_RULE = {"id", "when", "unless"}
_DUPLICATES = ("last", "first", "reject")
_ONE_COLUMN = re.compile(r"([^{}]*)\{[^{}|]*\}([^{}]*)")
_REFERENCE = re.compile(r"\|\s*reference\s+([\w-]+)")


def references(tables: Mapping[str, Sections]) -> dict[str, tuple[str, str, str]]:
    """What `reference NAME` may name: a table (its first resource) or TABLE.RESOURCE; for each its type and its id.

    Only a resource whose id is made of one column can be referred to.
    """
    found: dict[str, tuple[str, str, str]] = {}
    for name, sections in tables.items():
        for resource, rule in _rules(sections):
            id_ = _ONE_COLUMN.fullmatch(str(rule.get("id", ""))) if isinstance(rule, Mapping) else None
            if id_:
                meant = (_type(resource), id_[1], id_[2])
                found.setdefault(name, meant)
                found[f"{name}.{resource}"] = meant
    return found


def table_of(name: str, written: Sections, blank: frozenset[str], words: Words, problems: Problems) -> Table:
    """The table; every mistake in it is noted."""
    key = ("table", name)
    for setting in _settings(written).keys() - _SETTINGS:
        allowed = f"known are {', '.join(sorted(_SETTINGS))}, and resources such as Patient"
        problems.add((*key, setting), f"is not known here; {allowed}")
    duplicates = written.get("duplicates", "last")
    if duplicates not in _DUPLICATES:
        problems.add((*key, "duplicates"), f"must be one of {', '.join(_DUPLICATES)}")
    rules = [_rule(resource, rule, words, problems, (*key, resource)) for resource, rule in _rules(written)]
    if not rules:
        problems.add(key, f"needs a resource, such as [table.{name}.Patient]")
    return Table(
        name,
        _place(written, problems, key),
        tuple(rule for rule in rules if rule),
        blank,
        frozenset(written.get("optional", ())),
        bool(written.get("may_be_missing", False)),
        duplicates,
        frozenset(_referred(written)) - {name},
        written.get("rows"),
    )


def _rule(resource: str, written: Any, words: Words, problems: Problems, key: Key) -> Rule | None:
    if not isinstance(written, Mapping):
        problems.add(key, "must be a table")
        return None
    id_ = template(str(written.get("id", "")), words, problems, (*key, "id"))
    if not isinstance(id_, Template):
        problems.add((*key, "id"), 'must be made of at least one column, as in "{PersonID}"')
        return None
    elements = {name: one for name, one in written.items() if name not in _OF_RULE}
    check_shape(_type(resource), elements, problems, key)
    body = plant(elements, words, problems, key)
    assert isinstance(body, Group)
    return Rule(_type(resource), id_, body, condition(written, problems, key))


def _place(written: Sections, problems: Problems, key: Key) -> str:
    places = [str(written[name]) for name in ("file", "path") if name in written]
    if len(places) != 1:
        problems.add(key, "needs either `file` (a CSV of the folder) or `path` (of the API)")
    return places[0] if places else ""


def _rules(sections: Sections) -> Iterator[tuple[str, Any]]:
    """The sections that are resources: FHIR's types begin with a capital."""
    return ((name, one) for name, one in sections.items() if name[:1].isupper())


def _settings(sections: Sections) -> dict[str, Any]:
    return {name: one for name, one in sections.items() if not name[:1].isupper()}


def _type(resource: str) -> str:
    """`Task` and `Task review` are both Tasks: a second word tells two rules of one table apart."""
    return resource.split(" ")[0]


def _referred(written: Any) -> Iterator[str]:
    """The tables that any text in there refers to."""
    if isinstance(written, Mapping):
        for one in written.values():
            yield from _referred(one)
    elif isinstance(written, list):
        for one in written:
            yield from _referred(one)
    elif isinstance(written, str):
        yield from _REFERENCE.findall(written)
