"""One job gathers everything that is held about a person into a package that a human reviews (UK GDPR Art 15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.cases import subject_access_about as about
from carelink.cases import subject_access_records as records
from carelink.cases.banner import UNKNOWN, deceased, nhs_number
from carelink.cases.subject_access_package import Item, Package
from carelink.cases.subject_access_rules import Looked, Others, propose
from carelink.consent.lens import Lens
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.timeline_values import human_name


def gather(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> Package:
    """Everything, each item with what is proposed for it. Under a system lens, whose reason names the request.

    Audited as `gather`, with the number of items.
    """
    found, names = records.held(conn, lens, person)
    others = records.others_in(found)
    beside = tuple(_proposed(one, others) for one in about.beside(conn, place, person))
    items = (*records.items(place, found, names), *beside)
    parts = (*records.parts(place), *(part for part, _ in about.PARTS))
    append(
        conn,
        Event("gather", None, person, query="subject access", count=len(items), reason=lens.reason, user=lens.user),
        lens.at,
    )
    filled = {one.part for one in items}
    return Package(tuple(part for part in parts if part.id in filled), items, facts(records.facts(found, person)))


def _proposed(item: Item, others: Others) -> Item:
    """What stands beside the record is looked through too: somebody's words may tell of others."""
    type_ = "quarantine" if item.part == "refused" else item.part
    return replace(item, proposal=propose(Looked(type_, frozenset(), (), "\n".join((item.title, *item.lines))), others))


def facts(golden: Mapping[str, Any]) -> Mapping[str, str]:
    """Whom it is about."""
    return {
        "name": human_name(golden.get("name")) or UNKNOWN,
        "born": str(golden.get("birthDate", "")),
        "nhs_number": nhs_number(golden),
        "deceased": deceased(golden),
    }
