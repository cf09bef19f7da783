"""The parts of a person's page: each part of the summary with its heading, its words for nothing, and its doubt. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carelink.cases.standing import Standing
from carelink.record.summary import Part, Summary
from carelink.record.timeline import Entry


@dataclass(frozen=True)
class Shows:
    """A row of the table: `part` is the field of the Summary, `tacit` are the kinds of items that the heading says."""

    part: str
    heading: str
    nothing: str
    tacit: frozenset[str] = frozenset()


ALERTS = Shows("alerts", "Alerts", "No alerts to show.", frozenset({"Alert"}))
ALLERGIES = Shows(
    "allergies",
    "Allergies",
    "Nothing is recorded about allergies. That is not the same as “no known allergies”.",
    frozenset({"Allergy"}),
)
SECTIONS = (
    Shows("medicines", "Medicines", "No medicines to show.", frozenset({"Medicine"})),
    Shows("problems", "Problems", "No problems to show.", frozenset({"Problem"})),
    Shows("encounters", "Hospital stays and visits", "No stays or visits to show.", frozenset({"Contact or stay"})),
    Shows("packages", "Care packages", "No care packages to show.", frozenset({"Care package"})),
    Shows("assessments", "Assessments", "No assessments to show.", frozenset({"Task"})),
    Shows("referrals", "Referrals", "No referrals to show.", frozenset({"Referral"})),
    Shows("plans", "Plans", "No plans to show.", frozenset({"Plan"})),
    Shows("contacts", "People involved", "Nobody to show.", frozenset({"Person involved"})),
    Shows("legal", "Legal authority", "No legal authority is recorded.", frozenset({"Alert", "Person involved"})),
)


@dataclass(frozen=True)
class Section:
    """A part of the page. `doubt` says why nothing, or little, may not be all."""

    id: str
    heading: str
    current: tuple[Entry, ...]
    past: tuple[Entry, ...]
    nothing: str
    none_known: str = ""  # who says that there is none: not the same as saying nothing
    doubt: str = ""
    tacit: frozenset[str] = frozenset()


def section(shows: Shows, told: Summary, labels: Mapping[str, str], doubt: str) -> Section:
    """The part of the page that this row of the table asks for."""
    part: Part = getattr(told, shows.part)
    return Section(
        id=shows.part,
        heading=shows.heading,
        current=part.current,
        past=part.past,
        nothing="Nothing current." if part.past else shows.nothing,
        none_known=", ".join(labels.get(source, source) for source in part.none_known),
        doubt=doubt,
        tacit=shows.tacit,
    )


def doubt(standings: Sequence[Standing], withheld: bool) -> str:
    """Why there may be more than is shown: sources that can't be reached, what is withheld. Empty where all is told."""
    told = [one for one in standings if one.tells_of_care]
    away = _listed([one.label for one in told if one.failing_since is not None])
    unasked = _listed([one.label for one in told if one.failing_since is None and one.as_of is None])
    reasons = [
        f"{away} can't be reached now" if away else "",
        f"not everything has come from {unasked} yet" if unasked else "",
        "something is not shown to you" if withheld else "",
    ]
    said = _listed([reason for reason in reasons if reason])
    return f"There may be more: {said}." if said else ""


def _listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
