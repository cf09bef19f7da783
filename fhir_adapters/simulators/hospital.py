"""The hospital as a server: FHIR R4 search by type, sorted by last change, in pages that follow an opaque link."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import ge, gt

from fhir_adapters.simulators.demo_keys import knows
from fhir_adapters.simulators.fhir import Json, outcome
from fhir_adapters.simulators.hospital_resources import resources
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.serving import Answer, Asked, Simulated

FHIR_JSON = "application/fhir+json"
BASE = "/fhir/R4"
MOST = 1000  # entries a page
USUAL = 100
# Types that it serves, even where it has none of them.
TYPES = (
    "Organization",
    "Practitioner",
    "Location",
    "Patient",
    "Consent",
    "Encounter",
    "Condition",
    "AllergyIntolerance",
    "Observation",
    "MedicationRequest",
    "DocumentReference",
    "Appointment",
    "ServiceRequest",
    "Task",
)
AFTER: Mapping[str, Callable[[datetime, datetime], bool]] = {"gt": gt, "ge": ge}


class Hospital(Simulated):
    """The running hospital. `change` puts it into a later state."""

    def __init__(self, population: Population, port: int = 0, extra: Sequence[Json] = ()) -> None:
        self._extra = tuple(extra)
        super().__init__(lambda asked: Answer({}), port, BASE)
        self.change(population)

    def change(self, population: Population) -> None:
        """Answer from that population from now on."""
        held: dict[str, list[Json]] = {type_: [] for type_ in TYPES}
        for one in (*resources(population), *self._extra):
            held.setdefault(one["resourceType"], []).append(one)
        for found in held.values():
            found.sort(key=lambda one: (one["meta"]["lastUpdated"], one["id"]))
        self.replace(lambda asked: _answer(asked, held, self.url))


def serve(population: Population, port: int = 0, extra: Sequence[Json] = ()) -> Hospital:
    """Start the hospital; `extra` are further resources with a meta.lastUpdated."""
    return Hospital(population, port, extra)


def _answer(asked: Asked, held: Mapping[str, Sequence[Json]], url: str) -> Answer:
    if not knows(asked, "hospital"):
        return _refused(401, "UNAUTHORIZED", "A bearer token or an API key is needed", "login")
    type_, _, id_ = asked.path.removeprefix(f"{BASE}/").partition("/")
    if not asked.path.startswith(f"{BASE}/") or type_ not in held:
        return _refused(404, "RESOURCE_NOT_FOUND", f"{type_} is not served here", "not-supported")
    if id_:
        found = next((one for one in held[type_] if one["id"] == id_), None)
        return Answer(found, kind=FHIR_JSON) if found else _refused(404, "RESOURCE_NOT_FOUND", "No such resource")
    try:
        return _page(type_, held[type_], asked, url)
    except ValueError:
        return _refused(400, "INVALID_PARAMETER", "A parameter can't be read", "value")


def _page(type_: str, every: Sequence[Json], asked: Asked, url: str) -> Answer:
    """Raises ValueError for a parameter that can't be read."""
    state = _opened(asked.param("_page")) if asked.param("_page") else None
    since = state[0] if state else asked.param("_lastUpdated")
    start, size = (state[1], state[2]) if state else (0, min(int(asked.param("_count") or USUAL), MOST))
    found = [one for one in every if _changed(one, since)]
    shown = found[start : start + size]
    links = [{"relation": "self", "url": f"{url}/{type_}"}]
    if start + size < len(found):
        links.append({"relation": "next", "url": f"{url}/{type_}?_page={_sealed(since, start + size, size)}"})
    entries = [{"fullUrl": f"{url}/{type_}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in shown]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    return Answer(bundle | ({"entry": entries} if entries else {}), kind=FHIR_JSON, page="entry")


def _changed(one: Json, since: str) -> bool:
    if not since:
        return True
    compare = AFTER.get(since[:2])
    if compare is None:
        raise ValueError(since)
    at = datetime.fromisoformat(one["meta"]["lastUpdated"])
    return compare(at, datetime.fromisoformat(since[2:].replace(" ", "+")))


def _sealed(since: str, start: int, size: int) -> str:
    return urlsafe_b64encode(f"{since}|{start}|{size}".encode()).decode()


def _opened(page: str) -> tuple[str, int, int]:
    since, start, size = urlsafe_b64decode(page).decode().split("|")
    return since, int(start), int(size)


def _refused(status: int, code: str, why: str, kind: str = "not-found") -> Answer:
    return Answer(outcome(code, why, kind=kind), status, FHIR_JSON)
