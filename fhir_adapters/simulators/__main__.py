"""Runs all five simulated sources: `python -m fhir_adapters.simulators --people 200 --seed 1 --dir DIR`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event
from typing import Any

from fhir_adapters.simulators import council_a, council_b, gp, gp_published, hospital, hospital_published, pds
from fhir_adapters.simulators.cast import CAST
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.people import Person
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.simulators.serving import Simulated

SERVED = ("gp", "hospital", "pds", "council-b")  # with --port-base, in this order


def main(arguments: list[str] | None = None) -> int:
    """Start, say where in one line of JSON, and serve until SIGTERM or SIGINT."""
    asked = _arguments(arguments)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    population = people(asked.seed, asked.people, _today(asked))
    folder = asked.dir / "council-a"
    with ExitStack() as running:
        servers = _serve(population, asked.shared_data, asked.port_base)
        for server in servers.values():
            running.callback(server.close)
        council_a.write(population, folder)
        told = {name: server.url for name, server in servers.items()} | {"council-a": str(folder.resolve())}
        sys.stdout.write(json.dumps(told | _about(population, asked.shared_data)) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fhir_adapters.simulators", description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, required=True, help="where council A's extracts go")
    parser.add_argument("--port-base", type=int, default=0, help="first of four ports; 0: any that are free")
    parser.add_argument("--shared-data", type=Path, default=_shared_data(), help="folder of published examples")
    parser.add_argument("--today", type=date.fromisoformat, help="the day on which records end")
    return parser.parse_args(arguments)


def _shared_data() -> Path:
    """Beside the project, unless the environment says elsewhere."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("CARELINK_SHARED_DATA") or beside)


def _today(asked: argparse.Namespace) -> date:
    """The day that was asked for, else that of an earlier start with the same people, else today: kept in the folder.

    Records end on the day of the first start, so that a second start does not change all of them.
    """
    kept = asked.dir / "simulators.json"
    of: dict[str, Any] = {"seed": asked.seed, "people": asked.people}
    earlier = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
    if asked.today is None and {key: earlier.get(key) for key in of} == of:
        return date.fromisoformat(earlier["today"])
    today: date = asked.today or datetime.now(UTC).date()
    asked.dir.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(of | {"today": today.isoformat()}), "utf-8")
    return today


def _serve(population: Population, shared: Path, port_base: int) -> dict[str, Simulated]:
    ports = [port_base + place if port_base else 0 for place in range(len(SERVED))]
    return {
        "gp": gp.serve(population, ports[0], gp_published.published(shared)),
        "hospital": hospital.serve(population, ports[1], hospital_published.published(shared, population.today)),
        "pds": pds.serve(population, ports[2], pds.published(shared)),
        "council-b": council_b.serve(population, ports[3]),
    }


def _about(population: Population, shared: Path) -> dict[str, Any]:
    published = dict.fromkeys(f"{number},{practice}" for practice, number, _ in gp_published.published(shared))
    national = [one["id"] for one in pds.published(shared)]
    signing_in = [part.person for part in CAST if part.signs_in and part.person in population.people]
    return {
        "secrets": dict(SECRETS),
        "cohort": [*population.cohort, *published, *national],
        "people": [_sign_in(one) for one in signing_in],
    }


def _sign_in(person: Person) -> dict[str, str]:
    return {
        "sub": person.part,
        "name": person.name,
        "nhs_number": person.nhs_number,
        "birthdate": person.born.isoformat(),
    }


if __name__ == "__main__":
    sys.exit(main())
