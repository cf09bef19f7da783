"""What the person's consents say of one item to one requester: each consent for itself, then all together.

Within a consent the deepest provision that matches wins, and deny wins over permit at the same depth (HL7 FHIR R4
Consent.provision: nested provisions are exceptions to the one that they stand in). Between consents a denial wins,
but that a plain objection gives way to a permission that names its recipient and was given later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from carelink.consent.facts import Directed, Labelled
from carelink.consent.requester import Requester
from carelink.consent.rules import OBJECTION, OPT_OUT, UNCLEAR

OBJECTIONS = frozenset({OBJECTION.id, UNCLEAR.id})
NO_DATE = datetime.max.replace(tzinfo=UTC)  # an objection that says no date is newer than every permission


@dataclass(frozen=True)
class Said:
    """What all consents say together."""

    denied: Directed | None = None  # by a provision that is more than a plain objection
    objection: Directed | None = None
    outweighed: bool = False  # the objection, by a later permission
    permitted: Directed | None = None
    named: Directed | None = None  # a permission that names its recipient
    covers: int = 0  # the sensitivities that permissions name


def said(directed: Iterable[Directed], item: Labelled, requester: Requester, at: datetime) -> Said:
    """What these provisions say of the item to the requester at that time."""
    by_consent: dict[object, list[Directed]] = defaultdict(list)
    for one in directed:
        if one.rule != OPT_OUT.id and one.matches(item, requester, at):
            by_consent[one.consent].append(one)
    if not by_consent:
        return _NOTHING
    verdicts = [_verdict(group) for group in by_consent.values()]
    objections = [one.objection for one in verdicts if one.objection]
    named = [one.named for one in verdicts if one.named]
    return Said(
        denied=next((one.denied for one in verdicts if one.denied), None),
        objection=next(iter(objections), None),
        outweighed=_outweighed(objections, named),
        permitted=next((one.permitted for one in verdicts if one.permitted), None),
        named=next(iter(named), None),
        covers=_union(one.covers for one in verdicts),
    )


_NOTHING = Said()


def _verdict(group: list[Directed]) -> Said:
    """What one consent says."""
    permits = [one for one in group if one.effect == "permit"]
    deepest = max((one.depth for one in permits), default=-1)
    denials = [one for one in group if one.effect == "deny" and one.depth >= deepest]
    if denials or not permits:
        return Said(
            denied=next((one for one in denials if one.rule not in OBJECTIONS), None),
            objection=next((one for one in denials if one.rule in OBJECTIONS), None),
        )
    return Said(
        permitted=permits[0],
        named=next((one for one in permits if one.names_recipient), None),
        covers=_union(one.sensitivities or 0 for one in permits),
    )


def _outweighed(objections: list[Directed], named: list[Directed]) -> bool:
    permitted_at = max((one.made for one in named if one.made), default=None)
    objected_at = max((one.made or NO_DATE for one in objections), default=None)
    return permitted_at is not None and objected_at is not None and permitted_at > objected_at


def _union(masks: Iterable[int]) -> int:
    union = 0
    for one in masks:
        union |= one
    return union
