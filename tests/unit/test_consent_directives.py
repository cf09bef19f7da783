"""What a FHIR Consent comes to: an objection is kept exactly, or, where it can't be, by its stricter reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from consent_builders import PLACE

from carelink.consent.directives import Directive, compile_consent
from carelink.consent.periods import ALWAYS
from carelink.ids import ODS, Ods

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CATEGORY = "https://carelink.example/category"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
UNCLEAR = (Directive("deny", ALWAYS, rule="L7-objection-unclear"),)


def consent(
    provision: dict[str, Any] | None = None, scope: str | None = "patient-privacy", **body: Any
) -> dict[str, Any]:
    scoped = {"coding": [{"system": SCOPE, "code": scope}]} if scope else {"text": "sharing"}
    said = {"resourceType": "Consent", "status": "active", "scope": scoped}
    return said | ({} if provision is None else {"provision": provision}) | body


def deny(**provision: Any) -> dict[str, Any]:
    return consent({"type": "deny", **provision})


def actor(ods: str, role: str = "IRCP", system: str = ODS) -> dict[str, Any]:
    coded = {"coding": [{"system": ROLES, "code": role}]} if role else {"text": "somebody"}
    return {"role": coded, "reference": {"identifier": {"system": system, "value": ods}}}


def kind(code: str, system: str = CATEGORY) -> dict[str, str]:
    return {"system": system, "code": code}


def compiled(body: dict[str, Any]) -> tuple[Directive, ...]:
    return compile_consent(body, PLACE.categories)


def objection(organisation: str | None = None, category: str | None = None) -> Directive:
    return Directive("deny", ALWAYS, None, Ods(organisation) if organisation else None, category)


EXACTLY = [
    ("an objection to everything", deny(), [objection()]),
    ("to one organisation", deny(actor=[actor("901")]), [objection("901")]),
    ("to two organisations", deny(actor=[actor("901"), actor("RDV", "PRCP")]), [objection("901"), objection("RDV")]),
    ("of one kind of information", deny(**{"class": [kind("problems")]}), [objection(None, "problems")]),
    ("named as a code", deny(code=[{"coding": [kind("problems")]}]), [objection(None, "problems")]),
    ("of two kinds", deny(code=[{"coding": [kind("problems")]}, {"coding": [kind("alerts")]}]), [objection(None, "problems"), objection(None, "alerts")]),
    ("of two kinds to two organisations", deny(actor=[actor("901"), actor("902")], **{"class": [kind("problems"), kind("alerts")]}), [objection(o, c) for o in ("901", "902") for c in ("problems", "alerts")]),
    ("of an organisation of another place", deny(actor=[actor("RX1")]), [objection("RX1")]),
    ("a plain permission, which widens nothing", consent({"type": "permit"}), []),
    ("a permission for one organisation", consent({"type": "permit", "actor": [actor("901")]}), []),
    ("one that is about research", consent({"type": "deny"}, "research"), []),
    ("one that is about treatment", consent({"type": "deny"}, "treatment"), []),
    ("one that is an advance decision", consent({"type": "deny"}, "adr"), []),
    ("one that is a draft", consent({"type": "deny"}, status="draft"), []),
    ("one that was withdrawn", consent({"type": "deny"}, status="inactive"), []),
    ("one that was entered in error", consent({"type": "deny"}, status="entered-in-error"), []),
    ("one that was rejected, though it can't be read", consent({"type": "deny", "purpose": [{}]}, status="rejected"), []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), EXACTLY, ids=[what for what, *_ in EXACTLY])
def test_a_consent_comes_to_what_it_says(what: str, body: dict[str, Any], wanted: list[Directive]) -> None:
    assert compiled(body) == tuple(wanted)


NARROWED = {"securityLabel": [{}], "purpose": [{}], "dataPeriod": {}, "data": [{}], "action": [{}], "provision": [{}]}
STRICTER = [
    *((f"an objection that is narrowed by {name}", deny(**{name: value})) for name, value in NARROWED.items()),
    ("one with an extension that we don't know", deny(extension=[{"url": "https://x.example/but"}])),
    ("one with an extension that changes what it means", consent({"type": "deny"}, modifierExtension=[{"url": "x"}])),
    ("a permission with exceptions", consent({"type": "permit", "provision": [{"type": "deny"}]})),
    ("one that says neither deny nor permit", consent({})),
    ("one without a provision, by a policy that we don't know", consent()),
    ("one that says something else", consent({"type": "perhaps"})),
    ("one to an actor without an organisation code", deny(actor=[actor("Dr Smith", system="https://x.example/staff")])),
    ("one to an actor who is only named", deny(actor=[{"role": actor("x")["role"], "reference": {"display": "My GP"}}])),
    ("one to a known and an unknown actor", deny(actor=[actor("901"), actor("x", system="https://x.example")])),
    ("one about what comes from an organisation", deny(actor=[actor("P81001", "CST")])),
    ("one to an actor whose role is in words", deny(actor=[actor("901", "")])),
    ("one of a kind of information that the place does not know", deny(**{"class": [kind("rumours")]})),
    ("one of a kind that is coded otherwise", deny(code=[{"coding": [kind("73211009", "http://snomed.info/sct")]}])),
    ("one of a known kind and of one in words", deny(code=[{"coding": [kind("problems")]}, {"text": "my letters"}])),
    ("one that ends before it starts", deny(period={"start": "2026-05-01", "end": "2026-04-01"})),
    ("one that ends as it starts", deny(period={"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"})),
    ("one whose end nobody can read", deny(period={"start": "2026-05-01", "_end": {"extension": []}})),
    ("one whose beginning is no date", deny(period={"start": "soon"})),
    ("one that never begins", deny(period={"start": "9999-12-31"})),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), STRICTER, ids=[what for what, _ in STRICTER])
def test_what_can_not_be_held_to_exactly_hides_everything_from_everybody(what: str, body: dict[str, Any]) -> None:
    assert compiled(body) == UNCLEAR


@pytest.mark.parametrize("scope", [None, "something-new"])
def test_an_objection_whose_scope_we_do_not_know_is_taken_to_be_about_sharing(scope: str | None) -> None:
    assert compiled(consent({"type": "deny"}, scope)) == (objection(),)


def test_a_consent_about_sharing_and_research_is_about_sharing() -> None:
    both = {"coding": [{"system": SCOPE, "code": "research"}, {"system": SCOPE, "code": "patient-privacy"}]}
    assert compiled(consent({"type": "deny"}) | {"scope": both}) == (objection(),)


PERIODS = [
    ({}, ALWAYS, None, "without dates it has held always, and holds"),
    ({"start": "2026-05"}, datetime(2026, 4, 30, 23, tzinfo=UTC), None, "a month from its first moment in London"),
    ({"end": "2026"}, ALWAYS, datetime(2027, 1, 1, tzinfo=UTC), "a year to its last"),
    ({"end": "2026-02"}, ALWAYS, datetime(2026, 3, 1, tzinfo=UTC), "February"),
    ({"end": "2026-12"}, ALWAYS, datetime(2027, 1, 1, tzinfo=UTC), "December"),
    ({"end": "2026-10-25"}, ALWAYS, datetime(2026, 10, 26, tzinfo=UTC), "a day of 25 hours to its end"),
    ({"start": "2026-03-29"}, datetime(2026, 3, 29, tzinfo=UTC), None, "a day on which summer time starts"),
    ({"end": "2026-06-01T09:30:00+01:00"}, ALWAYS, datetime(2026, 6, 1, 8, 30, tzinfo=UTC), "a moment with its zone"),
    ({"end": "2026-06-01T09:30:00"}, ALWAYS, datetime(2026, 6, 1, 8, 30, tzinfo=UTC), "a moment without one is London's"),
    ({"end": "9999-12-31"}, ALWAYS, None, "the end of the calendar is no end"),
    ({"end": "9999"}, ALWAYS, None, "nor is its last year"),
    ({"end": "9999-12-31T23:59:59-05:00"}, ALWAYS, None, "nor is its last second anywhere"),
    ({"start": "1753-01-01"}, ALWAYS, None, "what lies before living memory was always"),
    ({"start": "0001-01-01T00:00:00+14:00"}, ALWAYS, None, "even before the calendar"),
    ({"end": "2016-12-31T23:59:60Z"}, ALWAYS, datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), "a leap second"),
    ({"_start": {"extension": []}}, ALWAYS, None, "a beginning that nobody can read was always"),
]  # fmt: skip


@pytest.mark.parametrize(("period", "starts", "ends", "why"), PERIODS, ids=[why for *_, why in PERIODS])
def test_an_objection_holds_for_the_whole_of_its_period(
    period: dict[str, Any], starts: datetime, ends: datetime | None, why: str
) -> None:
    (one,) = compiled(deny(period=period))
    assert (one.starts, one.ends, one.rule) == (starts, ends, "L7-objection")


def test_of_several_rules_of_one_consent_all_have_its_period() -> None:
    made = compiled(deny(actor=[actor("901"), actor("902")], period={"end": "2026"}))
    assert {one.ends for one in made} == {datetime(2027, 1, 1, tzinfo=UTC)}
