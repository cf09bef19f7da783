"""Which person has signed in as themselves: NHS login's claims against verified NHS numbers.

NHS login says who somebody is by the claims `nhs_number`, `birthdate` and `identity_proofing_level`; P9 is the only
level at which they were seen to be that person (NHS login, "Vectors of trust").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import person, person_trait, user
from carelink.errors import Forbidden
from carelink.ids import PersonKey, UserId

PROVEN = "P9"
UNKNOWN = "We could not find a record that is certainly yours"


def speaks_for_themselves(claims: Mapping[str, Any]) -> bool:
    """Whether these are the claims of a person (NHS login), not of a worker."""
    return "nhs_number" in claims


def person_of(conn: Connection, claims: Mapping[str, Any]) -> PersonKey:
    """The one person with that verified NHS number and birth date. Raises `Forbidden` where there is none, or any doubt."""
    if _level(claims) != PROVEN:
        raise Forbidden("Prove who you are to NHS login first (level P9)", rule="proofing-level")
    found = conn.execute(
        select(person.c.key, person_trait.c.birth_date)
        .join(person, person.c.key == person_trait.c.person)
        .where(
            person_trait.c.nhs_number == str(claims["nhs_number"]),
            person_trait.c.nhs_verified,
            person.c.merged_into.is_(None),
            ~person.c.deceased,
        )
        .distinct()
    ).all()
    keys = {row.key for row in found}
    agrees = any(row.birth_date == claims.get("birthdate") for row in found)
    if len(keys) != 1 or not agrees:
        raise Forbidden(UNKNOWN, rule="person-not-certain")
    return PersonKey(keys.pop())


def _level(claims: Mapping[str, Any]) -> str:
    """`identity_proofing_level`, or the P of the vector of trust: `P9.Cp.Cd`."""
    named = claims.get("identity_proofing_level")
    return str(named) if named else str(claims.get("vot", "")).split(".")[0]


def admit(conn: Connection, user_id: UserId, name: str, key: PersonKey) -> None:
    """Remember that this sign-in is this person. Raises `Forbidden` where it is a worker's."""
    row = {"name": name, "person": key}
    statement = insert(user).values(id=user_id, active=True, **row)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_=row, where=user.c.person.is_not(None))
    if conn.execute(statement.returning(user.c.id)).scalar() is None:
        raise Forbidden("This sign-in belongs to a member of staff", rule="worker-is-not-person")
