"""The archive of place packs: by which agreements, labels, roles and staff was it decided, and since when."""

from __future__ import annotations

import json
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Select, select, text
from sqlalchemy.exc import DBAPIError

from carelink import place_loader
from carelink.audit.trail import Event, append
from carelink.db.tables import policy
from carelink.errors import Invalid
from carelink.place import Place
from carelink.place_schemas import FILES

log = structlog.get_logger()
_ONE_AT_A_TIME = 7_223_100_031  # pg_advisory_xact_lock: processes that start together note one pack once
_KEPT = 8  # packs that are rebuilt are few: those of the times that are asked about
_rebuilt: OrderedDict[str, Place] = OrderedDict()


@dataclass(frozen=True)
class Policy:
    """A place pack that decisions were made by, from `since` until the next one's."""

    hash: str
    name: str
    since: datetime
    changed_by: str


def note(conn: Connection, place: Place, now: datetime, by: str) -> bool:
    """Keep the pack where it differs from the newest that is kept; gives whether it did. Audited as `policy-change`.

    A place that was made of no folder, as tests make them, leaves nothing to keep.
    """
    files = files_of(place.folder)
    if not files.keys() & FILES.keys():
        return False
    conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    newest = conn.execute(_newest(policy.c.hash, policy.c.files)).one_or_none()
    mine = fingerprint(files)
    if newest is not None and newest.hash == mine:
        return False
    row = {"hash": mine, "name": place.name, "files": files, "since": now, "changed_by": by}
    conn.execute(policy.insert().values(row))
    append(conn, _told(mine, newest, files, by), now)
    return True


def note_start(engine: Engine, place: Place, now: datetime, by: str) -> None:
    """As `note`, for a process that starts: it starts also where the database is away or not at this schema yet."""
    try:
        with engine.begin() as conn:
            note(conn, place, now, by)
    except DBAPIError as away:
        log.warning("the place pack could not be kept; `carelink db upgrade` keeps it", why=type(away.orig).__name__)
    finally:
        engine.dispose()  # a server that forks after this shares no connection


def _told(hash_: str, newest: Any, files: Mapping[str, str], by: str) -> Event:
    was: Mapping[str, str] = newest.files if newest is not None else {}
    detail = {"hash": hash_, "was": newest.hash if newest is not None else "", "files": changed_files(was, files)}
    return Event("policy-change", user=by, detail=detail)


def changed_files(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names of the files that are new, gone or different."""
    return sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))


def files_of(folder: Path) -> dict[str, str]:
    """Every text file of a pack by its path within it, code sets and mappings too; nothing where it is no pack."""
    if not (folder / "place.toml").is_file():
        return {}
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): path.read_bytes().decode("utf-8", "replace").replace("\0", "\ufffd")  # PostgreSQL keeps no NUL
        for name, path in found.items()
        if not any(part.startswith((".", "__")) for part in name.parts)
    }


def fingerprint(files: Mapping[str, str]) -> str:
    """The same for the same texts under the same names, and for no others."""
    return sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def kept(conn: Connection) -> tuple[Policy, ...]:
    """Every pack that is kept, the newest first."""
    columns = (policy.c.hash, policy.c.name, policy.c.since, policy.c.changed_by)
    rows = conn.execute(select(*columns).order_by(policy.c.since.desc(), policy.c.id.desc()))
    return tuple(Policy(*row) for row in rows)


def policy_at(conn: Connection, at: datetime) -> Place:
    """The place as its pack said at that time, rebuilt from what is kept.

    Raises `Invalid` for a time before the first that is kept, and where this CareLink can't read the pack of then any
    more. The folder that it names is no longer there: whatever decides is in the value.
    """
    row = conn.execute(_newest(policy.c.hash, policy.c.name, policy.c.files, before=at)).one_or_none()
    if row is None:
        raise Invalid("at", _since(conn))
    return _place(row.hash, row.name, row.files)


def _since(conn: Connection) -> str:
    first = conn.execute(select(policy.c.since).order_by(policy.c.since, policy.c.id).limit(1)).scalar()
    if first is None:
        return "by which place pack it is decided is not known yet: run `carelink db upgrade`"
    return f"is before {first:%d %B %Y %H:%M} UTC, when the first place pack was kept: what was decided by is not known"


def _newest(*columns: Any, before: datetime | None = None) -> Select[Any]:
    asked = select(*columns).order_by(policy.c.since.desc(), policy.c.id.desc()).limit(1)
    return asked if before is None else asked.where(policy.c.since <= before)


def _place(hash_: str, name: str, files: Mapping[str, str]) -> Place:
    if hash_ in _rebuilt:
        _rebuilt.move_to_end(hash_)
        return _rebuilt[hash_]
    made = _rebuilt[hash_] = rebuilt(name, files)
    if len(_rebuilt) > _KEPT:
        _rebuilt.popitem(last=False)
    return made


def rebuilt(name: str, files: Mapping[str, str]) -> Place:
    """The place of these files. A kind of file that packs did not have then is empty. Raises `Invalid`."""
    with tempfile.TemporaryDirectory(prefix="carelink-policy-") as above:
        folder = Path(above) / name
        for file, said in (dict.fromkeys(FILES, "") | dict(files)).items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(said.encode())
        return place_loader.load(folder)
