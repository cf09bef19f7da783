"""How systems ask the FHIR API, and what is everybody's: signing in and out, health, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import NUMBERS, born, key, person
from worlds_routes import UNKNOWN, Asks, Drawing, Route, get, post

from carelink.fhir import searched

FHIR_JSON = {"Content-Type": "application/fhir+json"}


def _audited(draw: Drawing) -> dict[str, str]:
    return draw.one(
        {"patient": f"Patient/{draw.person()}"},
        {"patient": f"Patient/{draw.person()}", "_count": "2"},
        {"date": "ge2026-11-10", "_count": "3"},
        {"agent": "sam.okafor"},
        {"outcome": "4"},
        {"patient": str(draw.person()), "entity": f"Condition/{draw.key('Condition')}"},
    )


def _sealed(endpoint: str, given: Any) -> Asks:
    """A search in the body."""

    def ask(draw: Drawing) -> Ask:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Ask(endpoint, {}, "POST", given(draw), headers=headers)

    return ask


def _consent(draw: Drawing, whose: Any, key: str = "") -> bytes:
    kind = draw.one("deny", "deny", "permit")
    who = {"reference": f"Patient/{whose}"}
    body: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": who,
        "performer": [who],
        "dateTime": "2026-11-20",
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]},
        "provision": {"type": kind},
    }
    return json.dumps(body | ({"id": key} if key else {})).encode()


def _create(draw: Drawing) -> Ask:
    whose = draw.one(draw.person(), draw.key("Patient"))
    return Ask("fhir_consents.create", {}, "POST", body=_consent(draw, whose), headers=FHIR_JSON)


def _update(draw: Drawing) -> Ask:
    """Of one that is stored, mostly one that was recorded here, and in the version that there is."""
    there = draw.thing("Consent", source="carelink")
    id_, versions = (key(there), len(there.said)) if there is not None else (UNKNOWN, 1)
    whose = person(there.of) if there is not None and there.of is not None else UNKNOWN
    match = {"If-Match": f'W/"{draw.one(versions, versions, 9)}"'}
    sent = _consent(draw, draw.one(whose, whose, draw.person()), str(id_))
    return Ask("fhir_consents.update", {"key": id_}, "PUT", body=sent, headers=FHIR_JSON | match)


def _has(draw: Drawing) -> dict[str, str]:
    """Now and then a version that the client has."""
    return draw.one(
        {},
        {},
        {"If-None-Match": 'W/"1"'},
        {"If-None-Match": 'W/"2"'},
        {"If-Modified-Since": "Tue, 24 Nov 2026 11:20:00 GMT"},
    )


def _conditional(endpoint: str, name: str, *types: str) -> Asks:
    """A read; now and then of a version that the client has."""

    def ask(draw: Drawing) -> Ask:
        return Ask(endpoint, {name: draw.one(draw.key(*types), draw.person())}, headers=_has(draw))

    return ask


def _read_one(draw: Drawing) -> Ask:
    thing = draw.thing(*searched.TYPES)
    type_ = thing.type if thing is not None and draw.chance.random() < 0.9 else "Condition"
    values = {"type_": type_, "key": key(thing) if thing is not None else UNKNOWN}
    return Ask("fhir_resources.read", values, headers=_has(draw))


def _token(draw: Drawing) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": draw.one("ward", "nobody"), "client_secret": draw.one("x" * 40, "wrong"), "scope": "system/Patient.rs"}  # fmt: skip


def _back(draw: Drawing) -> Ask:
    """Somebody comes back from the identity provider."""
    return Ask("web.come_back", {"code": "c", "state": "state"}, session={"attempt": ["state", "nonce", "verifier"]})


def claims(draw: Drawing) -> dict[str, str]:
    """What the identity provider says of who comes back."""
    number = draw.number()
    proven = {"nhs_number": NUMBERS[number], "birthdate": born(draw.one(number, number, 0)), "identity_proofing_level": draw.one("P9", "P9", "P5")}  # fmt: skip
    return draw.one(
        {"sub": f"self-{number}", "name": "Somebody", **proven}, {"sub": "sam.okafor"}, {"sub": "unknown"}, {}
    )


FILES = "files of ours and of npm's, the same for everyone"
SYSTEMS: Mapping[str, Route] = {
    "fhir.metadata": Route(get("fhir.metadata"), whose="system"),
    "fhir.read": Route(_conditional("fhir.read", "key", "Patient"), whose="system"),
    "fhir_audit.read": Route(get("fhir_audit.read", number=lambda draw: draw.row("audit_event")), whose="system"),
    "fhir_audit.find": Route(lambda draw: Ask("fhir_audit.find", _audited(draw)), whose="system"),
    "fhir_audit.find_by_form": Route(_sealed("fhir_audit.find_by_form", _audited), whose="system"),
    "fhir_resources.read": Route(_read_one, whose="system"),
    "fhir_consents.create": Route(_create, good=201, whose="system"),
    "fhir_consents.update": Route(_update, good=200, whose="system"),
    "oauth2.token": Route(post("oauth2.token", _token), whose="system"),
    "web.home": Route(get("web.home"), good=303, whose="anybody"),
    "web.roles": Route(get("web.roles"), whose="anybody"),
    "web.choose_role": Route(post("web.choose_role", lambda draw: {"assignment": draw.one("901|adults-north|social-worker", "x")}), good=303, whose="anybody"),
    "web.purpose": Route(get("web.purpose")),
    "web.choose_purpose": Route(post("web.choose_purpose", lambda draw: {"purpose": draw.one("SAFEGUARDING", "CAREMGT", "x")}), good=303, whose="anybody"),
    "web.come_back": Route(_back, good=303, whose="nobody"),
    "web.leave_to_provider": Route(get("web.leave_to_provider"), good=303, whose="nobody"),
    "web.sign_out": Route(post("web.sign_out", lambda draw: {}), good=303, whose="anybody"),
    "web.healthz": Route(get("web.healthz"), whose="anybody"),
    "static": Route(tells_nothing=FILES),
    "web.static": Route(tells_nothing=FILES),
}  # fmt: skip
