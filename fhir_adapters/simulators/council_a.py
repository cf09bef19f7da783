"""Northdale's nightly extracts: a folder of CSV files in the council's own columns and codes (see README.md)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from fhir_adapters.simulators.free_numbers import mobile
from fhir_adapters.simulators.news import news
from fhir_adapters.simulators.people import COUNCIL_A, Belief
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.social import SocialCare, social_care
from fhir_adapters.simulators.workers import WORKERS, allocation, worker

Row = Sequence[str]
COLUMNS: Mapping[str, str] = {
    "workers": "WorkerID,Forename,Surname,JobTitle,Team,Email",
    "people": (
        "PersonID,NHSNumber,NHSNumberStatus,Title,Forename,MiddleName,Surname,KnownAs,Gender,DateOfBirth,DateOfDeath,"
        "AddressLine1,AddressLine2,Town,Postcode,Telephone,Mobile,Email,Ethnicity,FirstLanguage,InterpreterNeeded,"
        "PrimarySupportReason,AccommodationStatus,HasUnpaidCarer,LastUpdated"
    ),
    "allocations": "AllocationID,PersonID,WorkerID,Team,Role,StartDate,EndDate",
    "requests": "RequestID,PersonID,RequestDate,RouteOfAccess,Summary,Status,Outcome,OutcomeDate",
    "assessments": (
        "AssessmentID,PersonID,AssessmentType,Status,StartDate,EndDate,WorkerID,EligibleNeeds,Outcome,Summary"
    ),
    "services": (
        "ServiceID,PersonID,ServiceType,ServiceComponent,DeliveryMechanism,Provider,Status,StartDate,EndDate,"
        "UnitsPerWeek,UnitCost,CostFrequency"
    ),
    "reviews": "ReviewID,PersonID,ServiceID,ReviewReason,ReviewDate,WorkerID,Outcome,OutcomesAchieved",
    "alerts": "AlertID,PersonID,AlertType,Detail,StartDate,EndDate,RaisedBy",
    "involved": (
        "InvolvedID,PersonID,Relationship,Forename,Surname,Telephone,MainCarer,NextOfKin,LegalAuthority,StartDate,"
        "EndDate"
    ),
}
GENDERS = {"female": "F", "male": "M", "other": "X"}


def write(population: Population, folder: Path) -> None:
    """Write the extracts; a file whose content would be the same is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    found["workers"] = [
        (one.id, one.given, one.family, one.job, one.team, f"{one.id.lower()}@northdale.example")
        for one in WORKERS[COUNCIL_A]
    ]
    for place, belief in enumerate(population.council_a):
        for name, row in _of(population, belief, place):
            found[name].append(row)
    for name, rows in found.items():
        _write(folder / f"{name}.csv", COLUMNS[name].split(","), rows)


def _write(path: Path, columns: Row, rows: Sequence[Row]) -> None:
    """Whole or not at all: a reader never finds half a file."""
    half = path.with_suffix(".tmp")
    with half.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    if path.exists() and path.read_bytes() == half.read_bytes():
        half.unlink()
    else:
        os.replace(half, path)


def _of(population: Population, belief: Belief, place: int) -> Iterator[tuple[str, Row]]:
    today = population.today
    care = social_care(belief, today)
    changes = list(news(population, belief))
    yield "people", _person(belief, care, today, changes)
    allocated = allocation(belief, place, today)
    if allocated:
        id_ = allocated.worker.id if allocated.worker else ""
        since, until = _date(allocated.since), _date(allocated.until)
        yield "allocations", (f"AL-{belief.id}", belief.id, id_, allocated.team, allocated.role, since, until)
    yield from _work(belief, care)
    yield from _surroundings(belief, care)
    for day, on, _ in changes:
        yield (
            "assessments",
            (
                f"AS-{belief.id}-N{day}",
                belief.id,
                "Care Act assessment",
                "Requested",
                _date(on),
                "",
                "W003",
                "",
                "",
                "",
            ),
        )


def _person(belief: Belief, care: SocialCare, today: date, changes: Sequence[tuple[int, date, Random]]) -> Row:
    person = belief.person
    lines = (*belief.address.lines, "")
    changed = changes[-1][1] if changes else today - timedelta(days=Random(belief.id).randrange(1, 700))
    telephone = mobile(changes[-1][2]) if changes else belief.mobile
    status = ("Verified" if belief.verified else "Unverified") if belief.nhs_number else ""
    return (
        belief.id,
        _spaced(belief.nhs_number),
        status,
        person.title,
        belief.given[0],
        " ".join(belief.given[1:]),
        belief.family,
        "",
        GENDERS[person.gender],
        _date(belief.born),
        _date(person.died_on(today)) if belief.knows_of_death else "",
        lines[0],
        lines[1],
        belief.address.town,
        belief.address.postcode,
        belief.landline,
        telephone,
        person.email,
        person.ethnicity,
        person.language,
        "Y" if person.language != "English" else "N",
        care.reason,
        care.home,
        _yes(care.has_carer),
        _date(changed),
    )


def _work(belief: Belief, care: SocialCare) -> Iterator[tuple[str, Row]]:
    own = belief.id
    for place, asked in enumerate(care.requests):
        yield (
            "requests",
            (f"RQ-{own}-{place}", own, _date(asked.on), asked.route, asked.about, "Completed", asked.outcome,
             _date(asked.decided)),
        )  # fmt: skip
    for place, one in enumerate(care.assessments):
        status = "Completed" if one.until else "In progress"
        yield (
            "assessments",
            (f"AS-{own}-{place}", own, one.kind, status, _date(one.since), _date(one.until),
             worker(COUNCIL_A, one.worker).id, _yes(one.eligible), one.outcome, one.summary),
        )  # fmt: skip
    for place, given in enumerate(care.services):
        kind, component, mechanism, units, cost, often = given.row
        yield (
            "services",
            (f"SV-{own}-{place}", own, kind, component, mechanism, given.provider, given.status, _date(given.since),
             _date(given.until), units, cost, often),
        )  # fmt: skip
    for place, held in enumerate(care.reviews):
        yield (
            "reviews",
            (f"RV-{own}-{place}", own, f"SV-{own}-{held.service}", held.reason, _date(held.on),
             worker(COUNCIL_A, held.worker).id, held.outcome, _yes(held.achieved)),
        )  # fmt: skip


def _surroundings(belief: Belief, care: SocialCare) -> Iterator[tuple[str, Row]]:
    own = belief.id
    for place, alert in enumerate(care.alerts):
        raised = worker(COUNCIL_A, place).id if place % 2 == 0 else ""
        yield (
            "alerts",
            (f"FL-{own}-{place}", own, alert.kind, alert.text, _date(alert.since), _date(alert.until), raised),
        )
    for place, one in enumerate(care.involved):
        yield (
            "involved",
            (f"IN-{own}-{place}", own, one.relation, one.given, one.family, one.telephone, _yes(one.carer),
             _yes(one.next_of_kin), one.authority, _date(one.since), ""),
        )  # fmt: skip


def _date(on: date | None) -> str:
    return on.strftime("%d/%m/%Y") if on else ""


def _yes(said: bool | None) -> str:
    return "" if said is None else "Y" if said else "N"


def _spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else ""
