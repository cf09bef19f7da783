"""CareConnect and GP Connect extensions: what each is in UK Core R4. Those without a place there keep their own URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fhir_adapters.gp_connect.codes import UKCORE
from fhir_adapters.gp_connect.elements import Body, objects

UKCORE_EXTENSION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
SCT_DESCRIPTION_ID = "http://hl7.org/fhir/StructureDefinition/coding-sctdescid"
# The same extension comes from two hosts, with and without CareConnect and GPC in its name, and a version behind.
_STU3 = re.compile(
    r"https?://fhir\.(?:nhs|hl7\.org)\.uk/STU3/StructureDefinition/"
    r"Extension-(?:CareConnect-)?(?:GPC-)?(.+?)(?:-\d+)?"
)

# CareConnect's name -> UK Core's name, where the value is the same.
UKCORE_NAME = {
    "ActualProblem": "ActualProblem",
    "AllergyIntoleranceEnd": "AllergyIntoleranceEnd",
    "ClinicalSetting": "ClinicalSetting",
    "DeathNotificationStatus": "DeathNotificationStatus",
    "EthnicCategory": "EthnicCategory",
    "MainLocation": "MainLocation",
    "MedicationQuantityText": "MedicationQuantityText",
    "MedicationStatementDosageLastChanged": "MedicationDosageLastChanged",
    "MedicationStatementLastIssueDate": "MedicationStatementLastIssueDate",
    "NHSNumberVerificationStatus": "NHSNumberVerificationStatus",
    "ParentPresent": "ParentPresent",
    "PrescribingAgency": "MedicationPrescribingOrganizationType",
    "ProblemSignificance": "ProblemSignificance",
    "RelatedClinicalContent": "RelatedClinicalContent",
    "RelatedProblemHeader": "RelatedProblemHeader",
    "ReligiousAffiliation": "ReligiousAffiliation",
    "ResidentialStatus": "ResidentialStatus",
    "TreatmentCategory": "TreatmentCategory",
    "VaccinationProcedure": "VaccinationProcedure",
}


@lru_cache(maxsize=512)
def name_of(url: str) -> str:
    """The extension's name without host, family and version; empty where it is not one of the UK's STU3 ones."""
    found = _STU3.fullmatch(url)
    return found[1] if found else ""


def take(body: Body, name: str) -> list[Body]:
    """The body's own extensions of that name, taken out of it."""
    present = body.get("extension")
    if not isinstance(present, list):
        return []
    taken = [one for one in objects(present) if name_of(str(one.get("url", ""))) == name]
    left = [one for one in present if not any(one is gone for gone in taken)]
    body["extension"] = left
    if not left:
        del body["extension"]
    return taken


def value_of(extension: Body) -> Any:
    """The extension's value[x], whatever its type; None where it has none."""
    return next((value for key, value in extension.items() if key.startswith("value")), None)


def part(extension: Body, name: str) -> Any:
    """The value of the part of that name in a complex extension; None where it is not there."""
    return next((value_of(one) for one in objects(extension.get("extension")) if one.get("url") == name), None)


def ukcore_extensions(present: list[Any]) -> list[Any]:
    """The same extensions as UK Core R4 has them. One may become several; none is lost."""
    return [new for one in present for new in (_ukcore(one) if isinstance(one, dict) else [one])]


def _ukcore(extension: Body) -> list[Body]:
    name = name_of(str(extension.get("url", "")))
    if name in CHANGED:
        return CHANGED[name](extension)
    if name in UKCORE_NAME:
        return [extension | {"url": f"{UKCORE_EXTENSION}{UKCORE_NAME[name]}"}]
    return [extension]


def _snomed_description(extension: Body) -> list[Body]:
    """One complex extension became two simple ones (UK Core R4 CodingSCTDescDisplay, HL7 coding-sctdescid)."""
    urls = {
        "descriptionid": SCT_DESCRIPTION_ID,
        "descriptiondisplay": f"{UKCORE_EXTENSION}CodingSCTDescDisplay",
    }
    parts = extension.get("extension")
    if not isinstance(parts, list) or not parts:
        return [extension]
    if any(not isinstance(one, dict) or str(one.get("url", "")).lower() not in urls for one in parts):
        return [extension]
    return [one | {"url": urls[str(one["url"]).lower()]} for one in parts]


def _list_warning(extension: Body) -> list[Body]:
    """A code in STU3, a CodeableConcept in UK Core."""
    new = {key: value for key, value in extension.items() if key != "valueCode"}
    new["url"] = f"{UKCORE_EXTENSION}ListWarningCode"
    if "valueCode" in extension:
        coding = {"system": f"{UKCORE}ListWarningCode", "code": extension["valueCode"]}
        new["valueCodeableConcept"] = {"coding": [coding]}
    return [new]


def _repeats(extension: Body) -> list[Body]:
    """UK Core counts issues as unsignedInt under another name. How many are allowed stays beside it under GP Connect's:
    that number counts the first issue too, and R4's numberOfRepeatsAllowed does not."""
    parts = [_issued(one) for one in objects(extension.get("extension"))]
    return [{"url": f"{UKCORE_EXTENSION}MedicationRepeatInformation", "extension": parts}]


def _issued(one: Body) -> Body:
    if one.get("url") == "numberOfRepeatPrescriptionsIssued":
        return {"url": "numberOfPrescriptionsIssued", "valueUnsignedInt": value_of(one)}
    if one.get("url") == "authorisationExpiryDate":
        return {"url": "authorisationExpiryDate", "valueDateTime": value_of(one)}
    return one


CHANGED: dict[str, Callable[[Body], list[Body]]] = {
    "ListWarningCode": _list_warning,
    "MedicationRepeatInformation": _repeats,
    "coding-sctdecsid": _snomed_description,  # misspelt in real records
    "coding-sctdescid": _snomed_description,
}
