"""As it was: what a worker could see of a person at a time, by the versions, links, consents and pack of then.

The decision is the one of now (consent/decision.py), asked with what was known then. UK GDPR Art 5(2) and 24: who
shares must be able to show what was shared, and on what ground.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.consent import past, policies
from carelink.consent.compiling import HIDES_ALL
from carelink.consent.explain import Explanation, followed, kinds, known_to
from carelink.consent.explained_to import hides_holders
from carelink.consent.facts import Facts
from carelink.consent.facts_then import directed_then, kept_out_then, labelled, related_then, restricted_then
from carelink.consent.lens import Lens
from carelink.consent.past import Unknown, Version
from carelink.consent.requester import Requester
from carelink.consent.rules import OWN_REDACTED, Decision, Effect
from carelink.consent.unplaced import unplaced
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place


@dataclass(frozen=True)
class Asked:
    """Who, of whom, when; `purpose` empty: the usual one of the role of then."""

    user: UserId
    person: PersonKey
    at: datetime
    purpose: str = ""


@dataclass(frozen=True)
class Item:
    """One resource as it was, and what was decided of it."""

    version: Version
    decision: Decision
    unplaced: str | None = None  # where they might not know who held it: the text without what tells that

    @property
    def shown(self) -> str:
        """The text that they were sent; empty where it was not shown, or is not kept any more."""
        if self.decision.effect is Effect.DENY:
            return ""
        if self.unplaced is not None:
            return self.unplaced
        if self.decision.rule is OWN_REDACTED:
            return self.version.for_person or self.version.body
        redacted = self.version.redacted if self.decision.effect is Effect.REDACT else None
        return redacted or self.version.body


@dataclass(frozen=True)
class AsItWas:
    """The answer: by which pack, with the rule for every item, and what of it can't be known."""

    explanation: Explanation
    items: tuple[Item, ...]
    place: Place
    unknown: Unknown

    @property
    def shown(self) -> tuple[Item, ...]:
        """What they could see."""
        return tuple(one for one in self.items if one.decision.effect is not Effect.DENY)


def as_it_was(conn: Connection, asked: Asked, now: datetime, asked_by: Requester | str) -> AsItWas:
    """What they could see then. Audited as `explain`, by who asks.

    Raises `NotFound` for a person nobody knew then; `Invalid` for a worker whom the pack of then does not name, a time
    before packs were kept and a time to come; `Forbidden` for a purpose that was not the role's.
    """
    if asked.at > now:
        raise Invalid("at", "must not be in the future")
    answer = of_then(conn, policies.policy_at(conn, asked.at), asked)
    append(conn, _told(answer, asked, asked_by), now)
    return answer


def _told(answer: AsItWas, asked: Asked, by: Requester | str) -> Event:
    lens = answer.explanation.lens
    assert lens.requester is not None
    who = lens.requester
    view = {"view_of": who.user, "organisation": who.organisation, "role": who.role, "purpose": who.purpose}
    return Event(
        "explain",
        by if isinstance(by, Requester) else None,
        answer.explanation.person,
        count=len(answer.explanation.lines),
        rules=tuple(sorted({one.decision.rule.id for one in answer.items})),
        user=by if isinstance(by, str) else "",
        detail={"as_it_was": asked.at.isoformat(), **view},
    )


def of_then(conn: Connection, place: Place, asked: Asked) -> AsItWas:
    """The same by this pack, for who has it at hand; not audited."""
    at = asked.at
    key = asked.person if past.patients_at(conn, asked.person, at) else followed(conn, asked.person)
    versions = past.versions_at(conn, key, at)
    if not versions:
        raise NotFound("Nothing was known of this person then")
    lens = Lens.compile(place, requester_of(place, asked), at)
    unread = (replace(HIDES_ALL, consent=one) for one in past.refused_at(conn, key, at))
    facts = Facts(
        related=related_then(versions, place),
        directed=(*directed_then(versions, key, place), *unread),
        restricted=restricted_then(versions, key, otherwise=past.restricted_today(conn, key)),
        kept_out=kept_out_then(versions, place),
        grants=past.grants_at(conn, key, at),
    )
    decided = [(one, label, lens.decide(label, facts)) for one in versions for label in (labelled(one, facts),)]
    told = tuple(kinds(((label, decision) for _, label, decision in decided), known_to(lens)))
    items = tuple(Item(one, decision) for one, _, decision in decided)
    if hides_holders(facts, lens) and lens.requester is not None:
        items = tuple(_without_holder(one, lens.requester.organisation) for one in items)
    return AsItWas(Explanation(lens, key, facts, told, withheld=False), items, place, past.unknown_of(conn, key, at))


def _without_holder(one: Item, own: Ods) -> Item:
    then = one.version
    return replace(one, unplaced=unplaced(then.redacted or then.body, own, own_item=then.custodian == own))


def requester_of(place: Place, asked: Asked) -> Requester:
    """The worker in the role, team and organisation that the pack of then gave them."""
    worker = place.staff.get(asked.user)
    if worker is None:
        raise Invalid("worker", "the place pack of then names nobody of that id")
    role = place.roles[worker.role]
    if asked.purpose and asked.purpose not in role.purposes:
        raise Forbidden(f"A {role.label.lower()} might not ask for this purpose then", rule="purpose-of-role")
    return Requester(
        user=worker.id,
        name=worker.name,
        organisation=worker.organisation,
        organisation_type=place.organisations[worker.organisation].type,
        role=worker.role,
        purpose=asked.purpose or role.purposes[0],
        team=worker.team,
    )
