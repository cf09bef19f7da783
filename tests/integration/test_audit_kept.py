"""What a row of the audit says beside who looked at whom: by what relationship, for whom it was viewed, how grave it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import NOW
from consent_builders import DAY, HOSPITAL, NORTH, PLACE, SURGERY, facts, lens_of, related, staff, themselves
from consent_records import Person, Thing, person, store
from sqlalchemy import Connection, select

from carelink.audit.trail import Event, append
from carelink.consent.facts import Labelled, Related
from carelink.consent.lens import Lens
from carelink.db.tables import audit_event
from carelink.ids import UserId
from carelink.place import OnDuty
from carelink.record import search
from carelink.record.query import Query

ANN = person(0)
NIGHT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)


def known_by(conn: Connection, *relations: Related) -> None:
    """Ann, of whom council, practice and hospital hold something, and who these say is involved with her."""
    held = [
        Thing(number, "Condition", Labelled(ANN, custodian, "problems"))
        for number, custodian in enumerate((NORTH, SURGERY, HOSPITAL))
    ]
    store(conn, [Person(facts(*relations), tuple(held))], [])


def kept(conn: Connection, lens: Lens) -> Any:
    """The row of a look at Ann."""
    search.run(conn, lens, Query(("Condition",), person=ANN))
    return conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()


def test_a_look_says_by_which_relationships_it_was_had(conn: Connection) -> None:
    known_by(conn, related(user="sam"), related("referral", NORTH), related("encounter", HOSPITAL))
    assert sorted(kept(conn, lens_of(staff("sam"))).detail["relationships"]) == ["caseload", "referral"]
    assert kept(conn, lens_of(staff("nadia"))).detail == {"relationships": ["encounter"]}


def test_a_look_of_somebody_who_is_not_involved_says_none(conn: Connection) -> None:
    known_by(conn, related(user="sam"))
    assert kept(conn, lens_of(staff("lena"))).detail is None


@pytest.mark.parametrize("lens", [Lens.system("a job", NOW), lens_of(themselves(ANN)), lens_of(staff("iris"))])
def test_a_look_that_rests_on_no_relationship_says_none(conn: Connection, lens: Lens) -> None:
    known_by(conn, related(user="sam"), related("encounter", staff("iris").organisation))
    assert kept(conn, lens).detail is None


def test_who_views_as_another_is_kept_as_themselves_without_the_others_role(conn: Connection) -> None:
    known_by(conn, related(user="sam"))
    row = kept(conn, lens_of(replace(staff("sam"), behind=UserId("iris"))))
    assert (row.user, row.organisation, row.role, row.purpose) == ("iris", None, None, None)
    told = {"view_of": "sam", "organisation": NORTH, "role": "social-worker", "purpose": "CAREMGT"}
    assert row.detail == {**told, "relationships": ["caseload"]}


def test_broken_glass_is_grave(conn: Connection) -> None:
    append(conn, Event("break-glass", staff("sam"), ANN, detail={"reason": "emergency"}), NOW)
    append(conn, Event("sign-in", staff("sam")), NOW)
    rows = conn.execute(select(audit_event.c.detail).order_by(audit_event.c.id)).scalars().all()
    assert rows[-2:] == [{"reason": "emergency", "severity": "high"}, None]


EVERY_KIND = [
    related(user="sam"),
    related(user="lena"),
    related(team="adults-north"),
    related(team="adults-west"),
    related("referral", NORTH),
    related("encounter", HOSPITAL),
    related("registered-practice", SURGERY),
    related(user="sam", starts=NOW + DAY),
    related(user="sam", ends=NOW),
    related(user="sam", ends=NOW + DAY),
]


@pytest.mark.parametrize("relation", EVERY_KIND)
@pytest.mark.parametrize("worker", ["sam", "lena", "gwen", "nadia", "tom"])
def test_a_look_says_a_relationship_exactly_where_the_lens_sees_one(
    conn: Connection, relation: Related, worker: str
) -> None:
    known_by(conn, relation)
    lens = lens_of(staff(worker))
    row = kept(conn, lens)
    assert bool((row.detail or {}).get("relationships")) == lens.person_visible(conn, ANN)


@pytest.mark.parametrize("at", [NOW, NIGHT])
def test_a_team_on_duty_is_told_as_the_lens_sees_it(conn: Connection, at: datetime) -> None:
    known_by(conn, related(user="lena"))
    place = replace(PLACE, on_duty=(OnDuty(NORTH, "adults-north", ("tue",), "20:00", "08:00", "test"),))
    lens = lens_of(staff("sam"), place, at)
    assert bool((kept(conn, lens).detail or {}).get("relationships")) == lens.person_visible(conn, ANN) == (at is NIGHT)
