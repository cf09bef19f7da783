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


# What the person's own page leaves out: what tells of others (UK GDPR Art 15(4)), and what could do serious harm if
# someone made them show it (DPA 2018 Sch 3 para 5; RCGP: domestic abuse is kept out of online records).
NOT_FOR_THE_PERSON = Sensitivity.THIRD_PARTY | Sensitivity.LEGAL | Sensitivity.SAFEGUARDING | Sensitivity.SDV

ALL = int(sum(Sensitivity))
NAMES = {flag.name.replace("_", "-"): flag for flag in Sensitivity if flag.name}
_OWN = {"SAFEGUARDING", "THIRD-PARTY", "LEGAL"}  # no v3-ActCode says these

CODINGS = {name: {"system": OWN_CODE if name in _OWN else ACT_CODE, "code": name} for name in NAMES}


def mask(names: Iterable[str]) -> int:
    """The bitmask of those names. Raises KeyError for a name that is not in the list."""
    return sum({NAMES[name] for name in names})


def names(bits: int) -> tuple[str, ...]:
    """The names in a bitmask, in order."""
    return tuple(name for name, flag in NAMES.items() if bits & flag)
