"""What is odd in the published GP records, and what became of each: as a table, for the tests that pull them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
UNKNOWN = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
DESCRIPTION = "http://hl7.org/fhir/StructureDefinition/coding-sctdescid"
UNSUPPORTED = "Referral items are not supported by the provider system"


@dataclass(frozen=True)
class Oddity:
    """The file (how its name begins), type and name of an entry; an element of it now; the rule that tells, and of what."""

    says: str
    file: str
    type: str
    name: str  # empty: the first of the type
    path: tuple[str | int, ...]
    now: Any
    rule: str = ""  # empty: nothing was repaired
    was: str = ""  # empty: there was nothing


def in_all_three(file: str) -> list[Oddity]:
    """These three records are of one making."""
    underscored = "Consultation1_topic2_category_Examination_Observation_"
    return [
        *(
            Oddity(
                f"an id with underscores, which FHIR does not allow, and a time without a zone, in winter ({number})",
                file,
                "Observation",
                f"{underscored}{number}",
                ("effectiveDateTime",),
                "2019-03-28T10:30:00+00:00",
                "R03-zone-london",
                "2019-03-28T10:30:00",
            )
            for number in (1, 2, 3)
        ),
        Oddity(
            "a time without a zone, in summer",
            file,
            "Encounter",
            "Encounter2",
            ("period", "end"),
            "2019-05-01T10:38:00+01:00",
            "R03-zone-london",
            "2019-05-01T10:38:00",
        ),
        Oddity(
            "a blank before a code",
            file,
            "Observation",
            f"{underscored}3",
            ("code", "coding", 0, "code"),
            "86290005",
            "R11-white-space",
            " 86290005",
        ),
        Oddity(
            "words where a list refers to something",
            file,
            "List",
            "Consultation1-Topic1-Category-Plan",
            ("entry", 2, "item"),
            {"display": UNSUPPORTED},
            "GP-reference-in-words",
            UNSUPPORTED,
        ),
        Oddity(
            "a misspelt extension under a host of its own",
            file,
            "Observation",
            "Consultation1-Topic3-flat-Observation-2",
            ("code", "coding", 0, "extension"),
            [{"url": DESCRIPTION, "valueId": "254063019"}],
        ),
    ]


ODDITIES = [
    Oddity(
        "a person born on the 93rd of April is of unknown birth date",
        "TPPPatientStructuredRecordE2EPWTP6",
        "Patient",
        "",
        ("_birthDate",),
        UNKNOWN,
        "R07-impossible-date",
        "1961-04-93",
    ),
    Oddity(
        "an allergy that began in `19` began at an unknown time",
        "malformedDate",
        "AllergyIntolerance",
        "29",
        ("_onsetDateTime",),
        UNKNOWN,
        "R07-impossible-date",
        "19",
    ),
    *in_all_three("9388098431"),
    *in_all_three("correctPatientNoDocs"),
    *in_all_three("malformedDate"),
    Oddity(
        "a vaccine that is unknown is called by the words of its procedure",
        "9388098431",
        "Immunization",
        "",
        ("vaccineCode", "text"),
        "First hepatitis A vaccination",
        "GP-vaccine-in-words",
        "Unknown",
    ),
    Oddity(
        "a list without an id goes by what it lists",
        "EMISPatientStructurede2eResponsePWTP2",
        "List",
        "list-problems-linked-problems-not-relating-to-the-primary-query",
        ("code", "coding", 0, "code"),
        "problems-linked-problems-not-relating-to-the-primary-query",
        "GP-no-id",
    ),
    Oddity(
        "a list that names its person only by number is the person's",
        "correctPatientNoDocs",
        "List",
        "list-886921000000105",
        ("subject", "identifier", "value"),
        "9690937294",
        "GP-subject",
    ),
    Oddity(
        "an encounter without a class, which R4 asks for",
        "EMISPatientStructurede2eResponsePWTP3",
        "Encounter",
        "",
        ("class", "code"),
        "AMB",
        "GP-required-by-r4",
    ),
    Oddity(
        "an organisation of which nothing is known is kept, and that is told",
        "9388098431",
        "Organization",
        "5E496953-065B-41F2-9577-BE8F2FBD0757",
        ("resourceType",),
        "Organization",
        "org-1",
    ),
    Oddity(
        "a practitioner of whom nothing is known is kept",
        "malformedDate",
        "Practitioner",
        "6c41ebfd-57c3-4162-9d7b-208c171a2fd7",
        ("resourceType",),
        "Practitioner",
    ),
    Oddity(
        "an NHS number that fails its check digit stays what the practice says",
        "9388098431",
        "Patient",
        "2",
        ("identifier", 0, "value"),
        "9388098431",
    ),
    Oddity(
        "a document's address, a template that nobody filled in, is not served: ours stands in its place",
        "TPPPatientStructuredRecordE2EPWTP7",
        "DocumentReference",
        "",
        ("content", 0, "attachment", "url"),
        "Binary/att-d2f1fa54-24a5-5996-bd3a-f25dd2c75f73",
    ),
]

# What must not be filed: file, type, name, and why. Of two with one id it is the second.
REFUSED = [
    ("9388098431", "PractitionerRole", "e0244de8-07ef-4274-9f7a-d7067bcc8d21", "duplicate id"),
    ("9388098431", "Location", "17", "duplicate id"),
    ("malformedDate", "Location", "17", "duplicate id"),
    ("9388098431", "DocumentReference", "D7AF52BA-79BA-4AF8-9010-F0C2DF916CEC-1", "leads to another than the Patient"),
    ("malformedDate", "DocumentReference", "D7AF52BA-T3ST-C4S3-N0N0-F0C2DF916CEC", "leads to another than the Patient"),
    ("malformedDate", "List", "list-886921000000105", "has another NHS number than the Patient"),
]
