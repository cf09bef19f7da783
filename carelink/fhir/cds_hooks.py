"""/cds-services: CDS Hooks 2.0 for electronic patient records. Discovery, one service, and its feedback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from carelink.audit.trail import Event, append
from carelink.cases import patient_view
from carelink.cases.patient_view import Links
from carelink.consent.lens import Lens
from carelink.errors import CareLinkError, Conflict, Invalid
from carelink.fhir.endpoint import endpoint
from carelink.identity import cds_clients
from carelink.identity.cds_clients import Called, NotTrusted
from carelink.web.parts import parts
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters import exact_json

ROOT, ID = "/cds-services", "carelink-patient-view"
LARGEST = 1_000_000  # bytes of a call
_REFERENCE = re.compile(r"(?:[A-Za-z]{2,40}/)?[A-Za-z0-9.-]{1,64}")
SERVICE: Mapping[str, Any] = {
    "hook": "patient-view",
    "id": ID,
    "title": "Known to adult social care",
    "description": "Whether the patient is known to adult social care, who is allocated, and what the caller may know",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
    "usageRequirements": "The Patient of the prefetch must have an NHS number",
}

blueprint = Blueprint("cds_hooks", __name__, url_prefix=ROOT)


class NoPrefetch(Conflict):
    """What the service needs was not sent, and is fetched from nowhere (412)."""


@blueprint.get("")
def discovery() -> Response:
    """Which services there are; asked without a token, as CDS Hooks wants it."""
    return _answer({"services": [SERVICE]})


@blueprint.post(f"/{ID}")
def view() -> Response:
    """The cards for the patient whose chart was opened."""
    caller, sent = _called(ID), _sent()
    if sent.get("hook") != SERVICE["hook"]:
        raise Invalid("hook", f"must be {SERVICE['hook']}")
    instance, context = _text(sent, "hookInstance"), _object(sent, "context")
    user, whose = _text(context, "userId", "context."), _text(context, "patientId", "context.")
    patient = _patient(sent, whose)
    g.requester = caller.requester(parts().place, user, g.reference)
    lens = Lens.compile(parts().place, g.requester, at())
    number = _number(patient)
    found = patient_view.known(connection(), parts().place, lens, number) if number else None
    return _answer({"cards": patient_view.cards(parts().place, found, _links(), instance)})


@blueprint.post(f"/{ID}/feedback")
def feedback() -> Response:
    """What became of cards: only how many, in the audit."""
    caller, sent = _called(ID), _sent()
    given = sent.get("feedback")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid("feedback", "must be a list of what became of each card")
    outcomes = [one.get("outcome") for one in given]
    if wrong := next((one for one in outcomes if one not in ("accepted", "overridden")), None):
        raise Invalid("feedback.outcome", f"must be accepted or overridden, not {str(wrong)[:40]}")
    detail = {outcome: outcomes.count(outcome) for outcome in ("accepted", "overridden")}
    asks = caller.requester(parts().place, "", g.reference)
    append(connection(), Event("cds-feedback", asks, query=ID, count=len(given), detail=detail), at())
    return _answer({})


@blueprint.after_request
def cross_origin(answer: Response) -> Response:
    """Pages of the systems on the list may call from the browser, and no others (CORS)."""
    origin = request.headers.get("Origin", "")
    answer.headers["Vary"] = "Origin"
    if any(origin in one.origins for one in parts().place.cds_clients):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        answer.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        answer.headers["Access-Control-Max-Age"] = "600"
    return answer


def failed(error: Exception) -> Response:
    """Any failure, as JSON."""
    if isinstance(error, CareLinkError):
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        answer = _answer({"error": str(error)}, status)
        if status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="CareLink"'
        return answer
    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        answer = _answer({"error": error.name}, error.code or 400)
        if allowed := getattr(error, "valid_methods", None):
            answer.headers["Allow"] = ", ".join(sorted(allowed))
        return answer
    return _answer({"error": f"Something went wrong on our side; reference {g.get('reference', '')}"}, 500)


_STATUS: tuple[tuple[type[CareLinkError], int], ...] = ((NotTrusted, 401), (NoPrefetch, 412), (Invalid, 400))


def _called(service: str) -> Called:
    """The system that calls. Raises `NotTrusted`."""
    made = endpoint()
    audience = f"{parts().settings.base_url}{ROOT}/{service}"
    said = request.headers.get("Authorization", "")
    return cds_clients.called(connection(), parts().place, made.key_sets, said, audience, at())


def _sent() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise Invalid("Content-Type", "must be application/json")
    if (request.content_length or 0) > LARGEST:
        raise Invalid("body", "is too large")
    try:
        body = exact_json.loads(request.get_data())
    except (ValueError, RecursionError) as wrong:
        raise Invalid("body", "is not JSON") from wrong
    if not isinstance(body, dict):
        raise Invalid("body", "must be one JSON object")
    return body


def _patient(sent: Mapping[str, Any], whose: str) -> Mapping[str, Any]:
    """The Patient of the prefetch. Raises `NoPrefetch` without one, `Invalid` for another than the chart's."""
    prefetch = sent.get("prefetch")
    patient = prefetch.get("patient") if isinstance(prefetch, dict) else None
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise NoPrefetch("prefetch.patient: send the Patient; nothing is fetched from the FHIR server of the caller")
    if patient.get("id") != whose.removeprefix("Patient/"):
        raise Invalid("prefetch.patient.id", "is not the patient of the context, whose chart was opened")
    return patient


def _object(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = sent.get(name)
    if not isinstance(found, dict):
        raise Invalid(name, "must be an object")
    return found


def _text(sent: Mapping[str, Any], name: str, under: str = "") -> str:
    found = sent.get(name)
    if not (isinstance(found, str) and _REFERENCE.fullmatch(found)):
        raise Invalid(f"{under}{name}", "must be an id")
    return found


def _number(patient: Mapping[str, Any]) -> str:
    """The NHS number; empty for a Patient without one. Raises `Invalid` for what is no list of identifiers."""
    given = patient.get("identifier", [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid("prefetch.patient.identifier", "must be a list of identifiers")
    return patient_view.number_of(patient)


def _links() -> Links:
    home = parts().settings.base_url
    return Links(home, f"{home}/launch", f"{home}/people/")


def _answer(body: Any, status: int = 200) -> Response:
    return Response(exact_json.dumps(body), status, content_type="application/json")
