"""What workers, and people themselves, record in CareLink: checked, stored, announced and audited in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from carelink import outbox
from carelink.audit.trail import Event, append
from carelink.consent.lens import Lens
from carelink.errors import Conflict, Forbidden
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search, store
from carelink.record.golden_store import MADE_HERE
from carelink.record.query import Row
from fhir_adapters import exact_json

NOT_OURS = "not-custodian"


def create(
    conn: Connection,
    place: Place,
    lens: Lens,
    body: Mapping[str, Any],
    person: PersonKey,
    custodian: Ods | None = None,
    key: ResourceKey | None = None,
) -> ResourceKey:
    """Store a new resource about this person; gives its key. Audited as `create`.

    The custodian is the requester's organisation unless another is named; for the person themselves, and for CareLink,
    it is the home organisation. With `key`, made when a form was shown, a form that is sent twice is stored once. The
    body needs no id. Whether this requester may record it is for the caller to have asked.

    Raises `Invalid` with the FHIRPath of the first problem.
    """
    made = key or ResourceKey(uuid4())
    _store(conn, place, lens, {**body, "id": str(made)}, person, custodian or _own(lens))
    _tell(conn, lens, "create", str(body["resourceType"]), made, person)
    return made


def update(
    conn: Connection,
    place: Place,
    lens: Lens,
    body: Mapping[str, Any],
    key: ResourceKey,
    version: int | None = None,
    *,
    by_any_organisation: bool = False,
) -> None:
    """Store a new version of what was made here. Audited as `update`.

    `by_any_organisation` is for what is the person's own word, whoever took it down: a Consent.

    Raises `NotFound` where this requester may not see it, `Forbidden` where it came from a source or another
    organisation answers for it, `Conflict` where it is no longer at `version`, `Invalid` as `create`.
    """
    type_ = str(body["resourceType"])
    kept = search.get(conn, lens, type_, key)
    if not (may_change(lens, kept) or (by_any_organisation and kept.source == MADE_HERE)):
        raise Forbidden("Only the organisation that recorded this can change it", rule=NOT_OURS)
    if version is not None and kept.version != version:
        raise Conflict("Somebody else changed this meanwhile. Look at it again, then change it")
    _store(conn, place, lens, {**body, "id": str(key)}, kept.person, _whole(conn, lens, type_, key).custodian)
    _tell(conn, lens, "update", type_, key, kept.person)


def as_stored(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> dict[str, Any]:
    """The whole of what is about to be changed: a form of it with something taken out must never be stored in its place.

    For who may change it, which is for the caller to have asked. Raises `NotFound`.
    """
    body: dict[str, Any] = exact_json.loads(_whole(conn, lens, type_, key).body)
    return body


def _whole(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> Row:
    return search.get(conn, Lens.system("a change of what was made here", lens.at, lens.user), type_, key)


def may_change(lens: Lens, row: Row) -> bool:
    """Whether it was made here, and this requester's organisation (or CareLink itself) answers for it."""
    asks = lens.requester
    if row.source != MADE_HERE:
        return False
    return asks is None or (row.person is not None and asks.person == row.person) or asks.organisation == row.custodian


def _own(lens: Lens) -> Ods | None:
    return (lens.requester.organisation or None) if lens.requester is not None else None


def _store(
    conn: Connection,
    place: Place,
    lens: Lens,
    body: Mapping[str, Any],
    person: PersonKey | None,
    custodian: Ods | None,
) -> None:
    """Whose it is hangs on no source's Patient: it stays with the person when a link is undone."""
    store.put(conn, place, body, person, None, lens.at, custodian)
    if person is not None:
        news = {"source": MADE_HERE, "persons": [str(person)], "at": lens.at.isoformat()}
        outbox.add(conn, "record.changed", news, lens.at)


def _tell(conn: Connection, lens: Lens, action: str, type_: str, key: ResourceKey, person: PersonKey | None) -> None:
    event = Event(
        action,
        lens.requester,
        person,
        query=type_,
        count=1,
        reason=lens.reason,
        user=lens.user,
        detail={"resource": str(key)},
    )
    append(conn, event, lens.at)
