"""Required bindings (FHIR R4 4.0.1) that the models shorten by a `+` or leave out; the others are read from the models.

HL7 FHIR R4, the value sets named beside each row. A code outside of them is a mistake of the source.
"""

from __future__ import annotations

from collections.abc import Mapping


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMPARATOR = _codes("< <= >= >")  # quantity-comparator
_ENCOUNTER = _codes("planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown")

# datatype, backbone element or resource type -> element -> the codes that FHIR allows, of a list one by one
REQUIRED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Age": {"comparator": _COMPARATOR},
    "AuditEvent": {"action": _codes("C R U D E"), "outcome": _codes("0 4 8 12")},  # audit-event-action, -outcome
    "DiagnosticReport": {  # diagnostic-report-status
        "status": _codes(
            "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
        )
    },
    "Distance": {"comparator": _COMPARATOR},
    "Duration": {"comparator": _COMPARATOR},
    "Encounter": {"status": _ENCOUNTER},  # encounter-status
    "EncounterStatusHistory": {"status": _ENCOUNTER},
    "Observation": {  # observation-status
        "status": _codes("registered preliminary final amended corrected cancelled entered-in-error unknown")
    },
    "Quantity": {"comparator": _COMPARATOR},
    "QuestionnaireItem": {  # item-type
        "type": _codes(
            "group display boolean decimal integer date dateTime time string text url choice open-choice attachment"
            " reference quantity"
        )
    },
    "QuestionnaireItemEnableWhen": {"operator": _codes("exists = != > < >= <=")},  # questionnaire-enable-operator
    "Task": {  # task-status
        "status": _codes(
            "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
            " entered-in-error"
        )
    },
    "TimingRepeat": {  # event-timing
        "when": _codes(
            "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM CD CV"
            " AC ACM ACD ACV PC PCM PCD PCV"
        )
    },
}
