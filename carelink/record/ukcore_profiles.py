"""The profiles of UK Core that resources here are held to: for each type of resource, one, and those of its special kinds.

HL7 UK, UK Core STU3 sequence. Only those stand here whose every rule is checked: cardinalities, fixed values and required
bindings of the differential, its constraints of severity error, and its extensions. What is only `mustSupport`, a
preferred or an extensible binding asks nothing of one resource by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"


@dataclass(frozen=True)
class Profile:
    """One profile: of which type, in which version it is checked, and what it builds on."""

    name: str
    type: str
    version: str
    active: bool = True  # no: a draft, which is checked but not written by CareLink of its own accord
    base: str = ""  # name of another profile here whose rules hold too

    @property
    def url(self) -> str:
        """As it stands in `meta.profile`."""
        return f"{PREFIX}{self.name}"


def _of_types(text: str, active: bool) -> list[Profile]:
    pairs = (one.partition(" ") for one in text.split(", "))
    return [Profile(type_, type_, version, active) for type_, _, version in pairs]


_ALL = [
    *_of_types(
        "AllergyIntolerance 2.5.0, Appointment 1.3.0, Composition 2.4.0, Condition 2.6.0, DiagnosticReport 2.7.0,"
        " Encounter 2.5.0, FamilyMemberHistory 1.2.0, HealthcareService 1.3.0, Immunization 2.4.0, List 2.4.0,"
        " Location 2.3.0, Medication 2.3.0, MedicationAdministration 2.3.0, MedicationDispense 2.4.0,"
        " MedicationRequest 2.5.0, MedicationStatement 2.5.0, Observation 2.5.0, Organization 2.5.1, Patient 2.6.1,"
        " Practitioner 2.4.0, PractitionerRole 2.4.0, Procedure 2.5.0, RelatedPerson 2.5.0, Schedule 1.3.0,"
        " ServiceRequest 2.5.1, Slot 1.3.0, Specimen 3.1.0",
        active=True,
    ),
    *_of_types(
        "CarePlan 2.2.0, CareTeam 2.1.0, Communication 2.1.0, Consent 2.4.0, Device 1.2.0, DocumentReference 2.2.0,"
        " EpisodeOfCare 2.2.0, Flag 1.2.0, Questionnaire 1.3.0, QuestionnaireResponse 1.2.0, Task 1.2.0",
        active=False,
    ),
    Profile("DiagnosticReport-Lab", "DiagnosticReport", "2.0.1"),
    Profile("Observation-Group-Lab", "Observation", "2.1.0"),
    Profile("Observation-Lab", "Observation", "2.0.1"),
    Profile("Observation-VitalSigns", "Observation", "1.1.1", base="Observation"),
    Profile("Observation-VitalSigns-BMI", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-BodyTemperature", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-BodyWeight", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-HeadCircumference", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-HeartRate", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-OxygenSaturation", "Observation", "1.0.0", base="Observation-VitalSigns"),
    Profile("Observation-VitalSigns-RespirationRate", "Observation", "1.0.0", base="Observation-VitalSigns"),
]
PROFILES: Mapping[str, Profile] = {one.url: one for one in _ALL}  # by url
OF_TYPE: Mapping[str, Profile] = {one.type: one for one in _ALL if one.name == one.type}
_BY_NAME = {one.name: one for one in _ALL}


def built_on(profile: Profile) -> tuple[Profile, ...]:
    """It and all that it builds on, the most general first."""
    return (*built_on(_BY_NAME[profile.base]), profile) if profile.base else (profile,)


def is_uk_core(url: object) -> bool:
    """Whether it is the url of a UK Core profile, whichever."""
    return isinstance(url, str) and url.startswith(PREFIX)
