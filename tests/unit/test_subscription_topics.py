"""What each topic takes for news, as a table of what a resource was and is."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import NOW

from carelink.cases.subscription_topics import TOPICS, topic_named
from carelink.errors import Invalid

Body = dict[str, Any] | None


def referral(status: str) -> Body:
    return {"resourceType": "ServiceRequest", "status": status}


def task(owner: str, status: str = "requested") -> Body:
    named = {"owner": {"reference": f"Organization/{owner}"}} if owner else {}
    return {"resourceType": "Task", "status": status, **named}


def stay(status: str, end: str = "", code: str = "IMP") -> Body:
    period = {"period": {"start": "2026-11-01", **({"end": end} if end else {})}}
    return {"resourceType": "Encounter", "status": status, "class": {"code": code}, **period}


BY_ITS_CODE = {"owner": {"identifier": {"system": "urn:x", "value": "A"}}, "status": "requested"}
# topic, before, after, whether it is news (it is 24 November 2026)
CASES: list[tuple[str, Body, Body, bool]] = [
    ("new-referral", None, referral("active"), True),
    ("new-referral", referral("draft"), referral("active"), True),
    ("new-referral", None, referral("draft"), False),
    ("new-referral", referral("active"), referral("active"), False),
    ("new-referral", referral("on-hold"), referral("active"), False),
    ("new-referral", None, referral("completed"), False),
    ("task-assigned", None, task("A"), True),
    ("task-assigned", task(""), task("A"), True),
    ("task-assigned", task("A"), task("B"), True),
    ("task-assigned", task("A"), task("A", "accepted"), False),
    ("task-assigned", task("A"), task(""), False),
    ("task-assigned", task("A"), task("B", "completed"), False),
    ("task-assigned", None, BY_ITS_CODE, True),
    ("task-assigned", BY_ITS_CODE, BY_ITS_CODE, False),
    ("discharge", stay("in-progress"), stay("finished", "2026-11-24T10:00:00Z"), True),
    ("discharge", None, stay("finished", "2026-11-18"), True),
    ("discharge", None, stay("finished", "2026-11-16"), False),
    ("discharge", stay("in-progress"), stay("finished"), True),
    ("discharge", stay("finished", "2026-11-23"), stay("finished", "2026-11-24"), False),
    ("discharge", stay("in-progress"), stay("onleave"), False),
    ("discharge", None, stay("finished", "2026-11-24", "AMB"), False),
    ("discharge", None, {"resourceType": "Encounter", "status": "finished"}, False),
    ("record-changed", None, {"resourceType": "Flag"}, True),
    ("record-changed", {"resourceType": "Flag"}, {"resourceType": "Flag"}, True),
]


@pytest.mark.parametrize(("topic", "before", "after", "news"), CASES)
def test_a_change_is_news_or_it_is_not(topic: str, before: Body, after: Body, news: bool) -> None:
    assert after is not None
    assert TOPICS[topic].starts(before, after, NOW) is news


def test_a_topic_is_named_by_its_canonical_and_says_why_it_is_there() -> None:
    for one in TOPICS.values():
        assert topic_named(one.url) is one
        assert one.because
    for wrong in ("", "record-changed", "https://elsewhere.example/record-changed"):
        with pytest.raises(Invalid, match=r"Subscription\.criteria"):
            topic_named(wrong)


def test_a_filter_is_of_a_type_that_the_topic_has() -> None:
    assert TOPICS["discharge"].may_filter("Encounter", "patient")
    assert not TOPICS["discharge"].may_filter("Condition", "patient")
    assert not TOPICS["record-changed"].may_filter("Condition", "note")
