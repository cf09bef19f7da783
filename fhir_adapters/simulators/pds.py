"""PDS as a server: a Patient by NHS number, and the search by demographics, with the outcomes of the real one."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from nhs_number.validate import is_valid

from fhir_adapters import exact_json
from fhir_adapters.simulators.demo_keys import bearer
from fhir_adapters.simulators.fhir import Json, outcome
from fhir_adapters.simulators.pds_patients import patient
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.serving import Answer, Asked, Simulated

FHIR_JSON = "application/fhir+json"
BASE = "/personal-demographics/FHIR/R4"
MOST_MATCHES = 1  # without max-results PDS answers one match or none
# Published Patients that are whole; the others of the folder are searches and parts.
PUBLISHED = ("Patient.json", "Patient-Jayne-Smyth.json", "Minimal_Patient.json")


class PersonalDemographics(Simulated):
    """The running PDS. `change` puts it into a later state."""

    def __init__(self, population: Population, port: int = 0, extra: Sequence[Json] = ()) -> None:
        self._extra = tuple(extra)
        super().__init__(lambda asked: Answer({}), port, BASE)
        self.change(population)

    def change(self, population: Population) -> None:
        """Answer from that population from now on."""
        held: dict[str, Json] = {one["id"]: one for one in self._extra}
        held |= {one.nhs_number: patient(one, population.today) for one in population.pds}
        former = {one.former_number: one.nhs_number for one in population.people if one.former_number}
        born: dict[str, list[Json]] = defaultdict(list)
        for one in held.values():
            born[one.get("birthDate", "")].append(one)
        self.replace(lambda asked: _answer(asked, held, former, born, self.url))


def serve(population: Population, port: int = 0, extra: Sequence[Json] = ()) -> PersonalDemographics:
    """Start PDS; `extra` are further Patients."""
    return PersonalDemographics(population, port, extra)


def published(folder: Path) -> tuple[Json, ...]:
    """The published PDS Patients of that folder, of each NHS number the first; none where there is no such folder."""
    found: dict[str, Json] = {}
    for name in PUBLISHED:
        path = folder / "pds" / name
        if path.is_file():
            one = exact_json.loads(path.read_bytes())
            found.setdefault(one["id"], one)
    return tuple(found.values())


def _answer(
    asked: Asked, held: Mapping[str, Json], former: Mapping[str, str], born: Mapping[str, Sequence[Json]], url: str
) -> Answer:
    if not bearer(asked) and "nhsd-session-urid" not in asked.headers:
        return _refused(401, "ACCESS_DENIED", "Missing or invalid OAuth 2.0 bearer token in request.", "forbidden")
    if not asked.headers.get("x-request-id"):
        return _refused(412, "PRECONDITION_FAILED", "Required condition was not fulfilled: X-Request-ID", "invalid")
    path = asked.path.removeprefix(BASE)
    if path == "/Patient":
        return _search(asked, born, url)
    if not path.startswith("/Patient/"):
        return _refused(404, "RESOURCE_NOT_FOUND", "Resource not found", "not-found")
    return _read(path.removeprefix("/Patient/"), held, former)


def _read(number: str, held: Mapping[str, Json], former: Mapping[str, str]) -> Answer:
    """An old number answers with the record of the number that replaced it."""
    if not is_valid(number):
        return _refused(400, "INVALID_RESOURCE_ID", "Resource Id is invalid", "value")
    found = held.get(former.get(number, number))
    if found is None:
        return _refused(404, "RESOURCE_NOT_FOUND", "Resource not found", "not-found")
    version = found.get("meta", {}).get("versionId", "1")
    return Answer(found, kind=FHIR_JSON, headers={"ETag": f'W/"{version}"'})


def _search(asked: Asked, born: Mapping[str, Sequence[Json]], url: str) -> Answer:
    if not asked.param("family") or not asked.param("birthdate"):
        return _refused(
            400, "MISSING_VALUE", "Not enough search parameters: family and birthdate are needed", "required"
        )
    day = asked.param("birthdate").removeprefix("eq")
    found = [one for one in born.get(day, ()) if _matches(one, asked)]
    if len(found) > MOST_MATCHES:
        return Answer(
            outcome("TOO_MANY_MATCHES", "Too Many Matches", "information", "multiple-matches"), kind=FHIR_JSON
        )
    entries = [
        {"fullUrl": f"{url}/Patient/{one['id']}", "search": {"score": 1}, "resource": _part(one)} for one in found
    ]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return Answer(bundle | ({"entry": entries} if entries else {}), kind=FHIR_JSON, page="entry")


def _part(one: Json) -> Json:
    """What a search gives away of a match: not all of it."""
    kept = ("resourceType", "id", "identifier", "meta", "name", "gender", "birthDate", "address", "deceasedDateTime")
    return {key: one[key] for key in kept if key in one}


def _matches(one: Json, asked: Asked) -> bool:
    """The search that PDS does without fuzziness, among those born that day: names without accents and case, the other parameters as they are."""
    names = [
        (_plain(name.get("family", "")), [_plain(given) for given in name.get("given", [])])
        for name in one.get("name", [])
    ]
    family, given = _plain(asked.param("family")), _plain(asked.param("given"))
    if not any(family == known and (not given or given in firsts) for known, firsts in names):
        return False
    gender, postcode = asked.param("gender"), _plain(asked.param("address-postalcode"))
    postcodes = {_plain(address.get("postalCode", "")) for address in one.get("address", [])}
    return gender in ("", one.get("gender")) and (not postcode or postcode in postcodes)


def _plain(text: str) -> str:
    """Without accents, case, spaces."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold().replace(" ", "")


def _refused(status: int, code: str, why: str, kind: str) -> Answer:
    return Answer(outcome(code, why, kind=kind), status, FHIR_JSON)
