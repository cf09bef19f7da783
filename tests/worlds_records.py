"""Whole invented worlds as values, for two of them to differ in what somebody may not see: people, and what is recorded of them.

A world is stored from nothing by the functions that store what sources send, so whatever is derived (golden Patients,
involvement, directives, hints) is what it really would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import md5
from random import Random
from uuid import UUID

from conftest import NOW
from page_builders import stand
from sqlalchemy import Connection, insert, text
from worlds_bodies import BODIES, PERSONAL, Label, Said, Thing, key, natural, patient_key, person
from worlds_rows import Row, rows, store_rows

from carelink.cases import consent_unclear
from carelink.consent import directives, relationships
from carelink.consent.sensitivity import CONFIDENTIALITY, sensitivities
from carelink.db.tables import user
from carelink.place import Place
from carelink.record import attachments_store, hints, persons_rows
from carelink.record.attachments import addressed
from carelink.record.golden_store import MADE_HERE, recompose
from carelink.record.traits import traits
from carelink.record.writing import Writable, ended, write

STORED = NOW - timedelta(hours=1)  # what is now; each version before it an hour earlier
DERIVED = NOW - timedelta(minutes=30)
# Source -> who answers for what it sends.
SOURCES = {"gp": "P81001", "hospital": "RDV", "council-a": "901", "council-b": "902", MADE_HERE: "901"}
BITS = (*(0,) * 14, 1, 2, 2 | 64, 4, 8, 16, 64, 64, 128, 256, 512, 512, 1024, 1 << 15)
# Of everybody at least these; three Patients, so that what one source says may be hidden.
FIXED = ("Patient", "Patient", "Patient", "CareTeam", "Encounter", "Consent", "Medication", "MedicationStatement", "Flag")  # fmt: skip
NAMED = ("Medication", "RelatedPerson", "Practitioner", "Encounter", "Location")  # what other things refer to
MADE = ("Consent", "Observation", "RelatedPerson")  # what workers record here, more often than other things
OTHER_KINDS = ("problems", "services", "documents", "mental-health", "legal")
DIRECTORY = ("Practitioner", "Location", "Organization")


@dataclass(frozen=True)
class World:
    """`restricted`: those whom PDS marks so."""

    people: int
    restricted: frozenset[int]
    things: tuple[Thing, ...]
    rows: tuple[Row, ...] = field(default=())


def world(seed: int, people: int = 3, each: int = 13) -> World:
    """A world by its number: the same number is the same world. In some nothing is withheld from anybody."""
    chance = Random(f"world {seed}")
    plain = chance.random() < 0.3
    bits, kinds = ((0,), tuple(one for one in PERSONAL if one != "Consent")) if plain else (BITS, PERSONAL)
    things: list[Thing] = []
    for number in range(people):
        types = [*(one for one in FIXED if one in kinds), *(chance.choice(kinds) for _ in range(each))]
        things += [_thing(chance, number, place, type_, bits) for place, type_ in enumerate(types)]
    nobodys = (*DIRECTORY, "Medication", "Condition")
    things += [_thing(chance, None, place, type_, bits) for place, type_ in enumerate(nobodys)]
    restricted = frozenset(number for number in range(people) if chance.random() < 0.35)
    pointing = tuple(_pointing(chance, one, things) for one in things)
    return World(people, restricted, pointing, rows(chance, people, pointing))


def _thing(chance: Random, of: int | None, place: int, type_: str, bits: Sequence[int]) -> Thing:
    source = chance.choice((*("gp", "hospital", "council-a") * 4, "council-b", MADE_HERE))
    if type_ == "Patient":
        source = ("gp", "hospital", "council-a")[place % 3]
    elif type_ in MADE and chance.random() < 0.6:
        source = MADE_HERE
    ages = range(chance.choice((1, 1, 1, 2, 3)))
    said = tuple(_said(chance, of, type_, source, f"{place:02}{age}", bits) for age in ages)
    name = f"{'nobody' if of is None else of}-{place}"
    return Thing(of, type_, name, chance.randrange(1 << 30), source, said, chance.random() < 0.06)


def _said(chance: Random, of: int | None, type_: str, source: str, mark: str, bits: Sequence[int]) -> Said:
    return Said(label(chance, of, type_, source, bits), f"mk{mark}", f"where{of}", chance.randrange(1500))


def label(chance: Random, of: int | None, type_: str, source: str, bits: Sequence[int] = BITS) -> Label:
    """Mostly as such an item of that source is labelled; what is made here any organisation may have made."""
    usual = source != MADE_HERE and chance.random() < 0.85
    custodian = SOURCES[source] if usual else chance.choice(tuple(SOURCES.values()))
    if of is None:
        return Label(custodian, "problems" if type_ == "Condition" else "directory", 0)
    if type_ == "Patient":
        return Label(custodian, "demographics", chance.choice((0, 0, *bits)))
    if type_ in MADE and source == MADE_HERE and chance.random() < 0.6:
        return Label(custodian, natural(type_), 0)
    category = natural(type_) if chance.random() < 0.8 else chance.choice(OTHER_KINDS)
    return Label(custodian, category, chance.choice(bits))


def _pointing(chance: Random, one: Thing, things: Sequence[Thing]) -> Thing:
    """What it refers to: mostly to things of the same person, now and then of another, or of nobody."""
    mine = [other for other in things if other.of in (one.of, None) and other is not one]
    others = mine if chance.random() < 0.85 else list(things)
    likely = [chance.choice(found) for type_ in NAMED if (found := [other for other in others if other.type == type_])]
    return replace(one, names=tuple((other.type, key(other)) for other in (*likely, *chance.sample(others, 2))))


# Stored --------------------------------------------------------------------------------------------


def store(conn: Connection, place: Place, made: World) -> None:
    """All of it, and what follows from it."""
    everybody = [person(number) for number in range(made.people)]
    persons_rows.found_persons(conn, everybody, NOW - timedelta(days=900))
    selves = [{"id": f"self-{n}", "name": f"Given{n} Family{n}", "person": one} for n, one in enumerate(everybody)]
    conn.execute(insert(user), selves)
    _write(conn, place, made)
    _link(conn, made)
    recompose(conn, place, everybody, DERIVED)
    relationships.refresh(conn, place, everybody, DERIVED)
    directives.refresh(conn, place, everybody, DERIVED)
    consent_unclear.note(conn, place, everybody, DERIVED)
    stand(conn, place, NOW, tuple(everybody))
    store_rows(conn, made.rows)


def _write(conn: Connection, place: Place, made: World) -> None:
    known, oldest = sensitivities(place), max(len(one.said) for one in made.things)
    for back in range(oldest, 0, -1):
        at = STORED - timedelta(hours=back - 1)
        stored = [writable(made, one, one.said[-back]) for one in made.things if len(one.said) >= back]
        versions = write(conn, stored, at, known)
        new = [one for one in stored if one.key in versions]
        attachments_store.keep(conn, new, versions, {one.key: addressed(dict(one.body))[1] for one in new})
    current = [writable(made, one, one.said[-1]) for one in made.things]
    hints.note(conn, place, current, DERIVED)
    conn.execute(_NUMBERED)
    gone = [ended(one) for one, thing in zip(current, made.things, strict=True) if thing.deleted]
    write(conn, gone, STORED + timedelta(minutes=5), known)


# A hint has the number that its item and rule give it: those of hidden items move no other's.
_NUMBERED = text("update label_hint set id = 1 + ('x' || substr(md5(resource::text || rule), 1, 7))::bit(28)::int")


def hint_number(item: UUID, rule: str) -> int:
    return 1 + int(md5(f"{item}{rule}".encode(), usedforsecurity=False).hexdigest()[:7], 16)


def writable(made: World, one: Thing, said: Said) -> Writable:
    """That version of it, labelled."""
    body = {"resourceType": one.type, "id": str(key(one)), **BODIES[one.type].said(one, said)}
    if one.type == "Patient" and one.of in made.restricted:
        body["meta"] = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
    return Writable(
        key=key(one),
        type=one.type,
        body=addressed(body)[0],
        source=one.source,
        source_id=one.id,
        custodian=said.label.custodian,
        category=said.label.category,
        sensitivities=said.label.sensitivities,
        person=person(one.of) if one.of is not None else None,
        patient=patient_key(one.of) if one.of is not None and one.source != MADE_HERE else None,
    )


def _link(conn: Connection, made: World) -> None:
    patients = [one for one in made.things if one.type == "Patient" and not one.deleted and one.of is not None]
    found = {
        key(one): (person(one.of or 0), traits(BODIES["Patient"].said(one, one.said[-1]), verified=True))
        for one in patients
    }
    persons_rows.put_traits(conn, found)
    links = [persons_rows.Link(patient, whose, "nhs-number", 30.0) for patient, (whose, _) in found.items()]
    persons_rows.make_links(conn, links, DERIVED)
