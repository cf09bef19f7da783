"""Notifications as FHIR R4: a history Bundle that begins with a SubscriptionStatus (Subscriptions R5 Backport IG 1.1). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from carelink.cases.subscription_topics import TOPICS
from fhir_adapters import exact_json

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
STATUS_PROFILE = f"{BACKPORT}backport-subscription-status-r4"
NOTIFICATION_PROFILE = f"{BACKPORT}backport-subscription-notification-r4"
SUBSCRIPTION_PROFILE = f"{BACKPORT}backport-subscription"
EMPTY, ID_ONLY, FULL = "empty", "id-only", "full-resource"
_NUMBERED = UUID("3d1c9f6a-6f0e-5d5b-9d0a-1f6c0a4be7a2")


@dataclass(frozen=True)
class Told:
    """One event as it is told; `text` is the resource as the subscriber may see it."""

    number: int
    at: datetime
    type: str
    key: UUID
    version: int
    text: str


@dataclass(frozen=True)
class About:
    """Which subscription, as a notification names it."""

    key: UUID
    status: str
    topic: str
    content: str
    events: int  # told since it began, with these


def notification(base: str, about: About, kind: str, told: Sequence[Told], now: datetime) -> bytes:
    """The Bundle to send: `kind` is `handshake` or `event-notification`."""
    head = {
        "resourceType": "Bundle",
        "meta": {"profile": [NOTIFICATION_PROFILE]},
        "type": "history",
        "timestamp": _instant(now),
    }
    entries = [_status_entry(base, about, kind, told), *_entries(base, about.content, told)]
    return exact_json.dumps(head)[:-1] + f',"entry":[{",".join(entries)}]}}'.encode()


def status(base: str, about: About, kind: str, told: Sequence[Told] = (), error: str = "") -> dict[str, Any]:
    """A SubscriptionStatus: in R4, Parameters."""
    said: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{about.key}"}},
        {"name": "topic", "valueCanonical": TOPICS[about.topic].url},
        {"name": "status", "valueCode": about.status},
        {"name": "type", "valueCode": kind},
        {"name": "eventsSinceSubscriptionStart", "valueString": str(about.events)},
        *({"name": "notificationEvent", "part": _event(base, about.content, one)} for one in told),
    ]
    if error:
        said.append({"name": "error", "valueCodeableConcept": {"text": error}})
    return {
        "resourceType": "Parameters",
        "id": str(uuid5(_NUMBERED, f"{about.key}|{kind}|{about.events}|{len(told)}")),
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": said,
    }


def _event(base: str, content: str, one: Told) -> list[dict[str, Any]]:
    """`empty` says that something happened, and not to whom or what."""
    part: list[dict[str, Any]] = [{"name": "eventNumber", "valueString": str(one.number)}]
    if content == EMPTY:
        return part
    return [
        *part,
        {"name": "timestamp", "valueInstant": _instant(one.at)},
        {"name": "focus", "valueReference": {"reference": f"{base}/{one.type}/{one.key}"}},
    ]


def _status_entry(base: str, about: About, kind: str, told: Sequence[Told]) -> str:
    said = status(base, about, kind, told)
    url = f"{base}/Subscription/{about.key}/$status"
    entry = {
        "fullUrl": f"urn:uuid:{said['id']}",
        "resource": said,
        "request": {"method": "GET", "url": url},
        "response": {"status": "200"},
    }
    return exact_json.dumps(entry).decode()


def _entries(base: str, content: str, told: Sequence[Told]) -> list[str]:
    """One for each resource that is told of: where it is, and with `full-resource` itself."""
    if content == EMPTY:
        return []
    last = {one.key: one for one in told}  # an entry a resource: of several versions the newest
    return [_entry(base, content, one) for one in last.values()]


def _entry(base: str, content: str, one: Told) -> str:
    """The text of a resource goes in as it is stored (design decision 5)."""
    method, answer = ("POST", "201") if one.version == 1 else ("PUT", "200")
    url = one.type if method == "POST" else f"{one.type}/{one.key}"
    body = f'"resource":{one.text},' if content == FULL else ""
    rest = f'"request":{{"method":"{method}","url":"{url}"}},"response":{{"status":"{answer}"}}'
    return f'{{"fullUrl":"{base}/{one.type}/{one.key}",{body}{rest}}}'


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
