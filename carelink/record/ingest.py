"""A batch from a source -> repaired, validated, labelled, linked, stored, announced: all in the caller's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from carelink import outbox
from carelink.consent import directives, labels, relationships
from carelink.db.tables import person_link
from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Organisation, Place, SourceEntry
from carelink.record import provenance, quarantine, source_state
from carelink.record.golden_store import recompose
from carelink.record.persons import SourcePatient, link_patients
from carelink.record.references import patient_of, rewritten
from carelink.record.validation import Checked, check
from carelink.record.writing import Writable, write
from fhir_adapters.source import Batch, Item, Reason, Rejected, Repair

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


@dataclass(frozen=True)
class IngestReport:
    """What became of a batch."""

    stored: int = 0  # new versions
    unchanged: int = 0
    repaired: int = 0
    quarantined: int = 0
    links: Counter[str] = field(default_factory=Counter)  # method -> source Patients in this batch
    persons: tuple[PersonKey, ...] = ()  # whose record changed


@dataclass(frozen=True)
class _Sound:
    """An item that validated, under our key, its references ours."""

    item: Item
    key: ResourceKey
    checked: Checked
    patient: UUID | None  # whom it says it is about


def ingest(conn: Connection, place: Place, entry: SourceEntry, batch: Batch, now: datetime) -> IngestReport:
    """Store the batch and its cursor. The same batch again changes nothing but the cursor's time.

    What can't be stored safely goes to quarantine with the reason; the rest of the batch is stored.
    """
    report = take(conn, place, entry, batch.items, batch.rejected, now)
    source_state.advance(conn, entry.name, batch)
    return report


def take(
    conn: Connection,
    place: Place,
    entry: SourceEntry,
    items: Iterable[Item],
    rejected: Sequence[Rejected],
    now: datetime,
) -> IngestReport:
    """As `ingest`, without a cursor: for what is replayed from quarantine or pushed."""
    sound, refused = _checked(entry.name, items)
    sound = _with_patients(sound)
    links = link_patients(
        conn,
        place,
        [SourcePatient(one.key, one.checked.body, entry.name) for one in sound if one.item.type == "Patient"],
        now,
    )
    persons = _persons(conn, sound) | {key: linked.person for key, linked in links.items()}
    writables, lost = _labelled(place, entry, sound, persons)
    refused += lost
    changed = write(conn, writables, now)
    repaired = {one.key: one.checked.repairs for one in sound if one.checked.repairs}
    _tell_repairs(conn, place, writables, changed, repaired, now)
    quarantine.keep(conn, entry, [*refused, *rejected], now)
    quarantine.resolve_stored(conn, entry.name, [one.item for one in sound if one.key in changed], now)
    about = _settle(conn, place, entry, [one for one in writables if one.key in changed], now)
    return IngestReport(
        stored=len(changed),
        unchanged=len({one.key for one in writables}) - len(changed),
        repaired=len(repaired),
        quarantined=len(refused) + len(rejected),
        links=Counter(linked.method for key, linked in links.items() if key in changed),
        persons=about,
    )


def _checked(source: str, items: Iterable[Item]) -> tuple[list[_Sound], list[Rejected]]:
    sound: dict[ResourceKey, _Sound] = {}
    refused: list[Rejected] = []
    for item in items:
        key = resource_key(source, item.namespace, item.type, item.source_id)
        body = rewritten(item.body, source, item.namespace)
        checked = check(item.type, {**body, "id": str(key), "resourceType": item.type})
        if checked.problems:
            refused.append(_refused(item, checked.problems))
        else:
            checked = Checked(checked.body, (*item.repairs, *checked.repairs))
            sound[key] = _Sound(item, key, checked, _uuid(patient_of(item.type, checked.body)))
    return list(sound.values()), refused


def _refused(item: Item, problems: Sequence[Reason]) -> Rejected:
    raw = quarantine.raw_of(item)
    return Rejected(item.type, item.source_id, raw, tuple(problems), item.namespace)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _with_patients(sound: list[_Sound]) -> list[_Sound]:
    """In a namespace that is one person's record, what names nobody (a Medication, say) is of that person too."""
    owners: dict[str, set[UUID]] = {}
    for one in sound:
        if one.item.namespace and one.item.type == "Patient":
            owners.setdefault(one.item.namespace, set()).add(one.key)
    return [
        _Sound(one.item, one.key, one.checked, next(iter(owners[one.item.namespace])))
        if one.patient is None and len(owners.get(one.item.namespace, ())) == 1 and one.item.type not in _KNOWN_TO_ALL
        else one
        for one in sound
    ]


_KNOWN_TO_ALL = DIRECTORY - {"Medication"}


def _persons(conn: Connection, sound: Sequence[_Sound]) -> dict[UUID, PersonKey]:
    """Source Patient -> person, for those that are not in this batch."""
    wanted = {one.patient for one in sound if one.patient is not None and one.item.type != "Patient"}
    if not wanted:
        return {}
    t = person_link.c
    asked = select(t.patient, t.person).where(t.patient.in_(sorted(wanted)), t.undone_at.is_(None))
    return {row[0]: PersonKey(row[1]) for row in conn.execute(asked)}


def _labelled(
    place: Place, entry: SourceEntry, sound: Sequence[_Sound], persons: Mapping[UUID, PersonKey]
) -> tuple[list[Writable], list[Rejected]]:
    writables: list[Writable] = []
    lost: list[Rejected] = []
    for one in sound:
        item = one.item
        person = persons.get(one.patient) if one.patient is not None else None
        if person is None and (item.type not in DIRECTORY or one.patient is not None):
            why = "the person that it is about is not here yet" if one.patient else "it does not say whom it is about"
            lost.append(_refused(item, (Reason(item.type, why),)))
            continue
        label = labels.label(place, entry.name, item.type, one.checked.body)
        writables.append(
            Writable(
                key=one.key,
                type=item.type,
                body=one.checked.body,
                source=entry.name,
                source_id=f"{item.namespace}/{item.source_id}" if item.namespace else item.source_id,
                custodian=item.custodian or entry.organisation,
                category=label.category if person is not None else "directory",
                sensitivities=label.sensitivities,
                person=person,
                patient=one.patient,
            )
        )
    return writables, lost


def _tell_repairs(
    conn: Connection,
    place: Place,
    writables: Sequence[Writable],
    changed: frozenset[ResourceKey],
    repaired: Mapping[ResourceKey, tuple[Repair, ...]],
    now: datetime,
) -> None:
    told = [one for one in writables if one.key in changed and one.key in repaired]
    write(conn, [provenance.of(one, repaired[one.key], home(place), now) for one in told], now)


def home(place: Place) -> Organisation:
    """The organisation whose record this is: the custodian of what CareLink makes."""
    return next(one for one in place.organisations.values() if one.type == "icb")


def _settle(
    conn: Connection, place: Place, entry: SourceEntry, changed: Sequence[Writable], now: datetime
) -> tuple[PersonKey, ...]:
    """What follows from the change: relationships, objections, golden Patients, and the news of it."""

    def of_types(types: Iterable[str]) -> list[PersonKey]:
        return sorted({PersonKey(one.person) for one in changed if one.person is not None and one.type in types})

    relationships.refresh(conn, place, of_types(relationships.RULES), now)
    directives.refresh(conn, place, of_types(["Consent"]), now)
    recompose(conn, place, of_types(["Patient"]), now)
    about = tuple(sorted({PersonKey(one.person) for one in changed if one.person is not None}))
    if about:
        outbox.add(conn, "record.changed", {"source": entry.name, "persons": [str(key) for key in about]}, now)
    return about
