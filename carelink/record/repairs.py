"""Repairs: what real sources get wrong and can be put right safely, as a table; each leaves a trace with its rule's id.

Nothing clinical is repaired: a value, a code or a dose that does not validate goes to quarantine as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from carelink.record.repairing import DROP, DROP_UNKNOWN, empty, put, stands_at
from carelink.record.validation_elements import Fault, fhir_path
from fhir_adapters import exact_json
from fhir_adapters.source import Repair

LONDON = ZoneInfo("Europe/London")

_MINUTES = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})?")
_NO_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?")
_BLANK_FOR_T = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}.*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,9})")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]")

_URIS = frozenset({"uri", "url", "canonical", "oid"})
_INTEGERS = frozenset({"integer", "positiveint", "unsignedint"})


@dataclass(frozen=True)
class Rule:
    """Where `applies` to a fault, `mend` gives what to put there instead of what was sent."""

    id: str
    because: str
    applies: Callable[[Fault], bool]
    mend: Callable[[Any], Any]


def _text(shape: re.Pattern[str]) -> Callable[[Fault], bool]:
    return lambda fault: isinstance(fault.was, str) and bool(shape.fullmatch(fault.was)) and _real(fault.was)


def _asks_for(fault: Fault, what: str) -> bool:
    return f"{what} value string" in fault.message


def _dated(fault: Fault) -> bool:
    return any(_asks_for(fault, what) for what in ("DateTime", "Date", "Instant")) or fault.kind.startswith(
        ("datetime", "date_")
    )


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


def _spaced(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and " ".join(value.split()) != value


def _clean_id(id_: str) -> str:
    return _NOT_IN_ID.sub("-", id_)[:64]


def _is_contained_id(fault: Fault) -> bool:
    return fault.loc[:1] == ("contained",) and len(fault.loc) == 3 and fault.loc[-1] == "id"


# Read from the top: the first rule that applies is the one.
RULES: tuple[Rule, ...] = (
    Rule(
        "R01-empty",
        "An empty string, list, object or null says nothing (FHIR R4 2.6.2), so nothing is lost without it",
        lambda fault: bool(fault.loc) and empty(fault.was) and "missing" not in fault.kind,
        lambda was: DROP,
    ),
    Rule(
        "R02-seconds",
        "A time without seconds is not a FHIR dateTime; the minute is known, the second is taken as 00",
        _text(_MINUTES),
        lambda was: f"{was[:16]}:00{was[16:]}",
    ),
    Rule(
        "R03-zone-london",
        "A time without a zone, from a source in England: Europe/London's offset at that time",
        _text(_NO_ZONE),
        _london,
    ),
    Rule(
        "R04-day-for-instant",
        "An instant was asked and only the day is known: its first moment in Europe/London",
        lambda fault: _asks_for(fault, "Instant") and _text(_DAY)(fault),
        lambda was: _london(f"{was}T00:00:00"),
    ),
    Rule(
        "R05-blank-for-t",
        "Day and time with a blank between them: FHIR writes a T there",
        lambda fault: _dated(fault) and _text(_BLANK_FOR_T)(fault),
        lambda was: was.replace(" ", "T", 1),
    ),
    Rule(
        "R06-time-on-a-date",
        "A date was asked and a time came with it: the day is kept",
        lambda fault: _asks_for(fault, "Date") and isinstance(fault.was, str) and "T" in fault.was and _real(fault.was),
        lambda was: was[:10],
    ),
    Rule(
        "R07-impossible-date",
        "Not a day that there was, or too little to be one: unknown is true, a guess would not be",
        lambda fault: isinstance(fault.was, str) and _dated(fault),
        lambda was: DROP_UNKNOWN,
    ),
    Rule(
        "R08-contained-id",
        "An id that FHIR does not allow, of something contained: the same with `-` for what is not allowed",
        lambda fault: _is_contained_id(fault) and isinstance(fault.was, str),
        _clean_id,
    ),
    Rule(
        "R09-local-reference",
        "A reference to something contained follows the id that was put right there",
        lambda fault: fault.kind == "ref-1" and _clean_id(fault.was[1:]) != fault.was[1:],
        lambda was: f"#{_clean_id(was[1:])}",
    ),
    Rule(
        "R10-id",
        "An id that FHIR does not allow; ours takes its place, and the source's is kept in the store's own column",
        lambda fault: fault.loc[-1:] == ("id",) and isinstance(fault.was, str),
        lambda was: DROP,
    ),
    Rule(
        "R11-white-space",
        "White space around or doubled within a code carries no meaning (FHIR R4 2.24.0.1)",
        lambda fault: fault.kind in ("string_pattern_mismatch", "code") and _spaced(fault.was),
        lambda was: " ".join(was.split()),
    ),
    Rule(
        "R12-one-for-many",
        "One where FHIR has a list: a list of one",
        lambda fault: fault.kind == "list_type" and not isinstance(fault.was, list) and fault.was is not None,
        lambda was: [was],
    ),
    Rule(
        "R13-case-of-a-code",
        "A code of a closed list that differs only in capitals (FHIR's codes are case-sensitive)",
        lambda fault: fault.kind == "code" and fault.was.lower() in fault.codes,
        str.lower,
    ),
    Rule(
        "R14-use",
        "What a name, address, number or identifier is used for was told in a word that FHIR does not know",
        lambda fault: fault.kind == "code" and fault.loc[-1] == "use",
        lambda was: DROP,
    ),
    Rule(
        "R15-whole-number-as-text",
        "A whole number in quotation marks is that number",
        lambda fault: fault.kind in _INTEGERS and isinstance(fault.was, str) and bool(_WHOLE.fullmatch(fault.was)),
        int,
    ),
    Rule(
        "R16-truth-as-text",
        "true or false in quotation marks is that",
        lambda fault: fault.kind == "boolean" and fault.was in ("true", "false", "True", "False"),
        lambda was: was.lower() == "true",
    ),
    Rule(
        "R17-space-in-a-uri",
        "A URI holds no white space: what is around it goes, what is within it is written %20 (RFC 3986)",
        lambda fault: fault.kind in _URIS and isinstance(fault.was, str),
        lambda was: "%20".join(was.split()),
    ),
    Rule(
        "R18-comments",
        "Comments in the manner of DSTU2 are not part of the record",
        lambda fault: fault.kind == "extra_forbidden" and fault.loc[-1:] == ("fhir_comments",),
        lambda was: DROP,
    ),
)


def repair(type_: str, body: dict[str, Any], faults: Iterable[Fault]) -> tuple[dict[str, Any], tuple[Repair, ...]]:
    """The body mended in a copy, and what was done; nothing done where no rule applies to any of the faults."""
    made: list[Repair] = []
    for fault in sorted(faults, key=_from_the_end):
        rule = _rule(fault)
        if rule is None or not stands_at(body, fault.loc, fault.was):
            continue
        mended = put(body, fault.loc, rule.mend(fault.was))
        if mended is not None:
            body = mended
            made.append(told(type_, fault, rule.id, rule.because))
    return body, tuple(reversed(made))


def told(type_: str, fault: Fault, rule: str, because: str) -> Repair:
    """The trace that a repair leaves on the resource's Provenance."""
    was = fault.was if isinstance(fault.was, str) else exact_json.dumps(fault.was).decode()
    return Repair(rule, fhir_path(type_, fault.loc), was[:500], because)


def _from_the_end(fault: Fault) -> list[tuple[int, int, str]]:
    """Later and deeper elements first, so that what goes moves nothing that is still to be mended."""
    return [(0, -part, "") if isinstance(part, int) else (1, 0, part) for part in fault.loc] + [(2, 0, "")]


def _rule(fault: Fault) -> Rule | None:
    own = fault.invariant
    for rule in RULES:
        if rule.applies(fault):
            return rule
    if own is None or own.mend is None:
        return None
    return Rule(own.id, f"{own.says}. {own.because}", lambda fault: True, own.mend)
