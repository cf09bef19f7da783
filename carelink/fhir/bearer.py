"""Who asks the FHIR API in this request, what they may see, and the form in which they are answered."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request
from werkzeug.exceptions import UnsupportedMediaType

from carelink.consent.lens import Lens
from carelink.fhir import asking, forms
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.forms import FHIR_JSON, PLAIN, Form
from carelink.identity.tokens import ScopeTooSmall
from carelink.record.query import Row
from carelink.web.parts import parts
from carelink.web.session import at

__all__ = [
    "FHIR_JSON",
    "FORM",
    "answer",
    "check_format",
    "form",
    "in_body",
    "lens",
    "lens_to_write",
    "may_validate",
    "one",
    "unless_held",
]

FORM = "application/x-www-form-urlencoded"
_OF_UPDATES = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
_USUAL = frozenset({"", "*/*", FHIR_JSON, "application/json"})


def check_format() -> None:
    """Nothing, where the form that is asked for can be given. Raises `NotAcceptable`, and `Invalid` for a bad parameter."""
    form()


def form() -> Form:
    """The form in which this request is answered. Raises as `check_format`; what is said of that is said in JSON."""
    if "form" not in g:
        g.form = PLAIN
        g.form = _asked()
    asked: Form = g.form
    return asked


def _asked() -> Form:
    if request.method == "GET" and not request.query_string and request.headers.get("Accept", "") in _USUAL:
        return PLAIN  # as nearly everybody asks: nothing to look into
    return forms.form_of(request.values, request.accept_mimetypes, _type())


def _type() -> str:
    """Of which type the answer is; empty where it may be of several."""
    parts = request.path.removeprefix(ROOT).strip("/").split("/")
    return "" if any(part.startswith("$") for part in parts) else parts[0]


def lens(type_: str) -> Lens:
    """What the bearer of the request's token may see; whoever it is stands in the audit of a refusal too."""
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    granted = replace(granted, requester=replace(granted.requester, request=g.reference))
    g.requester = granted.requester
    return asking.lens_of(granted, type_, parts().place, at(), _letters())


def _letters() -> str:
    """Which letter of a scope this request needs: `r` for one resource and its history, `s` for many; an operation either."""
    if "$" in request.path:
        return "rs"
    return "r" if set(request.view_args or ()) - {"type_"} else "s"


def lens_to_write(type_: str, interaction: str) -> Lens:
    """As whom the bearer of the request's token writes that type; `c` creates, `u` updates. Raises `ScopeTooSmall`.

    What must be looked at to store something is of types that its scopes need not name; nothing of it is shown.
    """
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    g.requester = replace(granted.requester, request=g.reference, types=None, narrowed="", confined=None)
    if not granted.may_write(type_, interaction):
        needed = f"system/{type_}.{interaction}"
        raise ScopeTooSmall(f"The access token has no scope for writing {type_}", needed=needed)
    return Lens.compile(parts().place, g.requester, at())


def may_validate(type_: str) -> None:
    """Nothing, where the token has any scope for that type: nothing of anybody is looked at. Raises `ScopeTooSmall`."""
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    g.requester = replace(granted.requester, request=g.reference)
    if not (granted.may_read(type_) or any(granted.may_write(type_, one) for one in "cu")):
        raise ScopeTooSmall(f"The access token has no scope for {type_}", needed=f"system/{type_}.rs")


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
    unless_held(made)
    return made


def unless_held(made: Response) -> None:
    """304 for a version that the client has. `If-Match` is for updates (R4 3.1.0.5): a read asks nothing by it."""
    asked = {name: value for name, value in request.environ.items() if name not in _OF_UPDATES}
    made.make_conditional(asked)


def answer(body: bytes | str, status: int = 200) -> Response:
    """FHIR as a response, in the form that was asked for; what went wrong is told whole."""
    asked = form()
    if asked is PLAIN:
        return Response(body, status, content_type=FHIR_JSON)
    if status >= 400:
        asked = replace(asked, summary="", elements=())
    return Response(forms.shaped(body, asked), status, content_type=asked.media_type)
