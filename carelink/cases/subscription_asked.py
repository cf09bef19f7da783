"""What a client's Subscription asks for, read from the resource; or the first thing in it that is not done here. Pure.

R4 Subscription with the extensions of the Subscriptions R5 Backport IG 1.1. What is not known is refused, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from carelink.cases.subscribers import Filter
from carelink.cases.subscription_notices import BACKPORT, EMPTY, FULL, ID_ONLY
from carelink.cases.subscription_topics import Topic, topic_named
from carelink.errors import Invalid
from carelink.record.parameters import of_type
from carelink.record.validation import check

TYPE = "Subscription"
FHIR_JSON = frozenset({"application/fhir+json", "application/json"})
FILTER = f"{BACKPORT}backport-filter-criteria"
CONTENT = f"{BACKPORT}backport-payload-content"
MAX_COUNT = f"{BACKPORT}backport-max-count"
USUALLY, MOST_EVENTS = 20, 100  # events in one notification
MOST_FILTERS = 10
LONGEST = 2000  # characters of a filter
OURS = ("id", "meta", "status", "error")  # of the resource: what this server says of it

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A Subscription as it is kept; `rest` is what was sent, less what this server says itself."""

    status: str  # requested, off
    topic: Topic
    endpoint: str
    content: str
    filters: tuple[Filter, ...]
    most: int
    ends: datetime | None
    rest: Body


def asked(body: Body, now: datetime) -> Asked:
    """What it asks for. Raises `Invalid` with the FHIRPath of the first problem."""
    if body.get("resourceType") != TYPE:
        raise Invalid("resourceType", f"must be {TYPE}")
    if problems := check(TYPE, dict(body)).problems:
        raise Invalid(problems[0].place, problems[0].why)
    channel, topic = _channel(body), topic_named(str(body.get("criteria", "")))
    return Asked(
        status=_status(body),
        topic=topic,
        endpoint=str(channel["endpoint"]),
        content=_content(channel),
        filters=tuple(_filters(body, topic)),
        most=_most(channel),
        ends=_ends(body, now),
        rest={name: value for name, value in body.items() if name not in OURS},
    )


def _status(body: Body) -> str:
    status = str(body.get("status", ""))
    if status not in ("requested", "off"):
        raise Invalid("Subscription.status", "must be requested (or off): this server says when it is active")
    return status


def _channel(body: Body) -> Body:
    channel: Body = body.get("channel", {})
    if channel.get("type") != "rest-hook":
        raise Invalid("Subscription.channel.type", "must be rest-hook: notifications are sent in no other way")
    if not channel.get("endpoint"):
        raise Invalid("Subscription.channel.endpoint", "must say where to send notifications")
    if channel.get("header"):
        raise Invalid("Subscription.channel.header", "is not sent: notifications are signed instead")
    _only("Subscription.channel.extension", channel, (MAX_COUNT,))
    return channel


def _content(channel: Body) -> str:
    """How much a notification says: in the extension of `payload`, and never more than was asked for."""
    extended = channel.get("_payload", {})
    _only("Subscription.channel.payload.extension", extended, (CONTENT,))
    found = _extension(extended, CONTENT).get("valueCode")
    if found not in (EMPTY, ID_ONLY, FULL):
        raise Invalid("Subscription.channel.payload.extension", f"must say {EMPTY}, {ID_ONLY} or {FULL} by {CONTENT}")
    if str(channel.get("payload", "")).partition(";")[0].strip() not in FHIR_JSON:
        raise Invalid("Subscription.channel.payload", "must be application/fhir+json")
    return str(found)


def _most(channel: Body) -> int:
    return min(int(_extension(channel, MAX_COUNT).get("valuePositiveInt", USUALLY)), MOST_EVENTS)


def _ends(body: Body, now: datetime) -> datetime | None:
    if "end" not in body:
        return None
    ends = datetime.fromisoformat(str(body["end"]))
    if ends <= now:
        raise Invalid("Subscription.end", "is over already")
    return ends


def _filters(body: Body, topic: Topic) -> Iterator[Filter]:
    extended, place = body.get("_criteria", {}), "Subscription.criteria.extension"
    _only(place, extended, (FILTER,))
    given = [str(one.get("valueString", "")) for one in extended.get("extension", ())]
    if len(given) > MOST_FILTERS:
        raise Invalid(place, f"has more than {MOST_FILTERS} filters")
    for text in given:
        yield _filter(text, topic, place)


def _filter(text: str, topic: Topic, place: str) -> Filter:
    """`Task?owner=Organization/x&status=requested`: all of them must hold; a comma means or."""
    type_, mark, query = text.partition("?")
    try:
        said = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError as wrong:
        raise Invalid(place, "must be TYPE?PARAMETER=VALUE") from wrong
    if not mark or not said or len(text) > LONGEST or "\0" in text:
        raise Invalid(place, "must be TYPE?PARAMETER=VALUE")
    for name, _ in said:
        if not (topic.may_filter(type_, name) and name in of_type(type_)):
            raise Invalid(place, f"{type_[:64]}?{name[:64]} is not a filter of {topic.id}")
    return type_, tuple((name, tuple(value.split(",")), "") for name, value in said)


def _extension(element: Body, url: str) -> Body:
    found: Body = next((one for one in element.get("extension", ()) if one.get("url") == url), {})
    return found


def _only(place: str, element: Body, known: tuple[str, ...]) -> None:
    for one in element.get("extension", ()):
        if one.get("url") not in known:
            raise Invalid(place, f"{str(one.get('url'))[:200]} is not done here")
