"""/fhir/R4/[type]/…/_history: single versions, the history of one resource and of a type (R4 3.1.0.3, 3.1.0.10)."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.consent.lens import Lens
from carelink.errors import Invalid, NotFound
from carelink.fhir import bearer, bundle, searched
from carelink.fhir.asking import Given, count_of
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.forms import COUNT, NAMES
from carelink.ids import ResourceKey
from carelink.record import versions
from carelink.record.limits import at_most
from carelink.record.partial_dates import span
from carelink.record.versions import NONE, Past
from carelink.web.transaction import connection

TYPES = tuple(sorted({*searched.TYPES, "Patient"}))
_TYPE = f"<any({', '.join(TYPES)}):type_>"
LONGEST = 5.0  # seconds that the history of a type may take
_KNOWN = ("_count", "_since", "_at", *NAMES)
_VERSION = re.compile(r"[A-Za-z0-9.-]{1,64}")  # R4 2.24.0.21: a version is named as an id is
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")

blueprint = Blueprint("fhir_past", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/{_TYPE}/<uuid:key>/_history/<version>")
def vread(type_: str, key: UUID, version: str) -> Response:
    """One version as it was. 410 for the one that says that it was deleted."""
    lens = bearer.lens(type_)
    if not _VERSION.fullmatch(version):
        raise Invalid("_history", "must be the number of a version")
    if not _NUMBER.fullmatch(version):
        raise NotFound(NONE)  # a version that none of ours is called
    return bearer.one(versions.vread(connection(), lens, type_, ResourceKey(key), int(version)))


@blueprint.get(f"/{_TYPE}/<uuid:key>/_history")
def history(type_: str, key: UUID) -> Response:
    """Every version of one resource that may be seen, the newest first."""
    return _told(bearer.lens(type_), type_, ResourceKey(key))


@blueprint.get(f"/{_TYPE}/_history")
def history_of_type(type_: str) -> Response:
    """Every version of every resource of the type that may be seen, the newest first."""
    return _told(bearer.lens(type_), type_, None)


@blueprint.get(f"/{_TYPE}/<id_>")
def read_nothing(type_: str, id_: str) -> Response:
    """404: what is no id of ours is the id of nothing. (Other methods take any id, so this one must too.)"""
    bearer.lens(type_)
    raise NotFound(NONE)


def _told(lens: Lens, type_: str, key: ResourceKey | None) -> Response:
    given = list(request.args.items(multi=True))
    asked, after = endpoint().links.followed(given, lens.requester)
    past = past_of(type_, key, asked, after)
    here = "/".join((endpoint().base, type_, *([str(key)] if key is not None else ()), "_history"))
    this = f"{here}?{urlencode(given)}" if given else here
    with at_most(connection(), LONGEST) if key is None else nullcontext():
        if bearer.form().summary == COUNT:
            return bearer.answer(bundle.history([], this, total=versions.count(connection(), lens, past)))
        page = versions.past(connection(), lens, past)
    more = f"{here}?{endpoint().links.sealed(asked, lens.requester, page.next)}" if page.next else ""
    total = None if after or more else len(page.found)  # known for nothing only where all of it is here
    entries = [bundle.past_entry(endpoint().base, one) for one in page.found]
    return bearer.answer(bundle.history(entries, this, more, total))


def past_of(type_: str, key: ResourceKey | None, given: Given, after: str) -> Past:
    """The history that is asked for, as values. Raises `Invalid` for a parameter that is not known, or says nothing."""
    for name, _ in given:
        if name not in _KNOWN:
            raise Invalid(name, f"is not known of a history; known are {', '.join(_KNOWN)}")
    said = dict(given)
    since = _span("_since", said["_since"])[0] if "_since" in said else None
    at = _span("_at", said["_at"]) if "_at" in said else None
    return Past(type_, key, since, at, count_of(given), after)


def _span(name: str, text: str) -> tuple[datetime, datetime]:
    try:
        return span(text.replace(" ", "+"))  # a plus sign that was not escaped comes as a space
    except (ValueError, OverflowError) as wrong:
        raise Invalid(name, "must be a time such as 2026-11-24T12:00:00Z") from wrong
