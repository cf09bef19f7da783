"""How PDS tells of a person (FHIR R4, as its API does): whole, restricted, deceased."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators.fhir import NHS_NUMBER, ODS, Json, coding, concept
from fhir_adapters.simulators.people import Address, Belief

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
LANGUAGES = {"Urdu": "ur", "Gujarati": "gu", "Polish": "pl", "Cantonese": "yue"}


def patient(belief: Belief, today: date) -> Json:
    """The Patient. A restricted one has no address, no telecom and no practice."""
    person, rng = belief.person, Random(f"{belief.key}:pds")
    since = (today - timedelta(days=rng.randrange(400, 8000))).isoformat()
    security = ("R", "restricted") if person.restricted else ("U", "unrestricted")
    made: Json = {
        "resourceType": "Patient",
        "id": belief.nhs_number,
        "identifier": [_identifier(belief.nhs_number)],
        "meta": {
            "versionId": str(rng.randrange(1, 9)),
            "security": [coding(CONFIDENTIALITY, *security)],
        },
        "name": [_name(belief, since, rng)],
        "gender": person.gender,
        "birthDate": person.born.isoformat(),
    }
    made["extension"] = _extensions(belief, today)
    if belief.knows_of_death:
        made["deceasedDateTime"] = f"{person.died_on(today).isoformat()}T00:00:00+00:00"
    if not person.restricted:
        made |= _whereabouts(belief, since, rng)
    return {key: value for key, value in made.items() if value}


def _identifier(number: str) -> Json:
    status = coding(f"{CODES}NHSNumberVerificationStatus", "01", "Number present and verified") | {"version": "1.0.0"}
    extension = {"url": f"{UK_CORE}NHSNumberVerificationStatus", "valueCodeableConcept": {"coding": [status]}}
    return {"system": NHS_NUMBER, "value": number, "extension": [extension]}


def _name(belief: Belief, since: str, rng: Random) -> Json:
    person = belief.person
    name: Json = {"id": _id(rng), "use": "usual", "period": {"start": since}, "given": list(person.given)}
    return name | {"family": person.family} | ({"prefix": [person.title]} if person.title else {})


def _whereabouts(belief: Belief, since: str, rng: Random) -> Json:
    person = belief.person
    practice = {"system": ODS, "value": person.practice, "period": {"start": since}}
    phones = [("home", belief.landline), ("mobile", belief.mobile)]
    return {
        "telecom": [
            {"id": _id(rng), "period": {"start": since}, "system": "phone", "value": value.replace(" ", ""), "use": use}
            for use, value in phones
        ],
        "address": [_address(person.address, since, rng)],
        "generalPractitioner": [{"id": _id(rng), "type": "Organization", "identifier": practice}],
    }


def _address(address: Address, since: str, rng: Random) -> Json:
    return {
        "id": _id(rng),
        "period": {"start": since},
        "use": "home",
        "line": [*address.lines, address.town],
        "postalCode": address.postcode,
    }


def _extensions(belief: Belief, today: date) -> list[Json]:
    found = []
    if belief.knows_of_death:
        notice = coding(
            f"{CODES}DeathNotificationStatus", "2", "Formal - death notice received from Registrar of Deaths"
        )
        effective = belief.person.died_on(today) + timedelta(days=3)
        parts = [
            {"url": "deathNotificationStatus", "valueCodeableConcept": {"coding": [notice | {"version": "1.0.0"}]}},
            {"url": "systemEffectiveDate", "valueDateTime": f"{effective.isoformat()}T00:00:00+00:00"},
        ]
        found.append({"url": f"{UK_CORE}DeathNotificationStatus", "extension": parts})
    if code := LANGUAGES.get(belief.person.language):
        language = concept(f"{CODES}HumanLanguage", code, belief.person.language)
        parts = [
            {"url": "language", "valueCodeableConcept": language},
            {"url": "interpreterRequired", "valueBoolean": True},
        ]
        found.append({"url": f"{UK_CORE}NHSCommunication", "extension": parts})
    return found


def _id(rng: Random) -> str:
    return f"{rng.randrange(16**8):08X}"
