"""What the FHIR API says: Bundles joined from bytes, what it can do, and what went wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from werkzeug.exceptions import BadRequest, InternalServerError, MethodNotAllowed

from carelink.cases.standing import Standing
from carelink.errors import CareLinkError, Conflict, Forbidden, Invalid, NotFound, SourceUnavailable
from carelink.fhir import bundle, capability, outcome
from carelink.fhir.notices import notice
from carelink.identity.tokens import ScopeTooSmall, TokenRefused
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Words
from carelink.record.query import Row
from fhir_adapters import exact_json

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE = "https://carelink.example/fhir/R4"
KEY = ResourceKey(UUID("00000000-0000-4000-8000-000000000001"))
SHE = PersonKey(KEY)
WORDS = Words("CareLink", "Dalemere", "Some information is not shown.", "help")


def row(body: str, person: PersonKey | None = SHE, type_: str = "Patient") -> Row:
    return Row(KEY, type_, person, 1, NOW, None, "hospital", Ods("RDV"), "demographics", body)


def test_a_bundle_holds_the_stored_text_itself() -> None:
    stored = '{"id":"1","x":7.10, "é":"\\u00e9"}'
    made = bundle.searchset(BASE, [row(stored)], f"{BASE}/Patient?a=b")
    assert stored.encode() in made
    told = exact_json.loads(made)
    assert told["entry"][0]["fullUrl"] == f"{BASE}/Patient/{KEY}"
    assert told["link"] == [{"relation": "self", "url": f"{BASE}/Patient?a=b"}]
    assert "total" not in told


def test_an_empty_bundle_has_no_entry_element() -> None:
    assert "entry" not in exact_json.loads(bundle.searchset(BASE, [], "self", total=0))


def test_what_belongs_to_nobody_is_included_and_a_notice_comes_last() -> None:
    rows = [row('{"id":"1"}'), row('{"id":"2"}', None, "Practitioner")]
    told = exact_json.loads(bundle.searchset(BASE, rows, "self", "next", bundle.matches(rows), b'{"id":"3"}'))
    assert [(one["resource"]["id"], one["search"]["mode"]) for one in told["entry"]] == [
        ("1", "match"),
        ("2", "include"),
        ("3", "outcome"),
    ]
    assert (told["total"], told["link"][1]) == (1, {"relation": "next", "url": "next"})


def test_what_the_server_says_of_itself_is_valid_fhir() -> None:
    said = capability.statement(BASE, "1.2.3", NOW)
    get_fhir_model_class("CapabilityStatement").model_validate(said)
    assert said["software"]["version"] == "1.2.3"
    oauth = said["rest"][0]["security"]["extension"][0]["extension"][0]
    assert oauth == {"url": "token", "valueUri": "https://carelink.example/oauth2/token"}


# error -> status, IssueType, expression
FAILURES = [
    (NotFound("no such resource"), 404, "not-found", None),
    (Forbidden("not yours", rule="r"), 403, "forbidden", None),
    (TokenRefused("expired"), 401, "login", None),
    (ScopeTooSmall("too small", needed="system/*.rs"), 403, "forbidden", None),
    (Conflict("changed"), 409, "conflict", None),
    (Invalid("_count", "must be a number"), 400, "invalid", ["_count"]),
    (SourceUnavailable("hospital", None, "no answer"), 503, "transient", None),
    (CareLinkError("odd"), 400, "processing", None),
    (MethodNotAllowed(["GET"]), 405, "not-supported", None),
    (BadRequest(), 400, "processing", None),
    (InternalServerError(), 500, "exception", None),
    (KeyError("9990000018"), 500, "exception", None),
]


@pytest.mark.parametrize(("error", "status", "code", "expression"), FAILURES)
def test_every_failure_is_a_valid_outcome(
    error: Exception, status: int, code: str, expression: list[str] | None
) -> None:
    told = outcome.of(error, "7F3K-92QD")
    body = exact_json.loads(told.body)
    get_fhir_model_class("OperationOutcome").model_validate(body)
    (issue,) = body["issue"]
    assert (told.status, issue["code"], issue.get("expression")) == (status, code, expression)
    if status == 500:
        assert (issue["severity"], "7F3K-92QD" in issue["diagnostics"]) == ("fatal", True)
        assert "9990000018" not in issue["diagnostics"]


def test_a_challenge_says_what_was_wrong_with_the_token_and_nothing_where_there_was_none() -> None:
    said = [outcome.of(error).headers for error in CHALLENGED]
    assert [one["WWW-Authenticate"] for one in said] == [
        'Bearer realm="CareLink"',
        'Bearer realm="CareLink", error="invalid_token", error_description="The access token has expired"',
        'Bearer realm="CareLink", error="insufficient_scope", scope="system/*.rs"',
    ]
    assert outcome.of(MethodNotAllowed(["POST", "GET"])).headers == {"Allow": "GET, POST"}


CHALLENGED = (
    TokenRefused("Send one", missing=True),
    TokenRefused("The access token has expired"),
    ScopeTooSmall("too small", needed="system/*.rs"),
)


def standing(as_of: datetime | None, failing: datetime | None = None, stale: bool = False) -> Standing:
    return Standing("hospital", "Hospital record", as_of, failing, "10.0.0.1 refused", stale)


def test_nothing_is_said_where_all_is_shown_and_fresh() -> None:
    assert notice(False, [standing(NOW)], WORDS) == b""


NOTICES = [
    (False, standing(None, stale=True), "incomplete", "has not answered about this person; nothing of it is known"),
    (False, standing(NOW, NOW), "incomplete", "not reachable since 2026-11-24T12:00:00Z; what is given is as of"),
    (False, standing(NOW, stale=True), "incomplete", "not asked lately; what is given is as of 2026-11-24T12:00:00Z"),
    (True, standing(NOW), "suppressed", "Some information is not shown."),
]


@pytest.mark.parametrize(("withheld", "one", "code", "words"), NOTICES)
def test_what_is_withheld_or_old_is_said(withheld: bool, one: Standing, code: str, words: str) -> None:
    body = exact_json.loads(notice(withheld, [one], WORDS))
    get_fhir_model_class("OperationOutcome").model_validate(body)
    (issue,) = body["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", code)
    assert words in issue["diagnostics"]
    assert "10.0.0.1" not in issue["diagnostics"]
