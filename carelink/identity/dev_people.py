"""Who can sign in at the development provider: the staff of a place pack, and people as themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carelink.errors import Invalid
from carelink.place import Place


@dataclass(frozen=True)
class DemoUser:
    """One button of the sign-in page, and the claims that it gives."""

    sub: str
    name: str
    about: str
    claims: Mapping[str, Any] = field(default_factory=dict)


def workers(place: Place) -> tuple[DemoUser, ...]:
    """The staff of the place, as their pack names them."""
    return tuple(
        DemoUser(
            staff.id,
            staff.name,
            f"{place.roles[staff.role].label}, {place.organisations[staff.organisation].name}",
        )
        for staff in place.staff.values()
    )


def themselves(sub: str, name: str, nhs_number: str, birthdate: str, level: str = "P9") -> DemoUser:
    """Somebody who looks at their own record, with the claims that NHS login gives."""
    claims = {
        "nhs_number": nhs_number,
        "birthdate": birthdate,
        "identity_proofing_level": level,
        "vot": f"{level}.Cp.Cd",
    }
    return DemoUser(sub, name, "The person, to see their own record", claims)


def read_people(file: Path) -> tuple[DemoUser, ...]:
    """People from a JSON list of {sub, name, nhs_number, birthdate}. Raises `Invalid` for anything else."""
    try:
        rows: Iterable[Mapping[str, str]] = json.loads(file.read_text())
        return tuple(themselves(row["sub"], row["name"], row["nhs_number"], row["birthdate"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise Invalid(str(file), "must be a JSON list of objects with sub, name, nhs_number, birthdate") from wrong
