"""Every resource that is held about a person, with all of its versions, as items of a subject access package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from carelink.cases.plain_words import in_full, readable
from carelink.cases.subject_access_package import Item, Part, fingerprint_of
from carelink.cases.subject_access_rules import LEGAL, Looked, Others, compared, propose
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import NOT_FOR_THE_PERSON, Sensitivities, sensitivities
from carelink.db.tables import resource, resource_version
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record.indexing import clinical_text
from carelink.record.query import Row
from carelink.record.timeline_names import names_in
from carelink.record.timeline_values import Body, Names, human_name, listed
from fhir_adapters import exact_json

PREFIX = "record:"  # part of a category
HELD_BACK = "Something that the law restricts"
ENDED = " (its source does not tell this any more)"


@dataclass(frozen=True)
class Held:
    """One resource: its versions that say something, oldest first, and what it is labelled as."""

    row: Any  # the newest
    bodies: tuple[Body, ...]
    versions: tuple[int, ...]
    bits: int
    ended: bool


def parts(place: Place) -> tuple[Part, ...]:
    """A part for each category of the place, in its order."""
    return tuple(Part(f"{PREFIX}{id_}", label) for id_, label in place.categories.items())


def held(conn: Connection, lens: Lens, person: PersonKey) -> tuple[tuple[Held, ...], Names]:
    """All of it, and how what it refers to is called."""
    v = resource_version.c
    columns = (v.key, v.version, v.type, v.custodian, v.category, v.sensitivities, v.last_updated, v.deleted)
    asked = (
        select(*columns, lens.body(resource_version).label("body"), resource.c.source)
        .join(resource, resource.c.key == v.key)
        .where(v.person == person, lens.where(resource_version))
        .order_by(v.key, v.version)
    )
    rows = conn.execute(asked).all()
    names = names_in(conn, lens, [_row(row) for row in rows])
    grouped = (list(group) for _, group in groupby(rows, key=lambda row: row.key))
    return tuple(one for group in grouped if (one := _held(group)) is not None), names


def _row(row: Any) -> Row:
    return Row(
        key=ResourceKey(row.key),
        type=row.type,
        person=None,
        version=row.version,
        last_updated=row.last_updated,
        clinical=None,
        source=row.source,
        custodian=Ods(row.custodian),
        category=row.category,
        body=row.body,
    )


def _held(rows: Sequence[Any]) -> Held | None:
    """None for what never said anything."""
    said = [row for row in rows if not row.deleted]
    if not said:
        return None
    bits = 0
    for row in rows:
        bits |= row.sensitivities
    bodies = tuple(exact_json.loads(row.body) for row in said)
    return Held(said[-1], bodies, tuple(row.version for row in said), bits, rows[-1].deleted)


def items(place: Place, found: Iterable[Held], names: Names) -> tuple[Item, ...]:
    """Each resource as an item, with what is proposed for it; the newest first."""
    all_held = tuple(found)
    others = others_in(all_held)
    known = sensitivities(place)
    made = [_item(place, one, names, others, known) for one in all_held]
    return tuple(sorted(made, key=lambda one: one.when, reverse=True))


def _item(place: Place, one: Held, names: Names, others: Others, known: Sensitivities) -> Item:
    text = "\n".join(line for body in one.bodies for line in readable(body))
    flags = known.names(one.bits)
    hidden = bool(one.bits & known.hidden_from_person & ~int(NOT_FOR_THE_PERSON))
    proposal = propose(Looked(one.row.type, frozenset(flags), one.bodies, text, hidden), others)
    legal = proposal is not None and LEGAL in proposal.rules
    said = in_full(one.bodies[-1], names)
    labels = {entry.name: entry.label for entry in place.sources}
    return Item(
        id=f"resource:{one.row.key}",
        part=f"{PREFIX}{one.row.category}",
        title=HELD_BACK if legal else said.title + (ENDED if one.ended else ""),
        lines=() if legal else said.lines,
        kind="" if legal else said.kind,
        when="" if legal else clinical_text(one.row.type, one.bodies[-1]),
        source=labels.get(one.row.source, "CareLink"),
        custodian=one.row.custodian,
        sensitivities=tuple(known.labels[name] for name in flags),
        type="" if legal else one.row.type,
        key=str(one.row.key),
        version=one.row.version,
        earlier=() if legal else tuple(earlier(one.bodies, names)),
        fingerprint=fingerprint_of(*(row_text for row_text in map(_text, one.bodies)), str(one.bits)),
        proposal=proposal,
    )


def _text(body: Body) -> str:
    return exact_json.dumps({name: value for name, value in body.items() if name != "meta"}).decode()


def earlier(bodies: Sequence[Body], names: Names) -> Iterator[str]:
    """What the versions before the last said otherwise, the newest first."""
    told = {_sentence(bodies[-1], names)}
    for body in reversed(bodies[:-1]):
        said = _sentence(body, names)
        if said not in told:
            told.add(said)
            yield said


def _sentence(body: Body, names: Names) -> str:
    said = in_full(body, names)
    return "; ".join((said.title, *said.lines))


def others_in(found: Iterable[Held]) -> Others:
    """Those in the person's life whom their record names, and what of numbers and addresses is the person's own."""
    own: set[str] = set()
    mine: set[str] = set()
    names: set[str] = set()
    for one in found:
        for body in one.bodies:
            if one.row.type == "Patient":
                own |= {compared(text) for text in _reach(body)}
                mine |= {word.casefold() for word in _words(body.get("name"))}
                names |= {name for contact in listed(body.get("contact")) for name in _called(contact.get("name"))}
            elif one.row.type == "RelatedPerson":
                names |= set(_called(body.get("name")))
    return Others(tuple(sorted(name for name in names if name.casefold() not in mine)), frozenset(own))


def _reach(body: Body) -> Iterator[str]:
    yield from (str(one.get("value", "")) for one in listed(body.get("telecom")))
    for one in listed(body.get("address")):
        yield from (str(line) for line in (*listed(one.get("line")), one.get("city"), one.get("postalCode")) if line)


def _words(names: Any) -> Iterator[str]:
    for one in listed(names):
        yield from (str(word) for word in (*listed(one.get("given")), one.get("family")) if word)


def _called(names: Any) -> Iterator[str]:
    """The whole name, and each word of it that is long enough to be one."""
    for one in listed(names):
        if whole := human_name(one):
            yield whole
        yield from (word for word in _words(one) if len(word) > 2)


def facts(found: Iterable[Held], person: PersonKey) -> Mapping[str, Any]:
    """The person's golden Patient; empty where there is none."""
    golden = (one.bodies[-1] for one in found if one.row.key == person)
    return next(golden, {})
