"""How a system asks about its subscriptions, and a patient record system calls CDS Hooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from conftest import NOW
from sqlalchemy import Connection
from subscription_builders import asking
from worlds_asking import Ask
from worlds_bodies import NUMBERS, key
from worlds_records import World
from worlds_routes import UNKNOWN, Asks, Drawing, Route

from carelink.db.tables import subscription, subscription_event
from fhir_adapters import exact_json
from fhir_adapters.simulators.ehr import SERVICE, chart_opened, token

SCOPES = "system/Subscription.cud"
OURS = UUID(int=4711)  # of the ward
ENDPOINT = "http://127.0.0.1:8477/notifications"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
EVENTS_SO_FAR = 2**40


def subscribed(conn: Connection, made: World) -> None:
    """The ward is told of all that changes, and was told of everything: of what it may no longer see, too."""
    sent = {name: value for name, value in asking(ENDPOINT).items() if name != "status"}
    row = {"key": OURS, "client": "ward", "purpose": "TREAT", "scopes": f"system/*.rs {SCOPES}", "status": "active"}
    kept = {"topic": "record-changed", "endpoint": ENDPOINT, "content": "full-resource", "filters": [], "most": 20}
    said = {"body": exact_json.dumps(sent).decode(), "secret": b"", "version": 2, "events": EVENTS_SO_FAR}
    conn.execute(subscription.insert().values(**row, **kept, **said, created_at=NOW, last_updated=NOW))
    told = [
        {"subscription": OURS, "resource": key(one), "type": one.type, "version": len(one.said), "at": NOW, "number": _number(key(one)), "done_at": NOW, "outcome": "told"}
        for one in {key(one): one for one in made.things if not one.deleted}.values()
    ]  # fmt: skip
    if told:
        conn.execute(subscription_event.insert(), told)


def _number(resource: UUID) -> int:
    """Of its event: the same in every world."""
    return resource.int % EVENTS_SO_FAR


def _which(draw: Drawing) -> UUID:
    return draw.one(OURS, OURS, UNKNOWN)


def _sent(draw: Drawing, **more: Any) -> bytes:
    topic = draw.one("record-changed", "discharge", "new-referral", "nothing")
    whose = draw.one([], [f"Condition?patient=Patient/{draw.person()}"], ["Flag?code=1"])
    return json.dumps(asking(ENDPOINT, topic, draw.one("id-only", "empty", "full-resource"), whose, **more)).encode()


def _create(draw: Drawing) -> Ask:
    return Ask("fhir_subscriptions.create", {}, "POST", body=_sent(draw), headers=FHIR_JSON)


def _update(draw: Drawing) -> Ask:
    which = _which(draw)
    body = _sent(draw, id=str(which), status=draw.one("requested", "off"))
    return Ask("fhir_subscriptions.update", {"key": which}, "PUT", body=body, headers=FHIR_JSON)


def _one(endpoint: str, method: str = "GET") -> Asks:
    return lambda draw: Ask(endpoint, {"key": _which(draw)}, method)


def _find(draw: Drawing) -> Ask:
    return Ask("fhir_subscriptions.find", draw.one({}, {"status": "active"}, {"_id": str(OURS), "_count": "1"}))


def _find_by_form(draw: Drawing) -> Ask:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Ask("fhir_subscriptions.find_by_form", {}, "POST", {"status": draw.one("active", "off")}, headers=headers)


def _events(draw: Drawing) -> Ask:
    since = draw.one({}, {}, {"eventsSinceNumber": str(EVENTS_SO_FAR // 2)})
    return Ask("fhir_subscriptions.events", {"key": _which(draw), **since})


def _called(draw: Drawing) -> dict[str, str]:
    """The token of a patient record, in the hands of the ward alone: it may know what the ward may."""
    ours = draw.who.client is not None and draw.who.client.id == "ward"
    jti = str(UUID(int=draw.chance.getrandbits(128)))
    signed = token(f"http://localhost{SERVICE}", NOW.timestamp(), jti=jti) if ours else "x"
    return {"Content-Type": "application/json", "Authorization": f"Bearer {signed}"}


def _view(draw: Drawing) -> Ask:
    sent = chart_opened(draw.one(draw.nhs_number(), draw.nhs_number(), NUMBERS[0], "9990000042"))
    return Ask("cds_hooks.view", {}, "POST", body=json.dumps(sent).encode(), headers=_called(draw))


def _feedback(draw: Drawing) -> Ask:
    body = json.dumps({"feedback": [{"card": "x", "outcome": draw.one("accepted", "overridden")}]}).encode()
    return Ask("cds_hooks.feedback", {}, "POST", body=body, headers=_called(draw))


EVENTS: Mapping[str, Route] = {
    "fhir_subscriptions.create": Route(_create, good=201, whose="system"),
    "fhir_subscriptions.update": Route(_update, whose="system"),
    "fhir_subscriptions.delete": Route(_one("fhir_subscriptions.delete", "DELETE"), good=204, whose="system"),
    "fhir_subscriptions.read": Route(_one("fhir_subscriptions.read"), whose="system"),
    "fhir_subscriptions.find": Route(_find, whose="system"),
    "fhir_subscriptions.find_by_form": Route(_find_by_form, whose="system"),
    "fhir_subscriptions.status": Route(_one("fhir_subscriptions.status"), whose="system"),
    "fhir_subscriptions.events": Route(_events, whose="system"),
    "cds_hooks.discovery": Route(tells_nothing="which services there are, the same for everyone"),
    "cds_hooks.view": Route(_view, whose="system"),
    "cds_hooks.feedback": Route(_feedback, whose="system"),
}
