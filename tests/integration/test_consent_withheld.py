"""That something is not shown is said to whom policy lets it be said, and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from conftest import NOW
from consent_builders import (
    ANN,
    BOARD,
    HOSPITAL,
    NORTH,
    SILENT,
    SOUTH,
    SURGERY,
    barred,
    facts,
    item,
    key_of,
    lens_of,
    objects,
    related,
    says,
    staff,
    store_item,
    store_person,
)
from consent_cases import ANN_HERSELF, GWEN, HIS, IRIS, LENA, NOBODY, PRACTICE, SAM, also
from consent_world import EVERYBODY, WHO, store_world
from sqlalchemy import Connection

from carelink.consent.facts import Facts, Labelled
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.ids import PersonKey

OPEN, HIV, SECRET = item(SURGERY, "problems"), item(SURGERY, "problems", "HIV"), item(SURGERY, "problems", "LEGAL")
NOT_AGREED = item(SURGERY, "documents")
WITHHELD = [
    ("a sensitivity keeps something from an involved worker", SAM, HIS, [HIV], True),
    ("an objection does", SAM, also(HIS, objects()), [OPEN], True),
    ("an objection to one kind does", SAM, also(HIS, objects(category="problems")), [OPEN], True),
    ("a consent that can't be read does", SAM, also(HIS, objects(rule="L7-objection-unclear")), [OPEN], True),
    ("nothing is kept back", SAM, HIS, [OPEN], False),
    ("there is nothing", SAM, HIS, [], False),
    ("an objection to others", SAM, also(HIS, objects(to=SOUTH)), [OPEN], False),
    ("an objection to another kind", SAM, also(HIS, objects(category="medicines")), [OPEN], False),
    ("an objection that is over", SAM, also(HIS, objects(ends=NOW)), [OPEN], False),
    ("what the law restricts is never spoken of", SAM, HIS, [SECRET], False),
    ("not even where it is objected to", SAM, also(HIS, objects()), [SECRET], False),
    ("what was never agreed on is absent for everyone", SAM, HIS, [NOT_AGREED], False),
    ("also where it is objected to", SAM, also(HIS, objects()), [NOT_AGREED], False),
    ("also where it is sensitive", SAM, HIS, [item(SURGERY, "documents", "HIV")], False),
    ("an objection keeps back nothing of one's own organisation's", SAM, also(HIS, objects()), [item(NORTH, "assessments", "HIV")], False),
    ("a stranger is told nothing", LENA, HIS, [HIV], False),
    ("a stranger is told of no objection", LENA, also(NOBODY, objects()), [OPEN], False),
    ("who was involved once is told nothing", SAM, facts(related(ends=NOW)), [HIV], False),
    ("a place that was taken out is no secret, it is marked on the page", SAM, also(HIS, restricted=True), [item(SURGERY, "demographics", locating=True)], False),
    ("the lead is told nothing", IRIS, facts(related("referral", BOARD)), [HIV], False),
    ("a purpose that is not direct care is told nothing", staff("tom", "HRESCH"), PRACTICE, [item(HOSPITAL, "problems", "HIV")], False),
    ("the person is not told that something is kept from them", ANN_HERSELF, NOBODY, [item(NORTH, "safeguarding", "SAFEGUARDING")], False),
    ("a consent that denies a role does", SAM, also(HIS, says("deny", role="social-worker")), [OPEN], True),
    ("one that denies another does not", SAM, also(HIS, says("deny", role="nurse")), [OPEN], False),
    ("of an enquiry the alleged source of harm is told nothing", GWEN, also(facts(related("caseload", SOUTH)), barred("enquiry", user="gwen")), [item(HOSPITAL, "documents", "SAFEGUARDING"), item(NORTH, "demographics", "SAFEGUARDING")], False),
    ("what is out of a token's scope is not spoken of", replace(SAM, types=frozenset({"Patient"})), HIS, [HIV], False),
    ("one of many is enough", SAM, HIS, [OPEN, OPEN, HIV, NOT_AGREED], True),
]  # fmt: skip


KEEPS_BACK = {
    "L5-sensitive",
    "L5-consent-needed",
    "L6-consent-deny",
    "L7-objection",
    "L7-objection-unclear",
    "L7-not-asked",
}


@pytest.mark.parametrize(("what", "who", "known", "items", "told"), WITHHELD, ids=[what for what, *_ in WITHHELD])
def test_that_something_is_not_shown_is_said_where_policy_lets_it_be_said(
    conn: Connection, what: str, who: Requester, known: Facts, items: list[Labelled], told: bool
) -> None:
    store_person(conn, ANN, known)
    for one in items:
        store_item(conn, one)
    assert lens_of(who).withheld(conn, ANN) is told
    assert lens_of(who, SILENT).withheld(conn, ANN) is False, "a place that says nothing"
    assert Lens.system("test", NOW).withheld(conn, ANN) is False, "a job sees all"
    assert lens_of(who).withheld(conn, key_of("bob")) is False, "of another person"


def test_what_was_deleted_is_not_withheld(conn: Connection) -> None:
    store_person(conn, ANN, HIS)
    store_item(conn, HIV, deleted=True)
    assert lens_of(SAM).withheld(conn, ANN) is False


def test_withheld_is_said_exactly_where_the_decision_names_a_sensitivity_or_an_objection_against_something_agreed(
    conn: Connection,
) -> None:
    world = store_world(conn)

    def expected(lens: Lens, key: PersonKey, known: Facts) -> bool:
        assert lens.standing is not None
        requester = lens.standing.requester
        involved = any(one.holds(requester, NOW) for one in known.related)
        if requester.person is not None or not (involved and lens.standing.cares):
            return False
        return any(
            lens.decide(one, known).rule.id in KEEPS_BACK
            and lens.standing.shared.offer(one.custodian, one.category) is not None
            for one in world.values()
            if one.person == key
        )

    for requester, (name, known) in product(WHO, EVERYBODY.items()):
        lens, key = lens_of(requester), key_of(name)
        assert lens.withheld(conn, key) is expected(lens, key, known), (requester, name)
