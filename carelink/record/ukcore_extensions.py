"""The extensions of UK Core: what each holds, and what is wrong with one.

HL7 UK, UK Core STU3 sequence, https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-[name]: kind of value or parts
with how often, and value sets (`ukcore_codes`). Retired ones are known too, because sources still send them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carelink.record.ukcore_codes import BINDINGS, Binding, held
from carelink.record.ukcore_finding import Finding, Loc, Severity, each, text
from carelink.record.ukcore_forms import is_paf_key, is_uprn

PREFIX = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
_ADDRESS_KEYS = {"UPRN": (is_uprn, "a UPRN is up to twelve digits"), "PAF": (is_paf_key, "a PAF key is eight digits")}


@dataclass(frozen=True)
class Part:
    """A part of an extension: the kinds of its value, and how often it stands there."""

    kinds: tuple[str, ...]
    least: int = 0
    once: bool = True


@dataclass(frozen=True)
class Extension:
    """What one holds: a value of one of these kinds, or parts."""

    kinds: tuple[str, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)


def _of(kinds: str, names: str) -> dict[str, Extension]:
    return {name: Extension(tuple(kinds.split("|"))) for name in names.split()}


def _parts(**parts: str) -> Extension:
    """Kinds by part; `!` before them: it must be there, `*`: more than once."""
    return Extension(
        parts={
            name.rstrip("_"): Part(tuple(kinds.strip("!*").split("|")), int("!" in kinds), "*" not in kinds)
            for name, kinds in parts.items()
        }
    )


EXTENSIONS: Mapping[str, Extension] = {
    **_of(
        "CodeableConcept",
        "AdmissionMethod BirthSex CareSettingType ClinicalSetting ConditionEpisode Coverage CuffSize DeliveryChannel"
        " DischargeMethod EmergencyCareDischargeStatus EthnicCategory ListWarningCode MedicationPrescribingAgency"
        " MedicationPrescribingOrganization MedicationPrescribingOrganizationType MedicationTradeFamily"
        " NHSNumberUnavailableReason NHSNumberVerificationStatus OtherContactSystem OutcomeOfAttendance"
        " OverseasVisitorChargingCategory PrescriptionType PriorityReason RecordingSetting ReligiousAffiliation"
        " ResidentialStatus SampleCategory ServiceRequestMethod SourceOfServiceRequest TreatmentCategory"
        " VaccinationProcedure",
    ),
    **_of(
        "Reference",
        "ActualProblem AdditionalContact AssociatedEncounter BodySiteReference BookingOrganization DeviceReference Evidence"
        " MainLocation MedicalApplianceSupplier NominatedPharmacy PreferredDispenserOrganization Recorder"
        " RelatedClinicalContent",
    ),
    **_of("boolean", "CopyCorrespondenceIndicator ParentPresent PharmacistVerifiedIndicator"),
    **_of("string", "CodingSCTDescDisplay MedicationQuantityText"),
    **_of("dateTime", "MedicationDosageLastChanged MedicationStatementLastIssueDate"),
    **_of("positiveInt", "ContactRank"),
    **_of("Period", "EffectivePeriod"),
    **_of("Coding", "MessageHeaderInstruction"),
    **_of("code", "ProblemSignificance"),
    **_of("CodeableConcept|Reference", "AnaestheticIssues"),
    "AddressKey": _parts(type="!CodeableConcept", value="!string"),
    "AllergyIntoleranceEnd": _parts(endDate="dateTime", reasonEnded="string"),
    "CodingSCTDescId": _parts(descriptionId="Identifier", descriptionDisplay="string"),
    "ContactPreference": _parts(
        PreferredContactMethod="CodeableConcept",
        PreferredContactTimes="string|Timing",
        PreferredWrittenCommunicationFormat="CodeableConcept",
    ),
    "DeathNotificationStatus": _parts(deathNotificationStatus="!CodeableConcept", systemEffectiveDate="dateTime"),
    "EncounterTransport": _parts(
        transportType="!CodeableConcept", transportPeriod="Period", reasonForTransport="string"
    ),
    "LegalStatus": _parts(legalStatusContext="!CodeableConcept", legalStatusClassification="!CodeableConcept"),
    "MedicationChangeSummary": _parts(
        status="Coding", indicationForChange="CodeableConcept", dateChanged="dateTime", detailsOfAmendment="string"
    ),
    "MedicationRepeatInformation": _parts(
        numberOfPrescriptionsIssued="unsignedInt", authorisationExpiryDate="dateTime"
    ),
    "NHSCommunication": _parts(
        language="!CodeableConcept",
        preferred="boolean",
        modeOfCommunication="*CodeableConcept",
        communicationProficiency="CodeableConcept",
        interpreterRequired="boolean",
    ),
    "RelatedProblemHeader": _parts(type="*code", target="!Reference"),
    "TypedDateTime": _parts(dateTimeType="!CodeableConcept", dateTime="!dateTime"),
    "TypedPeriod": _parts(dataType="!Coding", period="!Period"),
}


def found(extension: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    """What is wrong with an extension of UK Core at that place."""
    name = text(extension, "url").removeprefix(PREFIX)
    known = EXTENSIONS.get(name)
    if known is None:
        says = f"There is no UK Core extension {name[:80]!r}; leave it out, or correct its url"
        yield Finding("uk-extension-unknown", (*loc, "url"), Severity.WARNING, "not-found", says, _why("extensions"))
    elif known.parts:
        yield from _in_parts(name, known, extension, loc)
    else:
        yield from _valued(name, known.kinds, extension, loc)


def _in_parts(name: str, known: Extension, extension: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    given: dict[str, list[int]] = {}
    for index, one in each(extension, "extension"):
        url = text(one, "url")
        given.setdefault(url, []).append(index)
        if url in known.parts:
            yield from _valued(f"{name}.{url}", known.parts[url].kinds, one, (*loc, "extension", index))
    for url, part in known.parts.items():
        there = given.get(url, [])
        if len(there) < part.least:
            yield _shape(name, loc, f"{name} must have its part {url!r}", "required")
        if part.once and len(there) > 1:
            yield _shape(name, (*loc, "extension", there[1]), f"{name} has its part {url!r} once", "structure")
    if name == "AddressKey":
        yield from _address_key(extension, loc)


def _valued(name: str, kinds: tuple[str, ...], extension: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    values = [key for key in extension if key.lstrip("_").startswith("value")]
    right = [f"value{kind[0].upper()}{kind[1:]}" for kind in kinds]
    if not values:
        yield _shape(name, loc, f"{name} must have its {' or '.join(right)}", "required")
    elif values[0].lstrip("_") not in right:
        yield _shape(name, (*loc, values[0]), f"{name} holds {' or '.join(right)}, not {values[0]}", "structure")
    elif name in BINDINGS:
        yield from _bound(name, BINDINGS[name], extension.get(values[0]), (*loc, values[0]))


def _bound(name: str, binding: Binding, concept: Any, loc: Loc) -> Iterator[Finding]:
    wrong = held(binding, concept)
    if wrong:
        told = ", ".join(sorted(binding.systems))
        says = f"{name} must hold a code of {told}" if wrong == "system" else f"The code is not one of {told}"
        yield Finding("uk-extension-code", loc, Severity.ERROR, "code-invalid", says, _why(name))


def _address_key(extension: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    """The form of a UPRN or a PAF key."""
    parts = {text(one, "url"): (index, one) for index, one in each(extension, "extension")}
    (_, type_), (index, value) = parts.get("type", (0, {})), parts.get("value", (0, {}))
    kinds = {text(one, "code") for _, one in each(type_.get("valueCodeableConcept"), "coding")}
    for kind, (is_one, says) in _ADDRESS_KEYS.items():
        key = text(value, "valueString")
        if kind in kinds and key and not is_one(key):
            place = (*loc, "extension", index, "valueString")
            yield Finding("uk-address-key", place, Severity.WARNING, "value", f"Correct it: {says}", _why("AddressKey"))


def _shape(name: str, loc: Loc, says: str, code: str) -> Finding:
    return Finding("uk-extension", loc, Severity.ERROR, code, says, _why(name.partition(".")[0]))


def _why(name: str) -> str:
    return f"UK Core, Extension-UKCore-{name}" if name in EXTENSIONS else "UK Core, extension library"
