"""Who is really involved with a person: by what the record holds, from when until when, and with which grace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from consent_builders import ANN, NORTH, PLACE, SOUTH

from carelink.consent.periods import ALWAYS
from carelink.consent.relationships import Involvement, derive
from carelink.ids import ODS

SPRING, SUMMER = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
PERIOD = {"start": SPRING.isoformat(), "end": SUMMER.isoformat()}
SINCE = {"start": SPRING.isoformat()}
CASELOAD, ENCOUNTER, REFERRAL = timedelta(days=28), timedelta(days=14), timedelta(days=28)
UNREADABLE = {"start": SPRING.isoformat(), "_end": {"extension": [{"url": "x", "valueCode": "unknown"}]}}

Told = tuple[str, str | None, str | None, datetime, datetime | None]


def organisation(ods: str, system: str = ODS) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": ods}}


def worker(number: str, **more: Any) -> dict[str, Any]:
    return {"member": {"identifier": {"system": "worker", "value": number}}} | more


def shown(type_: str, body: dict[str, Any]) -> list[Told]:
    """Organisation, team, user, start, end of what the resource shows."""
    made = derive(type_, body, ANN, PLACE)
    assert all(one.person == ANN for one in made)
    return [(one.organisation, one.team, one.user, one.starts, one.ends) for one in made]


def everybody(starts: datetime, ends: datetime | None, ods: str) -> list[Told]:
    return [(ods, None, None, starts, ends)]


NONE: list[Told] = []
ENCOUNTERS = [
    ("a stay that goes on", "in-progress", SINCE, everybody(SPRING, None, "RDV")),
    ("one who has arrived", "arrived", SINCE, everybody(SPRING, None, "RDV")),
    ("one who waits to be seen", "triaged", SINCE, everybody(SPRING, None, "RDV")),
    ("one on leave from the ward", "onleave", SINCE, everybody(SPRING, None, "RDV")),
    ("a stay that ended, for two weeks more", "finished", PERIOD, everybody(SPRING, SUMMER + ENCOUNTER, "RDV")),
    ("a stay that ended, nobody says when", "finished", SINCE, NONE),
    ("a stay that ended without any date", "finished", {}, NONE),
    ("a stay that ended on a day that is no date", "finished", UNREADABLE, NONE),
    ("a stay that goes on by its status and has an end", "in-progress", PERIOD, everybody(SPRING, SUMMER + ENCOUNTER, "RDV")),
    ("a stay without a beginning", "in-progress", {}, everybody(ALWAYS, None, "RDV")),
    ("a stay that ended before it began", "finished", {"start": PERIOD["end"], "end": PERIOD["start"]}, NONE),
    ("a visit that is over as it begins", "finished", {"start": PERIOD["end"], "end": PERIOD["end"]}, everybody(SUMMER, SUMMER + ENCOUNTER, "RDV")),
    ("one that is planned", "planned", SINCE, NONE),
    ("one that was cancelled", "cancelled", PERIOD, NONE),
    ("one entered in error", "entered-in-error", PERIOD, NONE),
    ("one of which nobody knows how it stands", "unknown", SINCE, NONE),
]  # fmt: skip


@pytest.mark.parametrize(("what", "status", "period", "wanted"), ENCOUNTERS, ids=[what for what, *_ in ENCOUNTERS])
def test_an_encounter_involves_the_organisation_that_it_is_at(
    what: str, status: str, period: dict[str, Any], wanted: list[Told]
) -> None:
    assert shown("Encounter", {"status": status, "period": period, "serviceProvider": organisation("RDV")}) == wanted


@pytest.mark.parametrize("provider", [{}, {"display": "The Hospital"}, organisation("RDV", "https://x.example/codes")])
def test_an_encounter_whose_organisation_has_no_code_involves_nobody(provider: dict[str, Any]) -> None:
    assert shown("Encounter", {"status": "in-progress", "period": SINCE, "serviceProvider": provider}) == []
    assert shown("Encounter", {"status": "in-progress", "period": SINCE}) == []


def allocated(starts: datetime, ends: datetime | None) -> list[Told]:
    return [(NORTH, None, "sam", starts, ends), (NORTH, "adults-north", None, starts, ends)]


CARE_TEAMS = [
    ("a worker who is allocated, and their team", "active", SINCE, [worker("W1")], allocated(SPRING, None)),
    ("an allocation that ended, for four weeks more", "inactive", PERIOD, [worker("W1")], allocated(SPRING, SUMMER + CASELOAD)),
    ("one that ended, nobody says when", "inactive", SINCE, [worker("W1")], NONE),
    ("one that is active and yet has an end", "active", PERIOD, [worker("W1")], allocated(SPRING, SUMMER + CASELOAD)),
    ("one that is proposed", "proposed", SINCE, [worker("W1")], NONE),
    ("one that is suspended", "suspended", SINCE, [worker("W1")], NONE),
    ("one entered in error", "entered-in-error", SINCE, [worker("W1")], NONE),
    ("one without a status", None, SINCE, [worker("W1")], NONE),
    ("one whose end is no date", "active", UNREADABLE, [worker("W1")], NONE),
    ("one until further notice, as systems write it", "active", {"start": PERIOD["start"], "end": "9999-12-31"}, [worker("W1")], allocated(SPRING, None)),
    ("one until the end of the calendar, to the second", "active", {"start": PERIOD["start"], "end": "9999-12-31T23:59:59Z"}, [worker("W1")], allocated(SPRING, None)),
    ("a worker who left the team that goes on", "active", SINCE, [worker("W1", period={"end": PERIOD["end"]})], allocated(SPRING, SUMMER + CASELOAD)),
    ("a worker who came later", "active", SINCE, [worker("W1", period={"start": PERIOD["end"]})], allocated(SUMMER, None)),
    ("a worker who is to leave after the team ends", "inactive", PERIOD, [worker("W1", period={"end": "2030"})], allocated(SPRING, SUMMER + CASELOAD)),
    ("a worker whose time in it is unclear", "active", SINCE, [worker("W1", period=UNREADABLE)], NONE),
    ("a worker whom the place does not know", "active", SINCE, [worker("W9")], NONE),
    ("a relative who is part of it", "active", SINCE, [{"member": {"reference": "RelatedPerson/1"}}], NONE),
    ("a worker of no team", "active", SINCE, [worker("T1")], [("P81001", None, "tom", SPRING, None)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "status", "period", "participants", "wanted"), CARE_TEAMS, ids=[what for what, *_ in CARE_TEAMS]
)
def test_a_care_team_allocates_its_workers_and_their_teams(
    what: str, status: str, period: dict[str, Any], participants: list[Any], wanted: list[Told]
) -> None:
    tom = replace(PLACE.staff["tom"], identifiers=("worker|T1",))  # type: ignore[index]
    place = replace(PLACE, staff={**PLACE.staff, tom.id: tom})
    made = derive("CareTeam", {"status": status, "period": period, "participant": participants}, ANN, place)
    assert [(one.organisation, one.team, one.user, one.starts, one.ends) for one in made] == wanted


def test_a_team_of_several_allocates_each() -> None:
    body = {"status": "active", "period": SINCE, "participant": [worker("W1"), worker("S1"), worker("W2")]}
    assert [(one[0], one[1] or one[2]) for one in shown("CareTeam", body)] == [
        (NORTH, "sam"),
        (NORTH, "adults-north"),
        (SOUTH, "gwen"),
        (SOUTH, "adults-south"),
        (NORTH, "lena"),
        (NORTH, "adults-west"),
    ]


OWN = "https://carelink.example/CodeSystem/"


def team_of(*codes: str, system: str = f"{OWN}care-team") -> list[dict[str, Any]]:
    return [{"coding": [{"system": system, "code": code} for code in codes]}]


def by(system: str, value: str, *roles: str) -> dict[str, Any]:
    coded = [{"coding": [{"system": f"{OWN}enquiry-role", "code": role} for role in roles]}] if roles else []
    return {"member": {"identifier": {"system": system, "value": value}}} | ({"role": coded} if coded else {})


KINDS = [
    ("a worker of an MDT, and not their team", team_of("mdt"), [worker("W1")], [("mdt", "901", None, "sam")]),
    ("a team that is in an MDT", team_of("mdt"), [by(f"{OWN}team", "901|adults-west")], [("mdt", "901", "adults-west", None)]),
    ("an organisation is too wide to be in an MDT", team_of("mdt"), [by(ODS, "RDV")], []),
    ("an organisation that is in a care team", team_of("care-team"), [by(ODS, "RDV")], [("care-team", "RDV", None, None)]),
    ("a care team by HL7's categories", team_of("LA28865-6", system="http://loinc.org"), [worker("W1")], [("care-team", "901", None, "sam")]),
    ("by the sign-in of a worker", team_of("care-team"), [by(f"{OWN}user", "nadia")], [("care-team", "RDV", None, "nadia")]),
    ("an organisation is allocated to nobody", [], [by(ODS, "901")], []),
    ("who enquires into what happened", team_of("safeguarding-enquiry"), [worker("S1")], [("care-team", "902", None, "gwen")]),
    ("but not whom the enquiry is about", team_of("safeguarding-enquiry"), [by("worker", "W1", "source-of-harm")], []),
    ("nor who acts for them", team_of("safeguarding-enquiry"), [by(ODS, "RDV", "acts-for-source-of-harm")], []),
    ("a court's order involves nobody", team_of("court-order"), [worker("W1")], []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "category", "participants", "wanted"), KINDS, ids=[what for what, *_ in KINDS])
def test_the_category_of_a_care_team_says_how_its_members_are_involved(
    what: str, category: list[Any], participants: list[Any], wanted: list[Any]
) -> None:
    body = {"status": "active", "period": SINCE, "category": category, "participant": participants}
    made = derive("CareTeam", body, ANN, PLACE)
    assert [(one.kind, one.organisation, one.team, one.user) for one in made] == wanted


TEAMS = [
    ("adults-north", "901", [], [("901", "adults-north", None, SPRING, None)], "the team of that organisation"),
    (
        "adults-north",
        "901",
        [{"role": [{"text": "Team"}]}],
        [("901", "adults-north", None, SPRING, None)],
        "a role alone is no member",
    ),
    ("adults-north", "902", [], NONE, "a team of that name at another organisation"),
    ("Adults North", "901", [], NONE, "a team that nobody is in by that name"),
    ("adults-north", "901", [worker("W9")], NONE, "who is allocated is said, though nobody knows them"),
]


@pytest.mark.parametrize(("name", "ods", "participants", "wanted", "why"), TEAMS, ids=[why for *_, why in TEAMS])
def test_a_care_team_without_members_allocates_the_team_that_it_is_called_after(
    name: str, ods: str, participants: list[Any], wanted: list[Told], why: str
) -> None:
    body = {"status": "active", "name": name, "period": SINCE, "managingOrganization": [organisation(ods)]}
    assert shown("CareTeam", body | {"participant": participants}) == wanted


def task(status: str, **more: Any) -> dict[str, Any]:
    said = {"status": status, "owner": organisation("902"), "focus": {"reference": "ServiceRequest/1"}}
    return said | {"authoredOn": SPRING.isoformat()} | more


REFERRALS = [
    ("one that was accepted", task("accepted"), everybody(SPRING, None, "902")),
    ("one that is worked on", task("in-progress"), everybody(SPRING, None, "902")),
    ("one that waits", task("on-hold"), everybody(SPRING, None, "902")),
    ("one that is done, for four weeks more", task("completed", executionPeriod=PERIOD), everybody(SPRING, SUMMER + REFERRAL, "902")),
    ("one that is done, nobody says when", task("completed"), NONE),
    ("one that was accepted for a time that is over", task("accepted", executionPeriod=PERIOD), everybody(SPRING, SUMMER + REFERRAL, "902")),
    ("one that was based on a request", task("accepted", focus=None, basedOn=[{}]), everybody(SPRING, None, "902")),
    ("one that was sent", task("requested"), NONE),
    ("one that arrived", task("received"), NONE),
    ("one that was turned down", task("rejected"), NONE),
    ("one that was taken back", task("cancelled", executionPeriod=PERIOD), NONE),
    ("one that failed", task("failed", executionPeriod=PERIOD), NONE),
    ("one entered in error", task("entered-in-error", executionPeriod=PERIOD), NONE),
    ("one that nobody owns", task("accepted", owner={}), NONE),
    ("one that a worker owns", task("accepted", owner={"identifier": {"system": "worker", "value": "W1"}}), NONE),
    ("one without a date", task("accepted", authoredOn=""), everybody(ALWAYS, None, "902")),
    ("an assessment, which is no referral", {"status": "in-progress", "owner": organisation("902")}, NONE),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), REFERRALS, ids=[what for what, *_ in REFERRALS])
def test_a_referral_involves_who_accepted_it(what: str, body: dict[str, Any], wanted: list[Told]) -> None:
    assert shown("Task", {name: value for name, value in body.items() if value is not None}) == wanted


def registered(ods: str, period: dict[str, Any] | None = None) -> dict[str, Any]:
    said = organisation(ods)
    return {"generalPractitioner": [{"identifier": said["identifier"] | ({"period": period} if period else {})}]}


PRACTICES = [
    ("a practice", registered("P81001"), everybody(ALWAYS, None, "P81001")),
    ("one since spring", registered("P81001", SINCE), everybody(SPRING, None, "P81001")),
    ("one until summer, and not a day longer", registered("P81001", PERIOD), everybody(SPRING, SUMMER, "P81001")),
    ("one whose end is no date", registered("P81001", UNREADABLE), NONE),
    ("one that never begins", registered("P81001", {"start": "9999-12-31T23:59:59-05:00"}), NONE),
    ("one that is only named", {"generalPractitioner": [{"display": "Riverside"}]}, NONE),
    ("none", {}, NONE),
]


@pytest.mark.parametrize(("what", "body", "wanted"), PRACTICES, ids=[what for what, *_ in PRACTICES])
def test_a_person_is_with_the_practice_that_they_are_registered_with(
    what: str, body: dict[str, Any], wanted: list[Told]
) -> None:
    assert shown("Patient", body) == wanted


def test_what_is_over_for_longer_than_the_calendar_lasts_has_no_end() -> None:
    place = replace(PLACE, relationships={"caseload": replace(PLACE.relationships["caseload"], grace_days=10**7)})
    body = {"status": "inactive", "period": PERIOD, "participant": [worker("W1")]}
    assert {one.ends for one in derive("CareTeam", body, ANN, place)} == {None}


def test_a_kind_that_the_place_does_not_count_involves_nobody() -> None:
    place = replace(PLACE, relationships={"caseload": PLACE.relationships["caseload"]})
    body = {"status": "in-progress", "period": SINCE, "serviceProvider": organisation("RDV")}
    assert derive("Encounter", body, ANN, place) == ()


@pytest.mark.parametrize("type_", ["Condition", "Appointment", "ServiceRequest", "Consent", "Practitioner"])
def test_other_resources_involve_nobody(type_: str) -> None:
    body = {"status": "active", "serviceProvider": organisation("RDV"), "performer": [organisation("RDV")]}
    assert derive(type_, body, ANN, PLACE) == ()


def test_each_kind_says_by_which_rule_somebody_is_involved() -> None:
    kinds = {
        "Patient": registered("P81001"),
        "Encounter": {"status": "in-progress", "serviceProvider": organisation("RDV")},
        "CareTeam": {"status": "active", "participant": [worker("W1")]},
        "Task": task("accepted"),
    }
    told: dict[str, list[Involvement]] = {type_: list(derive(type_, body, ANN, PLACE)) for type_, body in kinds.items()}
    assert {type_: {one.kind for one in made} for type_, made in told.items()} == {
        "Patient": {"registered-practice"},
        "Encounter": {"encounter"},
        "CareTeam": {"caseload"},
        "Task": {"referral"},
    }
