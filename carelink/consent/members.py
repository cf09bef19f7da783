"""Who a participant of a CareTeam is, as far as they can sign in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.consent.per_place import PerPlace
from carelink.consent.provision_terms import TEAM, USER
from carelink.ids import ODS, Ods, UserId
from carelink.place import Place

CATEGORIES = "https://carelink.example/CodeSystem/care-team"


@dataclass(frozen=True)
class Member:
    """A worker with their team; or a team, or a whole organisation, without a worker."""

    organisation: Ods
    team: str = ""
    user: UserId | None = None


def member(participant: Mapping[str, Any], place: Place) -> Member | None:
    """By the identifier of a source, of a sign-in, of a team or of an organisation; None for anybody else."""
    found = (participant.get("member") or {}).get("identifier", {})
    system, value = found.get("system", ""), found.get("value", "")
    if system == ODS and value:
        return Member(Ods(value))
    return _known(place).get(f"{system}|{value}")


def coded(concepts: Iterable[Mapping[str, Any]], system: str) -> frozenset[str]:
    """The codes of that system in these concepts."""
    return frozenset(
        coding["code"]
        for concept in concepts
        for coding in concept.get("coding", ())
        if coding.get("system") == system and coding.get("code")
    )


def _by_identifier(place: Place) -> dict[str, Member]:
    known: dict[str, Member] = {}
    for one in place.staff.values():
        worker = Member(one.organisation, one.team, one.id)
        known |= dict.fromkeys((f"{USER}|{one.id}", *one.identifiers), worker)
        if one.team:
            known[f"{TEAM}|{one.organisation}|{one.team}"] = Member(one.organisation, one.team)
    return known


_known = PerPlace(_by_identifier)
