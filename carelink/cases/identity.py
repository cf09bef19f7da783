"""Are these two records one person? The question as a human sees it, both side by side; and their answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection

from carelink.cases.banner import UNKNOWN, address, nhs_number, telephone
from carelink.cases.standing import labels
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.place import Place
from carelink.record import links, links_open
from carelink.record.links import Answer
from carelink.record.links_open import OpenDecision
from carelink.record.matching import SAFETY
from carelink.record.timeline_values import human_name
from fhir_adapters import exact_json

Body = Mapping[str, Any]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
BETWEEN = "Much agrees, but not enough to be sure"

# Level of a comparison -> what the page says, and how it looks: agrees, near, differs, unknown.
LEVELS: Mapping[str, tuple[str, str]] = {
    "verified": ("the same, verified by both", "agrees"),
    "same": ("the same", "agrees"),
    "former": ("one is the other's former number", "near"),
    "near": ("nearly the same", "near"),
    "part": ("partly the same", "near"),
    "nickname": ("a short form of the other", "near"),
    "initial": ("only the initial is the same", "near"),
    "other": ("another of the given names", "near"),
    "year": ("only the year is the same", "differs"),
    "different": ("different", "differs"),
    "far": ("more than ten years apart", "differs"),
    "conflict": ("two verified numbers", "differs"),
    "missing": ("can't be compared", "unknown"),
}


def _given(body: Body) -> str:
    return " ".join(str(one) for one in _name(body).get("given", ()))


def _family(body: Body) -> str:
    return str(_name(body).get("family", ""))


def _name(body: Body) -> Body:
    names = [one for one in body.get("name", ()) if one.get("use") != "old"]
    return min(names, key=lambda one: one.get("use") != "official", default={})


# Field of the comparison -> how the page names it, and where a Patient says it. A birth date is written by the page.
FIELDS: Mapping[str, tuple[str, Callable[[Body], str]]] = {
    "family": ("Family name", _family),
    "given": ("First names", _given),
    "birth_date": ("Born", lambda body: str(body.get("birthDate", ""))),
    "nhs_number": ("NHS number", nhs_number),
    "gender": ("Gender", lambda body: str(body.get("gender", ""))),
    "address": ("Address", lambda body: address(body.get("address", ()))),
    "telephone": ("Telephone", telephone),
}


@dataclass(frozen=True)
class Compared:
    """One field of both records. `looks` is agrees, near, differs or unknown."""

    field: str
    label: str
    mine: str
    theirs: str
    words: str
    looks: str


@dataclass(frozen=True)
class Question:
    """One open question; `rows` is empty where the law keeps one of the two from being shown."""

    id: int
    name: str
    source: str  # label of the source whose record it is
    why: str
    weight: float
    raised_at: datetime
    rows: tuple[Compared, ...]


def questions(conn: Connection, place: Place, lens: Lens) -> tuple[Question, ...]:
    """What waits for an answer, the surest first. Raises `Forbidden` for a role that decides no links."""
    return tuple(_question(one, place) for one in links_open.open_decisions(conn, lens))


def question(conn: Connection, place: Place, lens: Lens, decision: int) -> Question:
    """One of them. Raises `NotFound` where it was answered meanwhile, `Forbidden` as `questions`."""
    return _question(links_open.open_decision(conn, lens, decision), place)


def answer(conn: Connection, place: Place, lens: Lens, decision: int, said: str) -> Answer:
    """Keep the answer, `same` or `different`, and do what follows from it; gives it back.

    Raises `Invalid` for anything else, `NotFound` where it was answered meanwhile, `Conflict` where another answer
    contradicts it, `Forbidden` as `questions`.
    """
    chosen = next((one for one in ANSWERS if one == said), None)
    if chosen is None:
        raise Invalid("answer", "Choose whether they are one person or two")
    links_open.open_decision(conn, lens, decision)
    links.decide(conn, place, decision, chosen, lens.user, lens.at)
    return chosen


def _question(one: OpenDecision, place: Place) -> Question:
    named = labels(place)
    mine, theirs = _body(one.patient_body), _body(one.candidate_body)
    return Question(
        id=one.id,
        name=human_name(mine.get("name")) or UNKNOWN,
        source=named.get(one.source, one.source),
        why=why_asked(one.fields),
        weight=one.weight,
        raised_at=one.raised_at,
        rows=compared(one.fields, mine, theirs) if mine and theirs else (),
    )


def _body(text: str | None) -> Body:
    found: Body = exact_json.loads(text) if text else {}
    return found


def why_asked(fields: Mapping[str, Any]) -> str:
    """The reason of the safety rule that fits what was compared, else that it was not enough."""

    def fits(levels: Mapping[str, frozenset[str]]) -> bool:
        return all(fields.get(field, {}).get("level") in wanted for field, wanted in levels.items())

    return next((rule.because for rule in SAFETY if fits(rule.levels)), BETWEEN)


def compared(fields: Mapping[str, Any], mine: Body, theirs: Body) -> tuple[Compared, ...]:
    """Field by field, what both say and how the comparison found it."""
    return tuple(_compared(field, fields, mine, theirs) for field in FIELDS)


def _compared(field: str, fields: Mapping[str, Any], mine: Body, theirs: Body) -> Compared:
    label, read = FIELDS[field]
    said, other = read(mine), read(theirs)
    # Of what is not shown, or is not said any more, nothing is told by comparing it either.
    level = fields.get(field, {}).get("level", "missing") if said and other else "missing"
    return Compared(field, label, said, other, *LEVELS.get(level, LEVELS["missing"]))
