"""PATCH /fhir/R4/[type]/[id]: a change of what is there, by JSON Patch or FHIRPath Patch (R4 3.1.0.6); also by a condition."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from carelink.cases import consents_received, pushing
from carelink.cases.pushing_terms import Act, Change
from carelink.errors import Invalid
from carelink.fhir import bearer, consents, pens, sent, writes, written
from carelink.fhir.endpoint import ROOT
from carelink.fhir.forms import FHIR_JSON, FHIR_XML
from carelink.fhir.patching import JSON_PATCH, Body, patched
from carelink.ids import ResourceKey
from carelink.web.parts import parts
from carelink.web.transaction import connection

FORMATS = (JSON_PATCH, FHIR_JSON, FHIR_XML)  # the last two with Parameters
_TYPE = f"<any({', '.join(writes.TYPES)}):type_>"

blueprint = Blueprint("fhir_patches", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.patch(f"/{_TYPE}/<id_>")
def patch(type_: str, id_: str) -> Response:
    """A new version: 200; the same as before where nothing in it is new. 412 where `If-Match` names an older one."""
    key = writes.address(type_, id_, Act.DELETE)
    return _answered(type_, Change(Act.UPDATE, type_, type_, key=key, seen=writes.seen()))


@blueprint.patch(f"/{_TYPE}")
def patch_by_condition(type_: str) -> Response:
    """The same of the one that meets the condition; 404 where none does."""
    return _answered(type_, Change(Act.UPDATE, type_, type_, seen=writes.seen(), criteria=writes.condition()))


@blueprint.patch(f"/{consents.TYPE}/<uuid:key>")
def patch_consent(key: UUID) -> Response:
    """A new version of a Consent that is here and active, by the rules of those."""
    lens, change = bearer.lens_to_write(consents.TYPE, "u"), change_sent()
    place, seen = parts().place, writes.seen()
    stored = consents_received.patched(connection(), place, lens, ResourceKey(key), seen, change)
    return consents.stored(*stored, 200)


def _answered(type_: str, change: Change) -> Response:
    by = pens.granted()
    pens.must_write(by, type_, "u")
    made = change_sent()

    def act() -> Response:
        conn = connection()
        return written.answer(conn, by, pushing.patched(conn, pens.pen_of(conn, by), change, made))

    return writes.again(act)


def change_sent() -> Callable[[Body], Body]:
    """The patch in the body of the request, as what it does. Raises `Invalid`, and `UnsupportedMediaType` for what is none."""
    kind, said = request.mimetype, _said()
    if isinstance(said, dict) and said.get("resourceType") == "Binary":
        kind, said = JSON_PATCH, _within(said)
    return lambda body: patched(body, said, kind)


def _said() -> Any:
    if request.mimetype == JSON_PATCH:
        return sent.read_json("patch", request.get_data())
    if request.mimetype not in FORMATS:
        raise UnsupportedMediaType(f"Send the patch as {JSON_PATCH}, or Parameters as {FHIR_JSON} or {FHIR_XML}")
    return sent.resource("Parameters", "Binary")


def _within(binary: Body) -> Any:
    """The JSON Patch in a Binary: how a Bundle holds one (R4 3.1.0.11.1)."""
    if binary.get("contentType") != JSON_PATCH:
        raise Invalid("Binary.contentType", f"must be {JSON_PATCH}")
    try:
        text = base64.b64decode(str(binary.get("data", "")), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Invalid("Binary.data", "is not base64") from wrong
    return sent.read_json("patch", text)
