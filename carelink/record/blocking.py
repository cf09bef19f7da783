"""Which persons a Patient is compared with: those that share one block with it. One statement for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

from sqlalchemy import Connection, text

from carelink.ids import PersonKey, ResourceKey
from carelink.record.matching import Candidate
from carelink.record.traits import Traits

Block = tuple[str, ...]

COLUMNS = tuple(column.name for column in fields(Traits))

# A block is what two records must share to be compared; each is an index of person_trait and what narrows it.
# The reason of each is the mistake that the others do not survive.
BLOCKS: tuple[tuple[Block, str], ...] = (
    (("nhs_number",), "same number, anything else may differ"),
    (("birth_date", "sounds"), "moved house"),
    (("birth_date", "initial"), "married, and moved"),
    (("birth_date", "postcode"), "known by another name"),
    (("sounds", "birth_year", "initial"), "a slip in the day or month of birth, and moved"),
    (("postcode", "sounds"), "a slip in the year of birth"),
    (("postcode", "initial"), "a slip in the year of birth, and married"),
    (("telephone",), "a slip in the birth date, and moved"),
)

_DERIVED = {
    "initial": "left({0}.given, 1)",
    "birth_year": "left({0}.birth_date, 4)",
}


def blocks(traits: Traits) -> Iterable[tuple[str, ...]]:
    """The blocks that a record stands in: the names of its columns, then their values."""
    values = {
        "nhs_number": traits.nhs_number,
        "birth_date": traits.birth_date,
        "birth_year": traits.birth_date[:4],
        "sounds": traits.sounds,
        "initial": traits.given[:1],
        "postcode": traits.postcode,
        "telephone": traits.telephone,
    }
    for block, _ in BLOCKS:
        if all(values[column] for column in block):
            yield (*block, *(values[column] for column in block))
    for number in traits.nhs_former:
        yield ("nhs_number", number)


@dataclass
class People:
    """Persons by their records and by block: those read for a batch, and those that the batch itself founds."""

    records: dict[PersonKey, dict[ResourceKey, Traits]] = field(default_factory=lambda: defaultdict(dict))
    person_of: dict[ResourceKey, PersonKey] = field(default_factory=dict)
    _in_block: dict[tuple[str, ...], set[PersonKey]] = field(default_factory=lambda: defaultdict(set))

    def add(self, person: PersonKey, patient: ResourceKey, traits: Traits) -> None:
        """The person's record of that Patient, new or as it now is."""
        self.records[person][patient] = traits
        self.person_of[patient] = person
        for block in blocks(traits):
            self._in_block[block].add(person)

    def record(self, patient: ResourceKey) -> Traits | None:
        """What that Patient's record says, where it is one of these people's."""
        person = self.person_of.get(patient)
        return self.records[person][patient] if person is not None else None

    def candidate(self, person: PersonKey, without: ResourceKey | None = None) -> Candidate:
        """The person as a candidate, less one of their own records."""
        mine = self.records.get(person, {})
        return Candidate(person, tuple(mine[key] for key in sorted(mine, key=str) if key != without))

    def near(self, traits: Traits, apart: Iterable[PersonKey] = ()) -> list[Candidate]:
        """Who shares a block with these traits, in a fixed order, less those that a human kept apart."""
        found = {person for block in blocks(traits) for person in self._in_block.get(block, ())}
        return [self.candidate(person) for person in sorted(found.difference(apart), key=str)]


def read_people(conn: Connection, batch: Sequence[Traits], persons: Sequence[PersonKey]) -> People:
    """Every person who shares a block with one of the batch, and these persons, each with all of their records."""
    found = People()
    columns = {f"b_{name}": [_plain(getattr(traits, name)) for traits in batch] for name in _ASKED}
    former = [(place, number) for place, traits in enumerate(batch) for number in traits.nhs_former]
    columns |= {"f_number": [number for _, number in former], "persons": [str(key) for key in persons]}
    for row in conn.execute(_STATEMENT, columns):
        found.add(row.person, row.patient, _traits(row))
    return found


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""


def _traits(row: object) -> Traits:
    values = {name: getattr(row, name) for name in COLUMNS}
    return Traits(**(values | {"nhs_former": tuple(values["nhs_former"])}))


_ASKED = ("nhs_number", "given", "birth_date", "postcode", "telephone", "sounds")


def _column(alias: str, name: str) -> str:
    return _DERIVED.get(name, "{0}." + name).format(alias)


def _shares(block: Block) -> str:
    """The persons in one block with one of the batch. A range on the birth date lets the index find its year."""
    alike = [f"{_column('t', name)} = {_column('b', name)}" for name in block]
    known = [f"{_column('b', name)} <> '' and {_column('t', name)} <> ''" for name in block]
    if "birth_year" in block:
        alike.append("t.birth_date >= left(b.birth_date, 4) and t.birth_date < left(b.birth_date, 4) || 'x'")
    where = " and ".join([*alike, *known])
    return f"select t.person from b cross join lateral (select person from person_trait t where {where} offset 0) t"


_BATCH = ", ".join(f"cast(:b_{name} as text[])" for name in _ASKED)
_NAMES = ", ".join(_ASKED)
_STATEMENT = text(
    f"""
    with b as materialized (select * from unnest({_BATCH}) as b({_NAMES})),
    f as materialized (select * from unnest(cast(:f_number as text[])) as f(number)),
    near as (
      select unnest(cast(:persons as uuid[])) as person
      union {" union ".join(_shares(block) for block, _ in BLOCKS)}
      union select t.person from f join person_trait t on t.nhs_number = f.number and t.nhs_number <> ''
      union select t.person from b join person_trait t
            on t.nhs_former && array[b.nhs_number] and t.nhs_former <> '{{}}' and b.nhs_number <> ''
      union select t.person from f join person_trait t
            on t.nhs_former && array[f.number] and t.nhs_former <> '{{}}'
    )
    select t.patient, t.person, {", ".join("t." + name for name in COLUMNS)}
    from near join person_trait t on t.person = near.person
    """
)
