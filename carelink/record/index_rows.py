"""One value of a body as rows of the index tables, by the kind of its parameter (FHIR R4 3.1.1.4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from carelink.record.parameters import PARAMETERS, Kind
from carelink.record.partial_dates import span

FAR_PAST = datetime(1, 1, 1, tzinfo=UTC)
FAR_FUTURE = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST = 500  # characters that are compared: a row of PostgreSQL's B-tree holds 2,700 bytes
MOST_DIGITS = 100  # FHIR asks for 18; PostgreSQL refuses a number of 131,072
NOTHING_BELOW, NOTHING_ABOVE = Decimal("-Infinity"), Decimal("Infinity")
_Row = tuple[Any, ...]


@dataclass(slots=True)
class Indexed:
    """What one resource puts into the index tables, less its key and person: the parameter first, then the values."""

    tokens: list[_Row] = field(default_factory=list)
    strings: list[_Row] = field(default_factory=list)
    dates: list[_Row] = field(default_factory=list)
    references: list[_Row] = field(default_factory=list)
    numbers: list[_Row] = field(default_factory=list)

    def tables(self) -> tuple[tuple[str, list[_Row]], ...]:
        """The rows of each table, in the order of its columns."""
        return (
            ("index_token", self.tokens),
            ("index_string", self.strings),
            ("index_date", self.dates),
            ("index_reference", self.references),
            ("index_number", self.numbers),
        )


def _token(made: Indexed, number: int, value: Any, place: int | None) -> None:
    found = list(tokens(value))
    for system, code in dict.fromkeys(found) if len(found) > 1 else found:
        made.tokens.append((number, system, code[:LONGEST], place))
    if isinstance(value, dict):
        if words := _joined(_words(value)):
            made.strings.append((number, words, None))
        if "type" in value:
            made.tokens += [(-number, kind, code[:LONGEST], place) for kind, code in _of_type(value)]


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


def _words(value: Mapping[str, Any]) -> Iterator[str]:
    """What a person reads of it, for `:text`: of a CodeableConcept, a Coding or the type of an Identifier."""
    concept = value.get("type") if "value" in value else value
    if not isinstance(concept, dict):
        return
    for one in (concept.get("text"), concept.get("display"), *[c.get("display") for c in concept.get("coding", ())]):
        if isinstance(one, str):
            yield one


def _of_type(identifier: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """An identifier by the type of its number, for `:of-type`: the type as `system|code`, and the number."""
    number, kind = identifier.get("value"), identifier["type"]
    if isinstance(number, str) and isinstance(kind, dict):
        for coding in kind.get("coding", ()):
            yield (f"{coding.get('system', '')}|{coding.get('code', '')}", number)


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


def _joined(words: Iterable[str]) -> str:
    """All that a person reads of one code, a line each: one row, in which any part is looked for."""
    found: list[str] = []
    for said in words:
        text = fold(said[:LONGEST])
        if text and not any(text in other for other in found):
            found.append(text)
    return "\n".join(found)[:LONGEST]


# The texts of a HumanName and of an Address: the whole of either is searched by any of them.
_SAID = ("family", "given", "prefix", "suffix", "text", "line", "city", "district", "state", "postalCode", "country")


def _string(made: Indexed, number: int, value: Any, place: int | None) -> None:
    for said in dict.fromkeys(_texts(value)):
        if text := folded(number, said):
            exact = said[:LONGEST]
            made.strings.append((number, text, None if exact == text else exact))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in _SAID:
            found = value.get(part)
            yield from [one for one in (found if isinstance(found, list) else (found,)) if isinstance(one, str)]


def _date(made: Indexed, number: int, value: Any, place: int | None) -> None:
    try:
        low, high = _spanned(value) if isinstance(value, dict) else span(value)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return
    made.dates.append((number, low, high))


def _spanned(value: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """From the first moment to the last of a Period, or of a Timing by its events and bounds."""
    if "event" in value or "repeat" in value:
        spans = [span(one) for one in value.get("event", ())]
        bounds = value.get("repeat", {}).get("boundsPeriod")
        spans += [_spanned(bounds)] if bounds else []
        return min(low for low, _ in spans), max(high for _, high in spans)
    if "start" not in value and "end" not in value:
        raise ValueError("an empty period")
    low = span(value["start"])[0] if "start" in value else FAR_PAST
    high = span(value["end"])[1] if "end" in value else FAR_FUTURE
    return low, high


_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(/_history/.+)?")
_ELSEWHERE = re.compile(r"[a-z]+:.*/([A-Z][A-Za-z]+)/[^/]+(/_history/[^/]+)?", re.DOTALL)


def _reference(made: Indexed, number: int, value: Any, place: int | None) -> None:
    if isinstance(value, str):
        made.references += [(number, None, url, None, place) for url in _versions(value)]
    elif isinstance(value, dict):
        literal, identifier = value.get("reference"), value.get("identifier")
        if isinstance(literal, str):
            made.references.append((number, *_pointed(literal, value.get("type")), place))
        if isinstance(identifier, dict):
            made.tokens += [(number, system, code[:LONGEST], place) for system, code in tokens(identifier)]


def _pointed(literal: str, said: Any) -> tuple[str | None, str | None, str | None]:
    """The target here, or what was written; and its type. Of a version both."""
    if local := _LOCAL.fullmatch(literal):
        return local[2], literal if local[3] else None, local[1]
    elsewhere = _ELSEWHERE.fullmatch(literal)
    return None, literal[:LONGEST], elsewhere[1] if elsewhere else said if isinstance(said, str) else None


def _versions(canonical: str) -> tuple[str, ...]:
    """A canonical `url|version` is found by its URL and by both; one that says no version by its URL (R4 2.3.0.2)."""
    url, bar, version = canonical[:LONGEST].partition("|")
    return (url, f"{url}|{version}") if bar else (url,)


def _uri(made: Indexed, number: int, value: Any, place: int | None) -> None:
    if isinstance(value, str):
        made.tokens += [(number, None, uri, place) for uri in _versions(value)]


def _quantity(made: Indexed, number: int, value: Any, place: int | None) -> None:
    span_, unit = _measured(value)
    if span_ is not None:
        code, said = unit.get("code"), unit.get("unit")
        made.numbers.append((number, *span_, unit.get("system"), code, None if said == code else said, place))


_Measured = tuple[tuple[Decimal, Decimal] | None, Mapping[str, Any]]


def _measured(value: Any) -> _Measured:
    """From what to what a number, Quantity, Range or SampledData goes, and the Quantity that names its unit."""
    if not isinstance(value, dict):
        amount = _amount(value)
        return (None if amount is None else (amount, amount)), {}
    if "origin" in value:
        return _sampled(value)
    if "low" in value or "high" in value:
        low, high = value.get("low", {}), value.get("high", {})
        ends = _amount(low.get("value")), _amount(high.get("value"))
        return _between(*ends), low or high
    amount = _amount(value.get("value"))
    return (None if amount is None else _compared(amount, value.get("comparator", ""))), value


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        amount = Decimal(value)
        return amount if sortable(amount) else None
    return None


def sortable(number: Decimal) -> bool:
    """Whether the number is one that the index can hold."""
    return number.is_finite() and abs(number.adjusted()) < MOST_DIGITS


def _between(low: Decimal | None, high: Decimal | None) -> tuple[Decimal, Decimal] | None:
    if low is None and high is None:
        return None
    return NOTHING_BELOW if low is None else low, NOTHING_ABOVE if high is None else high


def _compared(amount: Decimal, comparator: str) -> tuple[Decimal, Decimal]:
    """`<5` is anything below five."""
    below, above = comparator.startswith("<"), comparator.startswith(">")
    return NOTHING_BELOW if below else amount, NOTHING_ABOVE if above else amount


def _sampled(value: Mapping[str, Any]) -> _Measured:
    """From the lowest to the highest of its points: origin + factor * point (R4 2.24.0.11); E, U and L are no numbers."""
    origin = _amount(value["origin"].get("value"))
    points = [Decimal(one) for one in str(value.get("data", "")).split() if _NUMBER.fullmatch(one)]
    if origin is None or not points:
        return None, {}
    factor = _amount(value.get("factor")) or Decimal(1)
    ends = sorted(origin + factor * one for one in (min(points), max(points)))
    return ((ends[0], ends[1]) if all(map(sortable, ends)) else None), value["origin"]


_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?")

ADD: Mapping[Kind, Callable[[Indexed, int, Any, int | None], None]] = {
    Kind.TOKEN: _token,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.REFERENCE: _reference,
    Kind.NUMBER: _quantity,
    Kind.QUANTITY: _quantity,
    Kind.URI: _uri,
}
