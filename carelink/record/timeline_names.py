"""How the workers, organisations, places and medicines are called that a page's resources name: one question a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.record.query import Row
from carelink.record.timeline_values import Body, Names, called
from fhir_adapters import exact_json

_NAMED = re.compile(
    r'"reference":"(?:Practitioner|PractitionerRole|RelatedPerson|Organization|Location|HealthcareService|Medication)/([0-9a-f-]{36})"'
)

Read = Sequence[tuple[Row, Body]]


def opened(rows: Iterable[Row]) -> Read:
    """Each row with its body, read once."""
    return [(row, exact_json.loads(row.body)) for row in rows]


def names_in(conn: Connection, lens: Lens, rows: Sequence[Row]) -> Names:
    """The names of all that these rows refer to, as far as this requester may see it."""
    wanted = {ResourceKey(UUID(key)) for row in rows for key in _NAMED.findall(row.body)}
    found = search.by_keys(conn, lens, wanted)
    return Names({f"{row.type}/{row.key}": called(body) for row, body in opened(found)})
