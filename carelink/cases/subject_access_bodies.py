"""What the items of a package say, read from the store: all versions of each resource, under the lens of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.cases.plain_words import readable
from carelink.cases.subject_access_package import Item
from carelink.consent.lens import Lens
from carelink.db.among import among
from carelink.db.tables import resource_version
from carelink.record.timeline_values import Body
from fhir_adapters import exact_json

_AT_ONCE = 500  # resources


def bodies_of(conn: Connection, lens: Lens, items: Iterable[Item]) -> Mapping[str, tuple[Body, ...]]:
    """Key -> its versions up to the one that was gathered, oldest first; those that say nothing are left out."""
    wanted = {UUID(one.key): one.version for one in items if one.key}
    keys = sorted(wanted)
    found: dict[str, list[Body]] = {}
    v = resource_version.c
    for start in range(0, len(keys), _AT_ONCE):
        asked = select(v.key, v.version, lens.body(resource_version).label("body")).where(
            among(v.key, keys[start : start + _AT_ONCE]), v.deleted.is_(False), lens.where(resource_version)
        )
        for row in conn.execute(asked.order_by(v.key, v.version)):
            if row.version <= wanted[row.key]:
                found.setdefault(str(row.key), []).append(exact_json.loads(row.body))
    return {key: tuple(bodies) for key, bodies in found.items()}


def text_of(conn: Connection, lens: Lens, item: Item) -> str:
    """Every text in any version of the item, on behalf of who reviews it."""
    if not item.key:
        return "\n".join((item.title, *item.lines))
    on_behalf = Lens.system("the review of a subject access request", lens.at, lens.user)
    bodies = bodies_of(conn, on_behalf, [item]).get(item.key, ())
    return "\n".join(text for body in bodies for text in _texts(body))


def _texts(body: Body) -> Iterable[str]:
    yield from readable(body)
    for one in body.get("identifier", ()):
        yield from readable(one)
