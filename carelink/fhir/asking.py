"""From an HTTP request to a question: the token, the lens it gives, and the search parameters, all checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from carelink.consent.lens import Lens
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.fhir.capability import RESOURCES
from carelink.identity.tokens import Tokens
from carelink.ids import ResourceKey
from carelink.place import Place
from carelink.record.query import Criterion, Query

COUNT = 50  # resources a page, where the client doesn't say
MOST = 500
SHARED = ("_count", "_format", "_after")  # parameters that shape the answer


def lens_of(authorization: str, type_: str, tokens: Tokens, place: Place, request: str, now: datetime) -> Lens:
    """What the bearer of this token may see. Raises `Forbidden` without a good token or with too small a scope."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Forbidden("Send an access token: Authorization: Bearer …", rule="token")
    granted = tokens.read(token.strip(), now)
    if not granted.may_read(type_):
        raise Forbidden(f"The access token has no scope for reading {type_}", rule="scope")
    return Lens.compile(place, replace(granted.requester, request=request), now)


def key_of(text: str) -> ResourceKey:
    """The id of a resource. An id that is no UUID names nothing here, so it is not found."""
    try:
        return ResourceKey(UUID(text))
    except ValueError as wrong:
        raise NotFound("There is no such resource") from wrong


def query_of(type_: str, given: Sequence[tuple[str, str]]) -> Query:
    """The search as values. Raises `Invalid` for a parameter that metadata does not name."""
    known = {name for name, _, _ in RESOURCES[type_]["parameters"]}
    criteria = []
    for name, value in given:
        bare, _, modifier = name.partition(":")
        if bare in SHARED and not modifier:
            continue
        if bare not in known or modifier:
            raise Invalid(name, f"not a search parameter of {type_} here; known are {', '.join(sorted(known))}")
        criteria.append(Criterion(bare, tuple(part for part in value.split(",") if part)))
    if not criteria:
        raise Invalid(type_, f"say which: give one of {', '.join(sorted(known))}")
    answer = dict(given)
    return Query(
        types=(type_,),
        criteria=tuple(criteria),
        count=_count(answer.get("_count", str(COUNT))),
        after=answer.get("_after", ""),
        goldens=True,
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise Invalid("_count", f"must be a whole number from 1 to {MOST}")
    return int(text)
