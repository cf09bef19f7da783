"""Dates as sources write them, into FHIR's date and dateTime."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

# What a form is made of -> what it matches. D and M stand for one or two digits.
_TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "Mon": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
_TOKEN = re.compile("|".join(_TOKENS))
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ISO = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?")
EARLIEST = 1850  # nobody alive, nor any extract, is older: an earlier year is a slip


class NoDate(Exception):
    """The text is no date; the message says what was expected and holds nothing of the text."""


@dataclass(frozen=True)
class DateForms:
    """The forms in which a source writes dates, tried in order, and where its clocks stand."""

    forms: tuple[str, ...]
    zone: ZoneInfo

    def date(self, text: str) -> str:
        """FHIR date, as precise as the form: YYYY, YYYY-MM or YYYY-MM-DD. Raises NoDate."""
        return self._read(text)[0]

    def date_time(self, text: str) -> str:
        """FHIR dateTime with the offset that held in the zone; only a date where there is no time. Raises NoDate."""
        day, moment = self._read(text)
        return moment or day

    def _read(self, text: str) -> tuple[str, str]:
        for form in self.forms:
            if form == "ISO" and _ISO.fullmatch(text):
                return _from_iso(text, self.zone)
            if form != "ISO" and (match := _pattern(form).fullmatch(text)):
                return _from_parts(match.groupdict(), self.zone)
        raise NoDate(f"is no date of the form {' or '.join(self.forms)}")


def unknown_form(form: str) -> bool:
    """Whether a form can't be read: it needs a year, and no letters but those of its tokens."""
    left = _TOKEN.sub("", form)
    return form != "ISO" and ("YYYY" not in form or any(one.isalpha() and one != "T" for one in left))


_patterns: dict[str, re.Pattern[str]] = {}


def _pattern(form: str) -> re.Pattern[str]:
    """The form as a pattern, made once."""
    if form not in _patterns:
        made, at = "", 0
        for token in _TOKEN.finditer(form):
            made += re.escape(form[at : token.start()]) + _TOKENS[token[0]]
            at = token.end()
        _patterns[form] = re.compile(made + re.escape(form[at:]))
    return _patterns[form]


def _from_parts(parts: dict[str, str | None], zone: ZoneInfo) -> tuple[str, str]:
    name = parts.get("name")
    if name and name.lower() not in _MONTHS:
        raise NoDate("names no month")
    month = str(_MONTHS.index(name.lower()) + 1) if name else parts.get("month")
    given = [parts["year"], month, parts.get("day"), parts.get("hour"), parts.get("minute"), parts.get("second")]
    numbers = [int(one) for one in given if one is not None]
    at = _existing(numbers, zone)
    day = at.date().isoformat()[: (4, 7, 10)[min(len(numbers), 3) - 1]]
    return day, at.isoformat() if len(numbers) > 3 else ""


def _from_iso(text: str, zone: ZoneInfo) -> tuple[str, str]:
    if len(text) <= len("YYYY-MM-DD"):
        _existing([int(part) for part in text.split("-")], zone)
        return text, ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise NoDate("is a day or a time that does not exist") from wrong
    return text[:10], (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()


def _existing(numbers: list[int], zone: ZoneInfo) -> datetime:
    if numbers[0] < EARLIEST:
        raise NoDate(f"lies before {EARLIEST}")
    whole = numbers + [1, 1][: max(0, 3 - len(numbers))]
    try:
        return datetime(*whole, tzinfo=zone)  # type: ignore[misc, arg-type]
    except ValueError as wrong:
        raise NoDate("is a day or a time that does not exist") from wrong
