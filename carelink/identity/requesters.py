"""From a signed-in user to a requester: one role, at one organisation, for one purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from carelink.consent.requester import Requester
from carelink.db.tables import person, role_assignment, user
from carelink.errors import Forbidden
from carelink.identity.purposes import purpose_of
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

PERSON = "person"  # the role of whoever looks at their own record
HOME = Ods("")  # they ask on behalf of no organisation


@dataclass(frozen=True)
class Assignment:
    """One role that a user holds."""

    organisation: Ods
    team: str
    role: str

    @property
    def id(self) -> str:
        """Names it in a form and in the session."""
        return f"{self.organisation}|{self.team}|{self.role}"


def assignments(conn: Connection, user_id: UserId) -> tuple[Assignment, ...]:
    """The roles that an active user holds, in a fixed order."""
    held = role_assignment.c
    statement = (
        select(held.organisation, held.team, held.role)
        .join(user, user.c.id == held.user)
        .where(held.user == user_id, user.c.active)
        .order_by(held.organisation, held.team, held.role)
    )
    return tuple(Assignment(Ods(row.organisation), row.team, row.role) for row in conn.execute(statement))


def requester(
    conn: Connection, place: Place, user_id: UserId, purpose: str = "", request: str = "", assignment: str = ""
) -> Requester:
    """Who asks. `purpose` empty: the role's usual one; `assignment` empty: the only or first role.

    Raises `Forbidden` for a user who is unknown or no longer active, who does not hold that role, or whose role may
    not ask for that purpose.
    """
    row = conn.execute(select(user.c.name, user.c.person, user.c.active).where(user.c.id == user_id)).one_or_none()
    if row is None or not row.active:
        raise Forbidden("CareLink does not know this sign-in, or it was ended", rule="user-inactive")
    if row.person is not None:
        return _themselves(conn, place, user_id, row.name, PersonKey(row.person), request)
    held = _chosen(assignments(conn, user_id), assignment)
    known = place.roles.get(held.role)
    if known is None:
        raise Forbidden("This role is no longer used here", rule="role-unknown")
    return Requester(
        user=user_id,
        name=row.name,
        organisation=held.organisation,
        organisation_type=place.organisations[held.organisation].type,
        role=held.role,
        purpose=purpose_of(known, purpose),
        team=held.team,
        request=request,
    )


def assignment_of(asks: Requester) -> Assignment:
    """The role in which this worker asks."""
    return Assignment(asks.organisation, asks.team, asks.role)


def _chosen(held: Sequence[Assignment], assignment: str) -> Assignment:
    for one in held:
        if not assignment or one.id == assignment:
            return one
    raise Forbidden("This sign-in holds no such role in CareLink", rule="role-not-held")


def _themselves(conn: Connection, place: Place, user_id: UserId, name: str, key: PersonKey, request: str) -> Requester:
    current = conn.execute(
        select(func.coalesce(person.c.merged_into, person.c.key)).where(person.c.key == key)
    ).scalar_one_or_none()
    if current is None:
        raise Forbidden("There is no record for this sign-in", rule="person-unknown")
    purpose = place.roles[PERSON].purposes[0]
    return Requester(user_id, name, HOME, "", PERSON, purpose, person=PersonKey(current), request=request)
