"""/fhir/R4/Subscription: a system says what it wants to be told of, and looks at how that goes. Its own, and no other's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import UnsupportedMediaType

from carelink.cases import subscription_notices as notices
from carelink.cases import subscriptions
from carelink.cases.subscription_asked import TYPE
from carelink.cases.subscriptions import Kept
from carelink.consent.requester import Requester
from carelink.errors import Invalid
from carelink.fhir import asking, bearer, bundle
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.forms import NAMES
from carelink.web.parts import parts
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters import exact_json

_JSON = frozenset({bearer.FHIR_JSON, "application/json"})
_VERSION = re.compile(r'(?:W/)?"(\d{1,8})"')
_NUMBER = re.compile(r"\d{1,18}")
_BY: Mapping[str, Callable[[Kept], str]] = {
    "_id": lambda one: str(one.key),
    "status": lambda one: one.status,
    "url": lambda one: one.endpoint,
    "criteria": lambda one: one.criteria,
}

blueprint = Blueprint("fhir_subscriptions", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.post(f"/{TYPE}")
def create() -> Response:
    """A new one: 201 with itself, in which alone its secret stands."""
    asks, scopes = _who_writes("c")
    made = subscriptions.create(connection(), parts().place, asks, scopes, _sent(), parts().settings.secret_key, at())
    return _stored(made, 201)


@blueprint.put(f"/{TYPE}/<uuid:key>")
def update(key: UUID) -> Response:
    """Another in its place: switched off, or asked for anew. 412 where it is not at the version of `If-Match`."""
    asks, _ = _who_writes("u")
    made = subscriptions.update_(connection(), parts().place, asks, key, _seen(), _sent(), at())
    return _stored(made, 200)


@blueprint.delete(f"/{TYPE}/<uuid:key>")
def delete(key: UUID) -> Response:
    """Nothing more is told."""
    asks, _ = _who_writes("d")
    subscriptions.delete(connection(), asks, key, at())
    return Response(status=204)


@blueprint.get(f"/{TYPE}/<uuid:key>")
def read(key: UUID) -> Response:
    """One, with how it stands: `status`, and `error` where something went wrong."""
    kept = subscriptions.read(connection(), _who_reads(), key)
    made = bearer.answer(kept.text)
    made.set_etag(str(kept.version), weak=True)
    made.last_modified = kept.last_updated
    bearer.unless_held(made)
    return made


@blueprint.get(f"/{TYPE}")
def find() -> Response:
    """Those of the client, by `_id`, `status`, `url` and `criteria`."""
    asks, given = _who_reads(), list(request.args.items(multi=True))
    return _found(asks, given, urlencode(given))


@blueprint.post(f"/{TYPE}/_search")
def find_by_form() -> Response:
    """The same, asked in the body."""
    asks, given = _who_reads(), bearer.in_body()
    return _found(asks, given, endpoint().links.sealed(given, asks))


@blueprint.get(f"/{TYPE}/<uuid:key>/$status")
def status(key: UUID) -> Response:
    """How it stands: a SubscriptionStatus in a Bundle (Subscriptions R5 Backport IG 1.1, $status)."""
    asks = _who_reads()
    asking.no_parameters(list(request.args.items(multi=True)))
    about, error = subscriptions.about(connection(), asks, key)
    said = notices.status(endpoint().base, about, "query-status", error=error)
    text = exact_json.dumps(said).decode()
    entry = f'{{"fullUrl":"urn:uuid:{said["id"]}","resource":{text},"search":{{"mode":"match"}}}}'
    return bearer.answer(bundle.joined([entry], f"{endpoint().base}/{TYPE}/{key}/$status", total=1))


@blueprint.get(f"/{TYPE}/<uuid:key>/$events")
def events(key: UUID) -> Response:
    """What it was told already, from one number to another, as far as it may be seen still."""
    asks, given = _who_reads(), dict(request.args.items(multi=True))
    if unknown := given.keys() - {"eventsSinceNumber", "eventsUntilNumber", *NAMES}:
        raise Invalid(min(unknown), "is not supported here; known are eventsSinceNumber and eventsUntilNumber")
    since, until = _number(given, "eventsSinceNumber") or 0, _number(given, "eventsUntilNumber")
    about, told = subscriptions.told(connection(), parts().place, asks, key, since, until, at())
    return bearer.answer(notices.notification(endpoint().base, about, "query-event", told, at()))


def _who_writes(interaction: str) -> tuple[Requester, str]:
    """Who asks, and by which scopes. Raises `ScopeTooSmall`."""
    bearer.lens_to_write(TYPE, interaction)
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    asks: Requester = g.requester
    return asks, " ".join(sorted(granted.scopes))


def _who_reads() -> Requester:
    asks = bearer.lens(TYPE).requester
    assert asks is not None, "a token is somebody's"
    return asks


def _sent() -> dict[str, Any]:
    if request.mimetype not in _JSON:
        raise UnsupportedMediaType(f"Send the {TYPE} as {bearer.FHIR_JSON}")
    try:
        body = exact_json.loads(request.get_data())
    except (ValueError, RecursionError) as wrong:
        raise Invalid(TYPE, "is not JSON") from wrong
    if not isinstance(body, dict):
        raise Invalid(TYPE, "must be one JSON object")
    return body


def _seen() -> int | None:
    said = request.headers.get("If-Match", "").strip()
    found = _VERSION.fullmatch(said)
    if said and found is None:
        raise Invalid("If-Match", 'must name the version that is to be replaced, as W/"1"')
    return int(found[1]) if found else None


def _number(given: Mapping[str, str], name: str) -> int | None:
    said = given.get(name)
    if said is not None and not _NUMBER.fullmatch(said):
        raise Invalid(name, "must be the number of an event")
    return int(said) if said is not None else None


def _stored(kept: Kept, status_: int) -> Response:
    answer = bearer.answer(kept.text, status_)
    answer.headers["Location"] = f"{endpoint().base}/{TYPE}/{kept.key}/_history/{kept.version}"
    answer.set_etag(str(kept.version), weak=True)
    answer.last_modified = kept.last_updated
    return answer


def _found(asks: Requester, given: Given, this: str) -> Response:
    base, links = f"{endpoint().base}/{TYPE}", endpoint().links
    asked, after = links.followed(given, asks)
    all_ = [one for one in subscriptions.mine(connection(), asks) if _fits(one, asked)]
    count, rest = asking.count_of(asked), [one for one in all_ if str(one.key) > after]
    more = f"{base}?{links.sealed(asked, asks, str(rest[count - 1].key))}" if len(rest) > count else ""
    entries = [bundle.entry(endpoint().base, TYPE, one.key, one.text) for one in rest[:count]]
    return bearer.answer(bundle.joined(entries, f"{base}?{this}", more, len(all_)))


def _fits(one: Kept, asked: Given) -> bool:
    """Whether it meets all of them; a comma means or. Raises `Invalid` for a parameter that is not known."""
    for name, value in asked:
        if name in ("_count", *NAMES):
            continue
        if name not in _BY:
            raise Invalid(name, f"not a search parameter of {TYPE} here; known are {', '.join(_BY)}")
        if _BY[name](one) not in value.split(","):
            return False
    return True
