"""Agreements of the place -> what one kind of requester is offered, by custodian and category."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from carelink.consent.per_place import PerPlace
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import EVERY_BIT, ONLY_FOR_THE_PERSON, Sensitivity, sensitivities
from carelink.ids import Ods
from carelink.place import Agreement, Organisation, Place

MAY_SEE_LEGAL = "see-legally-restricted"


@dataclass(frozen=True)
class Offer:
    """What agreements give of one category of one custodian: `mask` are the sensitivities that they name."""

    mask: int
    agreements: tuple[str, ...]

    def lacks(self, sensitivities: int) -> int:
        """Those sensitivities that no agreement names."""
        return sensitivities & ~self.mask


@dataclass(frozen=True)
class Shared:
    """All offers to one kind of requester. What is not in it is not shared; a custodian nobody knows is not in it."""

    offers: Mapping[tuple[Ods, str], Offer]

    def offer(self, custodian: Ods, category: str) -> Offer | None:
        """What is offered of that category of that custodian, if anything."""
        return self.offers.get((custodian, category))

    @cached_property
    def sql(self) -> str:
        """For SQL, as a JSON object: custodian -> group, and group with category -> sensitivities that bar.

        A bit that has no name here bars too: it was put on for a reason that the pack has forgotten.
        Custodians that offer the same form one group, so that a place with hundreds of practices stays small.
        """
        of_custodian: dict[str, dict[str, int]] = {}
        for (custodian, category), offer in self.offers.items():
            of_custodian.setdefault(custodian, {})[category] = offer.lacks(EVERY_BIT)
        groups: dict[str, str] = {}
        of_group: dict[str, int] = {}
        for bars in of_custodian.values():
            name = groups.setdefault(json.dumps(bars), f"{len(groups)}/")
            of_group |= {name + category: mask for category, mask in bars.items()}
        members = {custodian: groups[json.dumps(bars)] for custodian, bars in of_custodian.items()}
        return json.dumps(of_group | members)  # a group has a stroke, a custodian none


class _Agreements:
    """The agreements of a place, expanded once for each kind of requester that asks."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._shared: dict[tuple[str, str, str, str], Shared] = {}

    def shared_with(self, requester: Requester) -> Shared:
        kind = (requester.organisation, requester.organisation_type, requester.role, requester.purpose)
        if kind not in self._shared:
            self._shared[kind] = _expand(self._place, requester)
        return self._shared[kind]


_agreements = PerPlace(_Agreements)


def shared_with(place: Place, requester: Requester) -> Shared:
    """Everything that the agreements of the place share with this requester's role, organisation and purpose."""
    return _agreements(place).shared_with(requester)


def _expand(place: Place, requester: Requester) -> Shared:
    offers: dict[tuple[Ods, str], Offer] = {}
    known, role = sensitivities(place), place.roles.get(requester.role)
    lawful = role is not None and MAY_SEE_LEGAL in role.may
    for agreement in place.agreements:
        if _is_for(agreement, requester):
            named = known.mask(agreement.sensitivities) | int(ONLY_FOR_THE_PERSON)
            if not lawful:
                named &= ~int(Sensitivity.LEGAL)  # no agreement lifts the law
            for custodian in _custodians(place, agreement):
                for category in sorted(agreement.categories):
                    before = offers.get((custodian, category), Offer(0, ()))
                    offers[custodian, category] = Offer(before.mask | named, (*before.agreements, agreement.id))
    return Shared(offers)


def _is_for(agreement: Agreement, requester: Requester) -> bool:
    return (
        requester.role in agreement.roles
        and requester.purpose in agreement.purposes
        and agreement.recipient in ("*", requester.organisation, requester.organisation_type)
    )


def _custodians(place: Place, agreement: Agreement) -> list[Ods]:
    return sorted(one.ods for one in place.organisations.values() if _is_party(agreement.custodian, one))


def _is_party(named: str, organisation: Organisation) -> bool:
    return named in ("*", organisation.ods, organisation.type)
