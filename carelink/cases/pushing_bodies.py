"""From what a client sends to what is stored: references, whose it is, validation; all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.cases import pushing_references as references
from carelink.cases.pushing_aims import Aim
from carelink.cases.pushing_terms import Act, Body, Names, Pen, Reasons, place_in
from carelink.ids import PersonKey, ResourceKey
from carelink.record.golden_store import MADE_HERE
from carelink.record.ingest_subjects import DIRECTORY, Sound
from carelink.record.query import Row
from carelink.record.references import patient_of
from carelink.record.validation import admitted
from fhir_adapters import exact_json
from fhir_adapters.source import Item, Reason


@dataclass(frozen=True)
class Ready:
    """What is to be stored, and the persons known before about whom it is."""

    sound: tuple[Sound, ...]
    about: frozenset[PersonKey]


def names_of(aims: Sequence[Aim]) -> Names:
    """What entries of a transaction call each other -> `Type/id`."""
    return {one.change.name: f"{one.change.type}/{one.key}" for one in aims if one.change.name and one.key is not None}


def ready(conn: Connection, pen: Pen, aims: Sequence[Aim], *, together: bool) -> Ready:
    """What is created and updated, checked. Raises `Refused` and `Unprocessable` with every reason.

    `together`: they are of one transaction, where references by a search may be.
    """
    bodies = _resolved(pen, aims, together=together)
    new = {one.key: one.change.type for one in aims if one.key is not None and one.act is not Act.DELETE}
    gone = {one.key for one in aims if one.act is Act.DELETE}
    kept = {one.key: references.known_before(one.row) for one, _ in bodies}
    seen = references.seen(conn, pen, _asked(bodies, kept) - new.keys() - gone)
    reasons = Reasons()
    there = {**{key: row.type for key, row in seen.items()}, **new}
    sound, about = [], set()
    for one, body in bodies:
        references.unknown(body, one.change.at, kept[one.key], there, reasons)
        made = _sound(pen, one, body, _Known(seen, new), reasons)
        if made is not None:
            sound.append(made)
            about |= {made.person} if made.person is not None else set()
    reasons.refuse()
    return Ready(tuple(sound), frozenset(about))


_Bodies = Sequence[tuple[Aim, Body]]


def _resolved(pen: Pen, aims: Sequence[Aim], *, together: bool) -> _Bodies:
    names = names_of(aims)
    written = [one for one in aims if one.act in (Act.CREATE, Act.UPDATE)]
    bodies = []
    for one in written:
        body = one.change.body
        assert body is not None
        said = references.within(body, names, one.change.name, pen.base)
        bodies.append((one, references.put({**body, "id": str(one.key)}, said)))
    return _searched(pen, bodies) if together else bodies


def _searched(pen: Pen, bodies: _Bodies) -> _Bodies:
    """Conditional references, which come last of all: what is made in the same transaction is found too."""
    asked = {one for _, body in bodies for one in references.named(body) if references.is_by_search(one)}
    if not asked:
        return bodies
    meant: dict[str, list[str]] = {}
    for one, body in bodies:
        if one.act is Act.CREATE:
            for name in references.identifiers(one.change.type, body):
                meant.setdefault(name, []).append(f"{one.change.type}/{one.key}")
    said = references.by_search(pen, asked, meant)
    return [(one, references.put(body, said)) for one, body in bodies]


def _asked(bodies: _Bodies, kept: Mapping[ResourceKey | None, set[str]]) -> set[ResourceKey]:
    targets = (references.here(said) for one, body in bodies for said in references.named(body) - kept[one.key])
    return {target[1] for target in targets if target is not None and target[1] is not None}


@dataclass(frozen=True)
class _Known:
    """What a reference may name: what the client sees, and what is written at the same time."""

    seen: Mapping[ResourceKey, Row]
    new: Mapping[ResourceKey, str]


def _sound(pen: Pen, one: Aim, body: Body, known: _Known, reasons: Reasons) -> Sound | None:
    change, key = one.change, one.key
    assert key is not None
    checked = admitted(change.type, _unlabelled(one, {**body, "resourceType": change.type}))
    reasons.bad += [
        Reason(place_in(change.type, problem.place, change.at), problem.why) for problem in checked.problems
    ]
    if checked.problems:
        return None
    stored = one.stored
    item = Item(
        type=change.type,
        source_id=stored.source_id if stored is not None else f"pushed:{key}",
        body=checked.body,
        custodian=pen.organisation,
    )
    made = Sound(item, key, checked, None, source=stored.source if stored is not None else "")
    return _about(one, made, known, reasons)


def _about(one: Aim, made: Sound, known: _Known, reasons: Reasons) -> Sound | None:
    """Whose it is. By a golden Patient it is about that person, and hangs on no source's Patient."""
    type_, stored = one.change.type, one.stored
    whose = _uuid(patient_of(type_, made.checked.body))
    if type_ == "Patient":
        return replace(made, patient=made.key)
    if stored is not None and stored.person is not None and whose in (None, stored.patient, stored.person):
        return replace(made, patient=stored.patient, person=stored.person)
    if whose is None and type_ in DIRECTORY and (stored is None or stored.person is None):
        return made
    found = known.seen.get(ResourceKey(whose)) if whose is not None else None
    person = found.person if found is not None else None
    if stored is not None and not stored.deleted and stored.person != person:
        reasons.against.append(
            Reason(one.change.at, "is about somebody else than before: delete it and create it anew")
        )
        return None
    if found is not None and found.type == "Patient" and found.source == MADE_HERE:
        return replace(made, person=person)
    if whose is None:
        reasons.against.append(Reason(one.change.at, "does not say whom it is about"))
        return None
    return replace(made, patient=whose, person=person)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _unlabelled(one: Aim, body: Body) -> Body:
    """Without the labels that CareLink wrote beside the source's own: who read it and sends it back says nothing by them."""
    meta = body.get("meta")
    if one.row is None or not isinstance(meta, dict) or not isinstance(meta.get("security"), list):
        return body
    shown = exact_json.loads(one.row.body).get("meta", {}).get("security", [])
    given: list[Any] = exact_json.loads(one.stored.security) if one.stored.security else []
    ours = [coding for coding in shown if coding not in given]
    left = [coding for coding in meta["security"] if coding not in ours]
    said = {name: value for name, value in meta.items() if name != "security"} | ({"security": left} if left else {})
    return {**body, "meta": said} if said else {name: value for name, value in body.items() if name != "meta"}
