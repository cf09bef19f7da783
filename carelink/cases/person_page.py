"""One person's page, gathered in few questions, every one through the lens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from carelink import outbox
from carelink.cases import sections
from carelink.cases.banner import Banner, banner
from carelink.cases.sections import Section
from carelink.cases.standing import Standing, standings
from carelink.consent.lens import Lens
from carelink.errors import NotFound
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query

MOST = 1000  # items of one person in the summary parts; the timeline pages through all
ASK_AGAIN = timedelta(minutes=2)  # a source that is failing is not asked at every view of a page


@dataclass(frozen=True)
class PersonPage:
    banner: Banner
    alerts: Section
    allergies: Section
    legal: Section
    parts: tuple[Section, ...]
    standings: tuple[Standing, ...]
    withheld: bool


def person_page(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> PersonPage:
    """Everything on the page but the timeline. Raises `NotFound` for a person whom the requester may not know."""
    page = search.run(conn, lens, Query(types=tuple(sorted(sections.TYPES)), person=person, count=MOST))
    top = banner(person, [row for row in page.rows if row.type == "Patient"], place)
    if top is None:
        raise NotFound("There is no such person, or you are not involved with them")
    stand = standings(conn, place, person, lens.at)
    read = sections.opened(row for row in page.rows if row.type != "Patient")
    withheld = lens.withheld(conn, person)

    def part(shows: sections.Shows) -> Section:
        return sections.section(shows, read, place, stand, withheld)

    return PersonPage(
        top,
        part(sections.ALERTS),
        part(sections.ALLERGIES),
        part(sections.LEGAL),
        tuple(part(shows) for shows in sections.SECTIONS),
        stand,
        withheld,
    )


def refresh_stale(conn: Connection, person: PersonKey, stand: Sequence[Standing], now: datetime) -> None:
    """Ask for a pull of what is stale; asked twice, it is pulled once."""
    for one in stand:
        if one.stale or one.failing_since is not None:
            outbox.add(conn, "source.pull", {"source": one.source}, now, once=f"source.pull:{one.source}")
