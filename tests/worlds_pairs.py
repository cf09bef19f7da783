"""Two worlds that differ only in what somebody may not see, asked the same things; and how their answers differ."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import unified_diff
from random import Random
from typing import Any

import worlds_notices as notices
from conftest import NOW
from sqlalchemy import Connection, Engine
from worlds_asking import Answer, Ask, Site, Who, client, still
from worlds_bodies import key
from worlds_changes import Aim, changed
from worlds_notices import Known, Notice
from worlds_records import World, store, world
from worlds_routes import Drawing, Route
from worlds_routes_care import CARE
from worlds_routes_events import EVENTS, subscribed
from worlds_routes_events import SCOPES as SUBSCRIBES
from worlds_routes_exports import EXPORTS
from worlds_routes_files import FILES
from worlds_routes_lead import LEAD
from worlds_routes_oauth import OAUTH
from worlds_routes_past import PAST
from worlds_routes_person import PERSON
from worlds_routes_searches import SEARCHES
from worlds_routes_systems import SYSTEMS, claims
from worlds_routes_writes import SCOPES as WRITE
from worlds_routes_writes import WRITES
from worlds_views import view

from carelink.cases.viewing import kept
from carelink.consent import policies, view_as
from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.errors import Forbidden
from carelink.identity import clients, requesters
from carelink.ids import UserId
from carelink.place import Place

ROUTES: Mapping[str, Route] = {
    **CARE,
    **LEAD,
    **EVENTS,
    **SYSTEMS,
    **SEARCHES,
    **EXPORTS,
    **PERSON,
    **FILES,
    **OAUTH,
    **WRITES,
    **PAST,
}
SECRET = "x" * 40
ALL, CONSENTS = "system/*.rs", "system/*.rs system/Consent.cu"
# Who asks, how often, and what they mostly ask.
_VIEWS = {"as sam": ("sam.okafor", False), "as nadia, involved": ("nadia.rahman", True)}
WORKERS = ("sam.okafor", "priya.nair", "gwen.price", "nadia.rahman", "tom.ellis", "noor.haddad")
SYSTEM_CLIENTS = (
    client("ward", "RDV", "nurse", f"{CONSENTS} {SUBSCRIBES} {WRITE}"),
    client("surgery", "P81001", "gp", f"{CONSENTS} {WRITE}"),
    client("council", "901", "social-worker", "system/Patient.rs system/Consent.rs system/Consent.cu"),
    client("board", "QDM", "ig-lead", ALL),
)


@dataclass(frozen=True)
class Asker:
    who: Who
    mostly: tuple[str, ...]  # what `whose` of the routes they mostly ask
    view: view_as.View | None = None


def askers(place: Place) -> tuple[Asker, ...]:
    """Everybody who asks, those more often who have more to ask."""
    workers = tuple(Asker(Who(one, one), ("worker",)) for one in WORKERS)
    lead = Asker(Who("iris.lang", "iris.lang"), ("lead",))
    views = tuple(_viewing(place, name, *what) for name, what in _VIEWS.items())
    people = tuple(Asker(Who(f"self-{number}", f"self-{number}"), ("person",)) for number in (0, 1))
    systems = tuple(Asker(Who(f"system {one.id}", client=one), ("system",)) for one in SYSTEM_CLIENTS)
    planner = Asker(Who("paul.reyes", "paul.reyes"), ("counting", "lead", "anybody"))
    nobody = Asker(Who("nobody"), ("nobody", "anybody", "system"))
    enquires = Asker(
        Who("sam.okafor, for safeguarding", "sam.okafor", session={"purpose": "SAFEGUARDING"}), ("worker",)
    )
    return (*workers * 2, enquires, *(lead,) * 7, *views * 2, *people * 3, *systems * 2, planner, nobody)


def _viewing(place: Place, name: str, worker: str, involved: bool) -> Asker:
    taken = view_as.of_worker(place, worker, involved=involved)
    session = {"view_as": kept(taken)}
    return Asker(Who(f"iris.lang {name}", "iris.lang", session=session), ("viewing", "lead"), taken)


def database(postgres: Embedded, place: Place, name: str) -> Engine:
    """One that knows the place, its packs of then, and a system; nobody is recorded in it."""
    made = engine_for(postgres.database(name, template="template_carelink"))
    with made.begin() as conn:
        sync.sync(conn, place)
        policies.note(conn, place, NOW - timedelta(days=1000), "test")
        clients.register(conn, place, "ward", "RDV", "nurse", ALL, SECRET)
    return made


@contextmanager
def asked_in(postgres: Embedded, place: Place, name: str) -> Iterator[Site]:
    """The application over such a database; whatever is stored and done in it is undone."""
    engine = database(postgres, place, name)
    with engine.connect() as conn, still() as chance:
        transaction = conn.begin()
        site = Site.of(place, chance)
        site.engine.conn = conn
        yield site
        transaction.rollback()
        shutil.rmtree(site.app.extensions["carelink"].settings.exports.parent, ignore_errors=True)
    engine.dispose()


# A pair ---------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was asked and compared."""

    compared: Counter[str] = field(default_factory=Counter)  # endpoint -> pairs of answers
    good: Counter[str] = field(default_factory=Counter)  # ... that did what was asked
    excused: Counter[str] = field(default_factory=Counter)  # notice -> answers that it excused altogether
    cut: Counter[str] = field(default_factory=Counter)  # notice -> answers that differed in it alone
    followed: int = 0
    unlike: int = 0  # pairs of worlds in which something differed that may be seen: not asked
    pairs: int = 0


class Differs(AssertionError):
    """Two answers differ in what they may not."""


@dataclass(frozen=True)
class Pair:
    """What is drawn: a world, who asks, what is changed in it, and how much is asked (of these routes, or of all)."""

    seed: int
    asker: Asker
    changes: tuple[str, ...]
    asks: int
    only: tuple[str, ...] = ()


def lens_of(conn: Connection, site: Site, who: Who) -> Lens | None:
    """By whom they are; None for who is signed in nowhere."""
    if who.client is not None:
        granted = site.app.extensions["carelink.fhir"].tokens.read(site.token(who.client), NOW)
        return Lens.compile(site.place, granted.requester, NOW)
    try:
        purpose = str(who.session.get("purpose", ""))
        return Lens.compile(site.place, requesters.requester(conn, site.place, UserId(who.user), purpose), NOW)
    except Forbidden:
        return None


@contextmanager
def in_world(site: Site, made: World, asker: Asker) -> Iterator[Known]:
    """That world, for a while."""
    with site.undone():
        site.count_from(1000)
        store(site.conn, site.place, made)
        subscribed(site.conn, made)
        lens = lens_of(site.conn, site, asker.who)
        yield Known(site.conn, site.place, asker.who, lens, asker.view)


def run(site: Site, pair: Pair, tally: Tally) -> None:
    """Ask in both worlds. Raises `Differs`."""
    here = world(pair.seed)
    tally.pairs += 1
    with in_world(site, here, pair.asker) as known:
        aim, seen = _aim(known, here), known.view.known
    asks = list(drawn(pair.seed, pair.asker, here, pair.asks, pair.only))
    for changes in _fewer(pair.changes):
        there = changed(here, pair.seed, changes, aim)
        with in_world(site, there, pair.asker) as known:
            if there == here or known.view.known != seen:
                continue  # something changed that they may see
            second = [_answers(site, known, ask) for ask in asks]
        with in_world(site, here, pair.asker) as known:
            first = [_answers(site, known, ask) for ask in asks]
        for ask, before, after in zip(asks, first, second, strict=True):
            _compare(replace(pair, changes=changes), ask, before, after, tally)
        return
    tally.unlike += 1


def _fewer(changes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All of them; where that changes something that may be seen, a part of them."""
    yield changes
    half = len(changes) // 2
    yield from (part for part in (changes[:half], changes[half:]) if part)


def _aim(known: Known, made: World) -> Aim:
    """What of that world is hidden from them."""
    seen = known.view
    strangers = [number for number in range(made.people) if not any(key(one) in seen.items for one in made.things if one.of == number)]  # fmt: skip
    return Aim(seen.hides, lambda item, version: (item, version) not in seen.versions, strangers)


def drawn(
    seed: int, asker: Asker, made: World, number: int, only: Sequence[str] = ()
) -> Iterator[tuple[Ask, Mapping[str, Any]]]:
    """So many questions, of these routes or of all; each with the claims of who would sign in with it."""
    chance = Random(f"asks {seed} {asker.who.name}")
    asked = {name: route for name, route in ROUTES.items() if route.ask and (not only or name in only)}
    mostly = [name for name, route in asked.items() if route.whose in asker.mostly] or list(asked)
    others = [name for name in asked if name not in mostly] or mostly
    chance.shuffle(mostly)
    for turn in range(number):
        name = mostly[turn % len(mostly)] if chance.random() < 0.85 else chance.choice(others)
        route, draw = ROUTES[name], Drawing(Random(chance.random()), made, asker.who)
        assert route.ask is not None
        yield route.ask(draw), claims(draw)


@dataclass(frozen=True)
class _Asked:
    """The answers to a question and what followed from it, and what its notices may depend on."""

    answers: tuple[tuple[str, Answer], ...]
    told: Mapping[str, Any]
    after: Any  # what may be seen after it, where it changed something and the browser went on


def _answers(site: Site, known: Known, asked: tuple[Ask, Mapping[str, Any]]) -> _Asked:
    ask, site.provider.claims = asked[0], dict(asked[1])
    told = {one.name: known.told(one) for one in notices.of(ask.endpoint)}
    with site.undone():
        first = site.ask(known.who, ask)
        followed = list(_followed(site, known, ask, first))
        after = view(known.conn, known.lens).known if _went_on(ask, first) and followed else None
    return _Asked((("", first), *followed), told, after)


def _went_on(ask: Ask, first: Answer) -> bool:
    return ask.method != "GET" and first.status == 303


def _followed(site: Site, known: Known, ask: Ask, first: Answer) -> Iterator[tuple[str, Answer]]:
    """Links to further pages; the version that one has; the page to which a form leads."""
    if (etag := first.header("ETag")) and first.status == 200 and ask.method == "GET":
        yield "if none match", site_again(site, known, replace(ask, headers={**ask.headers, "If-None-Match": etag}))
    for number, path in enumerate(_next_pages(first)):
        yield f"next page {number}", site_again(site, known, Ask(ask.endpoint, path=path, headers=ask.headers))
    if _went_on(ask, first) and first.header("Location").startswith("/people/"):
        yield "where it leads", site.ask(known.who, Ask(ask.endpoint, path=first.header("Location")), goes_on=True)


def site_again(site: Site, known: Known, ask: Ask) -> Answer:
    """What is asked after another question, and undone: the counters go on, or two rows would have one number."""
    with site.undone():
        return site.ask(known.who, ask, goes_on=True)


def _next_pages(answer: Answer) -> list[str]:
    if (
        "json" not in answer.header("Content-Type").replace("ndjson", "")
        or answer.status != 200
        or b'"resourceType":"Bundle"' not in answer.body
    ):
        return []
    links = json.loads(answer.body).get("link", [])
    return [one["url"].removeprefix("http://localhost") for one in links if one["relation"] == "next"]


# Comparing ------------------------------------------------------------------------------------------


def _compare(pair: Pair, asked: tuple[Ask, Any], before: _Asked, after: _Asked, tally: Tally) -> None:
    ask = asked[0]
    differing = [one for one in notices.of(ask.endpoint) if before.told[one.name] != after.told[one.name]]
    if whole := [one for one in differing if not one.cut]:
        tally.excused.update(one.name for one in whole)
        return
    tally.compared[ask.endpoint] += 1
    tally.good[ask.endpoint] += before.answers[0][1].status == ROUTES[ask.endpoint].good
    opened = before.after != after.after  # what the act itself opened is theirs to see now
    for (how, one), (_, other) in zip(
        before.answers[:1] if opened else before.answers, after.answers, strict=opened is False
    ):
        tally.followed += bool(how)
        if one.status >= 500 or _kept_by_others(one) or (one != other and not _only(differing, one, other)):
            raise Differs(_said(pair, ask, how, one, other, differing))
    if before.answers != after.answers:
        tally.cut.update(one.name for one in differing)


def _kept_by_others(answer: Answer) -> bool:
    """Whether a browser or a proxy may keep it: then what one was answered could be shown to another."""
    return answer.header("Cache-Control") != "no-store"


def _only(differing: Sequence[Notice], one: Answer, other: Answer) -> bool:
    """Whether two answers differ in these notices alone."""
    if not differing or one.status != other.status or _but_length(one) != _but_length(other):
        return False
    return notices.cut(one.body, tuple(differing)) == notices.cut(other.body, tuple(differing))


def _but_length(answer: Answer) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers if name != "Content-Length"]


def _said(pair: Pair, ask: Ask, how: str, one: Answer, other: Answer, differing: Sequence[Notice]) -> str:
    """All that is needed to look into it."""
    texts = [f"{answer.status}\n{answer.headers}\n{answer.body.decode(errors='replace')}".replace('},{"', '},\n{"') for answer in (one, other)]  # fmt: skip
    told = unified_diff(texts[0].splitlines(), texts[1].splitlines(), "here", "there", n=0, lineterm="")
    lines = "\n".join(line[:2000] for line in list(told)[:40])
    allowed = ", ".join(notice.name for notice in differing) or "none"
    return f"{pair.asker.who} asks {ask} {how}\nworld {pair.seed}, changed: {pair.changes}; notices: {allowed}\n{lines}"


__all__ = ["ROUTES", "Differs", "Pair", "Tally", "asked_in", "askers", "database", "drawn", "in_world", "run"]
