"""Where R4 (4.0.1), which we speak, differs from R4B (4.3.0), whose models validate: for the types that we store.

R4B changed few clinical types; what it lets pass and R4 does not is refused here (HL7, R4B 2.4 "Changes from R4").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_adapters.source import Reason

# type -> element that R4B has and R4 4.0.1 has not -> what to do about it
R4B_ONLY: Mapping[str, Mapping[str, str]] = {
    "Device": {"relationship": "was added after R4"},
    "Questionnaire": {},
}


def differing(type_: str, body: Mapping[str, Any]) -> tuple[Reason, ...]:
    """What R4B allows and R4 4.0.1 does not."""
    rules = R4B_ONLY.get(type_)
    if not rules:
        return ()
    return tuple(
        Reason(f"{type_}.{element}", f"is not in FHIR 4.0.1: {why}")
        for element, why in rules.items()
        if element in body
    )
