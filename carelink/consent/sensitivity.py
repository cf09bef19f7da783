"""The sensitivities: a closed list, kept as a bitmask, with the HL7 v3-ActCode of each where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN_CODE = "https://carelink.example/CodeSystem/sensitivity"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


class Sensitivity(IntFlag):
    """Why an item needs more than a plain agreement."""

    ETH = 1  # substance misuse
    HIV = 2
    STD = 4  # sexually transmitted disease
    PSY = 8  # therapy notes
    SDV = 16  # domestic abuse
    SEX = 32  # sexual and reproductive health
    MH = 64  # mental health
    SAFEGUARDING = 128
    THIRD_PARTY = 256  # tells of another person, or came from one in confidence
    LEGAL = 512  # restricted by law: gender recognition, assisted conception, adoption


NAMES = {flag.name.replace("_", "-"): flag for flag in Sensitivity if flag.name}
_OWN = {"SAFEGUARDING", "THIRD-PARTY", "LEGAL"}  # no v3-ActCode says these

CODINGS = {name: {"system": OWN_CODE if name in _OWN else ACT_CODE, "code": name} for name in NAMES}


def mask(names: Iterable[str]) -> int:
    """The bitmask of those names. Raises KeyError for a name that is not in the list."""
    return sum({NAMES[name] for name in names})


def names(bits: int) -> tuple[str, ...]:
    """The names in a bitmask, in order."""
    return tuple(name for name, flag in NAMES.items() if bits & flag)
