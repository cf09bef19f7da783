"""/fhir/R4/$export: bulk exports for systems: asked for, looked at until they are done, fetched, deleted."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, g, request

from carelink.cases import exporting, exporting_files
from carelink.cases.exporting import Export
from carelink.consent.requester import Requester
from carelink.errors import NotFound
from carelink.fhir import asking, bearer, parameters_body, searched, sent
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.export_asking import NDJSON, Offered, Prefer, asked_of
from carelink.fhir.outcome import issue, outcome
from carelink.identity.tokens import Granted, ScopeTooSmall
from carelink.web.parts import parts
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters import exact_json

TYPES = tuple(sorted({"Patient", *searched.TYPES}))
SOON = 5  # seconds until it is worth asking again

blueprint = Blueprint("fhir_exports", __name__, url_prefix=ROOT)


@blueprint.get("/$export")
def everything() -> Response:
    """Ask for all that this client may see."""
    bearer.check_format()
    return _begun("system", "$export", list(request.args.items(multi=True)))


@blueprint.post("/$export")
def everything_by_body() -> Response:
    """The same, with Parameters."""
    bearer.check_format()
    return _begun("system", "$export", [*request.args.items(multi=True), *_posted()], posted=True)


@blueprint.get("/Patient/$export")
def patients() -> Response:
    """Ask for all that this client may see of people."""
    bearer.check_format()
    return _begun("patient", "Patient/$export", list(request.args.items(multi=True)))


@blueprint.post("/Patient/$export")
def patients_by_body() -> Response:
    """The same with Parameters, which may name the Patients."""
    bearer.check_format()
    return _begun("patient", "Patient/$export", [*request.args.items(multi=True), *_posted()], posted=True)


@blueprint.get("/bulk/<uuid:export>")
def status(export: UUID) -> Response:
    """202 until it is done, then what there is."""
    found = exporting.find(connection(), _asks()[0], export, at())
    if found.status == exporting.WAITING:
        answer = bearer.answer(b"", 202)
        answer.headers["X-Progress"] = "in progress"  # how far it is would tell how much there is to withhold
        answer.headers["Retry-After"] = str(SOON)
        return answer
    told = Response(exact_json.dumps(_manifest(found)), content_type="application/json")
    told.headers["Expires"] = found.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return told


@blueprint.delete("/bulk/<uuid:export>")
def cancel(export: UUID) -> Response:
    """No longer wanted: it is stopped, and its files are deleted."""
    exporting.cancel(connection(), _asks()[0], export, at())
    return bearer.answer(b"", 202)


@blueprint.get("/bulk/<uuid:export>/<uuid:file>.ndjson")
def file(export: UUID, file: UUID) -> Response:
    """One file of an export of theirs, packed where the client takes that."""
    made, _ = exporting.fetched(connection(), _asks()[0], export, file, at())
    root = parts().settings.exports
    path = exporting_files.path(exporting_files.folder_of(root, made.id, made.attempt or made.id), file)
    if not path.is_file():
        raise NotFound("There is no such file: it is over, was deleted, or is not yours")
    pieces: Iterable[bytes] = exporting_files.pieces(path)
    packed = request.accept_encodings.quality("gzip") > 0
    answer = Response(_packed(pieces) if packed else pieces, content_type=NDJSON)
    answer.headers["Vary"] = "Accept-Encoding"
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    else:
        answer.content_length = path.stat().st_size
    return answer


def _begun(level: str, name: str, given: Given, *, posted: bool = False) -> Response:
    requester, granted = _asks()
    prefer = Prefer.read(",".join(request.headers.getlist("Prefer")))
    offered = Offered(level, f"{endpoint().base}/{name}", TYPES, requester.types, " ".join(sorted(granted.scopes)))
    asked = asked_of(offered, given, prefer, posted)
    id_ = exporting.ask(connection(), requester, asked, at(), parts().settings.export_hours)
    where = f"{endpoint().base}/bulk/{id_}"
    told = issue("information", "informational", f"It is being made; GET {where} says when it is done")
    answer = bearer.answer(outcome(told), 202)
    answer.headers["Content-Location"] = where
    return answer


def _posted() -> Given:
    return parameters_body.given(sent.resource(parameters_body.TYPE)) if request.get_data() else []


def _asks() -> tuple[Requester, Granted]:
    """Who asks, and the types that they may read as a system: an export is for nobody who is signed in.

    Raises `ScopeTooSmall` where that is none.
    """
    granted = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    g.requester = replace(granted.requester, request=g.reference)
    reach = exporting.reach_of_system(granted.scopes)
    if reach.types is not None and not reach.types:
        raise ScopeTooSmall("The access token has no scope of a system for reading", needed="system/*.rs")
    return replace(g.requester, types=reach.types, narrowed=reach.narrowed), granted


def _manifest(export: Export) -> dict[str, object]:
    assert export.transaction_at is not None
    return {
        "transactionTime": export.transaction_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "request": export.asked.address,
        "requiresAccessToken": True,
        **{kind: _files(export, kind) for kind in (exporting_files.OUTPUT, "deleted", "error")},
    }


def _files(export: Export, kind: str) -> list[dict[str, object]]:
    base = f"{endpoint().base}/bulk/{export.id}"
    return [
        {"type": one.type, "url": f"{base}/{one.id}.ndjson", "count": one.count}
        for one in export.files
        if one.kind == kind
    ]


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for piece in pieces:
        if out := packer.compress(piece):
            yield out
    yield packer.flush()
