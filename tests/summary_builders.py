"""The demo's invented people, taken in at once, and the rules of FHIR that a document must keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest_builders import take
from sqlalchemy import Connection

from carelink.place import Place
from fhir_adapters.gp_connect import map_record
from fhir_adapters.simulators.gp_record import record
from fhir_adapters.simulators.hospital_resources import resources
from fhir_adapters.simulators.people import GP
from fhir_adapters.simulators.population import people
from fhir_adapters.source import Item

Json = dict[str, Any]
PRACTICE = "P81001"


def demo_people(conn: Connection, place: Place, now: datetime, count: int = 40) -> None:
    """As many invented people, as the hospital and one practice hold them."""
    population = people(1, count)
    held = [Item(one["resourceType"], one["id"], one) for one in resources(population)]
    take(conn, place, held, now)
    for belief in population.held[GP]:
        if belief.nhs_number:
            mapped = map_record(record(population, belief), PRACTICE, belief.nhs_number)
            take(conn, place, mapped.items, now, "gp", mapped.rejected)


def broken(bundle: Json) -> list[str]:
    """The rules of R4 that a document breaks: bdl-*, cmp-*, and that all that it names is in it."""
    return [rule for rule, holds in _RULES if not holds(bundle)] + sorted(set(dangling(bundle)))


def _bodies(bundle: Json) -> list[Json]:
    return [one["resource"] for one in bundle["entry"]]


def _sections(bundle: Json) -> list[Json]:
    return list(bundle["entry"][0]["resource"]["section"])


def _urls(bundle: Json) -> list[str]:
    return [one["fullUrl"] for one in bundle["entry"]]


_RULES = (
    ("bdl-1", lambda b: "total" not in b),
    ("bdl-2", lambda b: not any("search" in one for one in b["entry"])),
    ("bdl-3", lambda b: not any("request" in one for one in b["entry"])),
    ("bdl-4", lambda b: not any("response" in one for one in b["entry"])),
    ("bdl-7", lambda b: len(set(_urls(b))) == len(b["entry"])),
    ("bdl-8", lambda b: not any("/_history/" in one for one in _urls(b))),
    ("bdl-9", lambda b: {"system", "value"} <= b["identifier"].keys()),
    ("bdl-10", lambda b: bool(b["timestamp"])),
    ("bdl-11", lambda b: b["entry"][0]["resource"]["resourceType"] == "Composition"),
    ("cmp-1", lambda b: all(one.keys() & {"text", "entry", "section"} for one in _sections(b))),
    ("cmp-2", lambda b: not any({"emptyReason", "entry"} <= one.keys() for one in _sections(b))),
    ("ips-comp-1", lambda b: all(one.keys() & {"entry", "emptyReason"} for one in _sections(b))),
    ("one Patient", lambda b: sum(one["resourceType"] == "Patient" for one in _bodies(b)) == 1),
    ("fullUrl and id", lambda b: all(url.endswith(one["id"]) for url, one in zip(_urls(b), _bodies(b), strict=True))),
)


def dangling(bundle: Json) -> Iterator[str]:
    """References that nothing in the Bundle answers (R4 2.36.4.1: relative ones by the fullUrl of who says them)."""
    there = set(_urls(bundle))
    for one in bundle["entry"]:
        root = one["fullUrl"].rsplit("/", 2)[0] if one["fullUrl"].startswith("http") else ""
        inside = {f"#{inner['id']}" for inner in one["resource"].get("contained", ())}
        for literal in references(one["resource"]):
            if literal not in inside and literal not in there and f"{root}/{literal}" not in there:
                yield literal


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from references(inner)
