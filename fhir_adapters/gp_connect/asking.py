"""The question to one practice about one person, as GP Connect asks it (Access Record Structured, version 1)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from fhir_adapters import exact_json
from fhir_adapters.gp_connect.codes import NHS_NUMBER, ODS
from fhir_adapters.source import SourceSettings

INTERACTION = "urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1"
OPERATION = "Patient/$gpc.getstructuredrecord"
USUAL_ROOT = "STU3/1/gpconnect/structured/fhir"  # below a practice's ODS code
LIFE_OF_A_TOKEN = 300  # seconds; the specification asks for exactly five minutes
# What is asked for, and the parts that ask for more than the usual.
INCLUDED: tuple[tuple[str, Mapping[str, bool]], ...] = (
    ("includeAllergies", {"includeResolvedAllergies": True}),
    ("includeMedication", {"includePrescriptionIssues": True}),
    ("includeConsultations", {}),
    ("includeProblems", {}),
    ("includeImmunisations", {}),
    ("includeInvestigations", {}),
    ("includeReferrals", {}),
    ("includeDiaryEntries", {}),
    ("includeUncategorisedData", {}),
)


def path(practice: str) -> str:
    """Where the practice's record is asked for, below the source's URL. The NHS number is only in the body."""
    return f"{practice}/{USUAL_ROOT}/{OPERATION}"


def where(settings: SourceSettings, practice: str) -> str:
    """The same for a practice whose service root is told: the whole URL, as the Spine's proxy takes it."""
    told = _told_root(settings, practice)
    return f"{settings.url.rstrip('/')}/{told}/{OPERATION}" if told else path(practice)


def service_root(settings: SourceSettings, practice: str) -> str:
    """The practice's FHIR server, whom the token is for: from the options (`roots`), else below the source's URL."""
    return _told_root(settings, practice) or f"{settings.url.rstrip('/')}/{practice}/{USUAL_ROOT}"


def _told_root(settings: SourceSettings, practice: str) -> str:
    """As the Spine's directory tells it (`nhsMhsEndPoint`)."""
    return str(settings.options.get("roots", {}).get(practice, "")).rstrip("/")


def parameters(nhs_number: str) -> dict[str, Any]:
    """The STU3 Parameters: the whole structured record, ended allergies and single issues of prescriptions included."""
    number = {"name": "patientNHSNumber", "valueIdentifier": {"system": NHS_NUMBER, "value": nhs_number}}
    return {"resourceType": "Parameters", "parameter": [number, *(_included(*one) for one in INCLUDED)]}


def _included(name: str, parts: Mapping[str, bool]) -> dict[str, Any]:
    part = [{"name": part, "valueBoolean": value} for part, value in parts.items()]
    return {"name": name} | ({"part": part} if part else {})


def headers(settings: SourceSettings, practice: str, now: datetime) -> dict[str, str]:
    """The Spine's headers and the token. ASIDs come from the source's options (`asid_from`, `asid_to`)."""
    asids = settings.options.get("asids", {})
    to = asids.get(practice, settings.options.get("asid_to", practice))
    return {
        "Ssp-TraceID": str(uuid4()),
        "Ssp-From": str(settings.options.get("asid_from", settings.organisation)),
        "Ssp-To": str(to),
        "Ssp-InteractionID": INTERACTION,
        "Authorization": f"Bearer {token(settings, practice, now)}",
    }


def token(settings: SourceSettings, practice: str, now: datetime) -> str:
    """The JWT of GP Connect. It is not signed (alg `none`): the Spine proxy vouches for the caller over mutual TLS."""
    parts = ({"alg": "none", "typ": "JWT"}, _claims(settings, service_root(settings, practice), int(now.timestamp())))
    return ".".join((*(_base64(exact_json.dumps(part)) for part in parts), ""))


def _claims(settings: SourceSettings, root: str, now: int) -> dict[str, Any]:
    options = settings.options
    consumer = str(options.get("consumer", "https://carelink.example/"))
    return {
        "iss": consumer,
        "sub": str(options.get("practitioner", "carelink")),
        "aud": str(options.get("audience", root)),
        "iat": now,
        "exp": now + LIFE_OF_A_TOKEN,
        "reason_for_request": "directcare",
        "requested_scope": "patient/*.read",
        "requesting_device": _device(consumer),
        "requesting_organization": _organisation(options),
        "requesting_practitioner": _practitioner(options),
    }


def _device(consumer: str) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "identifier": [{"system": consumer, "value": "carelink"}],
        "model": "CareLink",
        "version": "1",
    }


def _organisation(options: Mapping[str, Any]) -> dict[str, Any]:
    code = str(options.get("requesting_ods", "QDM"))
    name = str(options.get("requesting_name", "CareLink"))
    return {"resourceType": "Organization", "identifier": [{"system": ODS, "value": code}], "name": name}


def _practitioner(options: Mapping[str, Any]) -> dict[str, Any]:
    """A scheduled pull has no person at the keyboard: the system itself asks, with the ids that the place gives it."""
    who = str(options.get("practitioner", "carelink"))
    identifiers = [
        {"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": str(options.get("sds_user_id", "UNK"))},
        {
            "system": "https://fhir.nhs.uk/Id/sds-role-profile-id",
            "value": str(options.get("sds_role_profile_id", "UNK")),
        },
        {"system": str(options.get("consumer", "https://carelink.example/")), "value": who},
    ]
    return {
        "resourceType": "Practitioner",
        "id": who,
        "identifier": identifiers,
        "name": [{"family": "CareLink", "given": ["Shared record"]}],
    }


def _base64(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
