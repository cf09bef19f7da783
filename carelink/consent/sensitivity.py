"""The sensitivities: a closed list, kept as a bitmask, with the HL7 v3-ActCode of each where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntFlag
from typing import Any

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN_CODE = "https://carelink.example/CodeSystem/sensitivity"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
# The same code systems as STU3 names them, and so GP Connect.
ACT_CODES = frozenset({ACT_CODE, "http://hl7.org/fhir/v3/ActCode"})
CONFIDENTIALITIES = frozenset({CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality"})


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
    NOPAT = 1024  # a clinician says that it is not to be shown to the person; workers may see it
    RESTRICTED = 2048  # its source marks it restricted (confidentiality R or V) and does not say why


# What the person's own page leaves out: what tells of others (UK GDPR Art 15(4)), and what could do serious harm if
# someone made them show it (DPA 2018 Sch 3 para 5; RCGP: domestic abuse is kept out of online records).
NOT_FOR_THE_PERSON = (
    Sensitivity.THIRD_PARTY | Sensitivity.LEGAL | Sensitivity.SAFEGUARDING | Sensitivity.SDV | Sensitivity.NOPAT
)
# Those that say nothing to workers: no agreement needs to name them.
ONLY_FOR_THE_PERSON = Sensitivity.NOPAT

ALL = int(sum(Sensitivity))
NAMES = {flag.name.replace("_", "-"): flag for flag in Sensitivity if flag.name}
_OWN = {"SAFEGUARDING", "THIRD-PARTY", "LEGAL", "RESTRICTED"}  # no v3-ActCode says these

CODINGS = {name: {"system": OWN_CODE if name in _OWN else ACT_CODE, "code": name} for name in NAMES}

# Narrower codes of v3-ActCode's InformationSensitivityPolicy, as sources may write them.
NARROWER = {
    "SUD": "ETH",  # substance use disorder
    "ETHUD": "ETH",  # alcohol use disorder
    "OPIOIDUD": "ETH",
    "PSYTHPN": "PSY",  # psychotherapy note
    "BH": "MH",  # behavioural health
    "EMOTDIS": "MH",  # emotional disturbance
    "VIO": "SDV",  # violence
}


def mask(names: Iterable[str]) -> int:
    """The bitmask of those names. Raises KeyError for a name that is not in the list."""
    return sum({NAMES[name] for name in names})


def names(bits: int) -> tuple[str, ...]:
    """The names in a bitmask, in order."""
    return tuple(name for name, flag in NAMES.items() if bits & flag)


def told(body: Mapping[str, Any]) -> int:
    """The sensitivities that the source itself put into meta.security; a code that we do not know says nothing."""
    return mask(
        name
        for coding in _security(body)
        if coding.get("system") in ACT_CODES or coding.get("system") == OWN_CODE
        if (name := NARROWER.get(coding.get("code", ""), coding.get("code", ""))) in NAMES
    )


def confidential(body: Mapping[str, Any]) -> bool:
    """Whether the source marks it restricted (R) or very restricted (V); on a Patient R is the 'S' flag of PDS."""
    return any(
        coding.get("system") in CONFIDENTIALITIES and coding.get("code") in ("R", "V") for coding in _security(body)
    )


def _security(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    meta = body.get("meta")
    if meta and "security" in meta:
        yield from (coding for coding in meta["security"] if isinstance(coding, Mapping))
