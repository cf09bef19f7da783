"""Bring the organisations, users and roles of the place pack into their tables."""

from __future__ import annotations

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import organisation, role_assignment, user
from carelink.place import Place


def sync(conn: Connection, place: Place) -> None:
    """After it the tables say what the pack says; users that the pack no longer names are made inactive."""
    for entry in place.organisations.values():
        row = {"name": entry.name, "type": entry.type}
        conn.execute(
            insert(organisation).values(ods=entry.ods, **row).on_conflict_do_update(index_elements=["ods"], set_=row)
        )
    conn.execute(user.update().where(user.c.person.is_(None), user.c.id.not_in(list(place.staff))).values(active=False))
    for staff in place.staff.values():
        row2 = {"name": staff.name, "identifiers": list(staff.identifiers), "active": True}
        conn.execute(insert(user).values(id=staff.id, **row2).on_conflict_do_update(index_elements=["id"], set_=row2))
        conn.execute(delete(role_assignment).where(role_assignment.c.user == staff.id))
        conn.execute(
            insert(role_assignment).values(
                user=staff.id, organisation=staff.organisation, team=staff.team, role=staff.role
            )
        )
