"""Random people, items and requesters for the two forms of the decision to agree on: every condition, most of them often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid5

from conftest import NOW
from consent_builders import BOARD, DAY, HOSPITAL, LONG_AGO, NORTH, PLACE, SOUTH, SURGERY, key_of
from consent_policies import ASKING, GIVING, NOWHERE, SHUT, STRICT

from carelink.consent.facts import Directed, Facts, Grant, KeptOut, Labelled, Related
from carelink.consent.requester import Requester
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Agreement, Place

T = TypeVar("T")
# Problems are shared by all with all, so that it is mostly the rest that decides.
_ALL = Agreement("all", "*", "*", frozenset({"social-worker", "nurse", "gp"}), frozenset({"problems"}), frozenset({"TREAT", "CAREMGT", "ETREAT", "SAFEGUARDING"}), "as a start", frozenset({"MH"}))  # fmt: skip
PLACES = tuple(replace(one, agreements=(*one.agreements, _ALL)) for one in (PLACE, GIVING, STRICT, ASKING, SHUT))
CUSTODIANS = (NORTH, SOUTH, SURGERY, HOSPITAL, BOARD, NOWHERE)
CATEGORIES = ("demographics", "problems", "services", "documents", "safeguarding", "legal", "mental-health", "rumours")
TYPES = ("Condition", "Observation", "Patient", "CarePlan", "Provenance")
CODES = (("http://snomed.info/sct", "73211009"), ("http://snomed.info/sct", "86406008"), ("", "73211009"))
BITS = (*(0,) * 24, 1, 2, 4, 2 | 64, 64, 128, 256, 512, 512 | 2, 1024, 2048, 1 << 15, 1 << 16)
MOMENTS = (LONG_AGO, NOW - DAY, NOW, NOW + DAY)
DATES = (None, datetime(2024, 6, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
USERS = tuple(PLACE.staff)
TEAMS = ("adults-north", "adults-west", "ward-7", "")
_SPACE = UUID("9c2f3bb6-7a0a-4a3e-9b52-0a7c5e0c1d12")


def some(chance: Random, values: tuple[T, ...], likely: float = 0.5) -> T | None:
    return chance.choice(values) if chance.random() < likely else None


def _set(chance: Random, values: tuple[T, ...], likely: float) -> frozenset[T] | None:
    return frozenset(chance.sample(values, chance.randint(1, 2))) if chance.random() < likely else None


def related(chance: Random) -> Related:
    kind = chance.choice(("caseload", "caseload", "encounter", "mdt", "care-team"))
    starts, ends = chance.choice((LONG_AGO, LONG_AGO, NOW, NOW + DAY)), chance.choice((None, None, NOW, NOW + DAY))
    team, user = some(chance, TEAMS[:3], 0.3), some(chance, USERS, 0.3)
    return Related(kind, chance.choice(CUSTODIANS), starts, ends, team if user is None else None, user)


def directed(chance: Random, consent: UUID, made: datetime | None, items: list[UUID]) -> Directed:
    """One provision. Those of one consent were made at one time."""
    effect = chance.choice(("deny", "permit"))
    plain = chance.random() < 0.5
    often = 0.0 if plain else 0.08
    return Directed(
        effect,
        chance.choice((LONG_AGO, LONG_AGO, NOW, NOW + DAY)),
        chance.choice((None, None, NOW, NOW + DAY)),
        _rule(chance, effect, plain),
        consent,
        chance.choice((0, 0, 1, 1, 2)),
        made,
        organisation=some(chance, CUSTODIANS[:4], 0.4),
        organisation_type=some(chance, ("council", "nhs-trust"), often),
        role=some(chance, tuple(PLACE.roles), often),
        team=some(chance, TEAMS[:3], often),
        user=some(chance, USERS, 2 * often),
        purposes=_set(chance, ("TREAT", "CAREMGT", "ETREAT", "HRESCH", "SAFEGUARDING"), often),
        custodians=_set(chance, CUSTODIANS, often),
        categories=_set(chance, CATEGORIES, 0.4),
        types=_set(chance, TYPES, often),
        sensitivities=some(chance, (1, 2, 2 | 4, 64, 1 << 15), 2 * often),
        codes=_set(chance, CODES, 2 * often),
        items=frozenset(chance.sample(items, 3)) if chance.random() < often else None,
        since=some(chance, DATES[1:], often),
        until=some(chance, DATES[1:], often),
    )


def _rule(chance: Random, effect: str, plain: bool) -> str:
    if effect == "permit":
        return chance.choice(("L6-consent-permit", "L6-consent-permit", "L6-consent-exception"))
    if not plain:
        return "L6-consent-deny"
    return chance.choice(("L7-objection", "L7-objection", "L7-objection-unclear", "L10-opt-out"))


def known(chance: Random, items: list[UUID]) -> Facts:
    """Mostly somebody whom all are involved with, so that the consents are what decides."""
    consents = [(uuid5(_SPACE, str(number)), some(chance, MOMENTS, 0.8)) for number in range(2)]
    provisions = chance.choice((0, 2, 3, 4, 6))
    involved = (NORTH, SOUTH, SURGERY, HOSPITAL) if chance.random() < 0.6 else ()
    return Facts(
        related=(
            *(Related("encounter", one, LONG_AGO) for one in involved),
            *(related(chance) for _ in range(chance.randint(0, 3))),
        ),
        directed=tuple(directed(chance, *chance.choice(consents), items) for _ in range(provisions)),
        restricted=chance.random() < 0.2,
        kept_out=tuple(_kept(chance) for _ in range(chance.choice((0, 0, 0, 1, 2)))),
        grants=tuple(_grant(chance) for _ in range(chance.choice((0, 0, 1)))),
    )


def _kept(chance: Random) -> KeptOut:
    user = some(chance, USERS, 0.7)
    organisation = chance.choice(CUSTODIANS)
    return KeptOut(
        chance.choice(("enquiry", "court-order")), LONG_AGO, chance.choice((None, NOW, NOW + DAY)), organisation, user
    )


def _grant(chance: Random) -> Grant:
    one = PLACE.staff[chance.choice(USERS)]
    return Grant(one.id, one.organisation, chance.choice((LONG_AGO, NOW + DAY)), chance.choice((NOW, NOW + 2 * DAY)))


def item(chance: Random, key: UUID, person: PersonKey | None) -> Labelled:
    return Labelled(
        person,
        chance.choice((*CUSTODIANS, SURGERY, HOSPITAL, HOSPITAL)),
        chance.choice((*CATEGORIES, *("problems",) * 8, "directory")),
        chance.choice(BITS),
        chance.random() < 0.2,
        chance.random() < 0.2,
        chance.choice((*TYPES, "Condition")),
        key,
        chance.choice(DATES),
        frozenset(chance.sample(CODES, chance.choice((0, 0, 1, 2)))),
    )


def requesters(chance: Random, people: list[PersonKey]) -> Iterator[tuple[Place, Requester]]:
    """In every place several workers, mostly in their own role and for a purpose of it; and a person."""
    for place in PLACES:
        for one in chance.sample([*place.staff.values()] * 2, 3):
            role = chance.choice((*(one.role,) * 7, "nurse"))
            purpose = chance.choice((*place.roles[role].purposes * 7, "HRESCH"))
            yield place, _asks(chance, place, one.id, one.organisation, role, purpose, one.team)
        themselves = Requester(
            UserId("self"), "Nora Hart", Ods(""), "", "person", "PATRQT", person=chance.choice(people)
        )
        yield place, replace(themselves, types=_set(chance, TYPES, 0.2))


def _asks(
    chance: Random, place: Place, user: UserId, organisation: Ods, role: str, purpose: str, team: str
) -> Requester:
    kind = place.organisations[organisation].type
    return Requester(user, "Somebody", organisation, kind, role, purpose, team, types=_set(chance, TYPES, 0.1))


def world(seed: int, persons: int, each: int) -> tuple[dict[PersonKey, Facts], dict[UUID, Labelled]]:
    """That many people with what is known of them, and their items; some items are about nobody."""
    chance = Random(seed)
    keys = [uuid5(_SPACE, f"item {seed} {number}") for number in range(persons * each)]
    people = {key_of(f"random {seed} {number}"): known(chance, keys) for number in range(persons)}
    owner: Callable[[], Any] = lambda: some(chance, tuple(people), 0.98)  # noqa: E731
    return people, {key: item(chance, key, owner()) for key in keys}
