"""The parameters of a search as values: criteria, chains, order, includes, all checked (FHIR R4 3.1.1).

Nothing is ignored silently. What is not known is refused or, for a client that prefers to be handled leniently, left
out and told in the Bundle (R4 3.1.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from carelink.errors import Invalid
from carelink.fhir import forms, searched
from carelink.fhir.capability import RESOURCES
from carelink.ids import PersonKey
from carelink.record.chains import criterion
from carelink.record.includes import ANY, Include, include_of
from carelink.record.lookups import WHOSE
from carelink.record.ordering import orders
from carelink.record.query import Criterion, Query
from carelink.record.values import parted

Given = Sequence[tuple[str, str]]

COUNT = 50  # resources a page, where the client doesn't say
MOST = 500
MOST_VALUES = 200  # of all criteria together
MOST_NAMES = 20  # of identifiers together: nobody tries out a list of numbers in one request
MOST_PARAMETERS = 50
LONGEST = 8000  # characters of one parameter
TOTALS = ("none", "estimate", "accurate")
INCLUDES = ("_include", "_revinclude")
# What shapes the answer, or says in which way it is asked.
SHAPING = frozenset({"_count", "_sort", "_total", *INCLUDES, *forms.NAMES})


@dataclass(frozen=True)
class Search:
    """What is searched for, what is to come with it, and what was left out of the question."""

    query: Query
    includes: tuple[Include, ...] = ()
    total: bool = False  # it must be said how many there are
    only_total: bool = False  # and nothing else
    left_out: tuple[Invalid, ...] = field(default=())


def search_of(type_: str, given: Given, base: str, at: datetime, after: str = "", *, lenient: bool = False) -> Search:
    """The search of that type. Raises `Invalid` for what is not known, and where nothing is asked by."""
    _check_size(given)
    left_out: list[Invalid] = []
    criteria: list[Criterion] = []
    for name, value in given:
        if _bare(name) not in SHAPING:
            try:
                _check_known(type_, name)
                one = _criterion(name, value, base)
                if lenient:  # else the search itself says what is wrong
                    criterion((type_,), one, at)
                criteria.append(one)
            except Invalid as wrong:
                _refuse(wrong, left_out, lenient=lenient)
    _check_criteria(type_, criteria)
    return Search(
        query=Query(
            types=(type_,),
            criteria=tuple(criteria),
            count=max(1, _count(given)),
            sort=_order(type_, given),
            after=after,
            goldens=True if type_ == "Patient" else None,
        ),
        includes=tuple(_includes(type_, given)),
        total=_total(given),
        only_total=_count(given) == 0 or dict(given).get("_summary") == forms.COUNT,
        left_out=tuple(left_out),
    )


def _check_known(type_: str, name: str) -> None:
    """What metadata names is searched by, and nothing else."""
    bare = re.split("[:.]", name, maxsplit=1)[0]
    known = {parameter for parameter, _, _ in RESOURCES[type_]["parameters"]}
    if bare not in known and not name.startswith("_has:"):
        raise Invalid(name[:100], f"not a search parameter of {type_} here; known are {', '.join(sorted(known))}")


def _refuse(wrong: Invalid, left_out: list[Invalid], *, lenient: bool) -> None:
    if not lenient:
        raise wrong
    left_out.append(wrong)


def of_one_person(query: Query) -> Query | None:
    """The same, asked of the whole record of the person whose golden Patient it names; None where it names none.

    It is the quicker question. Who names the Patient of a source is answered by the first.
    """
    whose = [one for one in query.criteria if one.parameter in WHOSE and one.chained is None]
    if len(whose) != 1 or len(whose[0].values) != 1 or whose[0].modifier not in ("", "Patient"):
        return None
    try:
        person = PersonKey(UUID(whose[0].values[0].removeprefix("Patient/")))
    except ValueError:
        return None
    return replace(query, person=person, criteria=tuple(one for one in query.criteria if one is not whose[0]))


def _check_size(given: Given) -> None:
    for number, (name, value) in enumerate(given):
        if number >= MOST_PARAMETERS:
            raise Invalid(name[:100], "is one parameter too many")
        if len(name) > 500 or len(value) > LONGEST:
            raise Invalid(name[:100], f"is longer than {LONGEST} characters")
        if "\0" in name or "\0" in value:
            raise Invalid(name.replace("\0", "")[:100], "has a character in it that no value has")


def _check_criteria(type_: str, criteria: Sequence[Criterion]) -> None:
    if not criteria and (type_ == "Patient" or searched.needs_a_person(type_)):
        raise Invalid(type_, "say which: give one of the parameters that GET [base]/metadata names")
    ends = [_end(one) for one in criteria]
    if sum(len(one.values) for one in ends) > MOST_VALUES:
        raise Invalid(ends[0].parameter, f"has too many values; at most {MOST_VALUES} are searched for at once")
    if sum(len(one.values) for one in ends if one.parameter == "identifier") > MOST_NAMES:
        raise Invalid("identifier", f"has too many values; at most {MOST_NAMES} are searched for at once")


def _end(one: Criterion) -> Criterion:
    """The one of a chain that has the values."""
    return _end(one.chained) if one.chained is not None else one


def _bare(name: str) -> str:
    return name.partition(":")[0]


def _criterion(name: str, value: str, base: str) -> Criterion:
    values = tuple(one.removeprefix(f"{base}/") for one in parted(value, ",") if one)
    return _named(name, values)


def _named(name: str, values: tuple[str, ...]) -> Criterion:
    if name.startswith("_has:"):
        return _has(name, values)
    head, dot, rest = name.partition(".")
    bare, colon, modifier = head.partition(":")
    if colon and not modifier:
        raise Invalid(bare[:100], "names no modifier after its colon")
    if dot:
        return Criterion(bare, modifier=modifier, chained=_named(rest, values))
    return Criterion(bare, values, modifier)


def _has(name: str, values: tuple[str, ...]) -> Criterion:
    parts = name.split(":", 3)
    if len(parts) != 4 or not all(parts):
        raise Invalid(name[:100], "must be _has:TYPE:REFERENCE:PARAMETER")
    _, type_, reference, rest = parts
    if type_ not in searched.TYPES:
        raise Invalid(name[:100], f"{type_[:50]} is no type that is searched here")
    return Criterion(reference, referring=type_, chained=_named(rest, values))


def _count(given: Given) -> int:
    text = dict(given).get("_count", str(COUNT))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MOST):
        raise Invalid("_count", f"must be a whole number from 0 to {MOST}")
    return int(text)


def _total(given: Given) -> bool:
    text = dict(given).get("_total", "none")
    if text not in TOTALS:
        raise Invalid("_total", f"must be one of {', '.join(TOTALS)}")
    return text != "none"


def _order(type_: str, given: Given) -> str:
    """Newest first where nothing is said."""
    wanted = [part.strip() for name, value in given if name == "_sort" for part in value.split(",")]
    if not wanted:
        return "-clinical" if type_ in searched.SORTED_BY else "-last_updated"
    if len(wanted) > 5:
        raise Invalid("_sort", "names more than five")
    said = ",".join(_column(type_, one) for one in wanted)
    orders((type_,), said)
    return said


def _column(type_: str, said: str) -> str:
    named = {"_lastUpdated": "last_updated", "_id": "key"}
    if when := searched.SORTED_BY.get(type_):
        named[when] = "clinical"
    minus, name = ("-" if said.startswith("-") else ""), said.removeprefix("-")
    if name in ("clinical", "last_updated", "key") and name not in named:
        raise Invalid("_sort", f"{name} is no search parameter")
    return minus + named.get(name, name)


def _includes(type_: str, given: Given) -> Iterable[Include]:
    for name, value in given:
        bare, _, modifier = name.partition(":")
        if bare in INCLUDES:
            if modifier not in ("", "iterate", "recurse"):
                raise Invalid(name[:100], "has no such modifier; there is :iterate")
            if value == ANY and bare == "_revinclude":
                raise Invalid(name, "names no type and reference, as Provenance:target")
            one = include_of(
                name, type_ if value == ANY else value, reverse=bare == "_revinclude", iterate=bool(modifier)
            )
            yield one
