"""Who asks the FHIR API in this request, what they may see, and the form in which they are answered."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request

from carelink.consent.lens import Lens
from carelink.fhir import asking
from carelink.fhir.endpoint import endpoint
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


def answer(body: bytes | str, status: int = 200) -> Response:
    """FHIR JSON as a response."""
    return Response(body, status, content_type=FHIR_JSON)
