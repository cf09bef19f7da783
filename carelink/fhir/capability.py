"""The CapabilityStatement: what this server really does, from the same tables that do it (FHIR R4 3.1.0.12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from carelink.cases.pushing_source import NOT_PUSHED
from carelink.cases.subscription_topics import TOPICS
from carelink.fhir import searched

_READ = ("read", "vread", "history-instance", "history-type", "search-type")
_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/"
_VALIDATE = ("validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate")
_META = ("meta", "http://hl7.org/fhir/OperationDefinition/Resource-meta")
# type -> interactions, search parameters (name, type, words), operations (name, definition)
RESOURCES: dict[str, dict[str, Any]] = {
    **{
        type_: {
            "interactions": _READ,
            "parameters": searched.parameters(type_),
            "operations": (_META, _VALIDATE),
        }
        for type_ in searched.TYPES
    },
    "Patient": {
        "interactions": _READ,
        "parameters": searched.parameters("Patient"),
        "operations": (
            ("everything", "http://hl7.org/fhir/OperationDefinition/Patient-everything"),
            ("match", "http://hl7.org/fhir/OperationDefinition/Patient-match"),
            ("summary", "http://hl7.org/fhir/uv/ips/OperationDefinition/summary"),
            ("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export"),
            _META,
            _VALIDATE,
        ),
    },
    "Consent": {
        "interactions": (*_READ, "create", "update", "patch"),
        "parameters": searched.parameters("Consent"),
        "operations": (_META, _VALIDATE),
        "versioning": "versioned-update",  # an update names the version that it replaces (If-Match)
    },
    "Subscription": {
        "interactions": ("read", "search-type", "create", "update", "delete"),
        "parameters": (
            ("_id", "token", "the id here"),
            ("status", "token", "requested, active, error or off"),
            ("url", "uri", "where notifications go"),
            ("criteria", "string", "the canonical of the topic, whole"),
        ),
        "operations": (
            ("status", f"{_BACKPORT}OperationDefinition/backport-subscription-status"),
            ("events", f"{_BACKPORT}OperationDefinition/backport-subscription-events"),
        ),
        "extension": [
            {
                "url": f"{_BACKPORT}StructureDefinition/capabilitystatement-subscriptiontopic-canonical",
                "valueCanonical": topic.url,
            }
            for topic in TOPICS.values()
        ],
    },
    "Binary": {
        "interactions": ("read",),
        "parameters": (),
        "operations": (),
        "versioning": "no-version",  # another file has another id
    },
    "AuditEvent": {
        "interactions": ("read", "search-type"),
        "parameters": (
            ("patient", "reference", "whom it is about, as Patient/id: also where they were one of several"),
            ("date", "date", "when it was recorded"),
            ("agent", "token", "who did it: the id of a user, or client:id of a system"),
            ("action", "token", "C, R, U, D or E"),
            ("type", "token", "what happened, as BALP and DICOM name it"),
            ("subtype", "token", "what happened, more exactly; also by this system's own names"),
            ("outcome", "token", "0 done, 4 refused, 8 failed"),
            ("entity", "reference", "Patient/id, or with `patient` another resource that was read or written"),
        ),
        "operations": (),
        "versioning": "no-version",  # a row of the audit never changes
    },
    **{
        type_: {
            "interactions": ("read", "search-type"),
            "parameters": (("_id", "token", "the id here"), ("url", "uri", "its url, whole")),
            "operations": ((operation, f"http://hl7.org/fhir/OperationDefinition/{type_}-{operation}"),),
            "versioning": "no-version",  # they change with the place pack
        }
        for type_, operation in (("CodeSystem", "lookup"), ("ValueSet", "expand"), ("ConceptMap", "translate"))
    },
}

# Of the whole server: name, definition.
OPERATIONS: tuple[tuple[str, str], ...] = (("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),)


# Of the whole server, what a Bundle sent to its root is.
INTERACTIONS = ("transaction", "batch")


def statement(base: str, version: str, at: datetime, *, update_creates: bool = False) -> dict[str, Any]:
    """The body of `GET [base]/metadata`; `update_creates` as the place has it."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": at.isoformat(),
        "kind": "instance",
        "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
        "software": {"name": "CareLink", "version": version},
        "implementation": {"description": "CareLink shared record", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                **_documented(searched.unsupported()),
                "security": _security(base),
                "resource": [_resource(name) | _written(name, update_creates) for name in RESOURCES],
                "interaction": [{"code": code} for code in INTERACTIONS],
                **_operations(OPERATIONS),
            }
        ],
    }


def _security(base: str) -> dict[str, Any]:
    root = base.removesuffix("/fhir/R4") + "/oauth2/"
    places = ("token", "authorize", "introspect", "revoke")
    return {
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [{"url": name, "valueUri": root + name} for name in places],
            }
        ],
    }


def _resource(name: str) -> dict[str, Any]:
    rules = RESOURCES[name]
    return {
        **({"extension": rules["extension"]} if "extension" in rules else {}),
        "type": name,
        "interaction": [{"code": code} for code in rules["interactions"]],
        "versioning": rules.get("versioning", "versioned"),
        **_documented(searched.unsupported(name)),
        **_parameters(rules["parameters"]),
        **_operations(rules["operations"]),
    }


def _written(name: str, update_creates: bool) -> dict[str, Any]:
    """What systems write through ingest (fhir/writes.py)."""
    if name in NOT_PUSHED:
        return {}
    known = RESOURCES[name]["interactions"]
    codes = [*known, *(code for code in ("create", "update", "patch", "delete") if code not in known)]
    return {
        "interaction": [{"code": code} for code in codes],
        "updateCreate": update_creates,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "conditionalDelete": "single",
    }


def _documented(words: str) -> dict[str, str]:
    return {"documentation": words} if words else {}


def _parameters(known: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    said = [{"name": name, "type": kind, "documentation": words} for name, kind, words in known]
    return {"searchParam": said} if said else {}


def _operations(named: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """FHIR knows no empty arrays."""
    return {"operation": [{"name": name, "definition": url} for name, url in named]} if named else {}
