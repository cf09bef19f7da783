"""What each change of a client is about: something new, or what is here, which it may see and its organisation answers for.

What it may not see is as if it did not exist. Then a condition finds nothing, and an address is one of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from carelink.cases import pushing_references as references
from carelink.cases import pushing_turns as turns
from carelink.cases.pushing_terms import Act, Change, ChoosesNoId, Pen, Refused, Several, VersionMoved, told_at
from carelink.errors import Conflict, Forbidden, NotFound
from carelink.ids import ResourceKey
from carelink.record.golden_store import MADE_HERE
from carelink.record.made_here import NOT_OURS
from carelink.record.query import Row
from fhir_adapters.source import Reason

NO_SUCH = "There is no such resource, or you may not see it"
COMPOSED = "composed"  # the rule that refuses to write what is made of others
LESS = "L3-restricted"


@dataclass(frozen=True)
class Aim:
    """`act` is what is done to the resource of that key; None: nothing, it is only told of."""

    change: Change
    act: Act | None
    key: ResourceKey | None = None
    row: Row | None = None  # what is there, as the client sees it
    stored: Any = None  # the rest of that row, or of the one that was deleted and comes back


@dataclass(frozen=True)
class _There:
    """What is stored under the keys that the changes name or meet."""

    stored: Mapping[ResourceKey, Any]
    seen: Mapping[ResourceKey, Row]


def aims(conn: Connection, pen: Pen, changes: Sequence[Change]) -> list[Aim]:
    """What each is about. Raises `NotFound`, `Forbidden`, `VersionMoved`, `Several`, `ChoosesNoId`, `Refused`."""
    met = [_met(pen, change) for change in changes]
    keys = {change.key for change in changes if change.key is not None} | {row.key for rows in met for row in rows}
    keys |= {key for change in changes if change.criteria is not None and (key := _own_id(change)) is not None}
    stored = turns.rows(conn, keys)
    there = _There(stored, references.seen(conn, pen, stored))
    found = [_told_aim(pen, change, rows, there) for change, rows in zip(changes, met, strict=True)]
    _refuse_twice(found)
    return _once(found)


def _met(pen: Pen, change: Change) -> Sequence[Row]:
    if change.criteria is None:
        return ()
    with told_at(change.at):
        rows = pen.find(change.type, change.criteria)
        if len(rows) > 1:
            raise Several("More than one resource meets the condition")
    return rows


def _told_aim(pen: Pen, change: Change, met: Sequence[Row], there: _There) -> Aim:
    with told_at(change.at):
        if change.act is Act.CREATE:
            return _create(change, met)
        if change.criteria is not None and not met:
            return Aim(change, None) if change.act is Act.DELETE else _of_nothing_met(pen, change, there)
        key = met[0].key if met else change.key
        assert key is not None, "a change without a condition has an address"
        if change.act is Act.UPDATE:
            _must_be_named(change, key, met=bool(met))
        if key in there.seen and there.seen[key].type == change.type:
            return _of_what_is_there(pen, change, there.seen[key], there.stored[key])
        if change.act is Act.DELETE or change.seen is not None:
            raise NotFound(NO_SUCH)
        return _chosen(pen, change, key, there)


def _create(change: Change, met: Sequence[Row]) -> Aim:
    if met:
        return Aim(change, None, met[0].key, met[0])
    return Aim(change, Act.CREATE, ResourceKey(uuid4()))


def _own_id(change: Change) -> ResourceKey | None:
    """The id in the body, where it may be one of ours."""
    try:
        return ResourceKey(UUID(str((change.body or {}).get("id"))))
    except ValueError:
        return None


def _of_nothing_met(pen: Pen, change: Change, there: _There) -> Aim:
    """An update whose condition nothing meets: created here, or under the id that it brings (R4 3.1.0.4.3)."""
    assert change.body is not None
    if "id" not in change.body:
        return Aim(change, Act.CREATE, ResourceKey(uuid4()))
    key = _own_id(change)
    if key is None:
        raise Refused([Reason(f"{change.at}.id", "must be a UUID")])
    if key in there.seen:
        raise Conflict("The resource of that id does not meet the condition")
    return _chosen(pen, change, key, there)


def _must_be_named(change: Change, key: ResourceKey, *, met: bool) -> None:
    said = (change.body or {}).get("id")
    if said is None and met:
        return
    if said != str(key):
        whose = "of what meets the condition" if met else "in the address"
        raise Refused([Reason(f"{change.at}.id", f"must be the id {whose}")])


def _chosen(pen: Pen, change: Change, key: ResourceKey, there: _There) -> Aim:
    """Under the id that the client chose, where the place lets it; what its organisation deleted so comes back.

    Only a random UUID is taken: whether there is something under one that is made of a source's id could be tried out.
    """
    if not pen.place.update_creates or key.version != 4:
        raise ChoosesNoId("There is nothing to update at this id that you may see; something new is created by POST")
    stored = there.stored.get(key)
    if stored is None:
        return Aim(change, Act.CREATE, key)
    if not stored.deleted or stored.type != change.type or stored.custodian != pen.organisation:
        raise NotFound(NO_SUCH)
    return Aim(change, Act.CREATE, key, stored=stored)


def _of_what_is_there(pen: Pen, change: Change, row: Row, stored: Any) -> Aim:
    if row.custodian != pen.organisation:
        raise Forbidden("Only the organisation that answers for this can change it", rule=NOT_OURS)
    if row.source == MADE_HERE and row.type == "Patient":
        raise Forbidden("This is composed of what all sources say: change what your organisation says", rule=COMPOSED)
    if row.hidden:  # else it could be tried out what stands in what is kept back of it
        raise Forbidden("You see less of this than there is, so you can't replace it", rule=LESS)
    if change.seen is not None and change.seen != row.version:
        raise VersionMoved(f"It is at version {row.version}, not at {change.seen}: read it again")
    return Aim(change, change.act, row.key, row, stored)


def _refuse_twice(found: Sequence[Aim]) -> None:
    """R4 3.1.0.11.2: no resource twice in one transaction."""
    first: dict[ResourceKey, Aim] = {}
    for one in found:
        if one.key is not None and one.act is not None:
            other = first.setdefault(one.key, one)
            if other is not one:
                raise Refused([Reason(one.change.at, f"is the same resource as {other.change.at}")])


def _once(found: Sequence[Aim]) -> list[Aim]:
    """Of creates under the very same condition in one transaction the first counts, as if it had come before."""
    first: dict[tuple[str, str], ResourceKey | None] = {}
    told: list[Aim] = []
    for one in found:
        if one.act is Act.CREATE and one.change.act is Act.CREATE and one.change.criteria is not None:
            same = (one.change.type, one.change.criteria)
            if same in first:
                told.append(replace(one, act=None, key=first[same]))
                continue
            first[same] = one.key
        told.append(one)
    return told
