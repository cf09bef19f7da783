"""Who the audit is about and who it names, for the role that reads it: it opens no record, but must know the person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, not_, or_, select

from carelink.audit.reading import must_read
from carelink.cases import banner
from carelink.cases.naming import person_named
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import Sensitivity
from carelink.db.among import among
from carelink.db.tables import resource, user
from carelink.errors import Invalid, NotFound
from carelink.ids import PersonKey, UserId
from carelink.place import Place
from carelink.record.timeline_values import human_name
from fhir_adapters import exact_json

MOST_WORKERS = 20
SHORTEST = 2  # letters of a name


@dataclass(frozen=True)
class Named:
    """As much of a person as says who they are: nothing of their record, and nothing that says where they live."""

    name: str
    nhs_number: str


@dataclass(frozen=True)
class Worker:
    user: UserId
    name: str
    role: str
    organisation: str


def person_of(conn: Connection, lens: Lens, typed: str) -> PersonKey:
    """The person of that NHS number. Raises `Invalid` with words for the form, `Forbidden` for who reads no audit."""
    must_read(lens)
    if not re.sub(r"[\s-]", "", typed):
        raise Invalid("nhs_number", "Enter the NHS number of the person")
    asks = Lens.system("the audit: whose NHS number it is", lens.at, lens.user)
    try:
        return person_named(conn, asks, typed, "nhs_number")
    except Invalid as wrong:
        raise Invalid("nhs_number", "This is not an NHS number: check the ten digits") from wrong
    except NotFound as nobody:
        raise Invalid("nhs_number", "Nobody of that NHS number is in the record") from nobody


def named(conn: Connection, lens: Lens, persons: Iterable[PersonKey]) -> dict[PersonKey, Named]:
    """Who these people are, for the role that reads the audit; left out where the law restricts who they were.

    Audited by the reading of the audit that it belongs to. Raises `Forbidden` for every other role.
    """
    must_read(lens)
    t, wanted = resource.c, sorted(set(persons), key=str)
    if not wanted:
        return {}
    golden = select(t.key, t.body).where(
        among(t.key, wanted), t.type == "Patient", not_(t.deleted), t.sensitivities.op("&")(int(Sensitivity.LEGAL)) == 0
    )
    return {PersonKey(row.key): _named(row.body) for row in conn.execute(golden)}


def _named(text: str) -> Named:
    body = exact_json.loads(text)
    return Named(human_name(body.get("name")) or banner.UNKNOWN, banner.nhs_number(body))


def workers(conn: Connection, place: Place, lens: Lens, typed: str) -> tuple[Worker, ...]:
    """Those whose name holds what was typed, or whose id it is; also who has left. Raises `Invalid`, `Forbidden`."""
    must_read(lens)
    sought = " ".join(typed.split())
    if len(sought) < SHORTEST:
        raise Invalid("worker", "Enter at least two letters of the worker's name")
    t = user.c
    asked = select(t.id, t.name).where(
        or_(t.id == sought, func.strpos(func.lower(t.name), sought.lower()) > 0), t.person.is_(None)
    )
    return tuple(
        _worker(place, UserId(row.id), row.name)
        for row in conn.execute(asked.order_by(t.name, t.id).limit(MOST_WORKERS))
    )


def worker(conn: Connection, place: Place, lens: Lens, id_: str) -> Worker:
    """The worker of that id. Raises `NotFound`, `Forbidden`."""
    must_read(lens)
    row = conn.execute(select(user.c.id, user.c.name).where(user.c.id == id_, user.c.person.is_(None))).one_or_none()
    if row is None:
        raise NotFound("There is no such worker")
    return _worker(place, UserId(row.id), row.name)


def _worker(place: Place, id_: UserId, name: str) -> Worker:
    held = place.staff.get(id_)
    if held is None:
        return Worker(id_, name, "has left", "")
    return Worker(id_, name, place.roles[held.role].label, place.organisations[held.organisation].name)
