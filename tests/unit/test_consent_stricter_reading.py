"""What must not be read in the direction that shows more: of a Consent, and of what is told about an item."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import NOW
from consent_builders import PLACE

from carelink.consent.capacity import Mind
from carelink.consent.effect import effect
from carelink.ids import ODS

REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ITEM = "0f3c1d6e-6a1b-5c1e-9b53-3c1f5b1f7a10"
ADULT = Mind(birth_date="1950-05-01")
ANN = {"reference": "Patient/ann"}
RECIPIENT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
TO_HOSPITAL = {"role": RECIPIENT, "reference": {"identifier": {"system": ODS, "value": "RDV"}}}


def consent(provision: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    scope = {"coding": [{"system": SCOPE, "code": "patient-privacy"}]}
    body = {"resourceType": "Consent", "status": "active", "scope": scope, "patient": ANN, "performer": [ANN]}
    return body | ({} if provision is None else {"provision": provision}) | {"dateTime": "2026-05-04"} | more


def rules(body: dict[str, Any], mind: Mind = ADULT) -> list[str]:
    return [one.rule for one in effect(body, PLACE, mind, NOW).directives]


def deny(**more: Any) -> dict[str, Any]:
    return {"type": "deny", **more}


def permit(**more: Any) -> dict[str, Any]:
    return {"type": "permit", "actor": [TO_HOSPITAL], **more}


def instance(reference: str) -> dict[str, Any]:
    return {"data": [{"meaning": "instance", "reference": {"reference": reference}}]}


OPT_OUT = {"coding": [{"system": ACT_CODE, "code": "OPTOUT"}]}
HIDES_ALL = [
    ("a purpose that is in no list", consent(deny(purpose=[{"system": REASON, "code": "TRET"}]))),
    ("every purpose there is", consent(deny(purpose=[{"system": REASON, "code": "PurposeOfUse"}]))),
    ("a part of a purpose", consent(deny(purpose=[{"system": REASON, "code": "ERTREAT"}]))),
    ("an item of another server", consent(deny(**instance(f"https://x.example/fhir/Condition/{ITEM}")))),
    ("an item of a bundle", consent(deny(**instance(f"urn:uuid:{ITEM}")))),
    ("an old version of an item", consent(deny(**instance(f"Condition/{ITEM}/_history/1")))),
    ("all but one, said as a policy", consent(permit(), policyRule=OPT_OUT)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), HIDES_ALL, ids=[what for what, _ in HIDES_ALL])
def test_a_denial_that_would_meet_nothing_is_not_kept_as_if_it_did(what: str, body: dict[str, Any]) -> None:
    assert rules(body) == ["L7-objection-unclear"]


def test_what_is_never_done_here_may_be_denied_without_more() -> None:
    assert rules(consent(deny(purpose=[{"system": REASON, "code": "HMARKT"}]))) == ["L6-consent-deny"]


def test_a_denial_of_research_within_a_permission_is_an_opt_out() -> None:
    research = {"coding": [{"system": SCOPE, "code": "research"}]}
    assert rules(consent(permit(provision=[deny()]), scope=research)) == ["L10-opt-out"]


def test_a_scope_of_another_list_is_not_one_of_ours() -> None:
    elsewhere = {"coding": [{"system": "https://x.example/scope", "code": "treatment"}]}
    assert rules(consent(deny(), scope=elsewhere)) == ["L7-objection"]


def test_a_permission_that_nobody_verified_has_no_effect() -> None:
    unverified = [{"verified": False}]
    found = effect(consent(permit(), verification=unverified), PLACE, ADULT, NOW)
    assert (found.directives, len(found.problems)) == ((), 1)
    assert rules(consent(deny(), verification=unverified)) == ["L7-objection"]
    assert rules(consent(permit(), verification=[*unverified, {"verified": True}])) == ["L6-consent-permit"]


def made(body: dict[str, Any]) -> datetime | None:
    (one,) = effect(body, PLACE, ADULT, NOW).directives
    return one.made


def test_of_a_day_or_a_year_a_permission_was_given_at_its_beginning_and_a_denial_at_its_end() -> None:
    assert made(consent(permit(), dateTime="2026")) == datetime(2026, 1, 1, tzinfo=UTC)
    assert made(consent(deny(), dateTime="2026")) == datetime(2027, 1, 1, tzinfo=UTC)
    assert made(consent(deny(), dateTime="2026-05-04T09:00:00Z")) == datetime(2026, 5, 4, 9, tzinfo=UTC)


def test_a_permission_is_not_newer_than_the_day_on_which_it_came() -> None:
    assert made(consent(permit(), dateTime="2099-01-01")) == NOW


def test_nobody_permits_now_by_an_authority_that_they_will_have_once() -> None:
    child = Mind(birth_date="2019-05-01")
    assert rules(consent(permit(), dateTime="2026-05-04"), child) == []
    assert rules(consent(permit(), dateTime="2040-05-04"), child) == []
