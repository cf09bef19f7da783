"""What somebody may see of a world, by the pure decision: two worlds in which it is the same must answer them alike.

The other half of the proof is that this says the same as the statements do (tests/properties/test_consent_agreement.py);
here nothing is asked of the lens's SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from conftest import NOW
from sqlalchemy import Connection, select

from carelink.consent import rules
from carelink.consent.coded import codings
from carelink.consent.decision import Standing, decide, glass_broken, involvement
from carelink.consent.explained_to import hides_holders
from carelink.consent.facts import Directed, Facts, Grant, Labelled
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import Decision, Effect
from carelink.consent.terms import OBJECTION, RELATIONSHIP
from carelink.consent.unplaced import unplaced
from carelink.db.tables import access_grant, person, relationship, resource, resource_version
from carelink.ids import Ods, PersonKey
from fhir_adapters import exact_json

NOBODY = Facts()
_WITHHOLDS = frozenset(
    {rules.SENSITIVE, rules.CONSENT_NEEDED, rules.CONSENT_DENY, rules.OBJECTION, rules.UNCLEAR, rules.NOT_ASKED}
)


@dataclass(frozen=True)
class View:
    """`items` and `versions` are all that may be seen; the rest is what is told about people beside it."""

    items: Mapping[Any, Any]
    versions: Mapping[Any, Any]
    about: Mapping[Any, Any]  # person -> whether they are involved, restricted, ...
    involved: tuple[Any, ...]  # who is, as far as what says so may be seen; and their own involvements
    glass: tuple[Any, ...]  # that they broke themselves
    withheld: frozenset[UUID]  # people of whom they are told that something is not shown
    openable: frozenset[UUID]  # people of whom broken glass would open more

    @property
    def known(self) -> tuple[Any, ...]:
        """All but the notices."""
        return (self.items, self.versions, self.about, self.involved, self.glass)

    def hides(self, key: UUID) -> bool:
        return key not in self.items


@dataclass(frozen=True)
class _Held:
    """A world as the oracle reads it once."""

    rows: tuple[Any, ...]
    versions: tuple[Any, ...]
    facts: Mapping[Any, Facts]


def held(conn: Connection, lens: Lens | None) -> _Held:
    """All of it, for whoever has this lens."""
    people = list(conn.execute(select(person.c.key).order_by(person.c.key)).scalars())
    facts: dict[Any, Facts] = {None: NOBODY} | {key: facts_of(conn, key) for key in people}
    r, v = resource.c, resource_version.c
    return _Held(
        tuple(conn.execute(select(resource).order_by(r.key))),
        tuple(conn.execute(select(resource_version).order_by(v.key, v.version))),
        facts,
    )


def view(conn: Connection, lens: Lens | None, world: _Held | None = None) -> View:
    """Of whoever has this lens; nothing for whoever has none."""
    if lens is None or lens.standing is None:
        return View({}, {}, {}, (), (), frozenset(), frozenset())
    world = world or held(conn, lens)
    seen = {row.key: _sent(lens, row, world.facts[row.person]) for row in world.rows}
    items = {row.key: seen[row.key] for row in world.rows if seen[row.key] and not row.deleted}
    versions = {
        (row.key, row.version): sent
        for row in world.versions
        if seen[row.key] and (sent := _sent(lens, row, world.facts[row.person])) and not row.deleted
    }
    return View(
        items,
        versions,
        {key: known for key, facts in world.facts.items() if key and (known := _known(lens, facts))[0]},
        tuple(_involved(conn, lens, set(items), world)),
        tuple(_glass(conn, lens)),
        frozenset(row.person for row in world.rows if _withheld(lens, row, world.facts[row.person])),
        frozenset(_openable(lens, world)),
    )


def item_of(row: Any) -> Labelled:
    coded = frozenset(codings(exact_json.loads(row.body)))
    return Labelled(
        person=row.person,
        custodian=Ods(row.custodian),
        category=row.category,
        sensitivities=row.sensitivities,
        locating=row.redacted is not None,
        names_others=row.for_person is not None,
        type=row.type,
        key=row.key,
        clinical=row.clinical,
        codes=coded,
    )


def _sent(lens: Lens, row: Any, facts: Facts) -> tuple[Any, ...]:
    """The text that may be sent, with the rest of the row that goes with it; nothing where it may not be seen."""
    decision = lens.decide(item_of(row), facts)
    if decision.effect is Effect.DENY:
        return ()
    told = (row.type, row.person, row.category, row.sensitivities, row.last_updated, row.clinical, row.version)
    hidden = row.person is not None and hides_holders(facts, lens)
    holder = lens.holder(getattr(row, "source", ""), row.custodian, hidden=hidden)
    own = lens.requester.organisation if lens.requester else ""
    return (_text(row, decision, hidden, own), *told, *holder)


def _text(row: Any, decision: Decision, hidden: bool, own: str) -> str:
    """What is sent; what takes the organisations out of it has tests of its own (tests/unit/test_consent_unplaced.py)."""
    if hidden:
        return unplaced(row.redacted or row.body, own, own_item=row.custodian == own)
    if decision.effect is Effect.PERMIT:
        return str(row.body)
    return str(row.for_person if decision.rule is rules.OWN_REDACTED else row.redacted)


def _known(lens: Lens, facts: Facts) -> tuple[Any, ...]:
    """Whether they may open the person's page, and whether the person's place is hidden from them."""
    standing = _standing(lens)
    page = _is_involved(standing, facts) or _permitted(standing, facts)
    return (standing.cares and page, hides_holders(facts, lens))


def _is_involved(standing: Standing, facts: Facts) -> bool:
    """By a relationship, or by glass that they broke where that opens one."""
    opened = RELATIONSHIP in standing.terms.glass and glass_broken(standing, facts)
    return opened or involvement(standing, facts) is not None


def _standing(lens: Lens) -> Standing:
    assert lens.standing is not None
    return lens.standing


def _permitted(standing: Standing, facts: Facts) -> bool:
    """The person's word alone opens their page to whom it names."""
    asks = standing.requester
    return standing.terms.permit_relates and any(
        one.effect == "permit" and one.names_recipient and one.in_force(standing.at) and _to(one, asks)
        for one in facts.directed
    )


def _to(one: Directed, asks: Requester) -> bool:
    return one.is_to(asks)


def _involved(conn: Connection, lens: Lens, seen: set[Any], world: _Held) -> list[Any]:
    asks = _standing(lens).requester
    t = relationship.c
    told = (t.person, t.kind, t.organisation, t.team, t.user, t.starts, t.ends, t.origin)
    rows = conn.execute(select(*told).order_by(*(column for column in told))).all()
    mine = [
        row for row in rows if row.user == asks.user or (row.organisation == asks.organisation and row.user is None)
    ]
    return [_told(lens, row, world.facts[row.person]) for row in rows if row.origin in seen or row in mine]


def _told(lens: Lens, row: Any, facts: Facts) -> tuple[Any, ...]:
    """Without the organisation, where it is hidden who holds the person's record."""
    _, organisation = lens.holder("", row.organisation, hidden=hides_holders(facts, lens))
    known = (row.team, row.user) if organisation == row.organisation else ()
    return (row.person, row.kind, organisation, row.starts, row.ends, row.origin, *known)


def _glass(conn: Connection, lens: Lens) -> list[Any]:
    asks, t = _standing(lens).requester, access_grant.c
    mine = select(t.id, t.person, t.starts, t.ends).where(t.user == asks.user, t.organisation == asks.organisation)
    return [tuple(row) for row in conn.execute(mine.order_by(t.id))]


# What is told beside it -----------------------------------------------------------------------------


def _withheld(lens: Lens, row: Any, facts: Facts) -> bool:
    """An agreed kind of information, kept from somebody involved by a sensitivity or a wish of the person."""
    standing = _standing(lens)
    if not (lens.tells_withheld and standing.cares) or row.deleted or row.person is None:
        return False
    item = item_of(row)
    if item.custodian == standing.requester.organisation or not standing.shared.offer(item.custodian, item.category):
        return False
    return _is_involved(standing, facts) and lens.decide(item, facts).rule in _WITHHOLDS


def _openable(lens: Lens, world: _Held) -> list[UUID]:
    """Of whom the requester would see something that they don't see now, had they broken the glass."""
    standing = _standing(lens)
    if not (standing.cares and standing.terms.glass & {RELATIONSHIP, OBJECTION}):
        return []
    return [row.person for row in world.rows if row.person and _opens(standing, row, world.facts[row.person])]


def _opens(standing: Standing, row: Any, facts: Facts) -> bool:
    asks, item = standing.requester, item_of(row)
    broken = replace(
        facts, grants=(*facts.grants, Grant(asks.user, asks.organisation, NOW, NOW.replace(year=NOW.year + 1)))
    )
    return not row.deleted and decide(standing, item, facts).effect is Effect.DENY and decide(standing, item, broken).effect is not Effect.DENY  # fmt: skip


def whole(view_: View, key: PersonKey) -> bool:
    return bool(view_.about.get(key, (False,))[0])
