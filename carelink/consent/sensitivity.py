"""The sensitivities: the national ones and what a place adds, kept as a bitmask, each with its code.

The HL7 v3-ActCode where there is one. Bits 0 to 14 are for the national ones, bits 15 to 30 for the numbers 1 to 16
of a place: that fills the four bytes (signed) of the column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from typing import Any

from carelink.consent.per_place import PerPlace
from carelink.place import LocalSensitivity, Place

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

EVERY_BIT = 2**31 - 1  # what the column holds
_LOCAL = 14  # number 1 of a place is bit 15

_LABELS = {
    "ETH": "Substance misuse",
    "HIV": "HIV",
    "STD": "Sexually transmitted disease",
    "PSY": "Therapy notes",
    "SDV": "Domestic abuse",
    "SEX": "Sexual and reproductive health",
    "MH": "Mental health",
    "SAFEGUARDING": "Safeguarding details",
    "THIRD-PARTY": "Tells of another person",
    "LEGAL": "Restricted by law",
    "NOPAT": "Not to be shown to the person",
    "RESTRICTED": "Restricted by its source",
}


@dataclass(frozen=True)
class Sensitivities:
    """All sensitivities of one place: the national ones first, then its own by their numbers."""

    flags: Mapping[str, int]  # name -> bit
    labels: Mapping[str, str]  # name -> words
    hidden: int  # bits that the place hides from the person's own page

    def mask(self, names: Iterable[str]) -> int:
        """The bitmask of those names. Raises KeyError for a name that is not in the list."""
        return int(sum({self.flags[name] for name in names}))

    def names(self, bits: int) -> tuple[str, ...]:
        """The names in a bitmask, in order. A bit that the place doesn't name (any more) has none."""
        return tuple(name for name, flag in self.flags.items() if bits & flag)

    def told(self, body: Mapping[str, Any]) -> int:
        """The sensitivities in meta.security, by the source's word or ours; a code that we don't know says nothing."""
        return self.mask(
            name
            for coding in _security(body)
            if coding.get("system") in ACT_CODES or coding.get("system") == OWN_CODE
            if (name := NARROWER.get(coding.get("code", ""), coding.get("code", ""))) in self.flags
        )

    @cached_property
    def codings(self) -> Mapping[str, Mapping[str, str]]:
        """The coding of each, as it stands in meta.security."""
        return {name: {"system": ACT_CODE if _national(name) else OWN_CODE, "code": name} for name in self.flags}

    def coded(self, bits: int) -> list[Mapping[str, str]]:
        """The codings of a bitmask, in order."""
        return [self.codings[name] for name in self.names(bits)]

    @cached_property
    def all(self) -> int:
        """Every bit that has a name here."""
        return self.mask(self.flags)

    @cached_property
    def hidden_from_person(self) -> int:
        """What the person's own page leaves out. A bit without a name too: nobody here knows why it was put on."""
        return int(NOT_FOR_THE_PERSON) | self.hidden | (EVERY_BIT & ~self.all)


def _national(name: str) -> bool:
    return name in NAMES and name not in _OWN


def _of_place(place: Place) -> Sensitivities:
    return _with(place.sensitivities)


def _with(added: Iterable[LocalSensitivity]) -> Sensitivities:
    own = sorted(added, key=lambda one: one.number)
    return Sensitivities(
        flags={name: int(flag) for name, flag in NAMES.items()} | {one.id: 1 << (_LOCAL + one.number) for one in own},
        labels=_LABELS | {one.id: one.label for one in own},
        hidden=sum(1 << (_LOCAL + one.number) for one in own if one.hidden_from_person),
    )


sensitivities = PerPlace(_of_place)  # of that place, made once
NATIONAL = _with(())
# For what holds for every place.
CODINGS, mask, names, told = NATIONAL.codings, NATIONAL.mask, NATIONAL.names, NATIONAL.told


def confidential(body: Mapping[str, Any]) -> bool:
    """Whether the source marks it restricted (R) or very restricted (V); on a Patient R is the 'S' flag of PDS."""
    return any(
        coding.get("system") in CONFIDENTIALITIES and coding.get("code") in ("R", "V") for coding in _security(body)
    )


def _security(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    meta = body.get("meta")
    if meta and "security" in meta:
        yield from (coding for coding in meta["security"] if isinstance(coding, Mapping))
