"""Who works at the two councils, and whose caseload somebody is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, Belief
from fhir_adapters.simulators.social import on_caseload_of


@dataclass(frozen=True)
class Worker:
    """A council's worker; `team` as the council calls it."""

    id: str
    given: str
    family: str
    job: str
    team: str


WORKERS: Mapping[str, tuple[Worker, ...]] = {
    COUNCIL_A: (
        Worker("W001", "Sam", "Okafor", "Social worker", "adults-north"),
        Worker("W002", "Priya", "Nair", "Care manager", "adults-north"),
        Worker("W003", "Hannah", "Lister", "Social worker", "adults-north"),
        Worker("W004", "Dominik", "Nowak", "Social worker", "hospital-team"),
        Worker("W005", "Joanne", "Sykes", "Occupational therapist", "adults-north"),
        Worker("W006", "Andrew", "Metcalfe", "Social worker", "learning-disability-north"),
        Worker("W007", "Rukhsana", "Malik", "Social worker", "children-north"),
        Worker("W008", "Colin", "Beaumont", "Review officer", "adults-north"),
    ),
    COUNCIL_B: (
        Worker("S001", "Gwen", "Price", "Social worker", "adults-south"),
        Worker("S002", "Michael", "Doherty", "Social worker", "adults-south"),
        Worker("S003", "Anjali", "Mistry", "Occupational therapist", "adults-south"),
        Worker("S004", "Karen", "Waterhouse", "Review officer", "adults-south"),
        Worker("S005", "Tunde", "Adeyemi", "Social worker", "hospital-south"),
        Worker("S006", "Zofia", "Zielińska", "Social worker", "adults-south"),
    ),
}
GWEN = "S001"
ON_GWENS_CASELOAD = 12  # people, of those whom Southmere has first
# Not theirs: the caseloads of the two who sign in are the cast's.
KEPT = {COUNCIL_A: frozenset({"W001", "W002"}), COUNCIL_B: frozenset({GWEN})}


@dataclass(frozen=True)
class Allocation:
    """Somebody is looked after by a worker, or only by a team (`worker` is None)."""

    worker: Worker | None
    team: str
    role: str
    since: date
    until: date | None


def worker(source: str, place: int) -> Worker:
    """The worker at that place in the list, round and round."""
    every = WORKERS[source]
    return every[place % len(every)]


def allocation(belief: Belief, place: int, today: date) -> Allocation | None:
    """Whose the person is; `place` is theirs in the council's list. None for a third of people and second records."""
    rng = Random(f"{belief.key}:{belief.source}:allocation")
    if belief.duplicate:
        return None
    named = _named(belief, place)
    since = today - timedelta(days=rng.randrange(30, 900))
    if named:
        role = "Care manager" if named.job == "Care manager" else "Key worker"
        return Allocation(named, named.team, role, since, None)
    if rng.random() < 0.34:
        return None
    others = [one for one in WORKERS[belief.source] if one.id not in KEPT[belief.source]]
    chosen = rng.choice(others)
    until = since + timedelta(days=28) if rng.random() < 0.15 else None
    alone = rng.random() < 0.12
    return Allocation(None if alone else chosen, chosen.team, "Team" if alone else "Key worker", since, until)


def _named(belief: Belief, place: int) -> Worker | None:
    """The worker of one of the cast, or of the first people of Southmere."""
    id_ = on_caseload_of(belief) if belief.source == COUNCIL_A else ""
    if belief.source == COUNCIL_B and place < ON_GWENS_CASELOAD:
        id_ = GWEN
    return next((one for one in WORKERS[belief.source] if one.id == id_), None)
