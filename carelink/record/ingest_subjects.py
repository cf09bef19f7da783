"""Whom each resource of a batch is about: what it names, else whose record it came in; and which person that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, and_, func, literal, select

from carelink.db.among import among
from carelink.db.tables import person_link, resource
from carelink.ids import PersonKey, ResourceKey
from carelink.record.validation import Checked
from fhir_adapters.source import Item

# Types that are about nobody: what a source knows of itself.
DIRECTORY = frozenset(
    [
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Location",
        "HealthcareService",
        "Medication",
        "Schedule",
        "Slot",
        "Endpoint",
        "Questionnaire",
    ]
)
_TEXTS = ARRAY(Text)
# A Medication in one person's record is of that person: which medicine it is tells about them. The others do not.
_OF_ALL = DIRECTORY - {"Medication"}


@dataclass(frozen=True)
class Sound:
    """An item that validated, under our key, its references ours; `patient` is the source's Patient it is about.

    `person` where it is known already whom it is about, and it may hang on no source's Patient; `source` where it is
    not that of the batch: it was stored before, and stays where it came from.
    """

    item: Item
    key: ResourceKey
    checked: Checked
    patient: UUID | None
    person: PersonKey | None = None
    source: str = ""


def with_owners(conn: Connection, source: str, sound: Sequence[Sound]) -> list[Sound]:
    """In a namespace that is one person's record, what names nobody is of that person too."""
    ownerless = {one.item.namespace for one in sound if _may_be_owned(one)}
    if not ownerless:
        return list(sound)
    owners = _owners_here(sound, ownerless)
    owners |= _owners_stored(conn, source, ownerless - set(owners))
    return [
        replace(one, patient=owners[one.item.namespace]) if _may_be_owned(one) and one.item.namespace in owners else one
        for one in sound
    ]


def _may_be_owned(one: Sound) -> bool:
    return one.patient is None and one.item.namespace != "" and one.item.type not in _OF_ALL


def _owners_here(sound: Iterable[Sound], namespaces: set[str]) -> dict[str, UUID]:
    found: dict[str, set[UUID]] = {}
    for one in sound:
        if one.item.type == "Patient" and one.item.namespace in namespaces:
            found.setdefault(one.item.namespace, set()).add(one.key)
    return _unambiguous(found)


def _owners_stored(conn: Connection, source: str, namespaces: set[str]) -> dict[str, UUID]:
    """What is replayed comes without its Patient, who is stored by now."""
    if not namespaces:
        return {}
    asked = func.unnest(literal(sorted(namespaces), _TEXTS)).table_valued("namespace").render_derived()
    t = resource.c
    inside = func.starts_with(t.source_id, asked.c.namespace + "/")
    of_source = and_(t.source == source, t.type == "Patient", t.deleted.is_(False))
    found: dict[str, set[UUID]] = {}
    for row in conn.execute(select(asked.c.namespace, t.key).join_from(asked, resource, and_(of_source, inside))):
        found.setdefault(row[0], set()).add(row[1])
    return _unambiguous(found)


def _unambiguous(found: Mapping[str, set[UUID]]) -> dict[str, UUID]:
    return {namespace: next(iter(patients)) for namespace, patients in found.items() if len(patients) == 1}


def persons_of(conn: Connection, patients: Iterable[UUID | None]) -> dict[UUID, PersonKey]:
    """Source Patient -> the person that it is linked to; those that are not linked are left out."""
    wanted = sorted({one for one in patients if one is not None})
    if not wanted:
        return {}
    t = person_link.c
    asked = select(t.patient, t.person).where(among(t.patient, wanted), t.undone_at.is_(None))
    return {row[0]: PersonKey(row[1]) for row in conn.execute(asked)}
