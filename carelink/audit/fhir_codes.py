"""What each action of the audit is in FHIR: type, subtype and action code, after the IHE BALP profiles and DICOM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Coding = Mapping[str, str]

DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
OURS = "https://carelink.example/CodeSystem/audit-action"  # the action as this system calls it
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OWN_PURPOSE = "https://carelink.example/CodeSystem/purpose"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"


def coding(system: str, code: str, display: str) -> Coding:
    """One FHIR Coding."""
    return {"system": system, "code": code, "display": display}


REST = coding(EVENT_TYPE, "rest", "Restful Operation")
PATIENT_RECORD = coding(DCM, "110110", "Patient Record")
SIGN_IN = coding(DCM, "110114", "User Authentication")
ALERT = coding(DCM, "110113", "Security Alert")
LOG_USED = coding(DCM, "110101", "Audit Log Used")
EXPORT = coding(DCM, "110106", "Export")
IMPORT = coding(DCM, "110107", "Import")
QUERY = coding(DCM, "110112", "Query")


@dataclass(frozen=True)
class Sort:
    """`action` is C, R, U, D or E (http://hl7.org/fhir/audit-event-action)."""

    type: Coding
    action: str
    subtype: Coding | None = None


def _rest(code: str, action: str) -> Sort:
    return Sort(REST, action, coding(INTERACTION, code, code))


SORTS: Mapping[str, Sort] = {
    "read": _rest("read", "R"),
    "vread": _rest("vread", "R"),
    "history": _rest("history-instance", "R"),
    "search": _rest("search", "E"),
    "create": _rest("create", "C"),
    "update": _rest("update", "U"),
    "delete": _rest("delete", "D"),
    "sign-in": Sort(SIGN_IN, "E", coding(DCM, "110122", "Login")),
    "sign-out": Sort(SIGN_IN, "E", coding(DCM, "110123", "Logout")),
    "role": Sort(SIGN_IN, "E", coding(DCM, "110136", "Security Roles Changed")),
    "purpose": Sort(SIGN_IN, "E"),
    "view-as": Sort(QUERY, "E"),
    "break-glass-search": _rest("search", "E"),
    "break-glass-review": Sort(LOG_USED, "U"),
    "gather": Sort(EXPORT, "R"),
    "notify": Sort(EXPORT, "R"),
    "client": Sort(ALERT, "U", coding(DCM, "110137", "User security Attributes Changed")),
    "refusal": Sort(ALERT, "E", coding(DCM, "110132", "Use of Restricted Function")),
    "break-glass": Sort(ALERT, "E", coding(DCM, "110127", "Emergency Override Started")),
    "break-glass-end": Sort(ALERT, "E", coding(DCM, "110138", "Emergency Override Stopped")),
    "policy-change": Sort(ALERT, "U", coding(DCM, "110129", "Security Configuration")),
    "label": Sort(ALERT, "U", coding(DCM, "110135", "Object Security Attributes Changed")),
    "audit": Sort(LOG_USED, "R"),
    "signal": Sort(LOG_USED, "U"),
    "seal": Sort(LOG_USED, "U"),
    "explain": Sort(QUERY, "E"),
    "export": Sort(EXPORT, "R"),
    "print": Sort(EXPORT, "R"),
    "pull": Sort(IMPORT, "C"),
}
OTHERWISE = Sort(PATIENT_RECORD, "U")  # links, decisions, requests: work on the record that no interaction names

# `Kept.outcome` -> http://terminology.hl7.org/CodeSystem/audit-event-outcome
OUTCOMES: Mapping[str, str] = {"success": "0", "refused": "4", "failure": "8"}


def sort_of(action: str) -> Sort:
    """What an action of ours is in FHIR."""
    return SORTS.get(action, OTHERWISE)


def actions_of(code: str) -> frozenset[str]:
    """The actions of ours that FHIR's action code stands for, of those in the table."""
    return frozenset(action for action, sort in SORTS.items() if sort.action == code)


def actions_typed(system: str, code: str) -> frozenset[str]:
    """The actions of ours with that type or subtype; `system` empty: of any. Our own names are subtypes too."""

    def fits(one: Coding | None) -> bool:
        return one is not None and one["code"] == code and system in ("", one["system"])

    named = {code} if system in ("", OURS) else set()
    return frozenset(named | {action for action, sort in SORTS.items() if fits(sort.type) or fits(sort.subtype)})
