"""Southmere's rows, in its own fields and codes (see README.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators.fhir import Json, instant, number
from fhir_adapters.simulators.free_numbers import mobile
from fhir_adapters.simulators.news import news
from fhir_adapters.simulators.people import COUNCIL_B, Belief
from fhir_adapters.simulators.population import Population
from fhir_adapters.simulators.social import Service, SocialCare, social_care
from fhir_adapters.simulators.workers import WORKERS, Allocation, allocation, worker

ENDPOINTS = ("workers", "clients", "requests", "assessments", "services", "reviews", "alerts", "contacts")
SEXES = {"female": "female", "male": "male", "other": "other"}
KINDS = {
    "Care Act assessment": "CA",
    "Occupational therapy assessment": "OT",
    "Carer's assessment": "CR",
    "Mental capacity assessment": "MC",
    "Financial assessment": "FA",
    "Child and family assessment": "CF",
    "Continuing healthcare checklist": "CHC",
}
ALERT_KINDS = {
    "Safeguarding": "SG",
    "Legal": "LG",
    "DoLS": "DL",
    "Risk to staff": "VI",
    "Falls": "FL",
    "Self-neglect": "SN",
    "Communication": "CM",
    "Key safe": "KS",
    "Fire risk": "FR",
}
STATES = {"Planned": "starting", "Active": "running", "Suspended": "paused", "Ended": "stopped"}
REASONS = {"Planned review": "planned", "Unplanned review": "unplanned", "Six week review": "six-week"}
PER = {"Per Hour": "hour", "Per Session": "session", "Weekly": "week", "One-off": "once"}


def rows(population: Population) -> Mapping[str, list[Json]]:
    """Endpoint -> its rows, in the order of `updated_at`, then `id`."""
    found: dict[str, list[Json]] = {name: [] for name in ENDPOINTS}
    found["workers"] = [_worker(place, population.today) for place in range(len(WORKERS[COUNCIL_B]))]
    for place, belief in enumerate(population.council_b):
        for name, row in _of(population, belief, place):
            found[name].append(row)
    for every in found.values():
        every.sort(key=lambda row: (row["updated_at"], str(row["id"])))
    return found


def _worker(place: int, today: date) -> Json:
    one = WORKERS[COUNCIL_B][place]
    row = {"id": one.id, "first_name": one.given, "last_name": one.family, "job": one.job, "team": one.team}
    return row | {"updated_at": _at(one.id, today - timedelta(days=800 - place))}


def _of(population: Population, belief: Belief, place: int) -> Iterator[tuple[str, Json]]:
    today = population.today
    care = social_care(belief, today)
    changes = list(news(population, belief))
    yield "clients", _client(belief, care, today, allocation(belief, place, today), changes)
    yield from _work(belief, care, today)
    yield from _surroundings(belief, care, today)
    for day, on, _ in changes:
        yield "assessments", _assessment(belief, f"N{day}", "CA", "new", on) | {"updated_at": _at(belief.id, on)}


def _client(
    belief: Belief,
    care: SocialCare,
    today: date,
    allocated: Allocation | None,
    changes: list[tuple[int, date, Random]],
) -> Json:
    person = belief.person
    lines = (*belief.address.lines, None)
    changed = changes[-1][1] if changes else today - timedelta(days=Random(belief.id).randrange(1, 700))
    return {
        "id": int(belief.id),
        "nhs_no": belief.nhs_number or None,
        "nhs_no_traced": belief.verified if belief.nhs_number else None,
        "name": {
            "title": person.title or None,
            "first": belief.given[0],
            "middle": " ".join(belief.given[1:]) or None,
            "last": belief.family,
            "known_as": None,
        },
        "sex": SEXES[person.gender],
        "dob": belief.born.isoformat(),
        "died_on": person.died_on(today).isoformat() if belief.knows_of_death else None,
        "address": {
            "line1": lines[0],
            "line2": lines[1],
            "town": belief.address.town,
            "postcode": belief.address.postcode,
        },
        "phone": belief.landline,
        "mobile": mobile(changes[-1][2]) if changes else belief.mobile,
        "email": person.email or None,
        "ethnic_group": person.ethnicity,
        "language": person.language,
        "needs_interpreter": person.language != "English",
        "main_reason": care.reason,
        "lives_in": care.home,
        "key_worker": _key_worker(allocated),
        "updated_at": _at(belief.id, changed),
    }


def _key_worker(allocated: Allocation | None) -> Json | None:
    if allocated is None:
        return None
    return {
        "id": allocated.worker.id if allocated.worker else None,
        "role": allocated.role.lower(),
        "team": allocated.team,
        "since": allocated.since.isoformat(),
        "until": _date(allocated.until),
    }


def _work(belief: Belief, care: SocialCare, today: date) -> Iterator[tuple[str, Json]]:
    client = {"client_id": int(belief.id)}
    for place, asked in enumerate(care.requests):
        yield (
            "requests",
            {"id": f"R{belief.id}-{place}", **client, "received_on": asked.on.isoformat(), "route": asked.route}
            | {"about": asked.about, "state": "done", "result": asked.outcome, "decided_on": _date(asked.decided)}
            | {"updated_at": _at(f"R{belief.id}-{place}", asked.decided or asked.on)},
        )
    for place, one in enumerate(care.assessments):
        row = _assessment(belief, str(place), KINDS[one.kind], "done" if one.until else "open", one.since)
        yield (
            "assessments",
            row
            | {"closed_on": _date(one.until), "worker_id": worker(COUNCIL_B, one.worker).id}
            | {"eligible": one.eligible, "result": one.outcome or None, "notes": one.summary or None}
            | {"updated_at": _at(row["id"], min(today - timedelta(days=1), one.until or one.since))},
        )
    for place, given in enumerate(care.services):
        yield "services", _service(belief, place, given, today)
    for place, held in enumerate(care.reviews):
        yield (
            "reviews",
            {"id": f"E{belief.id}-{place}", **client, "service_id": f"V{belief.id}-{held.service}"}
            | {"reason": REASONS[held.reason], "held_on": held.on.isoformat()}
            | {"worker_id": worker(COUNCIL_B, held.worker).id, "result": held.outcome, "goals_met": held.achieved}
            | {"updated_at": _at(f"E{belief.id}-{place}", held.on)},
        )


def _assessment(belief: Belief, mark: str, kind: str, state: str, on: date) -> Json:
    return {
        "id": f"A{belief.id}-{mark}",
        "client_id": int(belief.id),
        "kind": kind,
        "state": state,
        "opened_on": on.isoformat(),
        "closed_on": None,
        "worker_id": "S002",
        "eligible": None,
        "result": None,
        "notes": None,
    }


def _service(belief: Belief, place: int, given: Service, today: date) -> Json:
    kind, component, mechanism, units, cost, often = given.row
    changed = min(today - timedelta(days=1), given.until or given.since)
    return {
        "id": f"V{belief.id}-{place}",
        "client_id": int(belief.id),
        "service_type": kind,
        "component": component.upper(),
        "mechanism": mechanism,
        "provider": given.provider,
        "state": STATES[given.status],
        "from": given.since.isoformat(),
        "to": _date(given.until),
        "hours_per_week": number(units) if units else None,
        "rate": number(cost),
        "rate_per": PER[often],
        "updated_at": _at(f"V{belief.id}-{place}", changed),
    }


def _surroundings(belief: Belief, care: SocialCare, today: date) -> Iterator[tuple[str, Json]]:
    client = {"client_id": int(belief.id)}
    for place, alert in enumerate(care.alerts):
        raised = worker(COUNCIL_B, place).id if place % 2 == 0 else None
        yield (
            "alerts",
            {"id": f"F{belief.id}-{place}", **client, "kind": ALERT_KINDS[alert.kind], "text": alert.text}
            | {"from": alert.since.isoformat(), "to": _date(alert.until), "raised_by": raised}
            | {"updated_at": _at(f"F{belief.id}-{place}", min(today - timedelta(days=1), alert.until or alert.since))},
        )
    for place, one in enumerate(care.involved):
        yield (
            "contacts",
            {"id": f"C{belief.id}-{place}", **client, "relation": one.relation.lower(), "first_name": one.given}
            | {"last_name": one.family, "phone": one.telephone, "carer": one.carer, "next_of_kin": one.next_of_kin}
            | {"authority": one.authority.lower() or None, "from": one.since.isoformat(), "to": None}
            | {"updated_at": _at(f"C{belief.id}-{place}", one.since)},
        )


def _at(id_: str, on: date) -> str:
    return instant(on, Random(id_).randrange(8 * 60, 22 * 60))


def _date(on: date | None) -> str | None:
    return on.isoformat() if on else None
