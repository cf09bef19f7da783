"""Agreements of the place -> what one requester's role may be shared, by custodian and category."""

from __future__ import annotations

from dataclasses import dataclass

from carelink.consent.requester import Requester
from carelink.consent.sensitivity import Sensitivity, mask
from carelink.ids import Ods
from carelink.place import Agreement, Organisation, Place


@dataclass(frozen=True)
class Share:
    """One (custodian, category) that is shared; `mask` are the sensitivities that the agreement names."""

    custodian: Ods
    category: str
    mask: int
    agreement: str


def shares(place: Place, requester: Requester) -> tuple[Share, ...]:
    """Everything that some agreement shares with this requester, in a fixed order. A custodian nobody knows is in none."""
    return tuple(
        Share(organisation.ods, category, mask(agreement.sensitivities) & ~Sensitivity.LEGAL, agreement.id)
        for agreement in place.agreements
        if _for(agreement, requester)
        for organisation in sorted(place.organisations.values(), key=lambda one: one.ods)
        if _party(agreement.custodian, organisation)
        for category in sorted(agreement.categories)
    )


def _for(agreement: Agreement, requester: Requester) -> bool:
    return (
        requester.role in agreement.roles
        and requester.purpose in agreement.purposes
        and agreement.recipient in ("*", requester.organisation, requester.organisation_type)
    )


def _party(named: str, organisation: Organisation) -> bool:
    return named in ("*", organisation.ods, organisation.type)
