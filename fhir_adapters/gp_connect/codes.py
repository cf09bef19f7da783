"""Code systems that have another URI in R4 or UK Core for the very same codes."""

from __future__ import annotations

import re

SNOMED = "http://snomed.info/sct"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
UKCORE = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"

# HL7 moved its own code systems to terminology.hl7.org with R4.
MOVED = {
    "http://hl7.org/fhir/condition-category": f"{TERMINOLOGY}condition-category",
    "http://hl7.org/fhir/list-order": f"{TERMINOLOGY}list-order",
    "http://hl7.org/fhir/codesystem-list-order.html": f"{TERMINOLOGY}list-order",  # a page's address, seen in use
    "http://hl7.org/fhir/list-empty-reason": f"{TERMINOLOGY}list-empty-reason",
    "http://hl7.org/fhir/observation-category": f"{TERMINOLOGY}observation-category",
    "http://hl7.org/fhir/diagnosis-role": f"{TERMINOLOGY}diagnosis-role",
    "http://hl7.org/fhir/dose-rate-type": f"{TERMINOLOGY}dose-rate-type",
    "http://hl7.org/fhir/organization-type": f"{TERMINOLOGY}organization-type",
    "http://hl7.org/fhir/questionnaire-item-usage": f"{TERMINOLOGY}questionnaire-usage-mode",
    "http://hl7.org/fhir/immunization-role": f"{TERMINOLOGY}v2-0443",
    "http://hl7.org/fhir/stu3/valueset-immunization-role.html": f"{TERMINOLOGY}v2-0443",  # a page's address too
}
# CareConnect's code systems by name; UK Core has the same codes.
CARECONNECT = {
    "ConditionCategory": f"{TERMINOLOGY}condition-category",
    "EthnicCategory": f"{UKCORE}EthnicCategoryEngland",
    "HumanLanguage": f"{UKCORE}HumanLanguage",
    "LanguageAbilityMode": f"{TERMINOLOGY}v3-LanguageAbilityMode",
    "LanguageAbilityProficiency": f"{TERMINOLOGY}v3-LanguageAbilityProficiency",
    "ListEmptyReasonCode": f"{UKCORE}ListEmptyReasonCode",
    "ListWarningCode": f"{UKCORE}ListWarningCode",
    "NHSNumberVerificationStatus": f"{UKCORE}NHSNumberVerificationStatusEngland",
    "PrescribingAgency": f"{UKCORE}MedicationPrescribingOrganizationType",
    "PrescriptionType": f"{UKCORE}PrescriptionType",
    "ResidentialStatus": f"{UKCORE}ResidentialStatus",
    "SDSJobRoleName": f"{UKCORE}SDSJobRoleName",
    "TreatmentCategory": f"{UKCORE}TreatmentCategory",
}
# UK Core has England's codes in a system of their own; CareConnect's other codes are in its older one.
ENGLANDS = {
    "EthnicCategory": frozenset([*"ABCDEFGHJKLMNPRSZ", "99"]),
    "NHSNumberVerificationStatus": frozenset(f"0{number}" for number in range(1, 9)),
}
_V2_V3 = re.compile(r"http://hl7\.org/fhir/(v[23])/(.+)")
_CARECONNECT = re.compile(
    r"https?://fhir\.(?:nhs|hl7\.org)\.uk/(?:STU3/CodeSystem/)?CareConnect-(?:GPC-)?([A-Za-z]+)-\d+"
)


def present_system(system: str, code: object) -> str:
    """The URI in R4 and UK Core of the system that has that code; the same where it did not move."""
    if system in MOVED:
        return MOVED[system]
    if hl7 := _V2_V3.fullmatch(system):
        return f"{TERMINOLOGY}{hl7[1]}-{hl7[2]}"
    if careconnect := _CARECONNECT.fullmatch(system):
        return _ukcore(careconnect[1], code) or system
    return system


def _ukcore(name: str, code: object) -> str:
    if name in ENGLANDS and code not in ENGLANDS[name]:
        return f"{UKCORE}{name}"
    return CARECONNECT.get(name, "")
