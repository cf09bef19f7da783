"""Southmere's system as a server: a JSON API in pages, with an API key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from fhir_adapters.simulators.council_b_rows import rows
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.fhir import Json
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.serving import Answer, Asked, Simulated

BASE = "/api/v1"
MOST = 500  # rows a page


class CouncilB(Simulated):
    """The running API. `change` puts it into a later state."""

    def __init__(self, population: Population, port: int = 0) -> None:
        super().__init__(lambda asked: Answer({}), port, BASE)
        self.change(population)

    def change(self, population: Population) -> None:
        """Answer from that population from now on."""
        held = rows(population)
        self.replace(lambda asked: _answer(asked, held, self.url))


def serve(population: Population, port: int = 0) -> CouncilB:
    """Start the API."""
    return CouncilB(population, port)


def _answer(asked: Asked, held: Mapping[str, Sequence[Json]], url: str) -> Answer:
    if asked.headers.get("x-api-key") != SECRETS["council-b"]:
        return Answer({"error": "unauthorised", "message": "X-Api-Key is missing or not known"}, 401)
    endpoint = asked.path.removeprefix(f"{BASE}/")
    if endpoint not in held:
        return Answer({"error": "not found", "message": f"{endpoint} is not an endpoint"}, 404)
    try:
        return _page(endpoint, held[endpoint], asked, url)
    except ValueError as wrong:
        return Answer({"error": "bad request", "message": str(wrong)}, 400)


def _page(endpoint: str, every: Sequence[Json], asked: Asked, url: str) -> Answer:
    """Raises ValueError for a parameter that can't be read."""
    page, size = int(asked.param("page", "1")), min(int(asked.param("page_size", "100")), MOST)
    if page < 1 or size < 1:
        raise ValueError("page and page_size count from 1")
    since = asked.param("updated_since").replace(" ", "+")
    found = [row for row in every if _instant(row["updated_at"]) >= _instant(since)] if since else every
    start = (page - 1) * size
    more = start + size < len(found)
    following = {"page": page + 1, "page_size": size} | ({"updated_since": since} if since else {})
    return Answer(
        {
            "items": list(found[start : start + size]),
            "total": len(found),
            "page": page,
            "page_size": size,
            "next": f"{url}/{endpoint}?{urlencode(following)}" if more else None,
        },
        page="items",
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
