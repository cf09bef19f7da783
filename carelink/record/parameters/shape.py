"""What one search parameter is: its number in the index tables, its kind, and where its values stand in each type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Path = tuple[str, ...]
# Whose reference would tell where a person is: `unplaced` takes such out of what is sent (consent/unplaced.py).
LOCATING_TYPES = frozenset(
    {
        *("Organization", "Location", "HealthcareService", "Endpoint", "OrganizationAffiliation"),
        *("Practitioner", "PractitionerRole"),
    }
)


class Kind(Enum):
    """FHIR R4 3.1.1.4.2: how values are compared."""

    TOKEN = "token"
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"
    NUMBER = "number"  # R4 has none for the types that are stored
    QUANTITY = "quantity"
    URI = "uri"
    COMPOSITE = "composite"


@dataclass(frozen=True, eq=False)
class Parameter:
    """One search parameter: where its values stand in each type, as JSON names the elements.

    A last step `actor:Location` takes references to that type alone. `deceased.exists()` is a token of true or false.
    """

    number: int
    code: str
    kind: Kind
    paths: Mapping[str, tuple[Path, ...]]
    locating: bool = False  # each hit would tell where a person is
    # A hit by a row whose `type` is of LOCATING_TYPES, or that has no `target`, would tell where a person is.
    locating_by_type: bool = False
    solid: bool = False  # spaces do not count, as in a postcode
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of references, by type; empty: any type
    of: tuple[int, ...] = ()  # asked by the rows of these numbers, and has none of its own
    components: tuple[str, ...] = ()  # of a composite: the codes of its parts, in order
    within: bool = False  # of a composite: its parts must stand in one element, which `place` tells
    offered: frozenset[str] = frozenset()  # the types that R4 has it for; others are indexed for CareLink itself

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers under which its rows are."""
        return self.of or (self.number,)


def row(
    kind: Kind,
    number: int,
    code: str,
    *places: tuple[str, ...],
    types: str = "",
    exact: bool = False,
    ours: tuple[str, str] | None = None,
    locating: bool = False,
    solid: bool = False,
    of: tuple[int, ...] = (),
    components: str = "",
    within: bool = False,
) -> Parameter:
    """A parameter from a row of a table. Each place is paths (apart by `|`), types and, of references, targets.

    `types`: of one that has no paths. `exact`: it stays in what is sent of anybody. `ours`: what R4 lacks.
    """
    paths: dict[str, tuple[Path, ...]] = dict.fromkeys(types.split(), ())
    targets: dict[str, frozenset[str]] = {}
    for said, where, *pointed in places:
        for type_ in where.split():
            paths[type_] = tuple(tuple(path.strip().split(".")) for path in said.split("|"))
            if pointed:
                targets[type_] = frozenset(pointed[0].split())
    offered = frozenset(paths)
    if ours is not None:
        paths |= {type_: (tuple(ours[0].split(".")),) for type_ in ours[1].split()}
    by_type = kind is Kind.REFERENCE and not exact
    if by_type:
        locating = locating or all(one and one <= LOCATING_TYPES for one in targets.values())
    return Parameter(
        number=number,
        code=code,
        kind=kind,
        paths=paths,
        locating=locating,
        locating_by_type=by_type and not locating,
        solid=solid,
        targets=targets,
        of=of,
        components=tuple(components.split()),
        within=within,
        offered=offered,
    )
