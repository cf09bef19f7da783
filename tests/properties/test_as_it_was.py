"""What as-it-was says of a time is what everybody's lens showed at that time, whatever happened since."""

from __future__ import annotations

import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from past_builders import CHANGES, PACKS, Story, known, packs, seen_then
from sqlalchemy import Engine

from carelink.consent.policies import policy_at
from carelink.db import sync
from carelink.place import Place

happenings = st.one_of(
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from(["as it is", *sorted(PACKS)]).map(lambda name: f"the pack: {name}"),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    return packs(tmp_path_factory.mktemp("packs"))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(happenings, st.integers(1, 30)), min_size=1, max_size=7))
def test_the_past_is_as_it_was(engine: Engine, places: dict[str, Place], happened: list[tuple[str, int]]) -> None:
    with engine.connect() as conn:
        sync.sync(conn, places["as it is"])
        story = Story(conn, places["as it is"], NOW)
        story.step(known)
        for what, hours in happened:
            happens(story, places, what, hours)
        told_again(story)
        conn.rollback()


def told_again(story: Story) -> None:
    for at, user, of, was in story.told:
        assert seen_then(story.conn, policy_at(story.conn, at), user, of, at) == was, (at, user, of)


def happens(story: Story, places: dict[str, Place], what: str, hours: int) -> None:
    _, is_pack, name = what.partition("the pack: ")
    if is_pack:
        sync.sync(story.conn, places[name])
        story.step(lambda story: story.switch(places[name]), hours)
    else:
        story.step(CHANGES[what], hours)


def test_there_is_something_to_see_and_it_changes(engine: Engine, places: dict[str, Place]) -> None:
    """The property above is about something: in a story of everything, workers see more than one thing over time."""
    with engine.connect() as conn:
        sync.sync(conn, places["as it is"])
        story = Story(conn, places["as it is"], NOW)
        story.step(known)
        for what in CHANGES:
            happens(story, places, what, 1)
        for name in places:
            happens(story, places, f"the pack: {name}", 1)
        answers: dict[tuple[object, object], set[str]] = {}
        for _, user, of, was in story.told:
            answers.setdefault((user, of), set()).add(str(sorted(was.items())))
        assert max(len(one) for one in answers.values()) >= 8
        assert sum(bool(was) for *_, was in story.told) > 40
        told_again(story)
        conn.rollback()
