"""GP practices as a server: GP Connect Access Record Structured (FHIR STU3), with the checks that a provider makes."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nhs_number.validate import is_valid

from fhir_adapters import exact_json
from fhir_adapters.simulators.demo_keys import bearer
from fhir_adapters.simulators.fhir import NHS_NUMBER, Json, outcome
from fhir_adapters.simulators.gp_record import record
from fhir_adapters.simulators.people import PRACTICE, Belief
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.serving import Answer, Asked, Simulated

FHIR_JSON = "application/fhir+json"
INTERACTION = "urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1"
OPERATION = re.compile(r"^/(?P<practice>\w+)/STU3/1/gpconnect/structured/fhir/Patient/\$gpc\.getstructuredrecord$")
ROOT = "/{}/STU3/1/gpconnect/structured/fhir"
HEADERS = ("ssp-traceid", "ssp-from", "ssp-to", "ssp-interactionid")
# What the token must say (GP Connect, cross-organisation audit and provenance).
CLAIMS = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "reason_for_request",
    "requested_scope",
    "requesting_device",
    "requesting_organization",
    "requesting_practitioner",
)
Published = Mapping[tuple[str, str], Sequence[Path]]  # (practice, NHS number) -> the files of the record


class Practices(Simulated):
    """The running practices. `change` puts the invented one into a later state."""

    def __init__(self, population: Population, port: int = 0, published: Sequence[tuple[str, str, Path]] = ()) -> None:
        files: defaultdict[tuple[str, str], list[Path]] = defaultdict(list)
        for practice, number, path in published:
            files[practice, number].append(path)
        self._published = dict(files)
        super().__init__(lambda asked: Answer({}), port)
        self.change(population)

    def change(self, population: Population) -> None:
        """Answer from that population from now on."""
        held = {one.nhs_number: one for one in population.gp}
        self.replace(lambda asked: _answer(asked, population, held, self._published))


def serve(population: Population, port: int = 0, published: Sequence[tuple[str, str, Path]] = ()) -> Practices:
    """Start the practices; `published` comes from `gp_published.published`."""
    return Practices(population, port, published)


def _answer(asked: Asked, population: Population, held: Mapping[str, Belief], published: Published) -> Answer:
    operation = OPERATION.match(asked.path)
    if not operation or asked.method != "POST":
        return _refused(404, "REFERENCE_NOT_FOUND", "No such operation")
    wrong = _wrong_headers(asked) or _wrong_token(bearer(asked), operation["practice"])
    if wrong:
        return _refused(400, "BAD_REQUEST", wrong, "invalid")
    number = _asked_number(asked.body)
    if not number:
        return _refused(422, "INVALID_PARAMETER", "patientNHSNumber is missing or has another system", "invalid")
    return _record(operation["practice"], number, population, held, published)


def _record(
    practice: str, number: str, population: Population, held: Mapping[str, Belief], published: Published
) -> Answer:
    """Published records come first: the number of one of them fails its check digit."""
    if paths := published.get((practice, number)):
        return Answer(_joined(paths), kind=FHIR_JSON)
    if not is_valid(number):
        return _refused(400, "INVALID_NHS_NUMBER", "NHS number is invalid", "value")
    if practice == PRACTICE and number in held:
        return Answer(record(population, held[number]), kind=FHIR_JSON)
    return _refused(404, "PATIENT_NOT_FOUND", "Patient record not found")


def _joined(paths: Sequence[Path]) -> Json:
    """The record; one that was published in parts has the entries of them all, what is in two of them twice."""
    parts = [exact_json.loads(path.read_bytes()) for path in paths]
    whole: Json = parts[0] | {"entry": [entry for part in parts for entry in part["entry"]]}
    return whole


def _wrong_headers(asked: Asked) -> str:
    missing = [name for name in HEADERS if not asked.headers.get(name)]
    if missing:
        return f"header {missing[0]} is missing"
    said = asked.headers["ssp-interactionid"]
    return "" if said == INTERACTION else f"Ssp-InteractionID must be {INTERACTION}"


def _wrong_token(token: str, practice: str) -> str:
    """GP Connect's token is not signed: the Spine's proxy vouches for the caller."""
    if not token:
        return "a bearer token is missing"
    try:
        claims = _claims(token)
    except (ValueError, UnicodeDecodeError):
        return "the bearer token can't be decoded"
    missing = [name for name in CLAIMS if name not in claims]
    if missing:
        return f"the token has no claim {missing[0]}"
    if claims["exp"] - claims["iat"] != 300:
        return "the token must live five minutes"
    if claims["reason_for_request"] != "directcare":
        return "reason_for_request must be directcare"
    return "" if ROOT.format(practice) in str(claims["aud"]) else "aud must be the practice's service root"


def _claims(token: str) -> dict[str, Any]:
    """Raises ValueError for what is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError(token)
    claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(claims, dict):
        raise ValueError(token)
    return claims


def _asked_number(body: bytes) -> str:
    """The NHS number of the Parameters; empty where it is not there."""
    try:
        parameters: Json = json.loads(body)
        found = [one for one in parameters["parameter"] if one["name"] == "patientNHSNumber"]
        identifier = found[0]["valueIdentifier"]
        return str(identifier["value"]) if identifier["system"] == NHS_NUMBER else ""
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _refused(status: int, code: str, why: str, kind: str = "not-found") -> Answer:
    system = "https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1"
    return Answer(outcome(code, why, kind=kind, system=system), status, FHIR_JSON)
