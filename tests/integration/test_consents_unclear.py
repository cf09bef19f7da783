"""A Consent that can't be read: nothing is shared, a Task tells the lead why, once, and is closed when one can read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from html_reading import wrongs
from ingest_builders import patient, person_of, read, take
from page_builders import lens, nora, objection, page, signed_in, site
from sqlalchemy import Connection, Engine, insert, select

from carelink import clock
from carelink.cases.consent_unclear import note, reviewing, to_look_at
from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.tables import audit_event, outbox, resource, user
from carelink.errors import Forbidden
from carelink.ids import PersonKey
from carelink.jobs.handlers import run
from carelink.jobs.place_changed import fingerprint, work_out
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from carelink.settings import Settings
from fhir_adapters import exact_json
from fhir_adapters.source import Reason, Rejected

SAM, IRIS = "sam.okafor", "iris.lang"
SECOND = timedelta(seconds=1)


def odd(kind: str = "rumours", **more: Any) -> Any:
    return objection(**{"class": [{"system": "https://carelink.example/category", "code": kind}]}, **more)


def tell(conn: Connection, place: Place, what: Any, at: datetime = NOW) -> PersonKey:
    """A source says it, and what follows is done."""
    take(conn, place, [patient("p1"), what], at)
    key = person_of(conn, patient("p1"))
    note(conn, place, [key], at)
    return key


def tasks(conn: Connection) -> list[tuple[int, str, str]]:
    """Version, status and description of each, in the order in which they were made."""
    t = resource.c
    asked = select(t.version, t.body).where(t.type == "Task", t.source == "carelink").order_by(t.last_updated, t.key)
    read_ = [(row.version, exact_json.loads(row.body)) for row in conn.execute(asked)]
    return [(version, body["status"], body["description"]) for version, body in read_]


WHY = "It names a kind of information that this place does not know."


def test_the_lead_is_asked_once_for_each_version(conn: Connection, place: Place) -> None:
    key = tell(conn, place, odd())
    assert tasks(conn) == [(1, "requested", WHY)]
    note(conn, place, [key], NOW + SECOND)
    assert tasks(conn) == [(1, "requested", WHY)]


def test_the_task_says_what_to_look_at_and_whose_work_it_is_and_names_nobody(conn: Connection, place: Place) -> None:
    tell(conn, place, odd())
    row = conn.execute(select(resource).where(resource.c.type == "Task", resource.c.source == "carelink")).one()
    body = exact_json.loads(row.body)
    assert body["code"]["coding"][0]["code"] == "consent-unclear"
    assert body["owner"]["identifier"]["value"] == "QDM"
    assert body["focus"] == {"reference": f"Consent/{read(conn, odd(), NOW).key}"}
    assert row.person is None
    assert "for" not in body
    assert not [name for name in (patient("p1").body["name"][0]["family"], "M-p1") if name in row.body]


def test_nobody_finds_the_task_in_a_record(conn: Connection, place: Place) -> None:
    key = tell(conn, place, odd())
    conn.execute(insert(user).values(id="herself", name="Nora", person=key))
    for who in ("herself", SAM, IRIS, "tom.ellis"):
        found = search.run(conn, lens(conn, place, NOW, who), Query(types=("Task",)))
        assert found.rows == ()


def test_it_is_closed_when_the_consent_can_be_read_again(conn: Connection, place: Place) -> None:
    tell(conn, place, odd())
    tell(conn, place, odd("alerts"), NOW + SECOND)
    assert tasks(conn) == [(2, "completed", WHY)]


def test_it_is_closed_when_the_consent_is_withdrawn(conn: Connection, place: Place) -> None:
    tell(conn, place, odd())
    gone = odd()
    gone.body["status"] = "inactive"
    tell(conn, place, gone, NOW + SECOND)
    assert [status for _, status, _ in tasks(conn)] == ["completed"]


def test_of_a_new_version_that_can_not_be_read_either_the_lead_is_asked_anew(conn: Connection, place: Place) -> None:
    tell(conn, place, odd())
    tell(conn, place, odd(period={"start": "2026-05-01", "end": "2026-04-01"}), NOW + SECOND)
    states = [status for _, status, _ in tasks(conn)]
    assert sorted(states) == ["completed", "requested"]


def test_a_consent_that_can_be_read_makes_no_work(conn: Connection, place: Place) -> None:
    tell(conn, place, odd("alerts"))
    assert tasks(conn) == []


def test_the_lead_sees_reasons_and_sources_and_not_the_record(conn: Connection, place: Place) -> None:
    tell(conn, place, odd())
    (one,) = to_look_at(conn, place, lens(conn, place, NOW, IRIS))
    assert (one.source, one.organisation) == ("Hospital", "Dale Valley Hospitals NHS Trust")
    assert one.reasons == (WHY[:1].lower() + WHY[1:].rstrip("."),)
    assert one.stored
    kept = conn.execute(
        select(audit_event.c.user, audit_event.c.query).order_by(audit_event.c.id.desc()).limit(1)
    ).one()
    assert tuple(kept) == (IRIS, "consents that can't be read")


def test_what_could_not_even_be_stored_is_listed_too(conn: Connection, place: Place) -> None:
    why = (Reason("Consent.status", "is required"),)
    take(conn, place, [patient("p1")], NOW, rejected=[Rejected("Consent", "c9", "{}", why)])
    (one,) = to_look_at(conn, place, lens(conn, place, NOW, IRIS))
    assert (one.stored, one.reasons) == (False, ("Consent.status: is required",))


def test_a_worker_is_not_told_of_other_peoples_consents(conn: Connection, place: Place) -> None:
    with pytest.raises(Forbidden):
        to_look_at(conn, place, lens(conn, place, NOW, SAM))


def test_it_is_the_work_of_the_role_that_reviews(place: Place) -> None:
    assert reviewing(place).ods == "QDM"


def test_a_worker_process_asks_the_lead_when_the_record_changed(engine: Engine, place: Place) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
        nora(conn, place, NOW)
        take(conn, place, [odd()], NOW)
        work = conn.execute(select(outbox.c.id).where(outbox.c.kind == "record.changed")).scalars().all()
    shop = Shop(engine, place, Settings(), clock.now)
    assert all(run(shop, id_) for id_ in work)
    with engine.connect() as conn:
        assert [status for _, status, _ in tasks(conn)] == ["requested"]
        assert search.run(conn, Lens.system("test", NOW), Query(types=("Task",))).rows
    told = page(signed_in(site(engine, place), IRIS, clock.now()), "/consents/unclear")
    assert WHY[:-1] in told.one("table").text
    assert wrongs(told) == []
    assert "Hart" not in told.text


def test_a_permission_by_somebody_who_may_not_give_it_is_told_too(conn: Connection, place: Place) -> None:
    son = {"type": "RelatedPerson", "display": "Her son"}
    permits = objection(type="permit")
    permits.body["performer"] = [son]
    tell(conn, place, permits)
    ((_, status, why),) = tasks(conn)
    assert status == "requested"
    assert "Her son" not in why
    assert to_look_at(conn, place, lens(conn, place, NOW, IRIS))[0].reasons


def test_a_changed_pack_that_knows_what_was_named_closes_what_the_lead_was_asked(engine: Engine, place: Place) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
        tell(conn, place, odd())
    knows = replace(place, categories={**place.categories, "rumours": "Rumours"})
    work_out(Shop(engine, knows, Settings(), clock.now), {"fingerprint": fingerprint(knows)})
    with engine.connect() as conn:
        assert [status for _, status, _ in tasks(conn)] == ["completed"]
