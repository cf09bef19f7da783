"""/fhir/R4/[type]/[id]/$meta: the profiles, labels and version of one resource, without what it says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.errors import Invalid
from carelink.fhir import bearer, searched
from carelink.fhir.endpoint import ROOT
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.web.transaction import connection
from fhir_adapters import exact_json

TYPES = ("Patient", *searched.TYPES)

blueprint = Blueprint("fhir_meta", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/<any({', '.join(TYPES)}):type_>/<uuid:key>/$meta")
def meta(type_: str, key: UUID) -> Response:
    """Parameters with the Meta of the resource as this client may see it (R4 Resource-operation-meta)."""
    lens = bearer.lens(type_)
    for name in request.args:
        if name not in ("_format", "_pretty"):
            raise Invalid(name[:100], "is not a parameter of this operation, which has none")
    row = search.get(connection(), lens, type_, ResourceKey(key))
    said: dict[str, Any] = exact_json.loads(row.body).get("meta", {})
    returned = {"name": "return", "valueMeta": said}
    return bearer.answer(exact_json.dumps({"resourceType": "Parameters", "parameter": [returned]}))
