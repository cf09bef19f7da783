"""The code systems of UK Core that a resource is held to, as far as they are small, and what became of former ones.

HL7 UK, UK Core code systems of the STU3 sequence, at https://fhir.hl7.org.uk/CodeSystem/UKCore-[name].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carelink.record.ukcore_finding import codings

SYSTEM = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
_V3 = "http://terminology.hl7.org/CodeSystem/v3-"


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Binding:
    """Which codes an element of UK Core holds, by system. `required`: one of these, else another may stand in its place."""

    systems: Mapping[str, frozenset[str]]
    required: bool = False


_VERIFICATION = _codes("01 02 03 04 05 06 07 08")
_ETHNIC_ENGLAND = _codes("A B C D E F G H J K L M N P R S Z 99")
_ETHNIC_WALES = _codes("A B D E F G H J K L M N P R S T Z")

# The value sets, by the name of the UK Core extension or part of one that holds them
BINDINGS: Mapping[str, Binding] = {
    "NHSNumberVerificationStatus": Binding(
        {
            f"{SYSTEM}NHSNumberVerificationStatusEngland": _VERIFICATION,
            f"{SYSTEM}NHSNumberVerificationStatusWales": _VERIFICATION | {"nn"},
            f"{_V3}NullFlavor": frozenset({"NI"}),
        },
        required=True,
    ),
    "BirthSex": Binding(
        {f"{_V3}AdministrativeGender": _codes("F M UN"), f"{_V3}NullFlavor": frozenset({"UNK"})}, required=True
    ),
    "EthnicCategory": Binding(
        {f"{SYSTEM}EthnicCategoryEngland": _ETHNIC_ENGLAND, f"{SYSTEM}EthnicCategoryWales": _ETHNIC_WALES}
    ),
    "DeathNotificationStatus.deathNotificationStatus": Binding({f"{SYSTEM}DeathNotificationStatus": _codes("1 2 U")}),
    "AddressKey.type": Binding({f"{SYSTEM}AddressKeyType": _codes("PAF UPRN")}),
    "ResidentialStatus": Binding({f"{SYSTEM}ResidentialStatus": _codes("H O")}),
    "ContactPreference.PreferredContactMethod": Binding(
        {f"{SYSTEM}PreferredContactMethod": _codes("1 2 3 4 5 6 7 8 9")}
    ),
    "ContactPreference.PreferredWrittenCommunicationFormat": Binding(
        {f"{SYSTEM}PreferredWrittenCommunicationFormat": _codes("11 12 13")}
    ),
    "OtherContactSystem": Binding({f"{SYSTEM}OtherContactSystem": _codes("textphone")}),
}

# Former system of the verification status -> the one of today, in which 01 to 08 mean the same.
MOVED: Mapping[str, str] = {
    f"{SYSTEM}NHSNumberVerificationStatus": f"{SYSTEM}NHSNumberVerificationStatusEngland",
}
KEPT_CODES = _VERIFICATION  # that kept their meaning when the system moved


def held(binding: Binding, concept: object) -> str:
    """What is wrong with a CodeableConcept for that binding: `code` for a code that its system does not have, `system` for
    none of the systems; empty where it is right, or may be something else."""
    known = [(system, code) for system, code in codings(concept) if system in binding.systems]
    if not known:
        return "system" if binding.required else ""
    return "" if all(code in binding.systems[system] for system, code in known) else "code"
