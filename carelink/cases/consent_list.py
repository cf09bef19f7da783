"""A person's consents as a page shows them: in plain words, which hold, which can't be read and why, with their history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.cases.banner import Banner, banner
from carelink.cases.consent_form import Effect, Wish
from carelink.cases.consent_reading import Obtained, obtained, why_withdrawn, wish_of
from carelink.cases.consent_words import sentences
from carelink.cases.consents import changeable, may_record
from carelink.cases.recording import why_only_looks
from carelink.cases.standing import labels
from carelink.consent.capacity import Mind
from carelink.consent.capacity_facts import mind_of
from carelink.consent.compiling import compile_consent
from carelink.consent.effect import effect
from carelink.consent.facts import Directed
from carelink.consent.lens import Lens
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search, store
from carelink.record.golden_store import MADE_HERE
from carelink.record.query import Query, Row
from fhir_adapters import exact_json

MOST = 200  # consents of one person
Body = Mapping[str, Any]


class State(StrEnum):
    """How a consent stands. The value is what a page says."""

    HOLDS = "in force"
    LATER = "not yet in force"
    OVER = "has ended"
    WITHDRAWN = "withdrawn"
    UNCLEAR = "can't be read"
    ELSEWHERE = "not about sharing"
    NO_EFFECT = "has no effect"
    OTHER = "not active"


@dataclass(frozen=True)
class Version:
    """One version, as it was."""

    number: int
    at: datetime
    sentences: tuple[str, ...]
    obtained: Obtained
    why_withdrawn: str


@dataclass(frozen=True)
class Held:
    """One consent. `problems` say why it can't be read, or why it has no effect."""

    key: ResourceKey
    version: int
    source: str  # as pages call it
    state: State
    effect: Effect | None
    sentences: tuple[str, ...]
    problems: tuple[str, ...]
    obtained: Obtained
    why_withdrawn: str
    history: tuple[Version, ...]  # the newest first
    wish: Wish | None
    changeable: bool

    @property
    def title(self) -> str:
        """What it is, in a word or two."""
        if self.effect is None:
            return "Consent"
        return "Objection" if self.effect is Effect.OBJECTS else "Agreement"


@dataclass(frozen=True)
class Consents:
    """All that the requester may see of a person's consents."""

    banner: Banner
    now: tuple[Held, ...]  # what holds, or would if it could be read
    past: tuple[Held, ...]
    may_record: bool
    withheld: bool
    only_looks: str = ""  # why somebody whose role records consents may not: they are not involved with the person
    asks_first: bool = False  # here nothing is shared until the person agrees

    def one(self, key: ResourceKey) -> Held:
        """The consent of that key. Raises `NotFound`."""
        for held in (*self.now, *self.past):
            if held.key == key:
                return held
        raise NotFound("There is no such consent, or you may not see it")


_NOW = frozenset({State.HOLDS, State.LATER, State.UNCLEAR, State.NO_EFFECT})


def consents(conn: Connection, place: Place, lens: Lens, person: PersonKey, *, mine: bool = False) -> Consents:
    """The person's consents, the newest first. Raises `NotFound` for a person whom the requester may not know.

    `mine`: in the words of the person, as they are on their own page in any case.
    """
    top = banner_of(conn, place, lens, person)
    rows, mind = rows_of(conn, lens, person), mind_of(conn, lens, person)
    only_looks = why_only_looks(conn, lens, person) if may_record(lens) else ""
    may = may_record(lens) and not only_looks
    mine = mine or (lens.requester is not None and lens.requester.person is not None)
    held = tuple(_held(conn, place, lens, row, mind, may=may, mine=mine) for row in rows)
    return Consents(
        banner=top,
        now=tuple(one for one in held if one.state in _NOW),
        past=tuple(one for one in held if one.state not in _NOW),
        may_record=may,
        withheld=lens.withheld(conn, person),
        only_looks=only_looks,
        asks_first=place.asking.view == "explicit",
    )


def to_change(conn: Connection, place: Place, lens: Lens, person: PersonKey, key: ResourceKey) -> Held:
    """The consent, to be changed or withdrawn here. Raises `NotFound`; `Forbidden` and `Conflict` as `changeable`."""
    row = changeable(conn, lens, key)
    if row.person != person:
        raise NotFound("There is no such consent, or you may not see it")
    return consents(conn, place, lens, person).one(key)


def to_print(conn: Connection, place: Place, lens: Lens, person: PersonKey, key: ResourceKey) -> Consents:
    """The consents, of which this one is printed: audited as `print`. Raises `NotFound`."""
    page = consents(conn, place, lens, person, mine=True)
    page.one(key)
    looked(conn, lens, "print", "Consent", (search.get(conn, lens, "Consent", key),), person)
    return page


def banner_of(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> Banner:
    """Who it is. Raises `NotFound`."""
    found = banner(person, search.run(conn, lens, Query(types=("Patient",), person=person, count=MOST)).rows, place)
    if found is None:
        raise NotFound("There is no such person, or you are not involved with them")
    return found


def rows_of(conn: Connection, lens: Lens, person: PersonKey) -> tuple[Row, ...]:
    """The person's Consents, the newest first."""
    return search.run(conn, lens, Query(types=("Consent",), person=person, count=MOST)).rows


def _held(conn: Connection, place: Place, lens: Lens, row: Row, mind: Mind, *, may: bool, mine: bool) -> Held:
    body = exact_json.loads(row.body)
    state, problems = standing(body, place, mind, row.last_updated, lens.at)
    wish = wish_of(body)
    versions = store.history(conn, lens, "Consent", row.key)
    return Held(
        key=row.key,
        version=row.version,
        source=labels(place).get(row.source, row.source),
        state=state,
        effect=wish.effect if wish else None,
        sentences=said(body, place, mine=mine),
        problems=problems,
        obtained=obtained(body),
        why_withdrawn=why_withdrawn(body),
        history=tuple(_version(one, place, mine=mine) for one in versions),
        wish=wish,
        changeable=may and row.source == MADE_HERE and body.get("status") == "active",
    )


def _version(row: Row, place: Place, *, mine: bool) -> Version:
    body = exact_json.loads(row.body)
    return Version(row.version, row.last_updated, said(body, place, mine=mine), obtained(body), why_withdrawn(body))


def said(body: Body, place: Place, *, mine: bool = False) -> tuple[str, ...]:
    """What it says in plain words; of one that the form could not have made, that it says more."""
    wish = wish_of(body)
    if wish is not None:
        return sentences(wish, place, mine)
    return ("It has conditions that can't be put in plain words here. Ask where it was recorded.",)


def standing(body: Body, place: Place, mind: Mind, stored: datetime, at: datetime) -> tuple[State, tuple[str, ...]]:
    """How it stands, and why it can't be read or has no effect. Pure."""
    if body.get("status") != "active":
        return (State.WITHDRAWN if body.get("status") in ("inactive", "rejected") else State.OTHER), ()
    compiled = compile_consent(body, place)
    if compiled.problems:
        return State.UNCLEAR, compiled.problems
    if not compiled.directives:
        return State.ELSEWHERE, ()
    heeded = effect(body, place, mind, stored)
    if not heeded.directives:
        return State.NO_EFFECT, heeded.problems
    return _in_time(heeded.directives, at), heeded.problems


def _in_time(directives: tuple[Directed, ...], at: datetime) -> State:
    if any(one.in_force(at) for one in directives):
        return State.HOLDS
    return State.LATER if any(at < one.starts for one in directives) else State.OVER
