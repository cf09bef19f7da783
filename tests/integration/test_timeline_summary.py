"""A person's story and summary: across sources, in order, through the lens; silence is never read as none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from ingest_builders import NHS, SNOMED, condition, item, key, observation, patient, person_of, take
from sqlalchemy import Connection, event

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db.tables import relationship
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place
from carelink.record.summary import LEGAL_AUTHORITY, summary
from carelink.record.timeline import Entry, Filters, Precision, by_year, timeline
from fhir_adapters.source import Item

STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
VERIFIED = {"url": STATUS, "valueCodeableConcept": {"coding": [{"code": "01"}]}}
NORA = {
    "identifier": [{"system": NHS, "value": "9990000018", "extension": [VERIFIED]}],
    "name": [{"family": "Hart", "given": ["Nora"]}],
    "birthDate": "1944-05-06",
}
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ACTIVE_OR_NOT = "http://terminology.hl7.org/CodeSystem/condition-clinical"
RECORD = "P81001/9990000018"


def allergy(id_: str, code: str, display: str, namespace: str = "", **more: Any) -> Item:
    body: dict[str, Any] = {
        "patient": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "code": {"coding": [{"system": SNOMED, "code": code, "display": display}]},
    }
    return item("AllergyIntolerance", id_, namespace, **(body | more))


@pytest.fixture
def nora(conn: Connection, place: Place, now: datetime) -> PersonKey:
    """Known to the hospital, a council and her practice."""
    me = {"subject": {"reference": "Patient/p1"}}
    take(
        conn,
        place,
        [
            patient("p1", **NORA),
            item("Practitioner", "dr", name=[{"prefix": ["Dr"], "family": "Desai"}]),
            condition("c1", onsetDateTime="2019-05", recorder={"reference": "Practitioner/dr"}),
            observation("o1", value="7.10"),
        ],
        now,
    )
    take(
        conn,
        place,
        [
            patient("p1", **NORA),
            item(
                "EpisodeOfCare",
                "e1",
                status="active",
                patient={"reference": "Patient/p1"},
                type=[{"text": "Home Support"}],
                period={"start": "2026-01-05"},
            ),
            item(
                "Task",
                "t1",
                status="in-progress",
                intent="order",
                code={"text": "Assessment"},
                **{"for": me["subject"]},
            ),
            item("Flag", "f1", status="active", code={"text": "Key safe"}, **me),
            item("Flag", "f2", status="inactive", code={"text": "Falls"}, **me),
        ],
        now,
        "council-a",
    )
    medicine = item("Medication", "m1", RECORD, code={"text": "Ramipril 5mg capsules"})
    plan = {"status": "active", "subject": me["subject"], "medicationReference": {"reference": "Medication/m1"}}
    take(
        conn,
        place,
        [
            item("Patient", "p1", RECORD, **NORA),
            medicine,
            item("MedicationRequest", "plan", RECORD, intent="plan", authoredOn="2026-02-01", **plan),
            item(
                "MedicationRequest",
                "issue",
                RECORD,
                intent="order",
                authoredOn="2026-03-01",
                basedOn=[{"reference": "MedicationRequest/plan"}],
                **plan,
            ),
            item(
                "MedicationStatement",
                "ms",
                RECORD,
                dateAsserted="2026-02-01",
                basedOn=[{"reference": "MedicationRequest/plan"}],
                **plan,
            ),
        ],
        now,
        "gp",
    )
    return person_of(conn, patient())


@pytest.fixture
def lens(now: datetime) -> Lens:
    return Lens.system("test", now)


def said(entries: Iterable[Entry]) -> list[str]:
    return [f"{one.kind}: {one.title}" for one in entries]


def titles(conn: Connection, lens: Lens, person: PersonKey, **filters: Any) -> list[str]:
    return said(timeline(conn, lens, person, Filters(**filters)).entries)


def test_the_story_goes_across_sources_newest_first_and_what_has_no_date_last(
    conn: Connection, nora: PersonKey, lens: Lens
) -> None:
    told = timeline(conn, lens, nora).entries
    assert (told[0].title, told[0].precision, told[0].source) == ("HbA1c 7.10%", Precision.TIME, "hospital")
    assert said(told[1:2]) == ["Prescription: Ramipril 5mg capsules"]  # the issue in March, then what is of February
    assert set(said(told[2:4])) == {
        "Prescription: Ramipril 5mg capsules",
        "Medicine: Ramipril 5mg capsules",
    }
    assert (said(told[4:5]), told[4].source) == (["Care package: Home Support"], "council-a")
    problem = next(one for one in told if one.type == "Condition")
    assert (said([problem]), problem.precision) == (["Problem: Diabetes mellitus"], Precision.MONTH)
    assert problem.lines == ("Recorded by Dr Desai",)
    assert {one.precision for one in told[-3:]} == {Precision.NONE}
    assert [title for title, _ in by_year(told)] == ["2026", "2019", ""]


FILTERED = [
    ({"categories": ("services",)}, ["Care package: Home Support"], "a category"),
    ({"sources": ("hospital",)}, ["Observation: HbA1c 7.10%", "Problem: Diabetes mellitus"], "a source"),
    ({"types": ("Condition", "Task")}, ["Problem: Diabetes mellitus", "Task: Assessment"], "types"),
    ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, ["Problem: Diabetes mellitus"], "until"),
    ({"since": datetime(2026, 5, 1, tzinfo=UTC)}, ["Observation: HbA1c 7.10%"], "since"),
    ({"sources": ("pds",)}, [], "a source that says nothing"),
]


@pytest.mark.parametrize(("filters", "told", "why"), FILTERED, ids=[why for *_, why in FILTERED])
def test_the_story_is_filtered_by(
    conn: Connection, nora: PersonKey, lens: Lens, filters: dict[str, Any], told: list[str], why: str
) -> None:
    assert titles(conn, lens, nora, **filters) == told


def test_parts_of_the_story_together_are_the_whole(conn: Connection, nora: PersonKey, lens: Lens) -> None:
    whole = timeline(conn, lens, nora).entries
    parts, after = [], ""
    while True:
        part = timeline(conn, lens, nora, Filters(count=3, after=after))
        parts += part.entries
        after = part.next
        if not after:
            break
    assert tuple(parts) == whole
    assert len({one.key for one in whole}) == len(whole) == 9


def test_a_page_of_the_story_and_a_summary_each_ask_the_record_twice(
    conn: Connection, nora: PersonKey, lens: Lens
) -> None:
    asked: list[str] = []
    event.listen(
        conn, "before_cursor_execute", lambda c, cur, statement, *rest: asked.append(statement.split()[0].lower())
    )
    timeline(conn, lens, nora)
    summary(conn, lens, nora)
    assert asked.count("select") == 4
    assert asked.count("insert") == 4  # each with its audit row


def test_the_summary_holds_what_counts_now_apart_from_what_is_over(
    conn: Connection, nora: PersonKey, lens: Lens
) -> None:
    told = summary(conn, lens, nora)
    assert said(told.alerts.current) == ["Alert: Key safe"]
    assert said(told.alerts.past) == ["Alert: Falls"]
    assert said(told.problems.current) == ["Problem: Diabetes mellitus"]
    assert said(told.packages.current) == ["Care package: Home Support"]
    assert [(one.title, one.state) for one in told.assessments.current] == [("Assessment", "started")]
    assert told.referrals.empty
    assert told.legal.empty


def test_a_medicine_is_listed_once_though_its_plan_and_every_issue_are_in_the_record(
    conn: Connection, nora: PersonKey, lens: Lens
) -> None:
    told = summary(conn, lens, nora).medicines
    assert said(told.current) == ["Medicine: Ramipril 5mg capsules"]
    assert told.past == ()


def test_what_a_practice_means_to_do_is_a_plan_and_no_referral(
    conn: Connection, place: Place, nora: PersonKey, lens: Lens, now: datetime
) -> None:
    about = {"status": "active", "subject": {"reference": "Patient/p1"}}
    jab = item("ServiceRequest", "d", RECORD, intent="plan", code={"text": "Influenza vaccination"}, **about)
    sent = item("ServiceRequest", "r", RECORD, intent="order", code={"text": "Physiotherapy"}, **about)
    take(conn, place, [jab, sent], now, "gp")
    told = summary(conn, lens, nora)
    assert said(told.plans.current) == ["Diary entry: Influenza vaccination"]
    assert said(told.referrals.current) == ["Referral: Physiotherapy"]


def test_who_decides_for_the_person_stands_under_legal_as_well_as_among_those_involved(
    conn: Connection, place: Place, nora: PersonKey, lens: Lens, now: datetime
) -> None:
    attorney = {"system": LEGAL_AUTHORITY, "code": "lpa-health-and-welfare"}
    about = {"patient": {"reference": "Patient/p1"}}
    susan = item("RelatedPerson", "s", name=[{"text": "Susan"}], relationship=[{"coding": [attorney]}], **about)
    jo = item("RelatedPerson", "j", name=[{"text": "Jo"}], relationship=[{"text": "Neighbour"}], **about)
    lpa = {"coding": [{"system": "https://carelink.example/CodeSystem/alert", "code": "legal"}], "text": "LPA in force"}
    flag = item("Flag", "l", status="active", code=lpa, subject={"reference": "Patient/p1"})
    take(conn, place, [susan, jo, flag], now, "council-a")
    told = summary(conn, lens, nora)
    assert {one.title for one in told.legal.current} == {"Susan", "LPA in force"}
    assert {one.title for one in told.contacts.current} == {"Susan", "Jo"}
    assert said(told.alerts.current) == ["Alert: Key safe"]


def test_why_a_council_supports_somebody_is_no_medical_problem(
    conn: Connection, place: Place, nora: PersonKey, lens: Lens, now: datetime
) -> None:
    reason = item(
        "Condition",
        "reason",
        clinicalStatus={"coding": [{"system": ACTIVE_OR_NOT, "code": "active"}]},
        category=[{"text": "Primary support reason"}],
        code={"text": "Support with memory"},
        subject={"reference": "Patient/p1"},
    )
    take(conn, place, [reason], now, "council-a")
    told = summary(conn, lens, nora)
    assert said(told.problems.current) == ["Problem: Diabetes mellitus"]
    assert "Primary support reason: Support with memory" in said(told.packages.current)


def test_nothing_recorded_about_allergies_is_not_no_known_allergies(
    conn: Connection, place: Place, nora: PersonKey, lens: Lens, now: datetime
) -> None:
    assert summary(conn, lens, nora).allergies.empty
    none = {"title": "Allergies and adverse reactions", "status": "current", "mode": "snapshot"}
    reason = "http://terminology.hl7.org/CodeSystem/list-empty-reason"

    def listed(code: str) -> Item:
        why = {"emptyReason": {"coding": [{"system": reason, "code": code}]}, "subject": {"reference": "Patient/p1"}}
        return item("List", "allergies", RECORD, **none, **why)

    take(conn, place, [listed("notasked")], now, "gp")
    assert summary(conn, lens, nora).allergies.empty
    take(conn, place, [listed("nilknown")], now, "gp")
    told = summary(conn, lens, nora).allergies
    assert (told.none_known, told.current, told.empty) == (("gp",), (), False)


def test_one_source_may_know_an_allergy_and_another_that_there_is_none(
    conn: Connection, place: Place, nora: PersonKey, lens: Lens, now: datetime
) -> None:
    take(conn, place, [allergy("a1", "716186003", "No known allergy")], now)
    severe = allergy("a2", "91936005", "Allergy to penicillin", RECORD, criticality="high", recordedDate="2001")
    mild = allergy("a3", "1003755004", "Allergy to latex", RECORD, recordedDate="2020")
    ended = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    take(conn, place, [mild, severe], now, "gp")
    take(conn, place, [allergy("a4", "409137002", "No known drug allergy", clinicalStatus=ended)], now)
    told = summary(conn, lens, nora).allergies
    assert told.none_known == ("hospital",)
    assert [one.title for one in told.current] == ["Allergy to penicillin", "Allergy to latex"]
    assert [one.state for one in told.current] == ["high risk", ""]
    assert [one.key for one in told.past] == [key(allergy("a4", "", ""))]


def test_what_the_lens_withholds_is_in_neither_story_nor_summary(
    conn: Connection, place: Place, nora: PersonKey, now: datetime
) -> None:
    nurse = Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT")
    ward = Lens.compile(place, nurse, now)
    assert timeline(conn, ward, nora).entries == ()
    involved = {"person": nora, "kind": "encounter", "organisation": "RDV", "starts": datetime(2020, 1, 1, tzinfo=UTC)}
    conn.execute(relationship.insert().values(involved))
    secret = condition("sm", code="66590003", onsetDateTime="2020")
    take(
        conn, place, [item("Patient", "p1", RECORD, **NORA), item("Condition", "sm", RECORD, **secret.body)], now, "gp"
    )
    own = [one.source for one in timeline(conn, ward, nora).entries]
    assert "hospital" in own
    shown = {one.key for one in timeline(conn, ward, nora).entries}
    assert key(item("Condition", "sm", RECORD), "gp") not in shown
    assert all(one.key in shown for part in (summary(conn, ward, nora).problems,) for one in part.current)
