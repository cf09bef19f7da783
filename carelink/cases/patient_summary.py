"""A person's International Patient Summary: what this requester may see of them, as a document that can be handed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.cases.patient_summary_document import Gathered, Told, document
from carelink.cases.patient_summary_references import named
from carelink.cases.patient_summary_sections import TYPES, Filled, Item, filled
from carelink.cases.standing import labels, standings, told, unsure
from carelink.consent.lens import Lens
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.golden_store import home
from carelink.record.query import Query, Row
from carelink.record.summary import said_none
from carelink.record.timeline import entry
from carelink.record.timeline_names import opened
from carelink.record.timeline_values import Body, Names, called

_PART = 1000
_ROUNDS = 3  # a role names a worker and an organisation, which names the one that it belongs to
# What travels along because an entry names it; what else it names stays behind.
_ALONG = frozenset(
    {"HealthcareService", "Location", "Medication", "Observation", "Organization", "Practitioner", "PractitionerRole"}
)

Read = Mapping[str, tuple[Row, Body]]  # by `Type/id`


@dataclass(frozen=True)
class _Found:
    made_of: Gathered
    none_known: tuple[str, ...]  # labels of sources that say that there are no allergies
    hidden: bool  # whether it may not be told which organisations hold the record


def patient_summary(conn: Connection, place: Place, lens: Lens, person: PersonKey, base: str) -> bytes:
    """A Bundle of type document; `base` is the address of this server.

    Raises `NotFound` for somebody of whom it may not be known who they are, and for nobody.
    """
    found = _gathered(conn, place, lens, person)
    withheld = place.words.withheld_notice if lens.withheld(conn, person) else ""
    stand = told(standings(conn, place, person, lens.at), place, lens, hidden=found.hidden)
    doubts = tuple(unsure(one) for one in stand if not one.sure)
    return document(found.made_of, Told(withheld, doubts, found.none_known), home(place), base, lens.at)


def _gathered(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> _Found:
    """One look is kept of all that is shown."""
    read = _by_reference(search.unkept_whole(conn, lens, Query(types=TYPES, person=person, count=_PART)))
    along = _along(conn, lens, read)
    names = Names({reference: called(body) for reference, (_, body) in along.items()})
    named_by = labels(place)
    items = [
        Item(row, body, entry(row, body, names), named_by.get(row.source, row.source)) for row, body in read.values()
    ]
    patient = _whose(items, person)
    if patient is None:
        looked(conn, lens, "read", "$summary", (), person)
        raise NotFound("There is no such person, or you may not see their record")
    sections = filled(one for one in items if one.row.type != "Patient")
    there = _named_in([patient, *_shown(sections)], {**read, **along})
    rows = [patient.row, *(one.row for one in _shown(sections)), *(row for row, _ in there.values())]
    looked(conn, lens, "read", "$summary", tuple({row.key: row for row in rows}.values()), person)
    same = frozenset(one.reference for one in items if one.row.type == "Patient") | set(named(patient.body.get("link")))
    bodies = tuple((reference, body) for reference, (_, body) in there.items())
    none_known = tuple(sorted(named_by.get(one, one) for one in said_none(tuple(read.values()))))
    hidden = any(row.hidden for row, _ in read.values())
    return _Found(Gathered(patient, sections, bodies, frozenset(same)), none_known, hidden)


def _by_reference(rows: Iterable[Row]) -> Read:
    return {f"{row.type}/{row.key}": (row, body) for row, body in opened(rows)}


def _along(conn: Connection, lens: Lens, read: Read) -> Read:
    """Whom and what these name, and what those name, as far as this requester may see it."""
    found: dict[str, tuple[Row, Body]] = {}
    last = read
    for _ in range(_ROUNDS):
        wanted = _wanted(body for _, body in last.values()) - read.keys() - found.keys()
        if not wanted:
            break
        keys = [ResourceKey(UUID(reference.partition("/")[2])) for reference in wanted]
        last = _by_reference(search.unkept_by_keys(conn, lens, keys))
        found |= last
    return found


def _wanted(bodies: Iterable[Body]) -> set[str]:
    return {one for body in bodies for one in named(body) if one.partition("/")[0] in _ALONG}


def _whose(items: Sequence[Item], person: PersonKey) -> Item | None:
    """The golden Patient; where an objection hides it, a Patient that the requester's own organisation knows."""
    patients = [one for one in items if one.row.type == "Patient"]
    return min(patients, key=lambda one: (one.row.key != person, str(one.row.key)), default=None)


def _shown(sections: Iterable[Filled]) -> list[Item]:
    """Each once: an alert can be a decision too."""
    return list({item.row.key: item for part in sections for item in part.items}.values())


def _named_in(items: Sequence[Item], known: Read) -> dict[str, tuple[Row, Body]]:
    """What of it is named by the entries, and by what they name; without the entries themselves."""
    entries = {one.reference for one in items}
    found: dict[str, tuple[Row, Body]] = {}
    last: list[Body] = [one.body for one in items]
    while last:
        new = sorted(one for one in _wanted(last) if one in known and one not in entries and one not in found)
        found |= {one: known[one] for one in new}
        last = [known[one][1] for one in new]
    return found
