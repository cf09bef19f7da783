"""/fhir/R4/[type]/[id]: read of all types that are read alike."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from carelink.fhir import bearer, searched
from carelink.fhir.endpoint import ROOT
from carelink.ids import ResourceKey
from carelink.record import versions
from carelink.web.transaction import connection

_TYPE = f"<any({', '.join(searched.TYPES)}):type_>"

blueprint = Blueprint("fhir_resources", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/{_TYPE}/<uuid:key>")
def read(type_: str, key: UUID) -> Response:
    """One resource. 304 for a version that the client has."""
    return bearer.one(versions.current(connection(), bearer.lens(type_), type_, ResourceKey(key)))
