"""Systems subscribe by the FHIR API, and hear of what they may see: signed, numbered, in order, and no more than that."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fhir_builders import ON_THE_WARD, api, entries, link, people, read, registered, system, trail, wrong
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import condition, item, key, take
from sqlalchemy import Engine, select, update
from subscription_builders import (
    JSON,
    SCOPES,
    Clock,
    Server,
    Works,
    asking,
    events,
    lets,
    receiving,
    secret_of,
    status_of,
)

from carelink.cases.subscription_sending import TRIES
from carelink.db.tables import client, subscription_event
from carelink.ids import ODS, PersonKey
from carelink.place import Place
from fhir_adapters.simulators.serving import Asked

WHERE = "/fhir/R4/Subscription"


@pytest.fixture
def clock(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())
    return Clock(now)


@pytest.fixture
def server(clock: Clock) -> Iterator[Server]:
    with receiving(clock) as made:
        yield made


@pytest.fixture
def here(place: Place, server: Server) -> Place:
    return lets(place, server.url)


@pytest.fixture
def known(engine: Engine, here: Place, clock: Clock) -> dict[str, PersonKey]:
    found = people(engine, here)
    Works(engine, here, clock).all()
    clock.later(minutes=1)
    return found


@pytest.fixture
def app(engine: Engine, here: Place, known: dict[str, PersonKey]) -> Flask:
    return api(engine, here)


@pytest.fixture
def ward(app: Flask, here: Place) -> FlaskClient:
    return system(app, here, "ward", "RDV", "nurse", SCOPES)


@pytest.fixture
def works(engine: Engine, here: Place, clock: Clock) -> Works:
    return Works(engine, here, clock)


@pytest.fixture
def tell(engine: Engine, here: Place, clock: Clock, works: Works, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Something changes a minute later, and all that follows is done."""

    def told(*items: Any) -> None:
        clock.later(minutes=1)
        monkeypatch.setenv("CARELINK_NOW", clock.now.isoformat())
        with engine.begin() as conn:
            take(conn, here, items, clock.now)
        works.all()

    return told


def subscribe(ward: FlaskClient, server: Server, works: Works, *topic: str, **more: Any) -> dict[str, Any]:
    """An active one; its receiver knows the secret."""
    made = ward.post(WHERE, json=asking(server.url, *topic, **more), content_type=JSON)
    assert made.status_code == 201, made.text
    body: dict[str, Any] = read(made)
    server.receiver.secret = secret_of(body)
    works.all()
    assert read(ward.get(f"{WHERE}/{body['id']}"))["status"] == "active"
    server.receiver.took.clear()
    return body


# The resource ---------------------------------------------------------------------------------------


def test_a_subscription_is_made_shows_its_secret_once_and_is_active_after_its_handshake(
    ward: FlaskClient, server: Server, works: Works
) -> None:
    made = ward.post(WHERE, json=asking(server.url, "new-referral"), content_type=JSON)
    assert made.status_code == 201
    body = read(made)
    assert (body["status"], made.headers["ETag"]) == ("requested", 'W/"1"')
    assert made.headers["Location"].startswith(f"http://localhost{WHERE}/{body['id']}")
    server.receiver.secret = secret_of(body)
    works.all()
    [shaken] = server.receiver.took
    assert (shaken["type"], status_of(shaken, "type"), events(shaken)) == ("history", "handshake", [])
    kept = read(ward.get(f"{WHERE}/{body['id']}"))
    assert (kept["status"], kept["meta"]["versionId"], kept.get("error")) == ("active", "2", None)
    assert secret_of(body) not in str(kept)
    assert kept["channel"] == asking(server.url)["channel"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"criteria": "Task?status=requested"}, "Subscription.criteria"),
    ({"status": "active"}, "Subscription.status"),
    ({"status": "off"}, "Subscription.status"),
    ({"end": "2020-01-01T00:00:00Z"}, "Subscription.end"),
    ({"reason": None}, "Subscription.reason"),
    ({"channel": {"type": "email", "endpoint": "mailto:a@b.example"}}, "Subscription.channel.type"),
    ({"channel": {"type": "rest-hook"}}, "Subscription.channel.endpoint"),
    ({"_criteria": {"extension": [{"url": "urn:x", "valueString": "x"}]}}, "Subscription.criteria.extension"),
]


@pytest.mark.parametrize(
    ("changed", "where"), WRONG, ids=[place + str(number) for number, (_, place) in enumerate(WRONG)]
)
def test_what_is_not_done_here_is_refused_by_its_place(
    ward: FlaskClient, server: Server, changed: dict[str, Any], where: str
) -> None:
    sent = {name: value for name, value in (asking(server.url) | changed).items() if value is not None}
    issue = wrong(ward.post(WHERE, json=sent, content_type=JSON), 400, "invalid")
    assert issue["expression"] == [where]


CHANNELS: list[tuple[dict[str, Any], str]] = [
    ({"header": ["Authorization: x"]}, "Subscription.channel.header"),
    ({"payload": "text/plain"}, "Subscription.channel.payload"),
    ({"_payload": None}, "Subscription.channel.payload.extension"),
    ({"endpoint": "https://elsewhere.example/hook"}, "Subscription.channel.endpoint"),
    ({"endpoint": "http://169.254.169.254/latest"}, "Subscription.channel.endpoint"),
    ({"extension": [{"url": "urn:heartbeat", "valueUnsignedInt": 60}]}, "Subscription.channel.extension"),
]


@pytest.mark.parametrize(("changed", "where"), CHANNELS, ids=[place + str(n) for n, (_, place) in enumerate(CHANNELS)])
def test_a_channel_that_is_not_served_is_refused_by_its_place(
    ward: FlaskClient, server: Server, changed: dict[str, Any], where: str
) -> None:
    sent = asking(server.url)
    sent["channel"] = {name: value for name, value in (sent["channel"] | changed).items() if value is not None}
    assert wrong(ward.post(WHERE, json=sent, content_type=JSON), 400, "invalid")["expression"] == [where]


CLIMBS = ["/../x", "x", "/a/../../x", "?to=x", "#x", "/%2e%2e/x", "/\\x"]


@pytest.mark.parametrize("added", CLIMBS)
def test_an_address_beside_the_one_that_is_listed_is_refused(ward: FlaskClient, server: Server, added: str) -> None:
    answer = ward.post(WHERE, json=asking(server.url + added), content_type=JSON)
    assert wrong(answer, 400, "invalid")["expression"] == ["Subscription.channel.endpoint"]


def test_a_filter_that_the_topic_has_not_is_refused(ward: FlaskClient, server: Server) -> None:
    for text in ("Task?owner=x", "Encounter?note=x", "Encounter", "Encounter?"):
        answer = ward.post(WHERE, json=asking(server.url, "discharge", filters=[text]), content_type=JSON)
        assert wrong(answer, 400, "invalid")["expression"] == ["Subscription.criteria.extension"]


def test_nobody_subscribes_without_the_scope_or_for_an_address_of_others(
    app: Flask, here: Place, server: Server
) -> None:
    reader = system(app, here, "reader", "RDV", "nurse", "system/*.rs")
    wrong(reader.post(WHERE, json=asking(server.url), content_type=JSON), 403, "forbidden")
    council = system(app, here, "council", "901", "social-worker", SCOPES)
    assert wrong(council.post(WHERE, json=asking(server.url), content_type=JSON), 400, "invalid")


def test_only_its_client_knows_of_a_subscription(
    app: Flask, here: Place, ward: FlaskClient, server: Server, works: Works
) -> None:
    body = subscribe(ward, server, works)
    other = system(app, here, "other", "RDV", "nurse", SCOPES)
    unknown = other.get(f"{WHERE}/00000000-0000-0000-0000-000000000000")
    for answer in (
        other.get(f"{WHERE}/{body['id']}"),
        other.delete(f"{WHERE}/{body['id']}"),
        other.get(f"{WHERE}/{body['id']}/$status"),
        other.get(f"{WHERE}/{body['id']}/$events"),
        other.put(f"{WHERE}/{body['id']}", json=asking(server.url) | {"id": body["id"]}, content_type=JSON),
    ):
        assert (answer.status_code, answer.data) == (404, unknown.data)
    assert entries(read(other.get(WHERE))) == []
    assert [one["id"] for one in entries(read(ward.get(WHERE)))] == [body["id"]]


def test_subscriptions_are_found_by_what_metadata_names_and_paged(ward: FlaskClient, server: Server) -> None:
    made = [
        read(ward.post(WHERE, json=asking(server.url, topic), content_type=JSON))
        for topic in ("discharge", "new-referral")
    ]
    found = entries(read(ward.get(WHERE, query_string={"criteria": made[0]["criteria"], "status": "requested,active"})))
    assert [one["id"] for one in found] == [made[0]["id"]]
    assert entries(read(ward.get(WHERE, query_string={"status": "off"}))) == []
    first = read(ward.get(f"{WHERE}?_count=1"))
    second = read(ward.get(link(first, "next")))
    ids = [one["id"] for page in (first, second) for one in entries(page)]
    assert (sorted(ids), link(second, "next"), first["total"]) == (sorted(one["id"] for one in made), "", 2)
    wrong(ward.get(f"{WHERE}?payload=x"), 400, "invalid")
    posted = ward.post(f"{WHERE}/_search", data={"_id": made[1]["id"]})
    assert [one["id"] for one in entries(read(posted))] == [made[1]["id"]]


def test_an_update_switches_off_and_asks_anew_and_knows_a_version_that_is_over(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    body = subscribe(ward, server, works)
    where, sent = f"{WHERE}/{body['id']}", asking(server.url) | {"id": body["id"]}
    assert ward.put(where, json=sent, content_type=JSON, headers={"If-Match": 'W/"1"'}).status_code == 412
    off = ward.put(where, json=sent | {"status": "off"}, content_type=JSON, headers={"If-Match": 'W/"2"'})
    assert (off.status_code, read(off)["status"], read(off)["meta"]["versionId"]) == (200, "off", "3")
    tell(condition("c1", "ann", code="44054006"))
    assert server.receiver.took == []
    again = ward.put(where, json=sent, content_type=JSON)
    assert read(again)["status"] == "requested"
    works.all()
    assert [status_of(one, "type") for one in server.receiver.took] == ["handshake"]
    tell(condition("c1", "ann", code="73211009"))
    assert [number for number, _ in events(server.receiver.took[-1])] == [1]


def test_what_is_asked_for_anew_while_a_delivery_is_under_way_is_shaken_hands_with_once_more(
    ward: FlaskClient, server: Server, works: Works
) -> None:
    made = read(ward.post(WHERE, json=asking(server.url), content_type=JSON))
    where, answer = f"{WHERE}/{made['id']}", server.receiver.answer
    sent = asking(server.url, "discharge") | {"id": made["id"]}

    def meanwhile(asked: Asked) -> Any:
        """The client asks for another topic before the handshake of the first one is answered."""
        server.running.replace(answer)
        assert ward.put(where, json=sent, content_type=JSON).status_code == 200
        return answer(asked)

    server.running.replace(meanwhile)
    works.all()
    told = [(status_of(one, "type"), status_of(one, "topic").rpartition("/")[2]) for one in server.receiver.took]
    assert told == [("handshake", "record-changed"), ("handshake", "discharge")]
    assert read(ward.get(where))["status"] == "active"


def test_what_is_deleted_is_told_no_more(ward: FlaskClient, server: Server, works: Works, tell: Any) -> None:
    body = subscribe(ward, server, works)
    assert ward.delete(f"{WHERE}/{body['id']}").status_code == 204
    wrong(ward.get(f"{WHERE}/{body['id']}"), 404, "not-found")
    tell(condition("c1", "ann", code="44054006"))
    assert server.receiver.took == []


def test_making_changing_and_ending_one_is_in_the_audit(
    ward: FlaskClient, server: Server, works: Works, engine: Engine
) -> None:
    body = subscribe(ward, server, works)
    ward.delete(f"{WHERE}/{body['id']}")
    told = [(one.action, one.user, one.detail) for one in trail(engine) if one.query == "Subscription"]
    assert told == [(act, "client:ward", {"resource": body["id"]}) for act in ("create", "delete")]


# What is told ---------------------------------------------------------------------------------------


def focuses(server: Server) -> list[tuple[int, str]]:
    return [
        (number, focus.removeprefix("http://localhost/fhir/R4/"))
        for bundle in server.receiver.took
        for number, focus in events(bundle)
    ]


def test_a_change_is_told_once_by_its_id_signed_and_numbered(
    ward: FlaskClient, server: Server, works: Works, tell: Any, engine: Engine, known: dict[str, PersonKey]
) -> None:
    body = subscribe(ward, server, works)
    changed = condition("c1", "ann", code="44054006")
    tell(changed)
    tell(changed)  # the same again is no change
    [bundle] = server.receiver.took
    assert focuses(server) == [(1, f"Condition/{key(changed)}")]
    assert (bundle["type"], status_of(bundle, "type"), status_of(bundle, "eventsSinceSubscriptionStart")) == (
        "history",
        "event-notification",
        "1",
    )
    assert [("resource" in one, one["fullUrl"].rpartition("/")[2]) for one in bundle["entry"][1:]] == [
        (False, str(key(changed)))
    ]
    assert status_of(bundle, "subscription") == str({"reference": f"http://localhost{WHERE}/{body['id']}"})
    looks = [one for one in trail(engine) if one.action == "notify"]
    assert [(one.user, one.person, one.query, one.count) for one in looks] == [
        ("client:ward", known["ann"], "record-changed id-only", 1)
    ]


def test_the_signature_is_over_time_and_body_and_an_old_one_is_refused(
    ward: FlaskClient, server: Server, works: Works, tell: Any, clock: Clock
) -> None:
    body = subscribe(ward, server, works)
    tell(condition("c1", "ann", code="44054006"))
    sent = server.receiver.bodies[-1]
    at = str(int(clock.now.timestamp()))
    good = "v1=" + hmac.new(secret_of(body).encode(), at.encode() + b"." + sent, hashlib.sha256).hexdigest()
    assert server.receiver._disbelieved(_sent(sent, at, good)) == ""
    assert server.receiver._disbelieved(_sent(sent + b" ", at, good)) != ""
    clock.later(minutes=6)
    assert server.receiver._disbelieved(_sent(sent, at, good)) == "it is old"


def _sent(body: bytes, at: str, signature: str) -> Any:

    return Asked("POST", "/notifications", {}, {"x-carelink-timestamp": at, "x-carelink-signature": signature}, body)


def test_a_full_resource_is_the_text_that_a_read_gives_and_an_empty_one_says_nothing(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    full = subscribe(ward, server, works, content="full-resource")
    tell(condition("c1", "ann", code="44054006"))
    [bundle] = server.receiver.took
    where = bundle["entry"][1]["fullUrl"].removeprefix("http://localhost")
    assert ward.get(where).data in server.receiver.bodies[-1]
    assert bundle["entry"][1]["request"] == {"method": "PUT", "url": where.removeprefix("/fhir/R4/")}
    ward.delete(f"{WHERE}/{full['id']}")
    subscribe(ward, server, works, content="empty")
    tell(condition("c1", "ann", code="73211009"))
    [bundle] = server.receiver.took
    assert (events(bundle), len(bundle["entry"])) == ([(1, "")], 1)


def test_of_a_stranger_nothing_is_told_and_no_number_is_missing(
    ward: FlaskClient, server: Server, works: Works, tell: Any, engine: Engine
) -> None:
    subscribe(ward, server, works)
    tell(condition("c2", "bob", code="44054006"))
    assert server.receiver.took == []
    tell(condition("c2", "bob", code="73211009"), condition("c1", "ann", code="44054006"))
    assert [number for number, _ in focuses(server)] == [1]
    with engine.connect() as conn:
        assert len(conn.execute(select(subscription_event)).all()) == 1


def referral(id_: str = "r1", status: str = "active", **more: Any) -> Any:
    said = {"status": status, "intent": "order", "subject": {"reference": "Patient/ann"}}
    return item("ServiceRequest", id_, **said, **more)


def task(id_: str = "t1", owner: str = "901", **more: Any) -> Any:
    named = {"owner": {"identifier": {"system": ODS, "value": owner}}} if owner else {}
    return item(
        "Task", id_, **({"status": "requested", "intent": "order", "for": {"reference": "Patient/ann"}} | named | more)
    )


def test_a_new_referral_is_told_when_it_is_active_and_once(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    subscribe(ward, server, works, "new-referral")
    tell(referral("r1", "draft"))
    assert server.receiver.took == []
    tell(referral("r1"), referral("r2"))
    tell(referral("r1", priority="urgent"), referral("r2", "completed"), condition("c1", "ann", code="44054006"))
    assert sorted(focus for _, focus in focuses(server)) == sorted(
        f"ServiceRequest/{key(referral(one))}" for one in ("r1", "r2")
    )


def test_a_task_is_told_to_be_assigned_when_its_owner_is_another(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    subscribe(ward, server, works, "task-assigned")
    tell(task(owner=""))
    tell(task(owner="901"))
    tell(task(owner="901", priority="urgent"))
    tell(task(owner="902"))
    tell(task(owner="901", status="completed"))
    assert focuses(server) == [(number, f"Task/{key(task())}") for number in (1, 2)]


def test_a_stay_that_ends_is_a_discharge_and_one_of_long_ago_is_not(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    subscribe(ward, server, works, "discharge")
    stay: dict[str, Any] = dict(ON_THE_WARD.body) | {"status": "finished"}
    home = {"period": {"start": "2026-01-01", "end": "2026-11-24"}}
    old = {"period": {"start": "2025-01-01", "end": "2025-01-05"}, "id": "e2"}
    tell(item("Encounter", "e1", **_less(stay | home)), item("Encounter", "e2", **_less(stay | old)))
    assert focuses(server) == [(1, f"Encounter/{key(ON_THE_WARD)}")]


def _less(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("resourceType", "id")}


def test_a_filter_narrows_the_type_that_it_names(ward: FlaskClient, server: Server, works: Works, tell: Any) -> None:
    subscribe(ward, server, works, filters=["Condition?code=44054006"])
    wanted, other = condition("c1", "ann", code="44054006"), condition("c9", "ann", code="195967001")
    tell(wanted, other, referral("r1"))
    assert sorted(focus for _, focus in focuses(server)) == sorted(
        [f"Condition/{key(wanted)}", f"ServiceRequest/{key(referral())}"]
    )


def test_many_events_come_in_few_notifications_and_in_order(
    ward: FlaskClient, server: Server, works: Works, tell: Any
) -> None:
    subscribe(ward, server, works)
    tell(*[condition(f"n{number}", "ann") for number in range(45)])
    assert [len(events(one)) for one in server.receiver.took] == [20, 20, 5]
    assert [number for number, _ in focuses(server)] == list(range(1, 46))


def test_status_and_events_tell_how_it_goes(ward: FlaskClient, server: Server, works: Works, tell: Any) -> None:
    body = subscribe(ward, server, works)
    for code in ("44054006", "195967001", "73211009"):
        tell(condition("c1", "ann", code=code))
    told = read(ward.get(f"{WHERE}/{body['id']}/$status"))
    assert (told["type"], status_of(told, "type"), status_of(told, "eventsSinceSubscriptionStart")) == (
        "searchset",
        "query-status",
        "3",
    )
    again = read(ward.get(f"{WHERE}/{body['id']}/$events?eventsSinceNumber=2&eventsUntilNumber=2"))
    assert (again["type"], status_of(again, "type"), [number for number, _ in events(again)]) == (
        "history",
        "query-event",
        [2],
    )
    wrong(ward.get(f"{WHERE}/{body['id']}/$events?eventsSinceNumber=x"), 400, "invalid")
    wrong(ward.get(f"{WHERE}/{body['id']}/$events?since=1"), 400, "invalid")


# Who may hear no more -------------------------------------------------------------------------------


def test_a_client_that_is_ended_is_told_nothing_more(
    ward: FlaskClient, server: Server, works: Works, tell: Any, engine: Engine
) -> None:
    body = subscribe(ward, server, works)
    with engine.begin() as conn:
        conn.execute(update(client).where(client.c.id == "ward").values(active=False))
    tell(condition("c1", "ann", code="44054006"))
    assert server.receiver.took == []
    with engine.begin() as conn:
        conn.execute(update(client).where(client.c.id == "ward").values(active=True))
    assert read(ward.get(f"{WHERE}/{body['id']}"))["status"] == "active"


def test_scopes_that_a_client_loses_end_what_it_hears(
    ward: FlaskClient, server: Server, works: Works, tell: Any, engine: Engine, here: Place
) -> None:
    subscribe(ward, server, works)
    registered(engine, here, "ward", "RDV", "nurse", "system/Patient.rs system/Subscription.rs")
    tell(condition("c1", "ann", code="44054006"))
    assert server.receiver.took == []


def test_an_end_that_has_come_switches_it_off(
    ward: FlaskClient, server: Server, works: Works, tell: Any, clock: Clock
) -> None:
    ends = (clock.now + timedelta(minutes=3)).isoformat()
    body = subscribe(ward, server, works, end=ends)
    tell(condition("c1", "ann", code="44054006"))
    clock.later(hours=1)
    tell(condition("c1", "ann", code="73211009"))
    assert len(server.receiver.took) == 1
    assert body["end"] == ends


# What goes wrong ------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_later_each_time_and_given_up_with_its_reason(
    ward: FlaskClient, server: Server, works: Works, tell: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = subscribe(ward, server, works)
    server.receiver.status = 503
    tell(condition("c1", "ann", code="44054006"))
    waits = []
    while (due := works.waits()) is not None and len(waits) < 20:
        waits.append((due - clock.now).total_seconds())
        clock.now = due
        works.all()
    assert len(waits) == TRIES - 1
    assert all(2.5 * 2**number <= wait <= 5 * 2**number for number, wait in enumerate(waits[:8]))
    assert max(waits) <= 1800
    kept = read(ward.get(f"{WHERE}/{body['id']}"))
    assert (kept["status"], kept["error"]) == ("error", f"given up after {TRIES} tries: it answered 503")
    told = read(ward.get(f"{WHERE}/{body['id']}/$status"))
    assert status_of(told, "status") == "error"


def test_one_that_comes_back_gets_what_it_missed_with_the_same_numbers(
    ward: FlaskClient, server: Server, works: Works, tell: Any, clock: Clock
) -> None:
    subscribe(ward, server, works)
    server.receiver.status = 500
    tell(condition("c1", "ann", code="44054006"))
    tell(condition("c3", "ann"))
    server.receiver.status = 0
    clock.later(hours=1)
    works.all()
    assert [number for number, _ in focuses(server)] == [1, 2]


def test_a_redirect_is_not_followed(ward: FlaskClient, server: Server, works: Works, tell: Any) -> None:
    subscribe(ward, server, works)
    server.receiver.status = 307
    before = server.running.asked
    tell(condition("c1", "ann", code="44054006"))
    assert server.running.asked == before + 1
