"""A batch from a source -> repaired, validated, labelled, linked, stored, announced: all in the caller's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from carelink import outbox
from carelink.consent import directives, relationships
from carelink.consent.sensitivity import sensitivities
from carelink.db.turns import take_turns
from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Place, SourceEntry
from carelink.record import attachments_store, corrections, findings, hints, provenance, quarantine, source_state
from carelink.record.erased import without_erased
from carelink.record.golden_store import recompose
from carelink.record.ingest_subjects import DIRECTORY, Sound, persons_of, with_owners
from carelink.record.persons import SourcePatient, link_patients
from carelink.record.quarantine import Refused
from carelink.record.references import patient_of, rewritten
from carelink.record.relabelling import labelled
from carelink.record.validation import admitted
from carelink.record.vanished import vanished
from carelink.record.writing import Writable, write
from fhir_adapters.source import Batch, Item, Reason, Rejected


@dataclass(frozen=True)
class IngestReport:
    """What became of a batch."""

    stored: int = 0  # new versions
    unchanged: int = 0
    repaired: int = 0
    quarantined: int = 0
    links: Counter[str] = field(default_factory=Counter)  # method -> source Patients in this batch
    persons: tuple[PersonKey, ...] = ()  # whose record changed
    ended: int = 0  # what the source does not tell any more
    doubts: tuple[str, ...] = ()  # parts of which too much was gone to be believed
    erased: int = 0  # not taken in: it was erased because its time was over
    versions: Mapping[ResourceKey, int] = field(default_factory=dict)  # of what was stored
    findings: Counter[str] = field(default_factory=Counter)  # rule of UK Core -> how often it fails in what is stored


def ingest(conn: Connection, place: Place, entry: SourceEntry, batch: Batch, now: datetime) -> IngestReport:
    """Store the batch and its cursor. The same batch again changes nothing but the cursor's time.

    What can't be stored safely goes to quarantine with the reason; the rest of the batch is stored. Of parts of the
    source that the batch tells in full, what is stored and not told any more is ended.
    """
    report = take(conn, place, entry, batch.items, batch.rejected, now)
    if batch.whole:
        report = _without_vanished(conn, place, entry, batch, report, now)
    source_state.advance(conn, entry.name, batch)
    return report


def _without_vanished(
    conn: Connection, place: Place, entry: SourceEntry, batch: Batch, report: IngestReport, now: datetime
) -> IngestReport:
    found = vanished(conn, entry.name, batch.whole, batch.items)
    write(conn, found.gone, now)
    findings.forget(conn, [one.key for one in found.gone])
    persons = {*report.persons, *_settle(conn, place, entry, found.gone, now)}
    return replace(report, ended=len(found.gone), doubts=found.doubts, persons=tuple(sorted(persons)))


def replay(conn: Connection, place: Place, entry: SourceEntry, now: datetime) -> IngestReport:
    """Try again what of this source waits in quarantine: for a Patient that has come since, a rule that is new."""
    return take(conn, place, entry, quarantine.waiting(conn, entry.name), (), now)


def take(
    conn: Connection,
    place: Place,
    entry: SourceEntry,
    items: Iterable[Item],
    rejected: Sequence[Rejected],
    now: datetime,
) -> IngestReport:
    """As `ingest`, without a cursor: for what is replayed from quarantine or pushed."""
    taken = without_erased(conn, entry.name, items, rejected, now)
    sound, refused = _checked(entry.name, taken.items)
    kept = _kept(conn, place, entry, with_owners(conn, entry.name, sound), refused, now, pulled=True)
    refused = [*refused, *kept.lost, *(Refused(one) for one in taken.rejected)]
    quarantine.resolve_stored(conn, entry.name, [one.item for one in kept.known], now)
    quarantine.keep(conn, entry, refused, kept.persons, now)
    unread = _unread(refused, kept.persons)
    about = _settle(conn, place, entry, kept.new, now, unread)
    return replace(kept.report, quarantined=len(refused), persons=about, erased=taken.refused)


def push(
    conn: Connection, place: Place, entry: SourceEntry, sound: Sequence[Sound], gone: Sequence[Writable], now: datetime
) -> Pushed:
    """Store what a client sent, which its caller has checked, and end what it deleted; what can't be stored is given back.

    Nothing goes to quarantine: whoever sent it is there to be told, and undoes all of it.
    """
    write(conn, gone, now)
    findings.forget(conn, [one.key for one in gone])
    kept = _kept(conn, place, entry, sound, (), now, pulled=False)
    about = _settle(conn, place, entry, [*kept.new, *gone], now)
    return Pushed(replace(kept.report, persons=about), tuple(kept.new), tuple(kept.lost))


@dataclass(frozen=True)
class Pushed:
    """What became of what a client sent: what has a new version, and of whom nobody knows who they are."""

    report: IngestReport
    new: tuple[Writable, ...]
    lost: tuple[Refused, ...]


@dataclass(frozen=True)
class _Kept:
    """What became of what is sound: whose it is, what was stored, and of whom nobody knows yet who they are."""

    known: list[Sound]
    lost: list[Refused]
    persons: dict[UUID, PersonKey]
    new: list[Writable]
    report: IngestReport


def _kept(
    conn: Connection,
    place: Place,
    entry: SourceEntry,
    sound: Sequence[Sound],
    refused: Sequence[Refused],
    now: datetime,
    *,
    pulled: bool,
) -> _Kept:
    """Linked, labelled and stored, with the Provenance of it. `refused` is not; but it must be known whose it is."""
    patients = [SourcePatient(one.key, one.checked.body, entry.name) for one in sound if one.item.type == "Patient"]
    links = link_patients(conn, place, patients, now)
    persons = persons_of(conn, [*(one.patient for one in sound), *(one.patient for one in refused)])
    known, lost = _parted(sound, persons)
    correct = corrections.current(conn, [one.key for one in known])
    bare = [_writable(entry, one, persons.get(one.patient) if one.patient else None) for one in known]
    writables = [labelled(place, one, correct.get(one.key)) for one in bare]
    changed = write(conn, writables, now, sensitivities(place))
    new = [one for one in writables if one.key in changed]
    repairs = {one.key: one.checked.repairs for one in known if one.checked.repairs}
    provenance.tell(conn, place, new, changed, repairs, now)
    provenance.follow(conn, place, [one for one in new if one.key in correct], now)
    hints.note(conn, place, new, now)
    found = {one.key: one.checked.findings for one in known if one.checked.findings}
    findings.keep(conn, new, changed, found, now)
    files = {one.key: one.checked.files for one in known if one.checked.files}
    attachments_store.keep(conn, new, changed, files, pulled=pulled)
    report = IngestReport(
        stored=len(changed),
        unchanged=len(writables) - len(changed),
        repaired=len(repairs),
        links=Counter(linked.method for key, linked in links.items() if key in changed),
        versions=changed,
        findings=Counter(each.rule for one in found.values() for each in one),
    )
    return _Kept(known, lost, persons, new, report)


def _unread(refused: Iterable[Refused], persons: Mapping[UUID, PersonKey]) -> set[PersonKey]:
    """Whose Consent could not be stored: it may be an objection, and counts as the strictest until it can be read."""
    consents = (one.patient for one in refused if one.what.type == "Consent")
    return {persons[patient] for patient in consents if patient is not None and patient in persons}


def _checked(source: str, items: Iterable[Item]) -> tuple[list[Sound], list[Refused]]:
    """Of two with one id the last counts, in the place of the first."""
    sound: dict[ResourceKey, Sound] = {}
    refused: list[Refused] = []
    for item in items:
        key = resource_key(source, item.namespace, item.type, item.source_id)
        body = rewritten(item.body, source, item.namespace)
        checked = admitted(item.type, {**body, "id": str(key), "resourceType": item.type})
        patient = _uuid(patient_of(item.type, checked.body))
        if problems := (*checked.problems, *_unkeepable(item)):
            refused.append(_refused(item, problems, patient))
        else:
            if item.repairs:
                checked = replace(checked, repairs=(*item.repairs, *checked.repairs))
            sound[key] = Sound(item, key, checked, patient)
    return list(sound.values()), refused


def _unkeepable(item: Item) -> Iterator[Reason]:
    for name, id_ in (("id", item.source_id), ("namespace", item.namespace)):
        if quarantine.storable(id_) != id_:
            yield Reason(
                f"{item.type}.{name}", f"is longer than {quarantine.LONGEST_ID} characters, or has a NUL in it"
            )


def _refused(item: Item, problems: Sequence[Reason], patient: UUID | None) -> Refused:
    what = Rejected(item.type, item.source_id, quarantine.raw_of(item), tuple(problems), item.namespace)
    return Refused(what, item.custodian, item.repairs, patient, mapped=True)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _parted(sound: Iterable[Sound], persons: Mapping[UUID, PersonKey]) -> tuple[list[Sound], list[Refused]]:
    """Those of which it is known whom they are about (or that they are about nobody), and the others."""
    known: list[Sound] = []
    lost: list[Refused] = []
    for one in sound:
        of_nobody = one.patient is None and one.item.type in DIRECTORY
        if one.patient in persons or one.person is not None or of_nobody:
            known.append(one)
        else:
            why = "the person that it is about is not here yet" if one.patient else "it does not say whom it is about"
            lost.append(_refused(one.item, (Reason(one.item.type, why),), one.patient))
    return known, lost


def _writable(entry: SourceEntry, one: Sound, person: PersonKey | None) -> Writable:
    item = one.item
    return Writable(
        key=one.key,
        type=item.type,
        body=one.checked.body,
        source=one.source or entry.name,
        source_id=f"{item.namespace}/{item.source_id}" if item.namespace else item.source_id,
        custodian=item.custodian or entry.organisation,
        category="",
        person=person or one.person,
        patient=one.patient,
    )


def _settle(
    conn: Connection,
    place: Place,
    entry: SourceEntry,
    changed: Sequence[Writable],
    now: datetime,
    unread: AbstractSet[PersonKey] = frozenset(),
) -> tuple[PersonKey, ...]:
    """What follows from the change: relationships, objections, golden Patients, and the news of it."""

    def of_types(types: Iterable[str]) -> list[PersonKey]:
        return sorted({PersonKey(one.person) for one in changed if one.person is not None and one.type in types})

    take_turns(
        conn, {*of_types({*relationships.RULES, *directives.MADE_OF}), *unread}
    )  # all at once, so that two batches don't cross
    relationships.refresh(conn, place, of_types(relationships.RULES), now)
    recompose(conn, place, of_types(["Patient"]), now)
    directives.refresh(conn, place, [*of_types(directives.MADE_OF), *unread], now)  # by how old the golden Patient is
    recompose(conn, place, of_types(["Consent"]), now)  # it is made without what they keep back
    about = tuple(sorted({PersonKey(one.person) for one in changed if one.person is not None}))
    if about:
        news = {"source": entry.name, "persons": [str(key) for key in about], "at": now.isoformat()}
        outbox.add(conn, "record.changed", news, now)
    return about
