"""Which organisation holds something, as far as it may be told: its name, or only what kind of organisation it is.

A practice or a hospital tells the area that a restricted person lives in (PDS 'S' flag guidance).
"""

from __future__ import annotations

from collections.abc import Mapping

from carelink.consent.per_place import PerPlace
from carelink.ids import Ods
from carelink.place import Place

KIND = "kind:"  # stands before a kind of organisation, in the place of a source's name or an ODS code
OTHER = "other"
# Kinds whose words are not those of the pack with spaces.
WORDS: Mapping[str, str] = {
    "gp-practice": "GP practice",
    "icb": "integrated care board",
    "national": "national service",
    "nhs-trust": "NHS trust",
    OTHER: "another organisation",
}


kinds_of: PerPlace[Mapping[Ods, str]] = PerPlace(
    lambda place: {one.ods: one.type for one in place.organisations.values()}
)


def a_kind(kind: str) -> str:
    """`A GP practice`: a type of organisation of the pack, or what stands in the place of a hidden source, in words."""
    bare = kind.removeprefix(KIND)
    words = WORDS.get(bare, bare.replace("-", " "))
    if words.startswith("another"):
        return "Another organisation"
    return f"{'An' if words[:1].lower() in 'aeiou' or words.startswith('NHS') else 'A'} {words}"


def holder_name(place: Place, ods: str) -> str:
    """What pages call an organisation, or the kind of one that is hidden; its code where the place doesn't know it."""
    if ods.startswith(KIND):
        return a_kind(ods)
    known = place.organisations.get(Ods(ods))
    return known.name if known else ods


def hidden_labels(place: Place) -> dict[str, str]:
    """How pages name a source that is hidden, by what stands in its place."""
    return {f"{KIND}{kind}": a_kind(kind) for kind in (*sorted({*kinds_of(place).values()}), OTHER)}
