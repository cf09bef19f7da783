"""Break-glass, before anything is opened: who may, why they say they must, and what will happen then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from carelink.cases.finding import typed
from carelink.consent.lens import Lens
from carelink.errors import Forbidden
from carelink.place import BreakGlass, Place

MAY = "break-glass"  # what a role of the place pack may have
SHORTEST, LONGEST = 15, 1000  # characters of the words: "help her" says nothing to who reviews it


@dataclass(frozen=True)
class Why:
    """A reason of the place's list, and the worker's own words."""

    reason: str
    words: str


@dataclass(frozen=True)
class Promise:
    """What the second look says will happen, by the pack alone: nothing in it depends on the person."""

    reasons: Mapping[str, str]  # from which the worker chooses
    ends: datetime
    minutes: int
    shown: tuple[str, ...]  # kinds of information, as the place calls them
    overrides: frozenset[str]  # what it widens: relationship, objection, view
    reviewer: str  # label of the role
    review_days: int
    person_is_told: bool


def offered(place: Place, lens: Lens) -> bool:
    """Whether this requester may break glass at all. Never who views as another: it would not be their own need."""
    asked = lens.requester
    return (
        place.glass is not None
        and MAY in lens.may
        and asked is not None
        and asked.behind is None
        and lens.standing is not None
        and lens.standing.cares
    )


def must_be_offered(place: Place, lens: Lens) -> BreakGlass:
    """The place's rules for it. Raises `Forbidden` for who may not."""
    if place.glass is None or not offered(place, lens):
        raise Forbidden("Your role may not open a record in need", rule=MAY)
    return place.glass


def read(form: Mapping[str, str], place: Place) -> tuple[Why, dict[str, str]]:
    """The reason and the words as sent, and what is wrong with them by field."""
    why = Why(typed(form, "reason"), one_line(form.get("words", "")))
    wrong = {}
    if place.glass is None or why.reason not in place.glass.reasons:
        wrong["reason"] = "Choose why you need to open this record"
    if len(why.words) < SHORTEST:
        wrong["words"] = f"Say in your own words why, in at least {SHORTEST} characters"
    elif len(why.words) > LONGEST:
        wrong["words"] = f"Say it in at most {LONGEST} characters"
    return why, wrong


def one_line(text: str) -> str:
    """What somebody wrote, with single spaces and without what nobody types."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())


def _small(label: str) -> str:
    """A label in the middle of a sentence; what begins with capitals for another reason keeps them."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def promise(place: Place, lens: Lens) -> Promise:
    """What will happen. Raises `Forbidden` for who may not."""
    glass = must_be_offered(place, lens)
    offers = lens.standing.shared.offers if lens.standing else {}
    kinds = {category for _, category in offers} - {"directory"}
    return Promise(
        reasons=glass.reasons,
        ends=lens.at + timedelta(minutes=glass.minutes),
        minutes=glass.minutes,
        shown=tuple(_small(label) for id_, label in place.categories.items() if id_ in kinds),
        overrides=glass.widens,
        reviewer=place.roles[glass.reviewer].label,
        review_days=glass.review_days,
        person_is_told=glass.tell_person,
    )
