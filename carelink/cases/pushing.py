"""What clients write: of what their organisation answers for, through ingest as a pulled batch goes; all of it or nothing.

Other than a pull, what can't be stored is told to whoever sent it, with its place, and nothing waits in quarantine.
Decision 35 says who may write what, and under which source it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from carelink.audit.trail import Event, append_all
from carelink.cases import pushing_turns as turns
from carelink.cases.pushing_aims import NO_SUCH, Aim, aims
from carelink.cases.pushing_bodies import Ready, names_of, ready
from carelink.cases.pushing_terms import Act, Body, Change, ChoosesNoId, Names, Pen, Reasons, Several, Written, told_at
from carelink.cases.recording import must_be_involved
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.record import ingest, provenance
from carelink.record.quarantine import Refused
from carelink.record.writing import Writable, ended_row, stored_labels
from fhir_adapters import exact_json
from fhir_adapters.source import Reason


def one(conn: Connection, pen: Pen, change: Change) -> Written:
    """A single create, update or delete. Raises as `write`."""
    return _write(conn, pen, [change], together=False)[0][0]


def patched(conn: Connection, pen: Pen, change: Change, patch: Callable[[Body], Body]) -> Written:
    """An update whose body is what `patch` makes of what is there, as the client sees it; raises as `write`.

    Nothing is created by it: `NotFound` where nothing is there, or meets the condition.
    """
    turns.take(conn, [change])
    sketch = replace(change, act=Act.UPDATE, body={} if change.key is None else {"id": str(change.key)})
    try:
        (aim,) = aims(conn, pen, [sketch])
    except ChoosesNoId as none:
        raise NotFound(NO_SUCH) from none
    if aim.row is None:
        raise NotFound(NO_SUCH)
    body = patch(exact_json.loads(aim.row.body))
    return one(conn, pen, replace(sketch, key=aim.row.key, criteria=None, body=body))


def write(conn: Connection, pen: Pen, changes: Sequence[Change]) -> tuple[tuple[Written, ...], Names]:
    """All of these, or by raising none; and what entries that were named are called here, for those that name them.

    Raises `Refused` and `Unprocessable` for bodies that can't be stored, `NotFound` for what the client may not see,
    `Forbidden` for what its organisation does not answer for, `VersionMoved`, `Several` and `ChoosesNoId`.
    """
    return _write(conn, pen, changes, together=True)


def _write(
    conn: Connection, pen: Pen, changes: Sequence[Change], *, together: bool
) -> tuple[tuple[Written, ...], Names]:
    turns.take(conn, changes)
    found = aims(conn, pen, changes)
    made = ready(conn, pen, found, together=together)
    _must_be_involved(conn, pen, found, made)
    gone = _gone(conn, found)
    pushed = ingest.push(conn, pen.place, pen.entry, made.sound, gone, pen.lens.at)
    _refuse_lost(found, pushed.lost)
    _must_meet_once(pen, found)
    _tell(conn, pen, found, pushed.new)
    versions = {**pushed.report.versions}
    return tuple(_written(pen, one, versions, made) for one in found), names_of(found)


def _must_be_involved(conn: Connection, pen: Pen, found: Sequence[Aim], made: Ready) -> None:
    """Whom the person lets look, and no more, writes nothing about them."""
    there = {one.row.person for one in found if one.act is not None and one.row is not None and one.row.person}
    for person in sorted(made.about | there):
        must_be_involved(conn, pen.lens, person)


def _gone(conn: Connection, found: Sequence[Aim]) -> list[Writable]:
    """The last versions of what is deleted, and of what was told of its repairs: that quotes what it said."""
    keys = [(one.change.type, one.key) for one in found if one.act is Act.DELETE and one.key is not None]
    wanted = [key for _, key in keys] + [other for type_, key in keys for other in provenance.about(type_, key)]
    if not wanted:
        return []
    asked = stored_labels().where(among(resource.c.key, wanted), resource.c.deleted.is_(False))
    return [ended_row(row) for row in conn.execute(asked)]


def _refuse_lost(found: Sequence[Aim], lost: Sequence[Refused]) -> None:
    """Whose person is not known, though it names one: a Patient that is linked to nobody."""
    places = {str(one.key): one.change.at for one in found}
    reasons = Reasons()
    for refused in lost:
        at = places.get(str(refused.what.source_id).removeprefix("pushed:"), refused.what.type)
        reasons.against += [Reason(at, reason.why) for reason in refused.what.reasons]
    reasons.refuse()


def _must_meet_once(pen: Pen, found: Sequence[Aim]) -> None:
    """Where several of one type are written at once, two of them may meet one condition. Raises `Several`."""
    types = Counter(one.change.type for one in found if one.act in (Act.CREATE, Act.UPDATE))
    for one in found:
        change = one.change
        if change.criteria is not None and one.act in (Act.CREATE, Act.UPDATE) and types[change.type] > 1:
            with told_at(change.at):
                if len(pen.find(change.type, change.criteria)) > 1:
                    raise Several("With what this transaction writes, more than one resource meets the condition")


def _tell(conn: Connection, pen: Pen, found: Sequence[Aim], new: Iterable[Writable]) -> None:
    """A row of the audit for each that was written, by its key."""
    whose = {one.key: one.person for one in new}
    events = []
    for one in found:
        if one.act is not None and one.key is not None:
            person = one.row.person if one.row is not None else whose.get(one.key)
            events.append(_event(pen, one.act, one.change.type, one.key, PersonKey(person) if person else None))
    append_all(conn, events, pen.lens.at)


def _event(pen: Pen, act: Act, type_: str, key: ResourceKey, person: PersonKey | None) -> Event:
    detail = {"resource": str(key)}
    return Event(str(act), pen.lens.requester, person, query=type_, count=1, user=pen.lens.user, detail=detail)


def _written(pen: Pen, one: Aim, versions: Mapping[ResourceKey, int], made: Ready) -> Written:
    type_, key, row = one.change.type, one.key, one.row
    if key is None or one.act is Act.DELETE:
        return Written(204, type_, key)
    repairs = next((sound.checked.repairs for sound in made.sound if sound.key == key), ())
    if key in versions:
        status = 201 if one.act is Act.CREATE else 200
        return Written(status, type_, key, versions[key], pen.lens.at, repairs)
    assert row is not None, "what is not new was there"
    return Written(200, type_, key, row.version, row.last_updated, repairs)
