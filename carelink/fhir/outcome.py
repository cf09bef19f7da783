"""OperationOutcome: what went wrong, for systems (FHIR R4 2.43)."""

from __future__ import annotations

from carelink.errors import CareLinkError, Conflict, Forbidden, Invalid, NotFound, SourceUnavailable
from fhir_adapters import exact_json

# error -> HTTP status, IssueType code (http://hl7.org/fhir/issue-type)
STATUS: tuple[tuple[type[CareLinkError], int, str], ...] = (
    (NotFound, 404, "not-found"),
    (Forbidden, 403, "forbidden"),
    (Conflict, 409, "conflict"),
    (Invalid, 400, "invalid"),
    (SourceUnavailable, 503, "transient"),
)


def outcome(code: str, words: str, severity: str = "error", place: str = "") -> bytes:
    """One issue as a FHIR JSON body; `place` becomes its expression."""
    issue = {"severity": severity, "code": code, "diagnostics": words}
    if place:
        issue["expression"] = [place]  # type: ignore[assignment]
    return exact_json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def of(error: CareLinkError) -> tuple[bytes, int]:
    """The body and status for an error of ours."""
    for kind, status, code in STATUS:
        if isinstance(error, kind):
            return outcome(code, str(error), place=getattr(error, "place", "")), status
    return outcome("exception", "Something went wrong on our side"), 500
