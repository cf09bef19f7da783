"""The work behind a request: gathering for it, making what is released, and giving that out to who handles it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.audit.trail import Event, append
from carelink.cases import subject_access as requests
from carelink.cases.subject_access_answer import Answered, answer, bundle
from carelink.cases.subject_access_bodies import bodies_of
from carelink.cases.subject_access_gather import gather
from carelink.cases.subject_access_package import from_json, to_json
from carelink.cases.subject_access_print import page, printed
from carelink.consent.lens import Lens
from carelink.db.tables import subject_request
from carelink.errors import NotFound
from carelink.ids import Ods, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.golden_store import home
from carelink.record.query import Row
from carelink.record.timeline_names import names_in
from carelink.record.timeline_values import Body
from fhir_adapters import exact_json

FILES = {"printed": "printed_as", "fhir": ""}
FHIR_JSON = "application/fhir+json"
_NAMED = re.compile(
    rb'"reference":"(?:Practitioner|PractitionerRole|Organization|Location|Medication)/([0-9a-f-]{36})"'
)


def gather_for(conn: Connection, place: Place, lens: Lens, id_: int) -> None:
    """Gather for the request, keeping decisions on what is the same. Nothing for one that is closed or being made."""
    t = subject_request.c
    row = conn.execute(select(t.person, t.status, t.package).where(t.id == id_).with_for_update()).one_or_none()
    if row is None or row.status not in ("received", "gathered", "reviewed"):
        return
    made = gather(conn, place, lens, row.person).keeping(from_json(row.package))
    values = {"status": "gathered", "reviewed_at": None, "reviewed_by": None}
    requests.change(conn, id_, package=to_json(made), gathered_at=lens.at, **values)


def make(conn: Connection, place: Place, lens: Lens, id_: int, base: str) -> None:
    """Make what is released of what was reviewed, and keep exactly that. Audited as `export`. Nothing where it is made.

    `base` is the address of the FHIR API.
    """
    t = subject_request.c
    row = conn.execute(select(t.person, t.status, t.package).where(t.id == id_).with_for_update()).one_or_none()
    if row is None or row.status != "releasing":
        return
    package = from_json(row.package)
    bodies = bodies_of(conn, lens, package.items)
    flat = [body for versions in bodies.values() for body in versions]
    made = answer(package, bodies, names_in(conn, lens, [_row(body, lens.at) for body in flat]))
    text, kind = printed(page(made, id_, place, home(place), lens.at))
    told = bundle(made, id_, row.person, home(place), _directory(conn, lens, made), lens.at, base)
    values = {"printed": text, "printed_as": kind, "fhir": exact_json.dumps(told)}
    requests.change(conn, id_, status="released", released_at=lens.at, **values)
    event = Event("export", None, row.person, "subject access", len(made.resources), reason=lens.reason, user=lens.user)
    append(conn, event, lens.at)


def _directory(conn: Connection, lens: Lens, made: Answered) -> list[Body]:
    """The workers, organisations, places and medicines that are named, so that the document stands by itself."""
    there = {str(one["id"]) for one in made.resources}
    named = {key for body in made.resources for key in _keys(body)} - there
    rows = search.by_keys(conn, lens, {ResourceKey(UUID(key)) for key in named})
    return [exact_json.loads(row.body) for row in rows if row.person is None]


def _keys(body: Body) -> Iterable[str]:
    return (found.decode() for found in _NAMED.findall(exact_json.dumps(body)))


def _row(body: Body, at: datetime) -> Row:
    """A body as `names_in` reads it."""
    key = ResourceKey(UUID(str(body["id"])))
    text = exact_json.dumps(body).decode()
    return Row(key, str(body["resourceType"]), None, 0, at, None, "", Ods(""), "", text)


def released_file(conn: Connection, lens: Lens, id_: int, which: str) -> tuple[bytes, str]:
    """What was released, and its media type. Audited as `export` each time it is given out.

    Raises `Forbidden`, and `NotFound` where nothing was released.
    """
    one = requests.request(conn, lens, id_)
    if which not in FILES or one.status != "released":
        raise NotFound("Nothing was released for this request")
    kept = conn.execute(select(subject_request.c[which]).where(subject_request.c.id == id_)).scalar()
    if kept is None:
        raise NotFound("What was released is not kept any more: its time is over")
    detail = {"request": id_, "file": which}
    append(conn, Event("export", lens.requester, one.person, "subject access", user=lens.user, detail=detail), lens.at)
    return bytes(kept), (one.printed_as or "") if which == "printed" else FHIR_JSON
