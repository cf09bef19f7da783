"""What a change of consents would do, worked out from what the requester may see, so that nothing else is told by it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.cases.consent_effect import Change, Known, effect
from carelink.cases.consent_form import How, Taken, Wish, consent
from carelink.cases.consent_list import rows_of
from carelink.consent.capacity_facts import mind_of
from carelink.consent.compiling import compile_consent
from carelink.consent.effect import effect as heeded
from carelink.consent.facts import Related
from carelink.consent.lens import Lens
from carelink.db.tables import relationship, resource
from carelink.ids import Ods, PersonKey, ResourceKey, UserId
from carelink.place import Place
from fhir_adapters import exact_json

NEW = ResourceKey(UUID(int=0))  # stands for the Consent that is not stored yet


def preview(
    conn: Connection,
    place: Place,
    lens: Lens,
    person: PersonKey,
    wish: Wish | None,
    replaced: ResourceKey | None = None,
) -> tuple[Change, ...]:
    """Who loses or gains what by this wish beside, or in the place of, the consents that there are.

    None is a withdrawal. Who is involved, and which consents there are, is as the requester may know it.
    """
    mind = mind_of(conn, lens, person)
    held = [
        replace(one, consent=row.key)
        for row in rows_of(conn, lens, person)
        for one in heeded(exact_json.loads(row.body), place, mind, row.last_updated).directives
    ]
    after = [one for one in held if one.consent != replaced]
    if wish is not None:
        key = replaced or NEW
        new = compile_consent(consent(key, wish, _taken(lens, person)), place).directives
        after += [replace(one, consent=key) for one in new]
    known = Known(person, _related(conn, lens, person), tuple(held), tuple(after))
    return effect(place, known, lens, hides=lens.hides_holders(conn, person))


def _taken(lens: Lens, person: PersonKey) -> Taken:
    return Taken(person, {"reference": f"Patient/{person}"}, How.ONLINE, lens.at, Ods(""))


def _related(conn: Connection, lens: Lens, person: PersonKey) -> tuple[Related, ...]:
    """Who is involved, as far as the requester may see what says so."""
    t = relationship.c
    asked = (
        select(t.kind, t.organisation, t.starts, t.ends, t.team, t.user)
        .join(resource, resource.c.key == t.origin)
        .where(t.person == person, resource.c.deleted.is_(False), lens.where(resource))
        .order_by(t.id)
    )
    return tuple(
        Related(row.kind, Ods(row.organisation), row.starts, row.ends, row.team, row.user and UserId(row.user))
        for row in conn.execute(asked)
    )
