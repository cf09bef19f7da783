"""OperationOutcome: what went wrong, for systems (FHIR R4 2.43)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed

from carelink.cases.consents import MayNotConsent
from carelink.cases.consents_received import VersionMoved
from carelink.cases.exporting import TooMany
from carelink.cases.pushing_terms import ChoosesNoId, Refused, Several, TooMuch, Unprocessable
from carelink.cases.pushing_terms import VersionMoved as PushMoved
from carelink.errors import CareLinkError, Conflict, Forbidden, Gone, Invalid, NotFound, SourceUnavailable, TooCostly
from carelink.identity.tokens import ScopeTooSmall, TokenRefused
from carelink.record.terminology import NotCarried, UnknownCode
from fhir_adapters import exact_json

# error -> HTTP status, IssueType code (http://hl7.org/fhir/issue-type); the first that fits
STATUS: tuple[tuple[type[CareLinkError], int, str], ...] = (
    (Gone, 410, "deleted"),
    (NotFound, 404, "not-found"),
    (MayNotConsent, 422, "business-rule"),
    (VersionMoved, 412, "conflict"),
    (PushMoved, 412, "conflict"),
    (Several, 412, "multiple-matches"),
    (ChoosesNoId, 405, "not-supported"),
    (TooMuch, 413, "too-costly"),
    (Unprocessable, 422, "business-rule"),
    (TokenRefused, 401, "login"),
    (Forbidden, 403, "forbidden"),
    (Conflict, 409, "conflict"),
    (TooMany, 429, "throttled"),
    (NotCarried, 404, "not-supported"),
    (UnknownCode, 404, "not-found"),
    (TooCostly, 422, "too-costly"),
    (Invalid, 400, "invalid"),
    (SourceUnavailable, 503, "transient"),
    (CareLinkError, 400, "processing"),
)
# HTTP status that the web server itself answers with -> IssueType code, words (none: its own)
HTTP: Mapping[int, tuple[str, str]] = {
    404: ("not-found", "There is nothing at this address; GET [base]/metadata says what there is"),
    405: ("not-supported", "This is not done here; GET [base]/metadata says what is"),
    406: ("not-supported", ""),
    413: ("too-long", "What was sent is too large"),
    415: ("not-supported", ""),
    429: ("throttled", "Too many requests; wait a minute"),
}
MOST_ISSUES = 100  # of one answer
REALM = 'Bearer realm="CareLink"'


@dataclass(frozen=True)
class Told:
    """A failure as it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def issue(severity: str, code: str, words: str, place: str = "") -> dict[str, Any]:
    """One issue; `place` becomes its expression."""
    made: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": words}
    return made | ({"expression": [place]} if place else {})


def outcome(*issues: Mapping[str, Any]) -> bytes:
    """The issues as a FHIR JSON body."""
    return exact_json.dumps({"resourceType": "OperationOutcome", "issue": list(issues)})


def of(error: Exception, reference: str = "") -> Told:
    """What is said of any failure; of one that is not known only the reference by which we find it."""
    if isinstance(error, CareLinkError):
        status, code = next((status, code) for kind, status, code in STATUS if isinstance(error, kind))
        return Told(status, outcome(*_issues(error, code)), _challenge(error))
    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        return _http(error)
    return Told(500, outcome(issue("fatal", "exception", f"Something went wrong on our side; reference {reference}")))


def _issues(error: CareLinkError, code: str) -> list[dict[str, Any]]:
    if isinstance(error, Refused):
        return [issue("error", code, f"{one.place}: {one.why}", one.place) for one in error.reasons[:MOST_ISSUES]]
    return [issue("error", code, str(error), error.place)]


def _http(error: HTTPException) -> Told:
    status = error.code or 500
    code, words = HTTP.get(status, ("processing", ""))
    methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    headers = {"Allow": ", ".join(sorted(methods))} if methods else {}
    return Told(status, outcome(issue("error", code, words or error.description or error.name)), headers)


def _challenge(error: CareLinkError) -> Mapping[str, str]:
    """What an OAuth2 client must be told (RFC 6750 3.1): no error code where it sent no token at all."""
    if isinstance(error, TokenRefused):
        said = REALM if error.missing else f'{REALM}, error="invalid_token", error_description="{error}"'
        return {"WWW-Authenticate": said}
    if isinstance(error, ChoosesNoId):
        return {"Allow": "GET, HEAD, OPTIONS"}
    if isinstance(error, ScopeTooSmall):
        return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{error.needed}"'}
    if isinstance(error, TooMany):
        return {"Retry-After": str(int(error.after.total_seconds()))}
    return {}
