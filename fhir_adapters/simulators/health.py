"""What is true of a person's health: problems, medicines, measurements, stays. Practice and hospital each tell a part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators import vocabulary
from fhir_adapters.simulators.cast import ON_WARD_NOW, PARTS
from fhir_adapters.simulators.people import Person
from fhir_adapters.simulators.vocabulary import Measurement, Medicine, Problem

MOST_PROBLEMS = 5
CONSULTATIONS = (
    "GP Surgery",
    "Telephone consultation",
    "Home visit",
    "Third party consultation",
    "Nurse clinic",
    "Video consultation",
)
WARDS = (
    ("Ward 7", "Care of older people"),
    ("Ward 3", "General medicine"),
    ("Ward 11", "Trauma and orthopaedics"),
    ("Acute medical unit", "Acute medicine"),
)
CLINICS = ("Diabetes clinic", "Falls clinic", "Memory clinic", "Cardiology clinic", "Eye clinic", "Fracture clinic")


@dataclass(frozen=True)
class Has:
    """A problem since a day."""

    problem: Problem
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Takes:
    """A medicine; `until` where it was stopped."""

    medicine: Medicine
    since: date
    issued: date
    until: date | None = None


@dataclass(frozen=True)
class Measured:
    """A measurement as text, so that 7.10 stays 7.10. A blood pressure has two values."""

    measurement: Measurement | None  # None: blood pressure
    values: tuple[str, ...]
    on: date


@dataclass(frozen=True)
class Allergic:
    """A row of allergies.csv since a day; `until` where it was found not to be so."""

    row: dict[str, str]
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Immunised:
    """A row of immunisations.csv on a day."""

    row: dict[str, str]
    on: date


@dataclass(frozen=True)
class Seen:
    """A consultation at the practice."""

    how: str
    on: date
    about: Problem | None


@dataclass(frozen=True)
class Stay:
    """Days in hospital; no `until` while it lasts."""

    ward: str
    specialty: str
    since: date
    until: date | None
    reason: Problem | None


@dataclass(frozen=True)
class Health:
    """All of it."""

    problems: tuple[Has, ...]
    medicines: tuple[Takes, ...]
    measured: tuple[Measured, ...]
    allergies: tuple[Allergic, ...]
    immunised: tuple[Immunised, ...]
    seen: tuple[Seen, ...]
    stays: tuple[Stay, ...]
    clinics: tuple[tuple[str, date], ...]  # booked, or long past


def health(person: Person, today: date) -> Health:
    """The person's health as it stands on that day, or stood when they died; the same every time."""
    rng = Random(f"{person.nhs_number}:health")
    end = today - timedelta(days=person.died_days_ago)
    first = max(person.born, end - timedelta(days=365 * 25))
    problems = tuple(_problems(rng, person, first, end))
    keys = {one.problem.key for one in problems if one.until is None}
    rich = 3 if person.part == ON_WARD_NOW.part else 1
    return Health(
        problems,
        tuple(_medicines(rng, problems, end)),
        tuple(_measured(rng, person, keys, end, 2 * rich)),
        tuple(_allergies(rng, person, first, end)),
        tuple(_immunised(rng, person, end)),
        tuple(_seen(rng, problems, first, end, 2 * rich)),
        tuple(_stays(rng, person, problems, end)),
        tuple(_clinics(rng, end, today)) if not person.died_days_ago else (),
    )


def _problems(rng: Random, person: Person, first: date, end: date) -> Iterator[Has]:
    part = PARTS.get(person.part)
    if part:
        for key in part.problems:
            yield Has(vocabulary.problem(key), _between(rng, first, end))
        return
    found = 0
    for problem in vocabulary.problems():
        likely = problem.from_age <= person.age(end) <= problem.to_age and rng.randrange(1000) < problem.per_mille
        if likely and problem.sex in ("", person.gender[0].upper()) and found < MOST_PROBLEMS:
            found += 1
            since = _between(rng, first, end)
            over = problem.key in ("anaemia", "depression", "anxiety", "cataract") and rng.random() < 0.4
            yield Has(problem, since, _between(rng, since, end) if over else None)


def _medicines(rng: Random, problems: tuple[Has, ...], end: date) -> Iterator[Takes]:
    taken: set[str] = set()
    for has in problems:
        for key in has.problem.medicines:
            if key not in taken and rng.random() < 0.85:
                taken.add(key)
                since = _between(rng, has.since, end)
                issued = max(since, end - timedelta(days=rng.randrange(3, 28)))
                stopped = has.until or (issued if rng.random() < 0.12 else None)
                yield Takes(vocabulary.medicine(key), since, min(issued, stopped or issued), stopped)
    if rng.random() < 0.25:
        on = end - timedelta(days=rng.randrange(60, 700))
        yield Takes(vocabulary.medicine("amoxicillin"), on, on, on + timedelta(days=7))


def _measured(rng: Random, person: Person, keys: set[str], end: date, times: int) -> Iterator[Measured]:
    """The newest of each is within a year; `times` of those that matter for a problem."""
    if person.age(end) >= 18:
        for on in _days_back(rng, end, times):
            low = rng.randrange(58, 96)
            yield Measured(None, (str(low + rng.randrange(38, 76)), str(low)), on)
    for one in vocabulary.measurements().values():
        matters = bool(keys & set(one.problems))
        if matters or (one.key in ("weight", "bmi") and rng.random() < 0.6):
            for on in _days_back(rng, end, times if matters else max(1, times // 2)):
                yield Measured(one, (written(rng, one),), on)


def written(rng: Random, one: Measurement) -> str:
    """A value of it with its decimals: 7.10 and 64.0 keep their noughts."""
    return f"{rng.uniform(one.low, one.high):.{one.decimals}f}"


def _allergies(rng: Random, person: Person, first: date, end: date) -> Iterator[Allergic]:
    rows = vocabulary.rows("allergies")
    if person.part == ON_WARD_NOW.part:
        yield Allergic(rows[0], end - timedelta(days=4000))
        return
    for row in rng.sample(rows, rng.choices((0, 1, 2), (62, 30, 8))[0]):
        since = _between(rng, first, end)
        yield Allergic(row, since, _between(rng, since, end) if rng.random() < 0.12 else None)


def _immunised(rng: Random, person: Person, end: date) -> Iterator[Immunised]:
    for row in vocabulary.rows("immunisations"):
        if person.age(end) < int(row["from_age"]) or rng.random() < 0.25:
            continue
        from_year = max(person.born.year + int(row["from_age"]), end.year - 6, 2020)
        on = date(rng.randrange(from_year, end.year + 1), int(rng.choice(row["months"].split())), rng.randrange(1, 28))
        if person.born < on < end:
            yield Immunised(row, on)


def _seen(rng: Random, problems: tuple[Has, ...], first: date, end: date, times: int) -> Iterator[Seen]:
    for _ in range(rng.randrange(times, 2 * times + 1)):
        on = max(first, end - timedelta(days=rng.randrange(3, 900)))
        about = rng.choice([one for one in problems if one.since <= on] or [None])
        yield Seen(rng.choice(CONSULTATIONS), on, about.problem if about else None)


def _stays(rng: Random, person: Person, problems: tuple[Has, ...], end: date) -> Iterator[Stay]:
    reasons: list[Problem | None] = [one.problem for one in problems] or [None]
    if person.part == ON_WARD_NOW.part:
        yield Stay(*WARDS[0], end - timedelta(days=4), None, vocabulary.problem("falls"))
        for back in (95, 410, 730):
            since = end - timedelta(days=back)
            yield Stay(*rng.choice(WARDS), since, since + timedelta(days=6), rng.choice(reasons))
        return
    for _ in range(rng.choices((0, 1, 2), (45, 40, 15))[0]):
        since = end - timedelta(days=rng.randrange(40, 1200))
        yield Stay(*rng.choice(WARDS), since, since + timedelta(days=rng.randrange(1, 14)), rng.choice(reasons))
    if not person.part and not person.died_days_ago and rng.random() < 0.02:
        yield Stay(*rng.choice(WARDS), end - timedelta(days=rng.randrange(1, 6)), None, rng.choice(reasons))


def _clinics(rng: Random, end: date, today: date) -> Iterator[tuple[str, date]]:
    if rng.random() < 0.5:
        yield rng.choice(CLINICS), today + timedelta(days=rng.randrange(5, 90))
    if rng.random() < 0.4:
        yield rng.choice(CLINICS), end - timedelta(days=rng.randrange(30, 700))


def _days_back(rng: Random, end: date, times: int) -> list[date]:
    """Days some months apart, the newest within the last half year."""
    back, found = rng.randrange(4, 160), []
    for _ in range(times):
        found.append(end - timedelta(days=back))
        back += rng.randrange(60, 250)
    return found


def _between(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randrange(max(1, (last - first).days)))
