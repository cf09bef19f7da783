"""Recording who decides: assessments, best-interests decisions, papers seen; ending them and putting them right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import Enum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from carelink.cases.capacity import all_known, must_may, one_of
from carelink.cases.capacity_shapes import Assessment, Interests, Paper, Recorder, assessment, interests, paper
from carelink.consent import capacity_codes as codes
from carelink.consent import directives
from carelink.consent.capacity import Decision, Giver, Mind, Relation
from carelink.consent.capacity_case import DECIDES_FIRST, Basis, Life, case_of, in_force, life_of
from carelink.consent.capacity_reading import record_of
from carelink.consent.capacity_rules import rule_for
from carelink.consent.lens import Lens
from carelink.db.turns import take_turns
from carelink.errors import Conflict, Invalid
from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import made_here, search
from carelink.record.golden_store import MADE_HERE

Body = dict[str, Any]


class Change(Enum):
    """What became of an authority."""

    ENDED = "ended"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    MISTAKE = "mistake"


def recorder(place: Place, lens: Lens) -> Recorder:
    """The worker who asks, as what they write says it."""
    asks = lens.requester
    assert asks is not None, "only a worker records who decides"
    organisation = place.organisations[asks.organisation]
    return Recorder(asks.user, asks.name, asks.organisation, organisation.name, lens.at)


def record_assessment(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, said: Assessment, token: str
) -> ResourceKey:
    """Store it; gives its key. `token` was made when the form was shown: a form that is sent twice is stored once.

    Raises `Forbidden` and `NotFound` as `must_may`, `Conflict` where the person has died, or where it is of a child's
    competence and they are none any more, or the other way round.
    """
    must_may(conn, lens, person)
    life = life_of(all_known(conn, lens, person), lens.at)
    _must_live(life)
    if said.child is not (life is Life.CHILD):
        raise Conflict("This is not the form for somebody of this age. Begin again")
    return _store(conn, place, lens, person, assessment(person, said, recorder(place, lens)), token)


def record_interests(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, said: Interests, token: str
) -> ResourceKey:
    """Store it; gives its key. Raises as `record_assessment`, `Invalid` where the Act allows no such decision."""
    must_may(conn, lens, person)
    if why := not_for_us(all_known(conn, lens, person), said):
        raise Invalid("decision", why)
    return _store(conn, place, lens, person, interests(person, said, recorder(place, lens)), token)


def record_paper(conn: Connection, place: Place, lens: Lens, person: PersonKey, said: Paper, token: str) -> ResourceKey:
    """Store it; gives its key. Raises as `record_assessment`."""
    must_may(conn, lens, person)
    _must_live(life_of(all_known(conn, lens, person), lens.at))
    return _store(conn, place, lens, person, paper(person, said, recorder(place, lens)), token)


def not_for_us(mind: Mind, said: Interests) -> str:
    """Why nobody decides this in the person's best interests: they can, or somebody else does. Empty where one may."""
    giver = Giver(Relation.PROFESSIONAL_BEST_INTERESTS)
    case = case_of(giver, mind, said.decision, said.at)
    basis = Basis.SOMEBODY_DECIDES if in_force(mind, DECIDES_FIRST, said.decision, said.at) else Basis.GOOD
    rule = rule_for(replace(case, decision=Decision.SHARING, basis=basis))  # who may decide so is the same for all
    return "" if rule.allowed else f"{rule.because} {rule.to_do}"


def change_paper(
    conn: Connection,
    place: Place,
    lens: Lens,
    person: PersonKey,
    key: ResourceKey,
    version: int | None,
    change: Change,
    day: date | None = None,
) -> None:
    """End an authority (on that day), suspend it, take it up again, or mark it as recorded by mistake.

    Raises `NotFound`, `Forbidden` where another organisation recorded it, `Conflict` where it is no longer at
    `version`.
    """
    _, body = one_of(conn, lens, person, "RelatedPerson", key)
    if change is Change.ENDED:
        body["active"] = False
        body["period"] = {**body.get("period", {}), "end": (day or lens.at.date()).isoformat()}
    elif change is Change.MISTAKE:
        body["active"] = False
        _tell(body, "mistake", True)
    else:
        _tell(body, "suspended", change is Change.SUSPENDED)
    _change(conn, place, lens, person, body, key, version)


def mistaken(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, key: ResourceKey, version: int | None, why: str
) -> None:
    """Mark an assessment or a best-interests decision as recorded by mistake. Raises as `change_paper`, and `Invalid`."""
    if not why:
        raise Invalid("why", "Say what was wrong")
    _, body = one_of(conn, lens, person, "Observation", key)
    by = recorder(place, lens)
    told = {"authorString": f"{by.name}, {by.organisation_name}", "text": f"Recorded by mistake: {why}"}
    body |= {"status": "entered-in-error", "note": [*body.get("note", ()), told]}
    _change(conn, place, lens, person, body, key, version)


def _must_live(life: Life) -> None:
    if life is Life.DEAD:
        raise Conflict("The person has died, so nothing is to be decided for them any more")


def _tell(body: Body, name: str, value: bool) -> None:
    told = next(one for one in body["extension"] if one["url"] == codes.SEEN)
    others = [one for one in told["extension"] if one["url"] != name]
    told["extension"] = [*others, {"url": name, "valueBoolean": value}]


def _store(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, body: Mapping[str, Any], token: str
) -> ResourceKey:
    take_turns(conn, [person])
    # Of what somebody sends, only they themselves can make the same key again: nobody else's resource is met by it.
    what = record_of(body) or "authority"
    key = resource_key(MADE_HERE, str(person), str(body["resourceType"]), f"{lens.user}:{what}:{token or uuid4()}")
    if not search.by_keys(conn, lens, [key]):
        made_here.create(conn, place, lens, body, person, key=key)
        _settle(conn, place, lens, person)
    return key


def _change(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, body: Body, key: ResourceKey, version: int | None
) -> None:
    made_here.update(conn, place, lens, body, key, version)
    _settle(conn, place, lens, person)


def _settle(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> None:
    """Whether what somebody permitted counts may depend on what was recorded just now."""
    directives.refresh(conn, place, [person], lens.at)
