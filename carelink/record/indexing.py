"""From a resource's body to the values that searches look up: by the table of parameters, without a FHIRPath engine."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from carelink.record.parameters import CLINICAL, PARAMETERS, Kind, Path
from carelink.record.partial_dates import span

FAR_PAST = datetime(1, 1, 1, tzinfo=UTC)
FAR_FUTURE = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST = 500  # characters that are compared: a row of PostgreSQL's B-tree holds 2,700 bytes
MOST_DIGITS = 100  # FHIR asks for 18; PostgreSQL refuses a number of 131,072


@dataclass
class Indexed:
    """What one resource puts into the index tables, less its key and person."""

    tokens: list[tuple[Any, ...]] = field(default_factory=list)
    strings: list[tuple[Any, ...]] = field(default_factory=list)
    dates: list[tuple[Any, ...]] = field(default_factory=list)
    references: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: list[tuple[Any, ...]] = field(default_factory=list)

    def tables(self) -> tuple[tuple[str, list[tuple[Any, ...]]], ...]:
        """The rows of each table, in the order of its columns: the parameter first, then the values."""
        return (
            ("index_token", self.tokens),
            ("index_string", self.strings),
            ("index_date", self.dates),
            ("index_reference", self.references),
            ("index_number", self.numbers),
        )


def _plan() -> dict[str, tuple[tuple[int, Kind, Path], ...]]:
    plan: dict[str, list[tuple[int, Kind, Path]]] = {}
    for parameter in PARAMETERS:
        for type_, paths in parameter.paths.items():
            plan.setdefault(type_, []).extend((parameter.number, parameter.kind, path) for path in paths)
    return {type_: tuple(steps) for type_, steps in plan.items()}


_PLAN = _plan()


def index(type_: str, body: Mapping[str, Any]) -> Indexed:
    """All index values of a resource; a date that can't be read as one is left out, the body still has it."""
    made = Indexed()
    for number, kind, path in _PLAN.get(type_, ()):
        if path[0] in body:
            for value in values(body, path):
                _ADD[kind](made, number, value)
    return made


def values(body: Any, path: Path) -> Iterator[Any]:
    """What stands at the path, lists opened."""
    here = body.get(path[0]) if isinstance(body, dict) else None
    if here is None:
        return
    for one in here if isinstance(here, list) else (here,):
        if len(path) > 1:
            yield from values(one, path[1:])
        elif one is not None:
            yield one


def _token(made: Indexed, number: int, value: Any) -> None:
    for system, code in dict.fromkeys(tokens(value)):
        made.tokens.append((number, system, code[:LONGEST], None))


def tokens(value: Any) -> Iterator[tuple[str | None, str]]:
    """The (system, code) pairs of a code, Coding, CodeableConcept, Identifier, ContactPoint or boolean."""
    if isinstance(value, str):
        yield (None, value)
    elif isinstance(value, bool):
        yield (None, "true" if value else "false")
    elif isinstance(value, dict):
        for coding in value.get("coding", ()) or (value,):
            code = coding.get("code", coding.get("value"))
            if isinstance(code, str):
                yield (coding.get("system"), code)


_UNSAID = str.maketrans(dict.fromkeys("'’‘`´.,", "") | {"-": " "})
_SOLID = frozenset(one.number for one in PARAMETERS if one.solid)


def fold(text: str) -> str:
    """Case, accents, punctuation and extra space do not count in a string search (FHIR R4 3.1.1.4.8)."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(text.translate(_UNSAID).casefold().split())


def folded(number: int, text: str) -> str:
    """The text as that parameter keeps and compares it."""
    text = fold(text[:LONGEST])
    return text.replace(" ", "") if number in _SOLID else text


def _string(made: Indexed, number: int, value: Any) -> None:
    if isinstance(value, str) and (text := folded(number, value)):
        made.strings.append((number, text, None))


def _date(made: Indexed, number: int, value: Any) -> None:
    try:
        low, high = _period(value) if isinstance(value, dict) else span(value)
    except (ValueError, OverflowError, TypeError):
        return
    made.dates.append((number, low, high))


def _period(value: Mapping[str, Any]) -> tuple[datetime, datetime]:
    low = span(value["start"])[0] if "start" in value else FAR_PAST
    high = span(value["end"])[1] if "end" in value else FAR_FUTURE
    if "start" not in value and "end" not in value:
        raise ValueError("an empty period")
    return low, high


def _reference(made: Indexed, number: int, value: Any) -> None:
    literal = value.get("reference") if isinstance(value, dict) else None
    if isinstance(literal, str):
        type_, _, id_ = literal.partition("/")
        local = len(id_) == 36 and type_.isalpha()
        made.references.append(
            (number, id_ if local else None, None if local else literal, type_ if local else None, None)
        )


def _number(made: Indexed, number: int, value: Any) -> None:
    amount = value.get("value") if isinstance(value, dict) else value
    if isinstance(amount, (int, Decimal)) and not isinstance(amount, bool):
        amount = Decimal(amount)
        if sortable(amount):
            made.numbers.append((number, amount, amount, None, value.get("code", value.get("unit")), None, None))


def sortable(number: Decimal) -> bool:
    """Whether the number is one that the index can hold."""
    return number.is_finite() and abs(number.adjusted()) < MOST_DIGITS


_ADD = {
    Kind.TOKEN: _token,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.REFERENCE: _reference,
    Kind.NUMBER: _number,
}


def clinical(type_: str, body: Mapping[str, Any]) -> datetime | None:
    """When it happened: the first moment of its date, in UTC; None where it is not said."""
    said = clinical_text(type_, body)
    return span(said)[0] if said else None


def clinical_text(type_: str, body: Mapping[str, Any]) -> str:
    """When it happened as it was written, to the precision that is known; empty where it is not said."""
    for path in CLINICAL.get(type_, ()):
        for value in values(body, path):
            try:
                span(value)
            except (ValueError, OverflowError, TypeError):
                continue
            return str(value)
    return ""
