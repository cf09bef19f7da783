"""Answers as a worker fills them in with a person, and what a wish means, told without FHIR and without the compiler."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from conftest import NOW
from consent_builders import ANN, HOSPITAL, NORTH, PLACE, SOUTH, SURGERY

from carelink.cases.consent_answers import Typed
from carelink.cases.consent_form import How, Taken, Terms, Wish, consent
from carelink.clock import LONDON
from carelink.consent.facts import Labelled
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import sensitivities
from carelink.ids import Ods, ResourceKey, UserId, resource_key

ORGANISATIONS = (NORTH, SOUTH, HOSPITAL, SURGERY)
KEY: ResourceKey = resource_key("carelink", "tests", "Consent", "one")
# What a permission for a wider purpose says nothing of, and a denial of it does: v3-ActReason is a tree.
NARROWER = {"TREAT": {"ETREAT", "BTG"}, "ETREAT": {"BTG"}}


def typed(**said: Any) -> Typed:
    """Answers by the names of the form's fields, with `_` for `-`; a text or several."""
    values = {name.replace("_", "-"): (value,) if isinstance(value, str) else value for name, value in said.items()}
    return Typed({name: tuple(one) for name, one in values.items() if one})


def taken(at: datetime = NOW) -> Taken:
    """The person themselves, face to face with Sam Okafor."""
    who = {"reference": f"Patient/{ANN}"}
    return Taken(ANN, who, How.FACE_TO_FACE, at, NORTH, UserId("sam"), "Sam Okafor")


def body_of(wish: Wish, at: datetime = NOW) -> dict[str, Any]:
    return consent(KEY, wish, taken(at))


def meant(wish: Wish, item: Labelled, requester: Requester, at: datetime) -> str:
    """What the wish says of this item to this requester at that time: deny, permit, or nothing (empty)."""
    today = at.astimezone(LONDON).date()
    if (wish.until and today > wish.until) or (wish.starts and today < wish.starts):
        return ""
    if not _speaks(wish.terms, item, requester):
        return ""
    excepted = any(_speaks(one, item, requester) for one in wish.exceptions)
    return (wish.effect.other if excepted else wish.effect).value


def _speaks(terms: Terms, item: Labelled, requester: Requester) -> bool:
    to = (
        Ods(requester.organisation) in terms.organisations
        or requester.organisation_type in terms.organisation_types
        or requester.role in terms.roles
        or requester.user in terms.workers
    )
    bits = sensitivities(PLACE).mask(terms.sensitivities)
    return (
        (to or not terms.names_recipients)
        and (not terms.categories or item.category in terms.categories)
        and (not terms.sensitivities or bool(item.sensitivities & bits))
        and (not terms.purposes or requester.purpose in terms.purposes)
    )
