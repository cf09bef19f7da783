"""/fhir/R4/Consent: create and update, for systems whose role records consents."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.cases import consents_received
from carelink.errors import Invalid
from carelink.fhir import bearer, sent
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.ids import ResourceKey
from carelink.web.parts import parts
from carelink.web.session import at
from carelink.web.transaction import connection

TYPE = "Consent"
_VERSION = re.compile(r'(?:W/)?"(\d{1,8})"')

blueprint = Blueprint("fhir_consents", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.post(f"/{TYPE}")
def create() -> Response:
    """A new Consent: 201 with where it is. 422 where who gave it may not."""
    lens = bearer.lens_to_write(TYPE, "c")
    key, version = consents_received.create(connection(), parts().place, lens, sent.resource(TYPE))
    return stored(key, version, 201)


@blueprint.put(f"/{TYPE}/<uuid:key>")
def update(key: UUID) -> Response:
    """A new version of one that is here; `If-Match` names the version that the client has seen, 412 where it is over."""
    lens, body = bearer.lens_to_write(TYPE, "u"), sent.resource(TYPE)
    if body.get("id") != str(key):
        raise Invalid("Consent.id", "must be the id in the address")
    done = consents_received.update(connection(), parts().place, lens, ResourceKey(key), _seen(), body)
    return stored(*done, 200)


def _seen() -> int:
    found = _VERSION.fullmatch(request.headers.get("If-Match", "").strip())
    if found is None:
        raise Invalid("If-Match", 'must name the version that is to be replaced, as W/"1"')
    return int(found[1])


def stored(key: ResourceKey, version: int, status: int) -> Response:
    """Nothing of it is sent back: who may write it need not be able to read it."""
    answer = bearer.answer(b"", status)
    answer.headers["Location"] = f"{endpoint().base}/{TYPE}/{key}/_history/{version}"
    answer.set_etag(str(version), weak=True)
    answer.last_modified = at()
    return answer
