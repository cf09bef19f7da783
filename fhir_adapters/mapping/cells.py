"""What can be made of one cell: the words that may follow a column's name in braces, as in `{Born | date}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapters.exact_json import ExactDecimal
from fhir_adapters.mapping.codes import CodeMap
from fhir_adapters.mapping.dates import DateForms, NoDate, unknown_form
from fhir_adapters.mapping.problems import CellWrong

_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,9})")
_ID = re.compile(r"[^\s/?#]{1,200}")
_YES = frozenset({"y", "yes", "true", "1"})
_NO = frozenset({"n", "no", "false", "0"})

Convert = Callable[[Any], Any]


class BadCell(Exception):
    """A cell that can't become what its element asks for. The message holds nothing of the cell."""


@dataclass(frozen=True)
class Words:
    """What the converters of one mapping file know: its code maps, its date forms, its tables."""

    codes: Mapping[str, CodeMap]
    dates: DateForms
    references: Mapping[str, tuple[str, str, str]]  # table, or table.Resource -> type, text before the id, text after


def converter(rule: str, words: Words) -> Convert:
    """What a rule such as `date`, `date DD/MM/YYYY` or `concept service` does. Raises CellWrong."""
    name, _, rest = rule.strip().partition(" ")
    if name not in CONVERTERS:
        raise CellWrong(f"{name!r} is no conversion; known are {', '.join(sorted(CONVERTERS))}")
    return CONVERTERS[name](rest.strip(), words)


def as_id(text: str) -> str:
    """A text that can be the id of a resource. Raises BadCell."""
    if not _ID.fullmatch(text):
        raise BadCell("can't be an id: it has white space or one of / ? #, or is too long")
    return text


def _date(rest: str, words: Words) -> Convert:
    forms = _forms(rest, words)
    return lambda text: _dated(forms.date, text)


def _date_time(rest: str, words: Words) -> Convert:
    forms = _forms(rest, words)
    return lambda text: _dated(forms.date_time, text)


def _forms(rest: str, words: Words) -> DateForms:
    if rest and unknown_form(rest):
        raise CellWrong(f"{rest!r} is no form of a date")
    return DateForms((rest,), words.dates.zone) if rest else words.dates


def _dated(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except NoDate as wrong:
        raise BadCell(str(wrong)) from wrong


def _decimal(rest: str, words: Words) -> Convert:
    return lambda text: ExactDecimal(_matching(_DECIMAL, text, "is no decimal number"))


def _money(rest: str, words: Words) -> Convert:
    return lambda text: ExactDecimal(_matching(_DECIMAL, re.sub(r"[£,\s]", "", text), "is no amount of money"))


def _integer(rest: str, words: Words) -> Convert:
    return lambda text: int(_matching(_INTEGER, text, "is no whole number"))


def _matching(pattern: re.Pattern[str], text: str, why: str) -> str:
    if not pattern.fullmatch(text):
        raise BadCell(why)
    return text


def _boolean(rest: str, words: Words) -> Convert:
    def convert(text: str) -> bool:
        if text.lower() not in _YES | _NO:
            raise BadCell("is neither yes nor no")
        return text.lower() in _YES

    return convert


def _code(rest: str, words: Words) -> Convert:
    codes = _code_map(rest, words)

    def convert(text: str) -> str:
        found = codes.find(text)
        if found is None:
            raise BadCell(f"is not in the code map {rest!r}")
        return found.code

    return convert


def _coding(rest: str, words: Words) -> Convert:
    codes = _code_map(rest, words)

    def convert(text: str) -> dict[str, str]:
        found = codes.find(text)
        if found is None:
            raise BadCell(f"is not in the code map {rest!r}")
        return found.coding()

    return convert


def _concept(rest: str, words: Words) -> Convert:
    """A word that no map knows stays as the text of the concept: nothing is lost by a new word."""
    codes = _code_map(rest, words) if rest else CodeMap({})

    def convert(text: str) -> dict[str, Any]:
        found = codes.find(text)
        return {"coding": [found.coding()], "text": text} if found else {"text": text}

    return convert


def _code_map(rest: str, words: Words) -> CodeMap:
    if rest not in words.codes:
        raise CellWrong(f"there is no code map [codes.{rest}]")
    return words.codes[rest]


def _reference(rest: str, words: Words) -> Convert:
    if rest not in words.references:
        raise CellWrong(f"there is no row {rest!r} to refer to; there are {', '.join(sorted(words.references))}")
    type_, before, after = words.references[rest]
    return lambda text: f"{type_}/{before}{as_id(text)}{after}"


# The words, as docs/mapping.md explains them.
CONVERTERS: Mapping[str, Callable[[str, Words], Convert]] = {
    "date": _date,
    "datetime": _date_time,
    "decimal": _decimal,
    "money": _money,
    "integer": _integer,
    "boolean": _boolean,
    "code": _code,
    "coding": _coding,
    "concept": _concept,
    "reference": _reference,
    "upper": lambda rest, words: str.upper,
    "lower": lambda rest, words: str.lower,
    "nospace": lambda rest, words: lambda text: re.sub(r"\s+", "", text),
}
