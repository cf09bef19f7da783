"""As it was, asked and told: for a page and for a terminal, in words, with what can't be known said beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from carelink.cases.naming import person_named
from carelink.clock import LONDON
from carelink.consent.as_it_was import AsItWas, Asked, Item, as_it_was
from carelink.consent.explain import Line
from carelink.consent.explain import lines as explained
from carelink.consent.explained_to import as_told
from carelink.consent.holders import holder_name
from carelink.consent.lens import Lens
from carelink.consent.past import Unknown
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.consent.view_as import MAY_VIEW_AS
from carelink.errors import Forbidden, Invalid
from carelink.ids import UserId
from carelink.place import Place
from carelink.record.timeline_values import Names
from carelink.record.timeline_words import say
from fhir_adapters import exact_json

MAY = "explain"


@dataclass(frozen=True)
class Told:
    """One thing that they could see: what it was called then, where this reader may know it."""

    kind: str
    title: str  # empty: not for this reader, or not kept any more
    version: int
    stored: datetime
    redacted: bool
    rule: str


@dataclass(frozen=True)
class KindTold:
    """One kind of information of one organisation: whether it could be seen, and the rule."""

    seen: str
    items: int
    category: str
    custodian: str
    care: str  # sensitivities
    rule: str
    because: str
    detail: str
    law: str
    effect: Effect


_CONSENT = re.compile(r"Consent/[0-9a-f-]{28}([0-9a-f]{8})")  # as other pages name one, by the end of its id
SEEN = {Effect.PERMIT: "Yes", Effect.REDACT: "Yes, without where they are", Effect.DENY: "No"}


@dataclass(frozen=True)
class Answer:
    """What they could see: `lines` say all of it but the things, `known` what was known, `kinds` the rule for each kind."""

    worker: str
    at: datetime
    lines: tuple[str, ...]
    known: tuple[str, ...]
    kinds: tuple[KindTold, ...]
    doubts: tuple[str, ...]
    shown: tuple[Told, ...]
    withheld: int  # how many were not shown


@dataclass(frozen=True)
class Way:
    """A way to ask who sees what, and the right that it needs."""

    endpoint: str
    words: str
    says: str
    right: str


WAYS = (
    Way(
        "why.explain",
        "Why, and why not",
        "What a worker sees of a person now, what not, and by which rule; also of one item.",
        MAY,
    ),
    Way(
        "view_as.choose",
        "Look as somebody else",
        "One person’s record, as a worker or anyone in a role sees it now.",
        MAY_VIEW_AS,
    ),
    Way(
        "looking_back.as_it_was", "As it was", "What a worker could see of a person at a time, and by which rule.", MAY
    ),
    Way(
        "looking_back.rehearsals",
        "What if",
        "What a changed agreement or label rule would show more and less, before it is switched on.",
        MAY,
    ),
)


def ways(looks: Lens) -> tuple[Way, ...]:
    """Those that this reader may take. Raises `Forbidden` for who may take none."""
    found = tuple(one for one in WAYS if one.right in looks.may)
    if not found:
        raise Forbidden("Your role may not ask why somebody sees something", rule=MAY)
    return found


def must_may(looks: Lens) -> Requester:
    """Who asks. Raises `Forbidden` for a role that may not explain."""
    if looks.requester is None or MAY not in looks.may:
        raise Forbidden("Your role may not ask why somebody sees something", rule=MAY)
    return looks.requester


def workers(place: Place) -> Mapping[str, str]:
    """Those of today by their id; whoever left is asked about by the id of then."""
    return {one.id: one.name for one in sorted(place.staff.values(), key=lambda one: one.name.casefold())}


def ask(conn: Connection, looks: Lens, form: Mapping[str, str]) -> Answer:
    """The answer to a form. Audited as `explain`, by who asks.

    Raises `Forbidden` for a role that may not explain or a purpose that was not the worker's, `Invalid` with the
    field, `NotFound`.
    """
    who = must_may(looks)
    at = moment(form.get("day", ""), form.get("time", ""))
    if not form.get("worker"):
        raise Invalid("worker", "Choose a worker from the list, or write their id of then")
    person = person_named(
        conn, Lens.system("as it was: whose NHS number it is", looks.at, who.user), form.get("person", "")
    )
    found = as_it_was(conn, Asked(UserId(form["worker"].strip()), person, at), looks.at, who)
    return told(found, looks)


def at_moment(text: str) -> datetime:
    """The same of one text: `2026-11-24 14:30`, `2026-11-24T14:30:00Z`, `2026-11-24`. Raises `Invalid`."""
    day, _, time = text.strip().replace("T", " ").partition(" ")
    try:
        return moment(day, time)
    except Invalid as wrong:
        raise Invalid("--at", wrong.why) from wrong


def moment(day: str, time: str) -> datetime:
    """A day and a time of Europe/London; without a time the end of that day. Raises `Invalid`."""
    text = f"{day.strip()}T{time.strip() or '23:59:59'}"
    try:
        read = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Invalid("day", "must be a date and a time, like 2026-11-24 and 14:30") from wrong
    return read if read.tzinfo else read.replace(tzinfo=LONDON)


def told(found: AsItWas, reader: Lens | None) -> Answer:
    """In words; with the titles of what was shown only for who may see the record as they did. None: in a terminal."""
    explanation = as_told(found.explanation, found.place, reader)
    titles = reader is not None and MAY_VIEW_AS in reader.may
    lens, kinds = explanation.lens, explanation.lines
    assert lens.requester is not None
    lines = explained(explanation, found.place)
    return Answer(
        worker=lens.requester.name,
        at=lens.at,
        lines=tuple(lines),
        known=tuple(lines[: len(lines) - len(kinds)]),
        kinds=tuple(kind_told(one, found.place) for one in kinds),
        doubts=tuple(doubts(found.unknown)),
        shown=tuple(_told(one, titles) for one in found.shown),
        withheld=len(found.items) - len(found.shown),
    )


def kind_told(one: Line, place: Place) -> KindTold:
    """One line of an explanation in words."""
    decided = one.decision
    return KindTold(
        seen=SEEN[decided.effect],
        items=one.items,
        category=place.categories.get(one.category, one.category),
        custodian=holder_name(place, one.custodian),
        care=", ".join(one.sensitivities),
        rule=decided.rule.id,
        because=decided.rule.because,
        detail=_CONSENT.sub(r"consent …\1", decided.detail),
        law=f"{decided.rule.law[:1].upper()}{decided.rule.law[1:]}",
        effect=decided.effect,
    )


def _told(one: Item, titles: bool) -> Told:
    body = exact_json.loads(one.shown) if one.shown else {"resourceType": one.version.type}
    words = say(body, Names())
    return Told(
        kind=words.kind,
        title=words.title if titles and one.shown else "",
        version=one.version.version,
        stored=one.version.last_updated,
        redacted=one.decision.effect is Effect.REDACT,
        rule=one.decision.rule.id,
    )


def doubts(unknown: Unknown) -> Iterator[str]:
    """What of it can't be known any more."""
    if unknown.erased:
        yield f"{unknown.erased} resources were erased since: what they said then is not kept"
    if unknown.merged_since:
        yield (
            f"{unknown.merged_since} persons were found to be this one since: what was recorded in CareLink itself of "
            "them is told as this person's"
        )
