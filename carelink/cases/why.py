"""Why a worker sees one item of a person, in plain words: the rule, the agreement, their involvement, the consent.

Only of what they see, and nothing that they may not know: a consent is told of where they may read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.cases.consent_words import PURPOSES
from carelink.cases.standing import labels
from carelink.consent import rules
from carelink.consent.decision import involvement
from carelink.consent.explain import known_to
from carelink.consent.facts import Facts, Labelled
from carelink.consent.holders import kinds_of
from carelink.consent.known import facts_of, items_of
from carelink.consent.lens import Lens
from carelink.consent.rules import Decision, Rule
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Agreement, Place
from carelink.record import search
from carelink.record.query import Row
from carelink.record.timeline import Entry, entry
from carelink.record.timeline_names import names_in, opened

# Kind of involvement -> what the worker is told of it; of a kind that has no words here, the last.
INVOLVED: Mapping[str, str] = {
    "caseload": "The person is on your caseload, or on your team’s.",
    "registered-practice": "The person is registered with your practice.",
    "encounter": "The person is in the care of your organisation, or was lately.",
    "referral": "The person was referred to your organisation.",
    "care-team": "You belong to the person’s care team.",
    "mdt": "You belong to a meeting about the person’s care.",
}
OTHERWISE = "You are involved with the person."
ON_DUTY = "Your team is on duty for your organisation, which has the person on a caseload."
NEED = "You opened this record in need. Somebody checks whether that was right."
PERMITTED = "The person agreed that you may see this."
LESS = "What would tell where the person is, and which organisation holds this, is left out."
OBJECTED = "The person objected to sharing this. For what you look for, that does not hold it back."
OWN = "Your own organisation recorded this, so nothing is shared for you to see it."
SHARED = "The organisations agreed to share this kind of information with your role."


@dataclass(frozen=True)
class Why:
    """`lines` are sentences, the most telling first; `consent` is the one that counts, where this worker may read it."""

    person: PersonKey
    entry: Entry
    source: str
    lines: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    law: str
    consent: ResourceKey | None = None


def why(conn: Connection, place: Place, lens: Lens, person: PersonKey, item: ResourceKey) -> Why:
    """Why this worker sees this item. Audited as `explain`, as is the look at the item.

    Raises `NotFound` for what they don't see, whatever keeps it from them, and for who is no worker.
    """
    row = _seen(conn, lens, person, item)
    facts = facts_of(conn, person)
    one = next(items_of(conn, person, facts, item))
    # Why it is shown is asked apart from what was taken out of it.
    ground = lens.decide(replace(one, locating=False, names_others=False), facts)
    consent = _readable(conn, lens, ground)
    told = _told_rule(ground.rule, consent)
    agreed = tuple(_agreements(place, ground, hidden=row.hidden))
    event = Event("explain", lens.requester, person, count=1, rules=(ground.rule.id,), detail={"resource": str(item)})
    append(conn, event, lens.at)
    [(_, body)] = opened([row])
    return Why(
        person=person,
        entry=entry(row, body, names_in(conn, lens, [row])),
        source=labels(place).get(row.source, row.source),
        lines=tuple(_lines(lens, one, told, ground, facts, hidden=row.hidden)),
        agreements=agreed,
        law=told.law,
        consent=consent,
    )


def _seen(conn: Connection, lens: Lens, person: PersonKey, item: ResourceKey) -> Row:
    asks, standing = lens.requester, lens.standing
    if asks is not None and asks.person is None and asks.behind is None and standing is not None and standing.cares:
        row = next(iter(search.by_keys(conn, lens, [item])), None)
        if row is not None and row.person == person:
            return row
    raise NotFound("There is no such item, or you may not see it")


def _readable(conn: Connection, lens: Lens, ground: Decision) -> ResourceKey | None:
    """The consent that the decision names, where this worker may read it."""
    first = ground.detail.partition("; ")[0]
    if not first.startswith("Consent/"):
        return None
    rows = search.by_keys(conn, lens, [ResourceKey(UUID(first.removeprefix("Consent/")))])
    return rows[0].key if rows else None


def _told_rule(rule: Rule, consent: ResourceKey | None) -> Rule:
    """That the person objected is told to whoever may read that; to others it is shared as anything is."""
    objected = rule in (rules.OVERRIDDEN, rules.GLASS_OBJECTION)
    return rules.AGREEMENT if objected and consent is None else rule


def _agreements(place: Place, ground: Decision, *, hidden: bool) -> Iterator[Agreement]:
    """Those that the decision names; one with a single custodian would tell who that is."""
    names = ground.detail.partition("; ")[0].split(", ")
    for one in place.agreements:
        if one.id in names and not (hidden and one.custodian in kinds_of(place)):
            yield one


def _lines(lens: Lens, one: Labelled, told: Rule, ground: Decision, facts: Facts, *, hidden: bool) -> Iterator[str]:
    yield from _GROUND.get(told, (SHARED,))
    yield _how(lens, ground, facts)
    assert lens.requester is not None
    yield f"You look for: {PURPOSES.get(lens.requester.purpose, lens.requester.purpose)}."
    known = known_to(lens)
    named = [known.labels[name] for name in known.names(one.sensitivities)]
    if named and told is not rules.CUSTODIAN:
        yield f"It needs more care ({', '.join(named)}), and what you see it by allows for that."
    if hidden:
        yield LESS


_GROUND: Mapping[Rule, tuple[str, ...]] = {
    rules.CUSTODIAN: (OWN,),
    rules.CONSENT_PERMIT: (PERMITTED,),
    rules.OVERRIDDEN: (SHARED, OBJECTED),
    rules.GLASS_OBJECTION: (SHARED, OBJECTED),
}


def _how(lens: Lens, ground: Decision, facts: Facts) -> str:
    """By what they are involved with the person."""
    assert lens.standing is not None
    assert lens.requester is not None
    involved = involvement(lens.standing, facts)
    if involved is None:
        return NEED if ground.rule is rules.GLASS else PERMITTED
    if not involved.involves(lens.requester):
        return ON_DUTY
    return INVOLVED.get(involved.kind, OTHERWISE)
