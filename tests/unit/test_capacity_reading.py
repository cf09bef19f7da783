"""What is stored of who decides is read back as it was meant; what can't be read counts as the stricter of its readings."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from carelink.cases.capacity_shapes import Assessment, Interests, Paper, Recorder, assessment, interests, paper
from carelink.consent import capacity_codes as codes
from carelink.consent.capacity_reading import mind_from
from carelink.consent.mind import AuthorityKind, Decision, Mind, Outcome
from carelink.consent.periods import ALWAYS
from carelink.ids import Ods, PersonKey, ResourceKey, UserId
from carelink.record.validation import check

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PERSON = PersonKey(UUID(int=7))
SAM = Recorder(UserId("sam.okafor"), "Sam Okafor", Ods("901"), "Northdale Council", NOW)
UNABLE = Assessment(
    child=False,
    decision=Decision.SHARING,
    outcome=Outcome.LACKS,
    at=NOW,
    by="Sam Okafor",
    parts={"understand": True, "retain": False, "weigh": True, "communicate": True},
    reasons="Asked three times",
    cause="Dementia",
)


def mind(*bodies: dict[str, Any], patient: dict[str, Any] | None = None) -> Mind:
    kept = [(ResourceKey(uuid5(PERSON, str(number))), body) for number, body in enumerate(bodies)]
    return mind_from(patient or {}, kept)


def observed(**changed: Any) -> dict[str, Any]:
    return assessment(PERSON, UNABLE, SAM) | changed


def related(*codings: tuple[str, str], **said: Any) -> dict[str, Any]:
    """A RelatedPerson as a source sends it."""
    coding = [{"system": system, "code": code} for system, code in codings]
    return {"resourceType": "RelatedPerson", "relationship": [{"coding": coding}], "name": [{"text": "Susan"}], **said}


def test_what_is_written_is_valid_fhir_as_it_stands() -> None:
    said = Interests(Decision.SHARING, True, NOW, "Sam Okafor", {"consulted": "Susan"}, "Safer care")
    seen = Paper(
        AuthorityKind.LPA_HEALTH, "Susan Hart", date(2026, 11, 20), "7000", True, date(2026, 1, 1), jointly=True
    )
    bodies = (observed(), interests(PERSON, said, SAM), paper(PERSON, seen, SAM))
    for body in bodies:
        checked = check(body["resourceType"], {**body, "id": str(PERSON)})
        assert (checked.repairs, checked.problems) == ((), ())


def test_an_assessment_is_read_back_with_its_decision_and_its_last_day() -> None:
    body = assessment(PERSON, Assessment(**{**vars(UNABLE), "until": date(2026, 12, 31)}), SAM)
    (found,) = mind(body).findings
    assert (found.decision, found.outcome, found.by) == (Decision.SHARING, Outcome.LACKS, "Sam Okafor")
    assert found.assessed_at == NOW
    assert found.valid_until == datetime(2027, 1, 1, tzinfo=UTC)  # to the end of that day


def test_a_childs_assessment_is_of_competence_and_not_of_capacity() -> None:
    body = assessment(PERSON, Assessment(**{**vars(UNABLE), "child": True, "parts": {"understand": False}}), SAM)
    assert [len(mind(body).findings), len(mind(body).gillick)] == [0, 1]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "preliminary", "registered", "unknown"])
def test_what_is_not_final_or_was_a_mistake_is_no_finding(status: str) -> None:
    assert mind(observed(status=status)).findings == ()


def test_who_is_found_unable_from_a_day_that_nobody_can_read_is_unable_now_and_who_is_found_able_is_not() -> None:
    dateless = {name: value for name, value in observed().items() if name != "effectiveDateTime"}
    (found,) = mind(dateless).findings
    assert (found.assessed_at, found.valid_until) == (ALWAYS, None)
    able = {"coding": [{"system": codes.OUTCOME, "code": "has"}]}
    assert mind(dateless | {"valueCodeableConcept": able}).findings == ()


def test_a_finding_that_does_not_say_about_what_says_nothing_of_sharing() -> None:
    assert [one.decision for one in mind(observed(component=[])).findings] == [Decision.OTHER]


def test_an_observation_of_something_else_is_no_finding() -> None:
    assert mind(observed(code={"coding": [{"system": "http://loinc.org", "code": codes.CAPACITY}]})).findings == ()


@pytest.mark.parametrize(
    ("heard", "consulted"),
    [
        ({"consulted": "Her daughter"}, True),
        ({"imca": "Jo Bell"}, True),
        ({"nobody-because": "In the night, on the road"}, True),
        ({"wishes": "Wanted her doctor to know"}, False),
        ({}, False),
    ],
)
def test_a_best_interests_decision_says_whether_anybody_was_heard(heard: dict[str, str], consulted: bool) -> None:
    said = Interests(Decision.SHARING, True, NOW, "Sam Okafor", heard, "Safer care")
    (found,) = mind(interests(PERSON, said, SAM)).best_interests
    assert (found.in_favour, found.at, found.consulted) == (True, NOW, consulted)


# How sources say who holds what | the authorities that are read
SAID = [
    ("a council's code", [(codes.AUTHORITY, "lpa-health-and-welfare")], [AuthorityKind.LPA_HEALTH]),
    ("both kinds of attorney", [(codes.AUTHORITY, "lpa-health-and-welfare"), (codes.AUTHORITY, "lpa-property-and-affairs")], [AuthorityKind.LPA_HEALTH, AuthorityKind.LPA_PROPERTY]),
    ("a deputy and no more", [(codes.AUTHORITY, "deputy")], [AuthorityKind.DEPUTY_UNSTATED]),
    ("HL7's healthcare power", [(codes.ROLE_CODE, "HPOWATT")], [AuthorityKind.LPA_HEALTH]),
    ("HL7's power of attorney", [(codes.ROLE_CODE, "POWATT")], [AuthorityKind.ATTORNEY_UNSTATED]),
    ("our code beside HL7's wider one", [(codes.ROLE_CODE, "POWATT"), (codes.AUTHORITY, "lpa-property-and-affairs")], [AuthorityKind.LPA_PROPERTY]),
    ("next of kin", [("http://terminology.hl7.org/CodeSystem/v2-0131", "N")], []),
    ("a daughter", [(codes.ROLE_CODE, "DAU")], []),
    ("a code of somebody else's", [("https://other.example", "lpa-health-and-welfare")], []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "codings", "kinds"), SAID, ids=[what for what, *_ in SAID])
def test_who_holds_what_as_sources_say_it(
    what: str, codings: list[tuple[str, str]], kinds: list[AuthorityKind]
) -> None:
    found = mind(related(*codings)).authorities
    assert [one.kind for one in found] == kinds
    assert not [one for one in found if one.registered or one.seen]


LPA = (codes.AUTHORITY, "lpa-health-and-welfare")


def test_a_source_that_ends_it_without_a_day_has_ended_it() -> None:
    (found,) = mind(related(LPA, active=False)).authorities
    assert found.period is not None
    assert found.period.ends == ALWAYS


def test_a_period_that_can_not_be_read_is_no_period() -> None:
    assert mind(related(LPA, period={"start": "2026-05-01", "end": "2026-04-01"})).authorities[0].period is None


def test_what_somebody_saw_stands_for_what_the_source_tells_and_ends_with_it() -> None:
    source = ResourceKey(uuid5(PERSON, "0"))
    seen = Paper(AuthorityKind.LPA_HEALTH, "Susan Hart", date(2026, 11, 20), "7000", True, confirms=str(source))
    (found,) = mind(related(LPA), paper(PERSON, seen, SAM)).authorities
    assert (found.key, found.registered, found.period.ends if found.period else "") == (uuid5(PERSON, "1"), True, None)
    (found,) = mind(related(LPA, period={"end": "2026-10-31"}), paper(PERSON, seen, SAM)).authorities
    assert found.period is not None
    assert found.period.ends == datetime(2026, 11, 1, tzinfo=UTC)
    (found,) = mind(
        related(LPA, period={"start": "2026-05-01", "end": "2026-04-01"}), paper(PERSON, seen, SAM)
    ).authorities
    assert found.period is None


def test_somebody_who_died_on_an_unreadable_day_has_died() -> None:
    assert mind(patient={"deceasedDateTime": "2026-13-45"}).deceased == ALWAYS
    assert mind(patient={"deceasedBoolean": True}).deceased == ALWAYS
    assert mind(patient={"deceasedBoolean": False}).deceased is None
