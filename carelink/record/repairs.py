"""Repairs: what real sources get wrong and can be put right safely, as a table; each leaves a trace with its rule's id.

Nothing clinical is repaired: a value, a code or a dose that does not validate goes to quarantine as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fhir_adapters import exact_json
from fhir_adapters.source import Repair

LONDON = ZoneInfo("Europe/London")
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
Loc = tuple[int | str, ...]

_MINUTES = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})?")
_NO_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class _Drop:
    """The element goes; where it is a date, its absence is told by data-absent-reason `unknown`."""


DROP = _Drop()
DROP_UNKNOWN = _Drop()


@dataclass(frozen=True)
class Rule:
    """When `applies` to (location, error type, message, what was sent), `mend` gives what to put there instead."""

    id: str
    because: str
    applies: Callable[[Loc, str, str, Any], bool]
    mend: Callable[[Any], Any]


def _dated(kind: str, message: str) -> bool:
    asked = ("DateTime value string", "Date value string", "Instant value string")
    return any(words in message for words in asked) or kind.startswith(("datetime", "date_"))


def _real(text: str) -> bool:
    """Whether the digits are a moment that there was."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _london(text: str) -> str:
    """The same wall clock with the offset that England had at it. In the doubled hour of autumn, the first."""
    offset = datetime.fromisoformat(text).replace(tzinfo=LONDON).strftime("%z")
    return f"{text}{offset[:3]}:{offset[3:]}"


def _seconds(text: str) -> str:
    return f"{text[:16]}:00{text[16:]}"


def _day_of(text: str) -> str:
    return text[:10]


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def _spaced(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and " ".join(value.split()) != value


# Read from the top: the first rule that applies is the one.
RULES: tuple[Rule, ...] = (
    Rule(
        "R01-empty",
        "An empty string, list, object or null says nothing (FHIR R4 2.6.2), so nothing is lost without it",
        lambda loc, kind, message, was: bool(loc) and _empty(was) and "missing" not in kind,
        lambda was: DROP,
    ),
    Rule(
        "R02-seconds",
        "A time without seconds is not a FHIR dateTime; the minute is known, the second is taken as 00",
        lambda loc, kind, message, was: isinstance(was, str) and bool(_MINUTES.fullmatch(was)) and _real(was),
        _seconds,
    ),
    Rule(
        "R03-zone-london",
        "A time without a zone, from a source in England: Europe/London's offset at that time",
        lambda loc, kind, message, was: isinstance(was, str) and bool(_NO_ZONE.fullmatch(was)) and _real(was),
        _london,
    ),
    Rule(
        "R04-day-for-instant",
        "An instant was asked and only the day is known: its first moment in Europe/London",
        lambda loc, kind, message, was: (
            message.find("Instant") >= 0 and isinstance(was, str) and bool(_DAY.fullmatch(was)) and _real(was)
        ),
        lambda was: _london(f"{was}T00:00:00"),
    ),
    Rule(
        "R05-time-on-a-date",
        "A date was asked and a time came with it: the day is kept",
        lambda loc, kind, message, was: (
            message.find("Date value") >= 0 and isinstance(was, str) and "T" in was and _real(was)
        ),
        _day_of,
    ),
    Rule(
        "R06-impossible-date",
        "Not a day that there was, or too little to be one: unknown is true, a guess would not be",
        lambda loc, kind, message, was: isinstance(was, str) and _dated(kind, message),
        lambda was: DROP_UNKNOWN,
    ),
    Rule(
        "R07-id",
        "An id that FHIR does not allow; ours takes its place, and the source's is kept in the store's own column",
        lambda loc, kind, message, was: loc[-1:] == ("id",) and isinstance(was, str),
        lambda was: DROP,
    ),
    Rule(
        "R08-white-space",
        "White space around or doubled within a code or identifier carries no meaning",
        lambda loc, kind, message, was: kind == "string_pattern_mismatch" and _spaced(was),
        lambda was: " ".join(was.split()),
    ),
    Rule(
        "R09-one-for-many",
        "One object where FHIR has a list: a list of one",
        lambda loc, kind, message, was: kind == "list_type" and isinstance(was, Mapping),
        lambda was: [was],
    ),
    Rule(
        "R10-null-in-list",
        "A null in a list says nothing",
        lambda loc, kind, message, was: kind == "list_type" and isinstance(was, list) and any(map(_empty, was)),
        lambda was: [one for one in was if not _empty(one)] or DROP,
    ),
    Rule(
        "R11-comments",
        "Comments in the manner of DSTU1 are not data",
        lambda loc, kind, message, was: kind == "extra_forbidden" and loc[-1:] == ("fhir_comments",),
        lambda was: DROP,
    ),
)


def repair(
    type_: str, body: dict[str, Any], errors: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], tuple[Repair, ...]]:
    """The body mended in a copy, and what was done; nothing done where no rule applies to any of the errors."""
    made: list[Repair] = []
    for error in sorted(errors, key=lambda one: [str(part) for part in one["loc"]], reverse=True):
        loc, was = tuple(error["loc"]), error["input"]
        rule = next((one for one in RULES if one.applies(loc, error["type"], error["msg"], was)), None)
        mended = _put(body, loc, rule.mend(was)) if rule and loc and _still(body, loc, was) else None
        if rule is not None and mended is not None:
            body = mended
            made.append(Repair(rule.id, _path(type_, loc), _text(was), rule.because))
    return body, tuple(reversed(made))


def _still(body: Any, loc: Loc, was: Any) -> bool:
    """Whether that is still what stands there: a repair before it may have moved the rest of a list."""
    for part in loc:
        try:
            body = body[part]
        except (KeyError, IndexError, TypeError):
            return False
    return bool(body == was)


def _path(type_: str, loc: Sequence[int | str]) -> str:
    return type_ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _text(was: Any) -> str:
    return was if isinstance(was, str) else exact_json.dumps(was).decode()


def _put(body: Any, loc: Loc, new: Any) -> Any:
    """A copy of the body with `new` at that place; None where there is no such place (the error named a whole type)."""
    here, rest = loc[0], loc[1:]
    if isinstance(body, Mapping) and here in body:
        copy: Any = dict(body)
    elif isinstance(body, list) and isinstance(here, int) and here < len(body):
        copy = list(body)
    else:
        return None
    if rest:
        inner = _put(copy[here], rest, new)
        if inner is None:
            return None
        new = DROP if _empty(inner) else inner
    if isinstance(new, _Drop):
        return _without(copy, here, told=new is DROP_UNKNOWN)
    copy[here] = new
    return copy


def _without(copy: Any, here: Any, *, told: bool) -> Any:
    if isinstance(copy, list):
        del copy[
            here
        ]  # a null is not allowed in its place; the extension of a dropped one could not be told from others'
        return copy
    del copy[here]
    if told:
        beside = dict(copy.get(f"_{here}") or {})
        beside["extension"] = [*beside.get("extension", []), {"url": ABSENT, "valueCode": "unknown"}]
        copy[f"_{here}"] = beside
    return copy
