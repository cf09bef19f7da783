"""Why somebody sees what they see of a person now, and why not: asked on a page, told in words, with the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from carelink.cases.consent_words import PURPOSES
from carelink.cases.looking_back import KindTold, kind_told, must_may
from carelink.cases.naming import person_named
from carelink.consent.explain import Explanation, explain, kinds, known_to
from carelink.consent.explain import lines as explained
from carelink.consent.explained_to import as_told
from carelink.consent.known import items_of
from carelink.consent.lens import Lens
from carelink.consent.rules import Effect
from carelink.errors import Forbidden, Invalid
from carelink.identity.requesters import requester
from carelink.ids import PersonKey, UserId
from carelink.place import Place


@dataclass(frozen=True)
class Answer:
    """`kinds` is the rule for each kind of information, `item` that of the one that was asked about."""

    worker: str
    purpose: str
    person: PersonKey
    at: datetime
    known: tuple[str, ...]
    kinds: tuple[KindTold, ...]
    item: KindTold | None
    item_shown: bool
    withheld: bool  # they are told that something is not shown

    @property
    def seen(self) -> int:
        """How many items they see."""
        return sum(one.items for one in self.kinds if one.effect is not Effect.DENY)

    @property
    def unseen(self) -> int:
        """How many they don't."""
        return sum(one.items for one in self.kinds if one.effect is Effect.DENY)


def ask(conn: Connection, place: Place, looks: Lens, form: Mapping[str, str]) -> Answer:
    """The answer to a form. Audited as `explain`, by who asks.

    Raises `Forbidden` for a role that may not explain, `Invalid` with the field, `NotFound` for nobody's number.
    """
    who = must_may(looks)
    lens = _lens_of(conn, place, looks, form)
    named = Lens.system("explain: whose NHS number it is", looks.at, who.user)
    found = explain(conn, lens, person_named(conn, named, form.get("person", "")), who)
    item = _of_one(conn, place, looks, found, form.get("item", "").strip())
    told = as_told(found, place, looks)
    lines = explained(told, place)
    assert lens.requester is not None
    return Answer(
        worker=lens.requester.name,
        purpose=PURPOSES.get(lens.requester.purpose, lens.requester.purpose),
        person=found.person,
        at=lens.at,
        known=tuple(lines[: len(lines) - max(1, len(told.lines))]),
        kinds=tuple(kind_told(one, place) for one in told.lines),
        item=item,
        item_shown=item is not None and item.effect is not Effect.DENY,
        withheld=found.withheld,
    )


def _lens_of(conn: Connection, place: Place, looks: Lens, form: Mapping[str, str]) -> Lens:
    worker, purpose = form.get("worker", "").strip(), form.get("purpose", "")
    if not worker:
        raise Invalid("worker", "Choose a worker from the list")
    try:
        return Lens.compile(place, requester(conn, place, UserId(worker), purpose), looks.at)
    except Forbidden as refused:
        raise Invalid("purpose" if purpose and worker in place.staff else "worker", str(refused)) from refused


def _of_one(conn: Connection, place: Place, looks: Lens, found: Explanation, named: str) -> KindTold | None:
    """The decision about the item of that id: why, or why not. What it says is not told here."""
    if not named:
        return None
    try:
        key = UUID(named.rpartition("/")[2])
    except ValueError as wrong:
        raise Invalid("item", "must be the id of an item, such as the audit and the FHIR API have it") from wrong
    one = next(items_of(conn, found.person, found.facts, key), None)
    if one is None:
        raise Invalid("item", "Nothing of that id is held about this person")
    [line] = kinds([(one, found.lens.decide(one, found.facts))], known_to(found.lens))
    [told] = as_told(replace(found, lines=(line,)), place, looks).lines
    return kind_told(told, place)
