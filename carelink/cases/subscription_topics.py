"""What systems can be told of: the topics of the Subscriptions R5 Backport IG 1.1, as data. Pure.

A topic looks at a resource as the subscriber may see it, before and after a change: what they may not see of either
is not there. So nothing that is withheld decides whether they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from carelink.errors import Invalid

CANONICAL = "https://carelink.example/SubscriptionTopic/"
JUST_NOW = timedelta(days=7)  # a stay that ended longer ago is history that a source tells late, and no discharge
STAYS = frozenset(
    {"IMP", "ACUTE", "NONAC", "SS", "OBSENC"}
)  # v3-ActCode: classes of Encounters from which one goes home
OVER = frozenset({"completed", "cancelled", "failed", "rejected", "entered-in-error"})
WHOSE = ("patient", "subject")

Body = Mapping[str, Any]
Starts = Callable[[Body | None, Body, datetime], bool]


@dataclass(frozen=True)
class Topic:
    """`starts` says whether a change is one: the resource before (None: it was not there), after, and when."""

    id: str
    title: str
    starts: Starts
    because: str
    types: tuple[str, ...] = ()  # empty: whatever is recorded of a person
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # type -> search parameters beside WHOSE

    @property
    def url(self) -> str:
        """Its canonical, which a Subscription names in `criteria`."""
        return CANONICAL + self.id

    def may_filter(self, type_: str, parameter: str) -> bool:
        """Whether a Subscription to it may narrow resources of that type by that parameter."""
        if self.types and type_ not in self.types:
            return False
        return parameter in WHOSE or parameter in self.filters.get(type_, ())


def _referred(before: Body | None, after: Body, at: datetime) -> bool:
    """It asks for something from now on: it is active, and was a draft or was not there."""
    was = before.get("status") if before is not None else "draft"
    return after.get("status") == "active" and was == "draft"


def _assigned(before: Body | None, after: Body, at: datetime) -> bool:
    """Somebody has it who had it not before, and it is still to be done."""
    owner = _who(after.get("owner"))
    return bool(owner) and after.get("status") not in OVER and (before is None or owner != _who(before.get("owner")))


def _discharged(before: Body | None, after: Body, at: datetime) -> bool:
    """A stay ended, and not long ago; once."""
    if _class(after) not in STAYS or after.get("status") != "finished":
        return False
    if before is not None and before.get("status") == "finished":
        return False
    ended = str(after.get("period", {}).get("end", ""))[:10]
    return not ended or ended >= (at - JUST_NOW).date().isoformat()


def _anything(before: Body | None, after: Body, at: datetime) -> bool:
    return True


def _who(reference: Body | None) -> str:
    """A reference as text: where it leads, else by which identifier it names somebody."""
    named = reference or {}
    identifier = named.get("identifier", {})
    return str(
        named.get("reference") or "|".join((identifier.get("system", ""), identifier.get("value", ""))).strip("|")
    )


def _class(encounter: Body) -> str:
    return str(encounter.get("class", {}).get("code", ""))


TOPICS: Mapping[str, Topic] = {
    one.id: one
    for one in (
        Topic(
            "new-referral",
            "Somebody was referred",
            _referred,
            "Who receives referrals must not have to ask for them: a referral that nobody sees is a referral lost",
            types=("ServiceRequest",),
            filters={"ServiceRequest": ("code", "category", "performer")},
        ),
        Topic(
            "task-assigned",
            "A task has a new owner",
            _assigned,
            "A task that is passed on between agencies is theirs from when they know of it",
            types=("Task",),
            filters={"Task": ("code", "owner", "status")},
        ),
        Topic(
            "discharge",
            "Somebody left hospital",
            _discharged,
            "Care at home starts when a stay ends (Care Act 2014 s74: discharge of hospital patients)",
            types=("Encounter",),
            filters={"Encounter": ("class", "type")},
        ),
        Topic(
            "record-changed",
            "Something in somebody's record is new or different",
            _anything,
            "A system that keeps a copy must know when it is old",
            filters={
                "AllergyIntolerance": ("code",),
                "Condition": ("code", "category"),
                "DocumentReference": ("type", "category"),
                "Flag": (),
                "Observation": ("code", "category"),
                "Task": ("code", "owner", "status"),
            },
        ),
    )
}


def topic_named(url: str) -> Topic:
    """The topic of that canonical. Raises `Invalid`."""
    found = TOPICS.get(url.removeprefix(CANONICAL)) if url.startswith(CANONICAL) else None
    if found is None:
        raise Invalid("Subscription.criteria", f"must be one of {', '.join(one.url for one in TOPICS.values())}")
    return found
