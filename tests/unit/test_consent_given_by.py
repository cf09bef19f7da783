"""What a Consent comes to depends on who gave it: what somebody permitted who might not has no effect, a denial has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from conftest import NOW
from consent_builders import PLACE

from carelink.consent.capacity import Authority, AuthorityKind
from carelink.consent.effect import effect
from carelink.consent.mind import Mind
from carelink.ids import ODS, ResourceKey

ANN = {"reference": "Patient/ann"}
SON = {"reference": "RelatedPerson/son", "display": "Peter Hart"}
ADULT = Mind(birth_date="1950-05-01")


def consent(type_: str, *performers: dict[str, str], **provision: Any) -> dict[str, Any]:
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
    body = {"resourceType": "Consent", "status": "active", "scope": scope, "patient": ANN, "dateTime": "2026-05-04"}
    return body | {"performer": list(performers), "provision": {"type": type_, **provision}}


def to(ods: str, **more: Any) -> dict[str, Any]:
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    return {
        "type": "permit",
        "actor": [{"role": role, "reference": {"identifier": {"system": ODS, "value": ods}}}],
    } | more


CASES = [
    ("the person permits", consent("permit", ANN), ["permit"], 0),
    ("nobody is named, so it is the person", consent("permit"), ["permit"], 0),
    ("her son permits, who may not", consent("permit", SON), [], 1),
    ("her son denies: that is kept", consent("deny", SON), ["deny"], 0),
    ("her son denies all but one: the exception has no effect", consent("deny", SON, provision=[to("RDV")]), ["deny"], 1),
    ("both of them permit", consent("permit", SON, ANN), ["permit"], 0),
    ("what can't be read is told as well", consent("deny", SON, purpose=[{}]), ["deny"], 1),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "effects", "problems"), CASES, ids=[what for what, *_ in CASES])
def test_what_it_comes_to(what: str, body: dict[str, Any], effects: list[str], problems: int) -> None:
    found = effect(body, PLACE, ADULT, NOW)
    assert [one.effect for one in found.directives] == effects
    assert len(found.problems) == problems
    assert all(found.problems)


def test_what_a_mother_permitted_ends_at_16_or_sooner_and_what_she_denied_stays() -> None:
    mother = Authority(AuthorityKind.PARENTAL_RESPONSIBILITY, "Bea Hart", ResourceKey(uuid4()))
    child = Mind("2013-03-04", authorities=(mother,))
    by_her = {"display": "Bea Hart"}
    soon = {"period": {"end": "2027-01-01"}}
    sixteen = datetime(2029, 3, 4, tzinfo=UTC)
    (permitted,) = effect(consent("permit", by_her), PLACE, child, NOW).directives
    (shorter,) = effect(consent("permit", by_her, **soon), PLACE, child, NOW).directives
    (denied,) = effect(consent("deny", by_her), PLACE, child, NOW).directives
    assert permitted.ends == sixteen
    assert shorter.ends is not None
    assert shorter.ends < sixteen
    assert denied.ends is None
