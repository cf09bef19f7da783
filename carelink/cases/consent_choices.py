"""What the form offers to be chosen at this place: organisations, roles, kinds, purposes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from carelink.cases import consent_answers, consent_givers
from carelink.cases.consent_words import HOW
from carelink.consent.decision import DIRECT_CARE
from carelink.consent.sensitivity import sensitivities
from carelink.place import Place

Pairs = tuple[tuple[str, str], ...]  # value, words
MOST = 12  # organisations that are listed; the others are named by typing
PURPOSES: Pairs = (
    ("care", "Care and treatment, and arranging it"),
    ("emergency", "An emergency"),
    ("safeguarding", "Protecting somebody from abuse or neglect"),
)


@dataclass(frozen=True)
class Offers:
    """Every choice, in the order in which it is shown."""

    organisations: Pairs
    roles: Pairs
    categories: Pairs
    sensitivities: Pairs
    purposes: Pairs
    relations: Pairs
    hows: Pairs
    more_organisations: bool  # than are listed


def offers(place: Place) -> Offers:
    """Those of this place. Organisations are listed where somebody works who cares for people."""
    cares = [one.organisation for one in place.staff.values() if DIRECT_CARE & set(place.roles[one.role].purposes)]
    listed = list(dict.fromkeys(cares))[:MOST]
    known = sensitivities(place)
    return Offers(
        organisations=tuple((ods, place.organisations[ods].name) for ods in listed),
        roles=tuple((one.id, one.label) for one in place.roles.values() if DIRECT_CARE & set(one.purposes)),
        categories=tuple((id_, place.categories[id_]) for id_ in consent_answers.kinds(place)),
        sensitivities=tuple((name, known.labels[name]) for name in consent_answers.sensitive(place)),
        purposes=PURPOSES,
        relations=consent_givers.others(),
        hows=tuple((how.value, _capital(HOW[how])) for how in consent_answers.HOWS),
        more_organisations=len(listed) < len(place.organisations),
    )


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
