"""From what a client sends to what is stored: references, whose it is, validation; all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.cases import pushing_references as references
from carelink.cases.pushing_aims import Aim
from carelink.cases.pushing_references import Target
from carelink.cases.pushing_terms import Act, Body, Names, Pen, Reasons, place_in
from carelink.ids import PersonKey, ResourceKey
from carelink.record.golden_store import MADE_HERE
from carelink.record.ingest_subjects import DIRECTORY, Sound
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
    known = _known(conn, pen, aims, bodies)
    reasons = Reasons()
    there = {**{key: target.type for key, target in known.seen.items()}, **known.new}
    sound, about = [], set()
    for one in bodies:
        lost = references.unknown(one.body, one.asks, one.aim.change.at, there, reasons)
        made = _sound(pen, one.aim, one.body, reasons)
        made = _about(one.aim, made, known, reasons) if made is not None and not lost else None
        if made is not None:
            sound.append(made)
            about |= {made.person} if made.person is not None else set()
    reasons.refuse()
    return Ready(tuple(sound), frozenset(about))


@dataclass(frozen=True)
class _Sent:
    """A body on its way, and what of its references must be looked at: not those that stood there before."""

    aim: Aim
    body: Body
    asks: frozenset[str]

    def put(self, said: Mapping[str, str]) -> _Sent:
        asks = frozenset(said.get(reference, reference) for reference in self.asks)
        return replace(self, body=references.put(self.body, said), asks=asks)


_Bodies = Sequence[_Sent]


def _resolved(pen: Pen, aims: Sequence[Aim], *, together: bool) -> _Bodies:
    names = names_of(aims)
    bodies = []
    for one in aims:
        if one.act in (Act.CREATE, Act.UPDATE):
            body = one.change.body
            assert body is not None
            asks = frozenset(references.named(body))
            said = references.within(asks, names, one.change.name, pen.base)
            made = _Sent(one, {**body, "id": str(one.key)}, asks).put(said)
            bodies.append(replace(made, asks=made.asks - references.known_before(one.row)))
    return _searched(pen, bodies) if together else bodies


def _searched(pen: Pen, bodies: _Bodies) -> _Bodies:
    """Conditional references, which come last of all: what is made in the same transaction is found too."""
    asked = {reference for one in bodies for reference in one.asks if references.is_by_search(reference)}
    if not asked:
        return bodies
    meant: dict[str, list[str]] = {}
    for one in bodies:
        if one.aim.act is Act.CREATE:
            type_ = one.aim.change.type
            for name in references.identifiers(type_, one.body):
                meant.setdefault(name, []).append(f"{type_}/{one.aim.key}")
    said = references.by_search(pen, asked, meant)
    return [one.put(said) for one in bodies]


@dataclass(frozen=True)
class _Known:
    """What a reference may name: what the client sees, and what is written at the same time."""

    seen: Mapping[ResourceKey, Target]
    new: Mapping[ResourceKey, str]


def _known(conn: Connection, pen: Pen, aims: Sequence[Aim], bodies: _Bodies) -> _Known:
    new = {one.key: one.change.type for one in aims if one.key is not None and one.act in (Act.CREATE, Act.UPDATE)}
    gone = {one.key for one in aims if one.act is Act.DELETE}
    targets = (references.here(reference) for one in bodies for reference in one.asks)
    wanted = {target[1] for target in targets if target is not None and target[1] is not None}
    return _Known(references.there(conn, pen.lens, wanted - new.keys() - gone), new)


def _sound(pen: Pen, one: Aim, body: Body, reasons: Reasons) -> Sound | None:
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
    return Sound(item, key, checked, None, source=stored.source if stored is not None else "")


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
