"""/fhir/R4/Binary/[id]: a file that a resource names, from CareLink itself and never from an address of its source."""

from __future__ import annotations

import base64
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.cases import files
from carelink.cases.files import File
from carelink.fhir import bearer
from carelink.fhir.endpoint import ROOT
from carelink.fhir.forms import FHIR_JSON, FHIR_XML
from carelink.web.parts import parts
from carelink.web.transaction import connection
from fhir_adapters import exact_json

TYPE = files.TYPE
_AS_RESOURCE = frozenset({FHIR_JSON, FHIR_XML, "application/json", "text/json", "json", "application/xml", "xml"})

blueprint = Blueprint("fhir_binaries", __name__, url_prefix=ROOT)


@blueprint.get(f"/{TYPE}/att-<uuid:key>")
def read(key: UUID) -> Response:
    """The bytes; or, for who asks for FHIR, a Binary with them (R4 2.37.4)."""
    found = files.file(connection(), parts().place, bearer.lens(TYPE), key)
    return _resource(key, found) if _wants_fhir() else _bytes(found)


def _wants_fhir() -> bool:
    asked = request.args.get("_format", "").replace(" ", "+") or request.accept_mimetypes.best or ""
    return asked.partition(";")[0].strip().lower() in _AS_RESOURCE


def _resource(key: UUID, found: File) -> Response:
    body = {
        "resourceType": TYPE,
        "id": f"att-{key}",
        "contentType": found.content_type,
        "securityContext": {"reference": f"{found.type}/{found.resource}"},
        "data": base64.b64encode(found.content).decode(),
    }
    return bearer.answer(exact_json.dumps(body))


def _bytes(found: File) -> Response:
    """To be kept, never opened in the page: what a source calls a letter may be a program."""
    charset = "; charset=utf-8" if found.content_type == "text/plain" else ""
    answer = Response(found.content, content_type=found.content_type + charset)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
