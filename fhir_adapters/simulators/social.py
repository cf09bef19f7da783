"""What is true of a person's social care at one council: requests, assessments, packages, alerts, who is involved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators import vocabulary
from fhir_adapters.simulators.cast import PARTS
from fhir_adapters.simulators.people import Belief

# Service type, component, delivery, units a week, cost of a unit, a unit; to draw from for older and younger people.
SERVICES = (
    ("Long Term Support: Community", "Home Support", "CASSR Commissioned support", "14.00", "21.50", "Per Hour"),
    ("Long Term Support: Community", "Home Support", "CASSR Managed Personal Budget", "7.00", "22.10", "Per Hour"),
    ("Long Term Support: Community", "Day Support", "CASSR Commissioned support", "2.00", "48.00", "Per Session"),
    ("Long Term Support: Community", "Direct Payment", "Direct Payment", "10.50", "16.25", "Per Hour"),
    ("Long Term Support: Community", "Community Supported Living", "CASSR Managed Personal Budget", "35.00", "19.90",
     "Per Hour"),
    ("Short Term Support: ST-Max", "Reablement", "CASSR Commissioned support", "7.50", "0.00", "Weekly"),
    ("Short Term Support: Ongoing Low Level", "Equipment", "CASSR Commissioned support", "1.00", "86.40", "One-off"),
    ("Short Term Support: Ongoing Low Level", "Assistive Technology", "CASSR Commissioned support", "1.00", "4.10",
     "Weekly"),
    ("Short Term Support: Ongoing Low Level", "Meals", "CASSR Commissioned support", "7.00", "6.20", "Per Session"),
    ("Carer Support: Support involving the person cared-for", "Carer Respite", "Direct Payment", "", "45.00", "Weekly"),
    ("Long Term Support: Residential Care", "Long Term Residential Care", "CASSR Commissioned support", "1.00",
     "812.00", "Weekly"),
    ("Long Term Support: Nursing Care", "Long Term Nursing Care", "CASSR Commissioned support", "1.00", "975.50",
     "Weekly"),
)  # fmt: skip
PROVIDERS = ("Dale Home Care Ltd", "Bright Mornings Care", "Northdale Reablement Team", "Helping Hands Co-operative",
             "Ashgrove Care Home", "Meals at Home CIC", "Beck Valley Support")  # fmt: skip
ASSESSMENTS = ("Care Act assessment", "Care Act assessment", "Occupational therapy assessment", "Carer's assessment",
               "Mental capacity assessment", "Financial assessment", "Continuing healthcare checklist")  # fmt: skip
ROUTES = ("Community / Other route", "Community / Other route", "Discharge from Hospital",
          "Diversion from Hospital Services", "Self-Funder", "Transfer from Other LA")  # fmt: skip
OUTCOMES = ("Progress to Support Planning / Services", "No change in package", "NFA - Support declined",
            "Progress to Reablement/ST-Max", "NFA - Information & Advice / Signposting only")  # fmt: skip
SUMMARIES = (
    "Manages with support for washing and dressing; daughter visits daily.",
    "Needs prompting with medicines. Wants to stay in her own home – “no fuss”.",
    "At risk of falls on the stairs; rail and perching stool recommended (£86.40).",
    "Carer is tired; respite discussed and wished for.",
    "Able to make this decision with time and support to understand it.",
)
REASONS = ("Physical Support: Personal care support", "Physical Support: Access & mobility only",
           "Support with Memory & Cognition", "Learning Disability Support", "Mental Health Support",
           "Social Support: Support for Social Isolation/Other")  # fmt: skip
HOMES = ("Owner occupier or shared ownership scheme", "Tenant", "Tenant - private landlord",
         "Sheltered housing / extra care housing / other sheltered housing", "Registered care home")  # fmt: skip
ALERTS = (
    ("Falls", "Two falls in the last six months"),
    ("Key safe", "Key safe by the side door; code with the duty team"),
    ("Communication", "Hard of hearing: speak clearly, face to face"),
    ("Risk to staff", "Visit in pairs: dog not always secured"),
    ("Self-neglect", "Declines help with the house; monitor"),
    ("Fire risk", "Smokes in bed; fire service has visited"),
)
RELATIONS = ("Daughter", "Son", "Wife", "Husband", "Sister", "Brother", "Friend", "Neighbour")
# What a part of the demo needs: (relationship, given name, legal authority), and alerts.
INVOLVED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "margaret-ellison": (("Daughter", "Helen", ""), ("Son", "Peter", ""), ("Neighbour", "Doreen", "")),
    "edith-crabtree": (("Daughter", "Susan", "LPA health and welfare"),),
    "noah-kershaw": (("Mother", "Leanne", "Parental responsibility"),),
}
CAST_ALERTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "margaret-ellison": (
        ("Falls", "Three falls this year, the last one led to this admission"),
        ("Key safe", "Key safe by the back door; code with the duty team"),
        ("Communication", "Wears hearing aids; give her time"),
    ),
    "edith-crabtree": (("Legal", "Lasting power of attorney for health and welfare: daughter, Susan"),),
    "winifred-naylor": (("Safeguarding", "Concern: financial abuse by a visitor, s42 enquiry open"),),
    "noah-kershaw": (("Legal", "Parental responsibility: mother, Leanne"),),
}

# Places in SERVICES, why they are supported, and where they live.
CAST_CARE: Mapping[str, tuple[tuple[int, ...], str, str]] = {
    "margaret-ellison": ((0, 2, 6, 7, 8, 9), "Support with Memory & Cognition", HOMES[0]),
    "edith-crabtree": ((10,), "Support with Memory & Cognition", "Registered care home"),
    "catherine-obrien": ((0, 8), "Support with Memory & Cognition", HOMES[0]),
    "chloe-sutcliffe": ((4, 2), "Learning Disability Support", "Tenant"),
    "stanley-firth": ((0, 8), "Physical Support: Personal care support", "Tenant"),
    "noah-kershaw": (
        (6,),
        "Physical Support: Access & mobility only",
        "Settled mainstream housing with family / friends",
    ),
}


@dataclass(frozen=True)
class Request:
    """Somebody asked for support."""

    on: date
    route: str
    about: str
    outcome: str
    decided: date | None


@dataclass(frozen=True)
class Assessment:
    """An assessment; open while there is no `until`. `worker` is a place in the council's list of workers."""

    kind: str
    since: date
    until: date | None
    worker: int
    eligible: bool | None
    outcome: str
    summary: str


@dataclass(frozen=True)
class Service:
    """A service of a package. `row` is a row of SERVICES."""

    row: tuple[str, str, str, str, str, str]
    provider: str
    status: str  # Planned, Active, Suspended, Ended
    since: date
    until: date | None


@dataclass(frozen=True)
class Review:
    """A review of the service at that place in the list."""

    service: int
    reason: str
    on: date
    worker: int
    outcome: str
    achieved: bool


@dataclass(frozen=True)
class Alert:
    """Something that those who visit must know."""

    kind: str
    text: str
    since: date
    until: date | None


@dataclass(frozen=True)
class Involved:
    """A person in the person's life."""

    relation: str
    given: str
    family: str
    telephone: str
    carer: bool
    next_of_kin: bool
    authority: str
    since: date


@dataclass(frozen=True)
class SocialCare:
    """All of it."""

    reason: str
    home: str
    has_carer: bool | None
    requests: tuple[Request, ...]
    assessments: tuple[Assessment, ...]
    services: tuple[Service, ...]
    reviews: tuple[Review, ...]
    alerts: tuple[Alert, ...]
    involved: tuple[Involved, ...]


def social_care(belief: Belief, today: date) -> SocialCare:
    """The person's social care as that council has it; little at a second record of the same person."""
    rng = Random(f"{belief.key}:{belief.source}:{belief.duplicate}:social")
    end = today - timedelta(days=belief.person.died_days_ago)
    rich = belief.person.part == "margaret-ellison"
    less = belief.duplicate
    told = CAST_CARE.get(belief.person.part)
    services = () if less else tuple(_services(rng, belief, end))
    involved = () if less else tuple(_involved(rng, belief, end))
    return SocialCare(
        told[1] if told else rng.choice(REASONS),
        told[2] if told else rng.choice(HOMES),
        any(one.carer for one in involved) or rng.choice((False, None)),
        tuple(_requests(rng, end, 1 if less else 4 if rich else rng.choice((1, 1, 2)))),
        tuple(_assessments(rng, belief, end, 0 if less else 8 if rich else rng.choice((1, 1, 2, 3)))),
        services,
        tuple(_reviews(rng, services, end, 3 if rich else 1)),
        () if less else tuple(_alerts(rng, belief, end)),
        involved,
    )


def _requests(rng: Random, end: date, times: int) -> Iterator[Request]:
    for _ in range(times):
        on = end - timedelta(days=rng.randrange(20, 1500))
        decided = on + timedelta(days=rng.randrange(1, 9))
        about = rng.choice(
            ("Help at home", "Equipment", "Carer support", "Coming home from hospital", "Day activities")
        )
        yield Request(on, rng.choice(ROUTES), about, "Progress to Assessment", decided)


def _assessments(rng: Random, belief: Belief, end: date, times: int) -> Iterator[Assessment]:
    child = belief.person.age(end) < 18
    for place in range(times):
        kind = "Child and family assessment" if child else rng.choice(ASSESSMENTS)
        since = end - timedelta(days=rng.randrange(4, 1400))
        still = place == 0 and (belief.person.part != "" or rng.random() < 0.3)
        since = end - timedelta(days=rng.randrange(2, 20)) if still else since
        until = None if still else min(end, since + timedelta(days=rng.randrange(5, 45)))
        summary = rng.choice(SUMMARIES)
        yield Assessment(
            kind, since, until, rng.randrange(6), None if still else rng.random() < 0.75,
            "" if still else rng.choice(OUTCOMES), "" if still else summary,
        )  # fmt: skip


def _services(rng: Random, belief: Belief, end: date) -> Iterator[Service]:
    told = CAST_CARE.get(belief.person.part)
    possible = SERVICES if belief.person.age(end) >= 65 else SERVICES[:8]
    drawn = rng.sample(possible, rng.choice((0, 1, 1, 2, 2, 3)))
    for row in [SERVICES[place] for place in told[0]] if told else drawn:
        since = end - timedelta(days=rng.randrange(15, 1100))
        status = rng.choices(("Active", "Ended", "Suspended", "Planned"), (70, 20, 6, 4))[0]
        status = "Active" if told else status
        if belief.person.died_days_ago:
            status = "Ended" if belief.knows_of_death else "Active"
        since = end + timedelta(days=rng.randrange(3, 20)) if status == "Planned" else since
        until = min(end, since + timedelta(days=rng.randrange(10, 300))) if status == "Ended" else None
        yield Service(row, rng.choice(PROVIDERS), status, since, until)


def _reviews(rng: Random, services: tuple[Service, ...], end: date, times: int) -> Iterator[Review]:
    for place, service in enumerate(services):
        for turn in range(times):
            on = service.since + timedelta(days=45 + 150 * turn)
            if on < (service.until or end):
                reason = "Six week review" if turn == 0 else rng.choice(("Planned review", "Unplanned review"))
                yield Review(place, reason, on, rng.randrange(6), "No change in package", rng.random() < 0.7)


def _alerts(rng: Random, belief: Belief, end: date) -> Iterator[Alert]:
    told = CAST_ALERTS.get(belief.person.part, ())
    for kind, text in told:
        yield Alert(kind, text, end - timedelta(days=rng.randrange(10, 300)), None)
    if belief.person.part:
        return
    for kind, text in rng.sample(ALERTS, rng.choices((0, 1, 2), (55, 35, 10))[0]):
        since = end - timedelta(days=rng.randrange(30, 900))
        yield Alert(kind, text, since, since + timedelta(days=25) if rng.random() < 0.25 else None)
    if rng.random() < 0.03:
        yield Alert("Safeguarding", "Concern raised, enquiry open", end - timedelta(days=rng.randrange(3, 60)), None)


def _involved(rng: Random, belief: Belief, end: date) -> Iterator[Involved]:
    told = INVOLVED.get(belief.person.part)
    names = vocabulary.traditions()[0]
    drawn = [
        (relation, rng.choice(names.female if relation in ("Daughter", "Wife", "Sister") else names.male), "")
        for relation in rng.sample(RELATIONS, rng.choices((0, 1, 2), (15, 50, 35))[0])
    ]
    for place, (relation, given, authority) in enumerate(told or drawn):
        kin = relation not in ("Friend", "Neighbour")
        family = belief.family if kin else rng.choice(names.family)
        since = end - timedelta(days=rng.randrange(100, 1500))
        telephone = f"07700 900{rng.randrange(1000):03d}"
        yield Involved(relation, given, family, telephone, place == 0, place == 0 and kin, authority, since)


def on_caseload_of(belief: Belief) -> str:
    """The worker of council A who has one of the cast; empty for the others."""
    part = PARTS.get(belief.person.part)
    return part.on_caseload if part else ""
