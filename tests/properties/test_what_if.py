"""What-if counts exactly what everybody's lens shows more and less once the pack is really switched on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from past_builders import CHANGES, LABELLING, PACKS, Story, known, packs
from sqlalchemy import Connection, Engine, and_, select

from carelink.cases.rehearsal import Report, Row, what_if
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.what_if_deciding import GAINS, HIDES, LOCATES, LOSES
from carelink.db import sync
from carelink.db.tables import person, relationship, resource
from carelink.ids import Ods, PersonKey, ResourceKey, UserId
from carelink.place import Place
from carelink.record.relabelling import relabel

EVENING = NOW + timedelta(hours=8)  # the team that stands in for the others is on duty, as what-if takes it to be
HAPPENINGS = sorted(CHANGES.keys() - {"glass is broken", "weeks pass"})
NOT, LESS, FULL = 0, 1, 2
Views = dict[tuple[UserId, PersonKey], dict[ResourceKey, tuple[int, str]]]  # how much is seen, of which category


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    return packs(tmp_path_factory.mktemp("packs"))


def views(conn: Connection, place: Place, people: list[PersonKey]) -> Views:
    """What everybody sees of everybody: the most that any purpose of their role shows."""
    seen: Views = {}
    for of in people:
        for one in place.staff.values():
            shown: dict[ResourceKey, tuple[int, str]] = {}
            for purpose in place.roles[one.role].purposes:
                type_ = place.organisations[one.organisation].type
                asks = Requester(one.id, one.name, one.organisation, type_, one.role, purpose, one.team)
                for key, view in view_of(conn, Lens.compile(place, asks, EVENING), of).items():
                    shown[key] = max(view, shown.get(key, view))
            seen[one.id, of] = shown
        own = Requester(UserId("self"), "", Ods(""), "", "person", place.roles["person"].purposes[0], person=of)
        seen[UserId("self"), of] = view_of(conn, Lens.compile(place, own, EVENING), of)
    return seen


def view_of(conn: Connection, lens: Lens, of: PersonKey) -> dict[ResourceKey, tuple[int, str]]:
    less = and_(lens.hidden(), resource.c.redacted.is_not(None)).label("less")
    asked = select(resource.c.key, resource.c.category, less)
    rows = conn.execute(asked.where(resource.c.person == of, resource.c.deleted.is_(False), lens.where()))
    return {row.key: (LESS if row.less else FULL, row.category) for row in rows}


def switched_on(story: Story, place: Place) -> None:
    """As a worker brings it in: who is involved, what consents say, and every label."""
    story.at += timedelta(minutes=1)
    story.switch(place)
    keys = [ResourceKey(one) for one in story.conn.execute(select(resource.c.key).where(~resource.c.deleted)).scalars()]
    relabel(story.conn, place, Lens.system("test", story.at), keys, story.at)


@dataclass
class Expected:
    people: set[PersonKey] = field(default_factory=set)
    items: set[ResourceKey] = field(default_factory=set)
    users: set[object] = field(default_factory=set)


CHANGE = {(NOT, LESS): GAINS, (NOT, FULL): GAINS, (LESS, FULL): LOCATES, (LESS, NOT): LOSES, (FULL, NOT): LOSES, (FULL, LESS): HIDES}  # fmt: skip


def expected(before: Views, after: Views, now: Place, tried: Place) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """By change, organisation, role and category: people, items, users."""
    found: dict[tuple[str, ...], Expected] = defaultdict(Expected)
    for user, of in before.keys() | after.keys():
        was, will = before.get((user, of), {}), after.get((user, of), {})
        for key in was.keys() | will.keys():
            change = CHANGE.get((was.get(key, (NOT, ""))[0], will.get(key, (NOT, ""))[0]))
            if change is None:
                continue
            more = change in (GAINS, LOCATES)
            worker = (tried if more else now).staff.get(user)
            group = (change, worker.organisation, worker.role) if worker else (change, "", "person")
            one = found[*group, (will if more else was)[key][1]]
            one.people.add(of)
            one.items.add(key)
            one.users.add(user if worker else of)
    return {group: (len(one.people), len(one.items), len(one.users)) for group, one in found.items()}


def said(report: Report) -> dict[tuple[str, ...], tuple[int, int, int]]:
    def group(row: Row) -> tuple[str, ...]:
        return (row.change, row.organisation, row.role, row.category)

    return {group(row): (row.people, row.items, row.users) for row in report.rows}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.sampled_from(HAPPENINGS), max_size=5),
    st.sampled_from(["as it is", *sorted(PACKS)]),
    st.sampled_from(["as it is", *sorted(PACKS), *sorted(LABELLING)]),
)
def test_what_is_tried_is_what_comes(
    engine: Engine, places: dict[str, Place], happened: list[str], now: str, tried: str
) -> None:
    with engine.connect() as conn:
        assert tries(conn, places, happened, now, tried) is not None
        conn.rollback()


def tries(
    conn: Connection, places: dict[str, Place], happened: list[str], now: str, tried: str
) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """What-if says it, then the pack is switched on and does it."""
    sync.sync(conn, places[now])
    story = Story(conn, places[now], NOW)
    for change in (known, *(CHANGES[one] for one in happened)):
        story.at += timedelta(minutes=1)
        change(story)
    story.switch(places[now])
    people = [
        PersonKey(one) for one in conn.execute(select(person.c.key).where(person.c.merged_into.is_(None))).scalars()
    ]
    report = what_if(conn, places[now], places[tried], EVENING, "operator:ada")
    before = views(conn, places[now], people)
    switched_on(story, places[tried])
    wanted = expected(before, views(conn, places[tried], people), places[now], places[tried])
    assert said(report) == wanted
    return wanted


@pytest.mark.parametrize("tried", [*sorted(PACKS), *sorted(LABELLING)])
def test_each_pack_of_the_property_changes_something(engine: Engine, places: dict[str, Place], tried: str) -> None:
    with engine.connect() as conn:
        happened = ["the allocation ends"] if tried == "no days of grace" else ["she is restricted"]
        assert tries(conn, places, happened, "as it is", tried)
        conn.rollback()


def test_nothing_changes_where_nothing_differs(engine: Engine, places: dict[str, Place]) -> None:
    with engine.connect() as conn:
        assert tries(conn, places, ["she objects to one kind"], "as it is", "as it is") == {}
        assert conn.execute(select(relationship.c.id)).first() is not None
        conn.rollback()
