"""What is said of a write: where it is, its version, and as much of it as `Prefer` asks for and the client may read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from flask import Response, request
from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.cases.pushing_terms import Written
from carelink.consent.lens import Lens
from carelink.fhir import bearer, outcome
from carelink.fhir.endpoint import endpoint
from carelink.identity.tokens import Granted
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.web.parts import parts
from carelink.web.session import at


class Return(StrEnum):
    """What is sent back (R4 3.1.0.1.10)."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    OUTCOME = "OperationOutcome"


_RETURN = re.compile(r"(?:^|[,;\s])return\s*=\s*\"?(minimal|representation|OperationOutcome)\b")


def wanted(usual: Return = Return.MINIMAL) -> Return:
    """What the client asked for, or the usual."""
    found = _RETURN.search(request.headers.get("Prefer", ""))
    return Return(found[1]) if found else usual


def bodies(conn: Connection, by: Granted, written: Iterable[Written]) -> Mapping[ResourceKey, str]:
    """The text of each as its writer may read it; those that it may not read are left out. Audited as a look."""
    readable = {one.key for one in written if one.key is not None and one.status < 204 and by.may_read(one.type)}
    lens = Lens.compile(parts().place, by.requester, at())
    rows = search.unkept_by_keys(conn, lens, readable)
    if readable:
        looked(conn, lens, "read", "by key", rows)
    return {row.key: row.body for row in rows}


def told(one: Written) -> bytes:
    """An OperationOutcome: what was done, and what was repaired on the way."""
    repairs = [outcome.issue("warning", "value", repair.why, repair.path) for repair in one.repairs]
    done = {201: "Created", 204: "Deleted"}.get(one.status, "Stored")
    return outcome.outcome(*repairs, outcome.issue("information", "informational", done))


def answer(conn: Connection, by: Granted, one: Written) -> Response:
    """The answer to a single write: with the resource unless less is asked for, because client libraries take its id and
    version from there."""
    made = Response(status=one.status, content_type=bearer.FHIR_JSON)
    how = wanted(Return.REPRESENTATION)
    if how is Return.OUTCOME and one.status != 204:
        made = bearer.answer(told(one), one.status)
    elif how is Return.REPRESENTATION and one.key in (found := bodies(conn, by, [one])):
        assert one.key is not None
        made = bearer.answer(found[one.key], one.status)
    if one.version and one.at is not None:
        made.headers["Location"] = f"{endpoint().base}/{place(one)}"
        made.set_etag(str(one.version), weak=True)
        made.last_modified = one.at
    return made


def place(one: Written) -> str:
    """Where this version is, below the address of this server."""
    return f"{one.type}/{one.key}/_history/{one.version}"
