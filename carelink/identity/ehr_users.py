"""Which worker of the place a user of another system is: by the identifier that the pack says, never by a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from carelink.db.tables import user
from carelink.errors import Forbidden
from carelink.identity import requesters
from carelink.identity.requesters import Assignment
from carelink.ids import UserId
from carelink.place import Ehr


def worker_of(conn: Connection, ehr: Ehr, claims: Mapping[str, Any]) -> tuple[UserId, Assignment]:
    """The one worker with that identifier, in a role that they hold at the organisation of the system.

    Raises `Forbidden` where there is none, or more than one.
    """
    value = claims.get(ehr.worker_claim)
    known = f"{ehr.worker_system}|{_bare(ehr, value)}" if isinstance(value, str) and value else ""
    found = conn.execute(
        select(user.c.id).where(user.c.identifiers.contains([known]), user.c.active, user.c.person.is_(None))
    ).scalars()
    ids = list(found) if known else []
    held = [one for one in requesters.assignments(conn, UserId(ids[0])) if one.organisation == ehr.organisation] if len(ids) == 1 else []  # fmt: skip
    if not held:
        told = f"CareLink does not know who you are in {ehr.label}. Sign in to CareLink itself, and ask for your account to be linked"
        raise Forbidden(told, rule="launch-worker")
    return UserId(ids[0]), held[0]


def _bare(ehr: Ehr, value: str) -> str:
    """`fhirUser` is the address of a Practitioner (SMART App Launch 2.2, 6.0.1): of that system's, the id alone."""
    return value.removeprefix(f"{ehr.iss}/").removeprefix("Practitioner/") if ehr.worker_claim == "fhirUser" else value
