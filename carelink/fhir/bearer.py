"""Who asks the FHIR API in this request, what they may see, and the form in which they are answered."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request
from werkzeug.exceptions import UnsupportedMediaType

from carelink.consent.lens import Lens
from carelink.fhir import asking
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import endpoint
from carelink.identity.tokens import ScopeTooSmall
from carelink.record.query import Row
from carelink.web.parts import parts
from carelink.web.session import at

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"


def check_format() -> None:
    """Nothing, where JSON of FHIR R4 will do. Raises `NotAcceptable`."""
    asking.check_format(request.values.get("_format", ""), request.accept_mimetypes)


def lens(type_: str) -> Lens:
    """What the bearer of the request's token may see; whoever it is stands in the audit of a refusal too."""
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    granted = replace(granted, requester=replace(granted.requester, request=g.reference))
    g.requester = granted.requester
    return asking.lens_of(granted, type_, parts().place, at())


def lens_to_write(type_: str, interaction: str) -> Lens:
    """As whom the bearer of the request's token writes that type; `c` creates, `u` updates. Raises `ScopeTooSmall`.

    What must be looked at to store something is of types that its scopes need not name; nothing of it is shown.
    """
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    g.requester = replace(granted.requester, request=g.reference, types=None)
    if not granted.may_write(type_, interaction):
        needed = f"system/{type_}.{interaction}"
        raise ScopeTooSmall(f"The access token has no scope for writing {type_}", needed=needed)
    return Lens.compile(parts().place, g.requester, at())


def in_body() -> Given:
    """The parameters of a search that is asked in the body, with those of its address. Raises `UnsupportedMediaType`."""
    if request.mimetype != FORM:
        raise UnsupportedMediaType(f"Send the parameters as {FORM}")
    return [*request.args.items(multi=True), *request.form.items(multi=True)]


def one(row: Row) -> Response:
    """One resource with its version; 304 for a version that the client has."""
    made = answer(row.body)
    made.set_etag(str(row.version), weak=True)
    made.last_modified = row.last_updated
    made.make_conditional(request)
    return made


def answer(body: bytes | str, status: int = 200) -> Response:
    """FHIR JSON as a response."""
    return Response(body, status, content_type=FHIR_JSON)
