"""Who gave a Consent, as far as it tells, and whether what it permits counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from consent_builders import ANN, NOW

from carelink.consent.authority import given_at, givers, performer, permit_counts, permit_ends
from carelink.consent.capacity import Authority, AuthorityKind, Decision, Finding, Giver, Mind, Outcome, Relation
from carelink.ids import ResourceKey

POWER = ResourceKey(uuid4())
ATTORNEY = Authority(AuthorityKind.LPA_HEALTH, "Susan Hart", POWER, registered=True)
LOST = Finding(Decision.SHARING, Outcome.LACKS, datetime(2026, 6, 1, tzinfo=UTC), "Dr Desai")
ABLE = Mind("1944-05-06")
UNABLE = Mind("1944-05-06", findings=(LOST,), authorities=(ATTORNEY,))
ME = {"reference": f"Patient/{ANN}"}


def consent(*performers: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"performer": list(performers)} if performers else {}
    return {"resourceType": "Consent", "status": "active", "patient": ME, "dateTime": "2026-11-01", **said, **more}


def test_who_gave_it_is_read_back_as_it_was_written() -> None:
    for giver in (
        Giver(Relation.THE_PERSON),
        Giver(Relation.ATTORNEY_HEALTH, POWER, "Susan Hart"),
        Giver(Relation.ATTORNEY_HEALTH, POWER, "Susan Hart", with_the_others=True),
        Giver(Relation.CARER, name="Bea Hart"),
    ):
        assert givers(consent(performer(giver, ANN)), Mind()) == (giver,)


GIVERS = [
    ("nobody is named: the person", (), Giver(Relation.THE_PERSON)),
    ("the person", (ME,), Giver(Relation.THE_PERSON)),
    ("another patient", ({"reference": f"Patient/{uuid4()}"},), Giver(Relation.NEXT_OF_KIN)),
    ("somebody whose authority is recorded under that name", ({"reference": "RelatedPerson/1", "display": "susan hart"},), Giver(Relation.ATTORNEY_HEALTH, POWER, "susan hart")),
    ("a relative of whom no authority is known", ({"reference": "RelatedPerson/1", "display": "Bea Hart"},), Giver(Relation.NEXT_OF_KIN, name="Bea Hart")),
    ("a professional", ({"reference": "Practitioner/1"},), Giver(Relation.PROFESSIONAL_BEST_INTERESTS)),
    ("an organisation", ({"type": "Organization", "display": "Ward 7"},), Giver(Relation.PROFESSIONAL_BEST_INTERESTS, name="Ward 7")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "performers", "giver"), GIVERS, ids=[what for what, *_ in GIVERS])
def test_who_gave_what_a_source_sent_is_told_as_far_as_it_says(
    what: str, performers: tuple[dict[str, Any], ...], giver: Giver
) -> None:
    assert givers(consent(*performers), UNABLE) == (giver,)


COUNTS = [
    ("the person, of whom nothing else is known", consent(ME), ABLE, True),
    ("the person, before they were found unable", consent(ME, dateTime="2026-05-01"), UNABLE, True),
    ("the person, after they were found unable", consent(ME), UNABLE, False),
    ("their registered attorney", consent({"display": "Susan Hart"}), UNABLE, True),
    ("their registered attorney, before they were found unable", consent({"display": "Susan Hart"}, dateTime="2026-05-01"), UNABLE, False),
    ("a relative", consent({"reference": "RelatedPerson/1"}), ABLE, False),
    ("a professional who decided nothing in their best interests", consent({"reference": "Practitioner/1"}), UNABLE, False),
    ("a relative and the person", consent({"reference": "RelatedPerson/1"}, ME), ABLE, True),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "mind", "counts"), COUNTS, ids=[what for what, *_ in COUNTS])
def test_a_permission_counts_where_somebody_gave_it_who_might(
    what: str, body: dict[str, Any], mind: Mind, counts: bool
) -> None:
    assert permit_counts(body, mind, NOW).allowed is counts


def test_one_without_a_date_that_can_be_read_was_given_when_it_was_stored() -> None:
    assert given_at({}, NOW) == NOW
    assert given_at({"dateTime": "soon"}, NOW) == NOW
    assert given_at({"dateTime": "2026-11-01"}, NOW) == datetime(2026, 11, 1, tzinfo=UTC)


MOTHER = Authority(AuthorityKind.PARENTAL_RESPONSIBILITY, "Bea Hart", POWER)
BY_HER = consent(performer(Giver(Relation.PARENTAL_RESPONSIBILITY, POWER, "Bea Hart"), ANN))
UNABLE_AT_17 = Mind("2009-03-04", findings=(LOST,), authorities=(MOTHER,))


def child(born: str) -> Mind:
    return Mind(born, authorities=(MOTHER,))


ENDS = [
    ("of a child of 13: at 16", BY_HER, child("2013-03-04"), "2029-03-04T00:00+00:00"),
    ("in summer the day begins an hour earlier", BY_HER, child("2013-07-04"), "2029-07-04T00:00+01:00"),
    ("of a birth date that may be any of a month: the first", BY_HER, child("2013-03"), "2029-03-01T00:00+00:00"),
    ("of a child born on 29 February: on that day", BY_HER, child("2012-02-29"), "2028-02-29T00:00+00:00"),
    ("of a young person who can't decide: at 18", BY_HER, UNABLE_AT_17, "2027-03-04T00:00+00:00"),
    ("by the person: never", consent(ME), ABLE, None),
    ("by the attorney of an adult: never", consent({"display": "Susan Hart"}), UNABLE, None),
    ("by nobody who might: there is nothing to end", consent({"reference": "RelatedPerson/1"}), child("2013-03-04"), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "mind", "ends"), ENDS, ids=[what for what, *_ in ENDS])
def test_what_a_parent_permitted_ends_when_the_child_decides(
    what: str, body: dict[str, Any], mind: Mind, ends: str | None
) -> None:
    assert permit_ends(body, mind, NOW) == (datetime.fromisoformat(ends) if ends else None)


def test_who_was_born_on_29_february_is_18_on_1_march() -> None:
    by_her = BY_HER | {"dateTime": "2029-11-01"}
    later = Finding(Decision.SHARING, Outcome.LACKS, datetime(2028, 6, 1, tzinfo=UTC), "Dr Desai")
    mind = Mind("2012-02-29", findings=(later,), authorities=(MOTHER,))
    assert permit_ends(by_her, mind, datetime(2029, 11, 2, tzinfo=UTC)) == datetime(2030, 3, 1, tzinfo=UTC)
