"""A FHIR search for AuditEvents as the question that the audit answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from carelink.audit import fhir_codes as codes
from carelink.audit.fhir_event import USER
from carelink.audit.reading import Asked
from carelink.errors import Invalid
from carelink.fhir.asking import Given, count_of, criteria_of
from carelink.ids import PersonKey
from carelink.record.partial_dates import span
from carelink.record.query import Criterion

TYPE = "AuditEvent"
_DATE = re.compile(r"(eq|ge|gt|le|lt)?(.+)", re.DOTALL)
_REFERENCE = re.compile(r"(?:.*/)?([A-Za-z]+)/([^/]+)")


@dataclass(frozen=True)
class Question:
    """What is asked, and how the audit's own row says it: parameters without values."""

    asked: Asked
    query: str


def question_of(given: Given, after: str) -> Question:
    """The search as the audit takes it. Raises `Invalid` for what it can't be asked."""
    if any(name == "_sort" for name, _ in given):
        raise Invalid("_sort", "is not known here: events come newest first")
    criteria = criteria_of(TYPE, given)
    asked = Asked(count=count_of(given), after=after)
    for one in criteria:
        asked = _READ[one.parameter](asked, one)
    if asked.resource is not None and asked.person is None:
        raise Invalid("entity", "give `patient` as well: whose resource it is")
    return Question(asked, f"{TYPE}?{'&'.join(one.parameter for one in criteria)}")


def _patient(asked: Asked, one: Criterion) -> Asked:
    key = PersonKey(_key(one.parameter, _single(one).rpartition("/")[2]))
    if asked.person not in (None, key):
        raise Invalid(one.parameter, "names another person than the other parameters do")
    return replace(asked, person=key)


def _entity(asked: Asked, one: Criterion) -> Asked:
    named = _REFERENCE.fullmatch(_single(one))
    if named is None:
        raise Invalid(one.parameter, "must be a reference, as Patient/id")
    if named[1] == "Patient":
        return _patient(asked, replace(one, values=(named[2],)))
    return replace(asked, resource=_key(one.parameter, named[2]))


def _date(asked: Asked, one: Criterion) -> Asked:
    prefix, text = _DATE.fullmatch(_single(one)).groups()  # type: ignore[union-attr]  # matches anything but nothing
    try:
        first, last = span(text)
    except (ValueError, OverflowError) as wrong:
        raise Invalid(one.parameter, "is not a date such as ge2026-11-24 (eq, ge, gt, le, lt)") from wrong
    since = {"gt": last, "ge": first, None: first, "eq": first}.get(prefix)
    until = {"lt": first, "le": last, None: last, "eq": last}.get(prefix)
    return replace(asked, since=_latest(asked.since, since), until=_earliest(asked.until, until))


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def _agent(asked: Asked, one: Criterion) -> Asked:
    system, _, user = _single(one).rpartition("|")
    return replace(asked, user=user if system in ("", USER) else "\0")  # a user of another system did nothing here


def _outcome(asked: Asked, one: Criterion) -> Asked:
    wanted = {_code(value)[1] for value in one.values}
    found = frozenset(ours for ours, code in codes.OUTCOMES.items() if code in wanted)
    return replace(asked, outcomes=found)


def _action(asked: Asked, one: Criterion) -> Asked:
    return _narrowed(asked, [codes.actions_of(_code(value)[1]) for value in one.values])


def _typed(asked: Asked, one: Criterion) -> Asked:
    return _narrowed(asked, [codes.actions_typed(*_code(value)) for value in one.values])


def _narrowed(asked: Asked, found: Sequence[frozenset[str]]) -> Asked:
    wanted = frozenset().union(*found)
    return replace(asked, actions=wanted if asked.actions is None else asked.actions & wanted)


def _code(value: str) -> tuple[str, str]:
    system, _, code = value.rpartition("|")
    return system, code


def _single(one: Criterion) -> str:
    if len(one.values) != 1 or not one.values[0]:
        raise Invalid(one.parameter, "takes one value here")
    return one.values[0]


def _key(parameter: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise Invalid(parameter, "is not an id of this server") from wrong


_READ: Mapping[str, Callable[[Asked, Criterion], Asked]] = {
    "patient": _patient,
    "entity": _entity,
    "date": _date,
    "agent": _agent,
    "outcome": _outcome,
    "action": _action,
    "type": _typed,
    "subtype": _typed,
}
