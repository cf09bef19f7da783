"""One person's page, gathered in few questions, every one through the lens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from carelink import outbox
from carelink.cases import capacity, sections
from carelink.cases.banner import Banner, banner
from carelink.cases.capacity_words import ABOUT
from carelink.cases.sections import Section
from carelink.cases.standing import Standing, labels, standings, told
from carelink.cases.story import Story, Wanted, story
from carelink.consent.lens import Lens
from carelink.errors import NotFound
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from carelink.record.summary import summary
from carelink.record.timeline import Entry
from carelink.record.timeline_clinical import IN_HOSPITAL

MOST_PATIENTS = 100  # Patients of one person: one a source, and a few that were linked
ASK_AGAIN = timedelta(minutes=2)  # a source is not asked at every view of a page


@dataclass(frozen=True)
class PersonPage:
    banner: Banner
    alerts: Section
    allergies: Section
    parts: tuple[Section, ...]
    story: Story
    standings: tuple[Standing, ...]  # as they may be told
    withheld: bool
    labels: Mapping[str, str]  # source -> how pages call it
    unable: tuple[str, ...] = ()  # what the person is found unable to decide about
    sources: tuple[Standing, ...] = field(default=(), repr=False)  # as they are, to be asked anew; told to nobody
    sources_hidden: bool = False  # which organisations hold the record is not told

    def part(self, id_: str) -> Section:
        """The part of that id. Raises StopIteration."""
        return next(one for one in self.parts if one.id == id_)

    @property
    def stays(self) -> tuple[Entry, ...]:
        """Where the person is in hospital now."""
        return tuple(one for one in self.part("encounters").current if one.state == IN_HOSPITAL)


def person_page(conn: Connection, place: Place, lens: Lens, person: PersonKey, asked: Wanted) -> PersonPage:
    """Everything on the page. Raises `NotFound` for a person whom the requester may not know."""
    found = search.run(conn, lens, Query(types=("Patient",), person=person, count=MOST_PATIENTS))
    top = banner(person, found.rows, place)
    if top is None:
        raise NotFound("There is no such person, or you are not involved with them")
    said = summary(conn, lens, person)
    sources, withheld, named = standings(conn, place, person, lens.at), lens.withheld(conn, person), labels(place)
    hidden = any(row.hidden for row in found.rows)
    stand = told(sources, place, lens, hidden=hidden)
    doubt = sections.doubt(stand, withheld)

    def part(shows: sections.Shows) -> Section:
        return sections.section(shows, said, named, doubt)

    return PersonPage(
        banner=top,
        alerts=part(sections.ALERTS),
        allergies=part(sections.ALLERGIES),
        parts=tuple(part(shows) for shows in sections.SECTIONS),
        story=story(conn, lens, person, asked, said.told),
        standings=stand,
        sources=sources,
        sources_hidden=hidden,
        withheld=withheld,
        labels=named,
        unable=tuple(ABOUT[one] for one in capacity.unable(conn, lens, person)),
    )


def refresh_stale(conn: Connection, stand: Sequence[Standing], now: datetime) -> None:
    """Ask for a pull of what is stale and was not asked just now; asked twice, it is pulled once."""
    for one in stand:
        if not one.sure and (one.asked_at is None or now - one.asked_at > ASK_AGAIN):
            outbox.add(conn, "source.pull", {"source": one.source}, now, once=f"pull:{one.source}")
