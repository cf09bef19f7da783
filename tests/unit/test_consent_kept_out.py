"""Who is kept out of an enquiry, or away from a person: what a CareTeam says of it, and what that team is labelled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from consent_builders import NORTH, PLACE, SURGERY

from carelink.consent.facts import KeptOut
from carelink.consent.kept_out import kept_out
from carelink.consent.labels import label
from carelink.consent.periods import ALWAYS
from carelink.consent.sensitivity import mask
from carelink.ids import ODS

OWN = "https://carelink.example/CodeSystem/"


def participant(value: str, *roles: str, system: str = "worker", **more: Any) -> dict[str, Any]:
    coded = {"coding": [{"system": f"{OWN}enquiry-role", "code": role} for role in roles]}
    return {"role": [coded], "member": {"identifier": {"system": system, "value": value}}} | more


def team(
    *participants: dict[str, Any], status: str = "active", category: str = "safeguarding-enquiry"
) -> dict[str, Any]:
    coded = [{"coding": [{"system": f"{OWN}care-team", "code": category}]}]
    return {"status": status, "category": coded, "participant": list(participants)}


def sam(kind: str = "enquiry", ends: datetime | None = None) -> KeptOut:
    return KeptOut(kind, ALWAYS, ends, NORTH, "sam")  # type: ignore[arg-type]


CASES = [
    ("the alleged source of harm", team(participant("W1", "source-of-harm")), [sam()]),
    ("who acts for them", team(participant("W1", "acts-for-source-of-harm")), [sam()]),
    ("whom a court keeps away", team(participant("W1", "kept-away"), category="court-order"), [sam("court-order")]),
    ("who acts for those", team(participant("W1", "acts-for-kept-away"), category="court-order"), [sam("court-order")]),
    ("a whole organisation", team(participant("P81001", "source-of-harm", system=ODS)), [KeptOut("enquiry", ALWAYS, None, SURGERY)]),
    ("both an enquiry's and a court's", team(participant("W1", "kept-away", "source-of-harm")), [sam("court-order"), sam()]),
    ("who takes part in it is not kept out", team(participant("W1", "investigator")), []),
    ("nor anybody without a role", team(participant("W1")), []),
    ("one who can not sign in here", team(participant("W9", "source-of-harm")), []),
    ("one who is only named", team({"role": participant("", "source-of-harm")["role"], "member": {"display": "Her son"}}), []),
    ("still when the enquiry is over", team(participant("W1", "source-of-harm"), status="inactive"), [sam()]),
    ("not where it was a mistake", team(participant("W1", "source-of-harm"), status="entered-in-error"), []),
    ("until they were found not to be it", team(participant("W1", "source-of-harm", period={"end": "2026-06-30"})), [sam(ends=datetime(2026, 6, 30, 23, tzinfo=UTC))]),
    ("also of what came before it was written down", team(participant("W1", "source-of-harm", period={"start": "2026-06-30"})), [sam()]),
    ("for ever, where nobody can read until when", team(participant("W1", "source-of-harm", period={"_end": {}})), [sam()]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), CASES, ids=[what for what, *_ in CASES])
def test_who_is_kept_out(what: str, body: dict[str, Any], wanted: list[KeptOut]) -> None:
    assert list(kept_out(body, PLACE)) == wanted


@pytest.mark.parametrize(
    ("category", "kind", "sensitivities"),
    [("safeguarding-enquiry", "safeguarding", "SAFEGUARDING"), ("court-order", "legal", ""), ("mdt", "contacts", "")],
)
def test_the_team_of_an_enquiry_or_an_order_is_kept_from_them_like_the_rest_of_it(
    category: str, kind: str, sensitivities: str
) -> None:
    labelled = label(PLACE, "council", "CareTeam", team(category=category))
    assert (labelled.category, labelled.sensitivities) == (kind, mask(sensitivities.split()))
