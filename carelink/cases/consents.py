"""A person's consents: recorded, changed and withdrawn, with who decided and by what authority. Never half-stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from carelink.cases.consent_form import Effect, How, Taken, Wish, consent, withdrawn
from carelink.cases.consent_words import displays
from carelink.cases.recording import must_be_involved
from carelink.consent.authority import performer
from carelink.consent.capacity import Answer, Decision, Giver, Relation, may_consent
from carelink.consent.capacity_facts import mind_of, on_all_that_is_known
from carelink.consent.lens import Lens
from carelink.db.turns import take_turns
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import Ods, PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import made_here, search
from carelink.record.golden_store import MADE_HERE, home
from carelink.record.query import Row
from fhir_adapters import exact_json

AGE_NOT_KNOWN = "C-age-not-known"  # the rule of capacity that refuses whose date of birth is unknown
MAY = "record-consent"  # what a role of the place pack may have
Body = Mapping[str, Any]


class MayNotConsent(Forbidden):
    """Who gave it may not; `answer` says by which rule, and what to do instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.because.rstrip("."), rule=answer.rule)
        self.answer = answer


@dataclass(frozen=True)
class Given:
    """Who decides, and how it was obtained."""

    giver: Giver
    how: How


def may_record(lens: Lens) -> bool:
    """Whether this requester records consents: a role for it that cares for people, or the person themselves."""
    asks = lens.requester
    if asks is None or asks.behind is not None:
        return False
    return asks.person is not None or (MAY in lens.may and lens.standing is not None and lens.standing.cares)


def must_may(conn: Connection, lens: Lens, person: PersonKey) -> None:
    """Raises `Forbidden` for who records no consents or may only look, `NotFound` for who may not even look."""
    if not may_record(lens):
        raise Forbidden("Your role records no consents", rule=MAY)
    must_be_involved(conn, lens, person)


def authority(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, giver: Giver, *, objects: bool = False
) -> Answer:
    """Whether this giver may decide about sharing for the person now. Raises `MayNotConsent`.

    The person's own objection is not refused because nobody wrote down how old they are: UK GDPR Art 21 knows no age.
    """
    mind = mind_of(conn, on_all_that_is_known(lens.at, lens.user), person)
    answer = may_consent(giver, mind, Decision.SHARING, lens.at)
    own = objects and giver.relation is Relation.THE_PERSON and answer.rule == AGE_NOT_KNOWN
    if not answer.allowed and not own:
        raise MayNotConsent(answer)
    return answer


def record(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, wish: Wish, given: Given, token: str
) -> ResourceKey:
    """Store a new Consent; gives its key. `token` was made when the form was shown: a form sent twice is stored once.

    Raises `MayNotConsent`, and `Forbidden` and `NotFound` as `must_may`.
    """
    must_may(conn, lens, person)
    authority(conn, place, lens, person, given.giver, objects=wish.effect is Effect.OBJECTS)
    take_turns(conn, [person])
    # Of what somebody sends, only they themselves can make the same key again: nobody else's resource is met by it.
    key = resource_key(MADE_HERE, str(person), "Consent", f"{lens.user}:{token}")
    if _stored(conn, lens, key) is None:
        body = consent(key, wish, _taken(place, lens, person, given))
        made_here.create(conn, place, lens, body, person, custodian(place, lens), key)
    return key


def change(
    conn: Connection, place: Place, lens: Lens, key: ResourceKey, version: int, wish: Wish, given: Given
) -> None:
    """Store what the person wants now as a new version. Raises `Conflict` where it is no longer at `version`."""
    row = changeable(conn, lens, key)
    assert row.person is not None
    authority(conn, place, lens, row.person, given.giver, objects=wish.effect is Effect.OBJECTS)
    body = consent(key, wish, _taken(place, lens, row.person, given))
    _update(conn, place, lens, row, body, version)


def withdraw(
    conn: Connection, place: Place, lens: Lens, key: ResourceKey, version: int, why: str, given: Given
) -> None:
    """End it, with the reason, as a new version. Raises `Invalid` without a reason, `Conflict` as `change`."""
    if not why:
        raise Invalid("why", "Say why it is withdrawn")
    row = changeable(conn, lens, key)
    assert row.person is not None
    authority(conn, place, lens, row.person, given.giver)
    whole = made_here.as_stored(conn, lens, "Consent", key)
    body = withdrawn(whole, why, _taken(place, lens, row.person, given))
    _update(conn, place, lens, row, body, version)


def changeable(conn: Connection, lens: Lens, key: ResourceKey) -> Row:
    """The Consent that may be changed here. Raises `NotFound`; `Forbidden` for one that a source sent or that is over."""
    row = search.get(conn, lens, "Consent", key)
    if row.person is None:
        raise NotFound("There is no such consent, or you may not see it")
    must_may(conn, lens, row.person)
    if row.source != MADE_HERE:
        raise Forbidden("This consent was recorded elsewhere: it is changed where it came from", rule="made-elsewhere")
    if exact_json.loads(row.body).get("status") != "active":
        raise Conflict("This consent was withdrawn already")
    return row


def _update(conn: Connection, place: Place, lens: Lens, row: Row, body: Body, version: int) -> None:
    """Whoever may record consents may change what another organisation took down: it is the person's word."""
    assert row.person is not None
    take_turns(conn, [row.person])
    made_here.update(conn, place, lens, body, row.key, version, by_any_organisation=True)


def _stored(conn: Connection, lens: Lens, key: ResourceKey) -> Row | None:
    return next(iter(search.by_keys(conn, lens, [key])), None)


def _taken(place: Place, lens: Lens, person: PersonKey, given: Given) -> Taken:
    asks = lens.requester
    worker = asks if asks is not None and asks.person is None else None
    return Taken(
        person=person,
        performer=performer(given.giver, person),
        how=given.how,
        at=lens.at,
        organisation=custodian(place, lens),
        by=worker.user if worker else None,
        by_name=worker.name if worker else "",
        names=displays(place),
    )


def custodian(place: Place, lens: Lens) -> Ods:
    """The organisation that took it down; of what the person says on their own page, the home organisation."""
    asks = lens.requester
    return asks.organisation if asks is not None and asks.organisation else home(place).ods
