"""What a FHIR Consent comes to: an objection is kept exactly, or, where it can't be, by its stricter reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from consent_builders import PLACE

from carelink.consent.compiling import Compiled, compile_consent
from carelink.consent.facts import Directed
from carelink.consent.periods import ALWAYS
from carelink.ids import ODS, Ods

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CATEGORY = "https://carelink.example/category"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
OWN = "https://carelink.example/CodeSystem/"
ROLE = f"{OWN}role"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
LABEL = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TYPES = "http://hl7.org/fhir/resource-types"
SNOMED = "http://snomed.info/sct"
ITEM = "0f3c1d6e-6a1b-5c1e-9b53-3c1f5b1f7a10"
UNCLEAR = (Directed("deny", rule="L7-objection-unclear"),)


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


def compiled(body: dict[str, Any]) -> tuple[Directed, ...]:
    return compile_consent(body, PLACE).directives


def objection(organisation: str | None = None, *categories: str) -> Directed:
    return Directed("deny", organisation=organisation and Ods(organisation), categories=frozenset(categories) or None)  # type: ignore[arg-type]


OPTED_OUT = Directed("deny", rule="L10-opt-out", purposes=frozenset({"HRESCH", "HOPERAT"}))


def denial(**more: Any) -> Directed:
    """One that is more than a plain objection."""
    sets = {name: frozenset(value) if isinstance(value, set) else value for name, value in more.items()}
    return Directed("deny", rule="L6-consent-deny", **sets)


def permission(organisation: str | None = None, **more: Any) -> Directed:
    return Directed("permit", rule="L6-consent-permit", organisation=organisation and Ods(organisation), **more)  # type: ignore[arg-type]


EXACTLY = [
    ("an objection to everything", deny(), [objection()]),
    ("to one organisation", deny(actor=[actor("901")]), [objection("901")]),
    ("to two organisations", deny(actor=[actor("901"), actor("RDV", "PRCP")]), [objection("901"), objection("RDV")]),
    ("of one kind of information", deny(**{"class": [kind("problems")]}), [objection(None, "problems")]),
    ("named as a code", deny(code=[{"coding": [kind("problems")]}]), [objection(None, "problems")]),
    ("of two kinds", deny(code=[{"coding": [kind("problems")]}, {"coding": [kind("alerts")]}]), [objection(None, "problems", "alerts")]),
    ("of two kinds to two organisations", deny(actor=[actor("901"), actor("902")], **{"class": [kind("problems"), kind("alerts")]}), [objection(o, "problems", "alerts") for o in ("901", "902")]),
    ("a plain permission", consent({"type": "permit"}), [permission()]),
    ("a permission for one organisation", consent({"type": "permit", "actor": [actor("901")]}), [permission("901")]),
    ("one that is about research, which is an opt-out", consent({"type": "deny"}, "research"), [OPTED_OUT]),
    ("leave to be asked for research", consent({"type": "permit"}, "research"), []),
    ("one that is about treatment", consent({"type": "deny"}, "treatment"), []),
    ("one that is an advance decision", consent({"type": "deny"}, "adr"), []),
    ("one that is a draft", consent({"type": "deny"}, status="draft"), []),
    ("one that was withdrawn", consent({"type": "deny"}, status="inactive"), []),
    ("one that was entered in error", consent({"type": "deny"}, status="entered-in-error"), []),
    ("one that was rejected, though it can't be read", consent({"type": "deny", "purpose": [{}]}, status="rejected"), []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), EXACTLY, ids=[what for what, *_ in EXACTLY])
def test_a_consent_comes_to_what_it_says(what: str, body: dict[str, Any], wanted: list[Directed]) -> None:
    assert compiled(body) == tuple(wanted)


def nested(levels: int) -> dict[str, Any]:
    return {"type": "deny"} | ({"provision": [nested(levels - 1)]} if levels else {})


def exception(organisation: str | None = None, **more: Any) -> Directed:
    """A permission within a denial."""
    return replace(permission(organisation, **more), rule="L6-consent-exception")


# consent -> its provisions, outermost first
CONDITIONS = [
    ("what comes from an organisation", deny(actor=[actor("P81001", "CST")]), [denial(custodians={"P81001"})]),
    ("from one to another", deny(actor=[actor("P81001", "CST"), actor("901")]), [denial(custodians={"P81001"}, organisation="901")]),
    ("to a role", deny(actor=[actor("nurse", system=ROLE)]), [denial(role="nurse")]),
    ("to a kind of organisation", deny(actor=[actor("council", system=f"{OWN}organisation-type")]), [denial(organisation_type="council")]),
    ("to a team", deny(actor=[actor("901|adults-north", system=f"{OWN}team")]), [denial(organisation="901", team="adults-north")]),
    ("to a worker, by the identifier of a source", deny(actor=[actor("W1", system="worker")]), [denial(user="sam")]),
    ("to a worker, by their sign-in", deny(actor=[actor("gwen", system=f"{OWN}user")]), [denial(user="gwen")]),
    ("for a purpose, and for those that it includes", deny(purpose=[{"system": REASON, "code": "TREAT"}]), [denial(purposes={"TREAT", "ETREAT", "BTG"})]),
    ("a permission for a purpose is for no other", consent({"type": "permit", "purpose": [{"system": REASON, "code": "TREAT"}]}), [permission(purposes=frozenset({"TREAT"}))]),
    ("of a label", deny(securityLabel=[{"system": LABEL, "code": "HIV"}, {"system": LABEL, "code": "SUD"}]), [denial(sensitivities=3)]),
    ("of a type", deny(**{"class": [kind("Observation", TYPES)]}), [denial(types={"Observation"})]),
    ("of a type or a kind", deny(**{"class": [kind("Observation", TYPES), kind("problems")]}), [denial(types={"Observation"}), objection(None, "problems")]),
    ("of a code", deny(code=[{"coding": [kind("73211009", SNOMED)]}]), [denial(codes={(SNOMED, "73211009")})]),
    ("of a year", deny(dataPeriod={"start": "2024", "end": "2024"}), [denial(since=datetime(2024, 1, 1, tzinfo=UTC), until=datetime(2025, 1, 1, tzinfo=UTC))]),
    ("of one item", deny(data=[{"meaning": "instance", "reference": {"reference": f"Condition/{ITEM}"}}]), [denial(items={UUID(ITEM)})]),
    ("by one action of several", deny(action=[{"coding": [{"code": "correct"}, {"code": "access"}]}]), [objection()]),
    (
        "everybody but one",
        deny(provision=[{"type": "permit", "actor": [actor("RDV")]}]),
        [objection(), exception("RDV", depth=1)],
    ),
    (
        "everybody but one, and that one not everything",
        deny(provision=[{"type": "permit", "actor": [actor("RDV")], "provision": [{"type": "deny", "class": [kind("problems")]}]}]),
        [objection(), exception("RDV", depth=1), replace(objection("RDV", "problems"), depth=2)],
    ),
    (
        "one within a permission gives what a permission gives",
        consent({"type": "permit", "provision": [{"type": "permit", "actor": [actor("RDV")]}]}),
        [permission(), permission("RDV", depth=1)],
    ),
    (
        "one within the exception to a denial gives no more than that",
        deny(provision=[{"type": "permit", "provision": [{"type": "permit", "actor": [actor("RDV")]}]}]),
        [objection(), exception(depth=1), exception("RDV", depth=2)],
    ),
    (
        "an exception for one of two organisations is one for that one",
        deny(actor=[actor("901"), actor("902")], provision=[{"type": "permit", "actor": [actor("902")]}]),
        [objection("901"), objection("902"), exception("902", depth=1)],
    ),
    (
        "an exception holds only within what it is an exception to",
        deny(period={"end": "2026"}, **{"class": [kind("problems"), kind("alerts")]}, provision=[{"type": "permit", "class": [kind("alerts"), kind("documents")], "period": {"start": "2026-07"}}]),
        [
            replace(objection(None, "problems", "alerts"), ends=datetime(2027, 1, 1, tzinfo=UTC)),
            exception(depth=1, categories=frozenset({"alerts"}), starts=datetime(2026, 6, 30, 23, tzinfo=UTC), ends=datetime(2027, 1, 1, tzinfo=UTC)),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), CONDITIONS, ids=[what for what, *_ in CONDITIONS])
def test_a_provision_is_kept_with_all_of_its_conditions(
    what: str, body: dict[str, Any], wanted: list[Directed]
) -> None:
    assert compile_consent(body, PLACE) == Compiled(tuple(wanted))


def test_every_provision_knows_when_the_person_said_so() -> None:
    said = deny(provision=[{"type": "permit", "actor": [actor("RDV")]}]) | {"dateTime": "2026-05-04T09:00:00+01:00"}
    assert {one.made for one in compiled(said)} == {datetime(2026, 5, 4, 8, tzinfo=UTC)}


def test_a_mere_permission_that_can_not_be_read_gives_nothing_and_hides_nothing() -> None:
    unclear = compile_consent(consent({"type": "permit", "purpose": [{}]}), PLACE)
    assert unclear.directives == ()
    assert unclear.problems == ("it names a purpose that this place does not know",)


def test_a_consent_of_more_rows_than_anybody_can_keep_is_read_strictly() -> None:
    everybody = [actor(ods) for ods in PLACE.organisations] * 90
    assert compiled(deny(actor=everybody)) == UNCLEAR


NARROWED = {"securityLabel": [{}], "purpose": [{}], "dataPeriod": {}, "data": [{}], "action": [{}], "provision": [{}]}
STRICTER = [
    *((f"an objection that is narrowed by {name}", deny(**{name: value})) for name, value in NARROWED.items()),
    ("one with an extension that we don't know", deny(extension=[{"url": "https://x.example/but"}])),
    ("one with an extension that changes what it means", consent({"type": "deny"}, modifierExtension=[{"url": "x"}])),
    ("a permission with an exception that can't be read", consent({"type": "permit", "provision": [{"type": "deny", "purpose": [{}]}]})),
    ("an objection with an exception that can't be read", deny(provision=[{"type": "permit", "data": [{}]}])),
    ("one with an exception that can never hold", deny(actor=[actor("901")], provision=[{"type": "permit", "actor": [actor("RDV")]}])),
    ("one with an exception that holds at another time", deny(period={"end": "2025"}, provision=[{"type": "permit", "period": {"start": "2026-02"}}])),
    ("one whose exceptions go deeper than anybody can follow", deny(provision=[nested(9)])),
    ("one to an organisation that this place does not know", deny(actor=[actor("RX1")])),
    ("one to a role that this place does not know", deny(actor=[actor("wizard", system=ROLE)])),
    ("one for a purpose of no known list", deny(purpose=[{"system": "https://x.example", "code": "TREAT"}])),
    ("one with a label that says nothing here", deny(securityLabel=[{"system": LABEL, "code": "CELEBRITY"}])),
    ("one about what hangs together with an item", deny(data=[{"meaning": "related", "reference": {"reference": f"Condition/{ITEM}"}}])),
    ("one about an item that is not here", deny(data=[{"meaning": "instance", "reference": {"reference": "Condition/17"}}])),
    ("one about a time that ends before it starts", deny(dataPeriod={"start": "2024", "end": "2023"})),
    ("one about an action that is not done here", deny(action=[{"coding": [{"code": "correct"}]}])),
    ("one with a code that says no system", deny(code=[{"coding": [{"code": "73211009"}]}])),
    ("one that says neither deny nor permit", consent({})),
    ("one without a provision, by a policy that we don't know", consent()),
    ("one that says something else", consent({"type": "perhaps"})),
    ("one to an actor without an organisation code", deny(actor=[actor("Dr Smith", system="https://x.example/staff")])),
    ("one to an actor who is only named", deny(actor=[{"role": actor("x")["role"], "reference": {"display": "My GP"}}])),
    ("one to a known and an unknown actor", deny(actor=[actor("901"), actor("x", system="https://x.example")])),
    ("one to an actor whose role is in words", deny(actor=[actor("901", "")])),
    ("one of a kind of information that the place does not know", deny(**{"class": [kind("rumours")]})),
    ("one of a known kind and of one in words", deny(code=[{"coding": [kind("problems")]}, {"text": "my letters"}])),
    ("one that ends before it starts", deny(period={"start": "2026-05-01", "end": "2026-04-01"})),
    ("one that ends as it starts", deny(period={"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"})),
    ("one whose end nobody can read", deny(period={"start": "2026-05-01", "_end": {"extension": []}})),
    ("one whose beginning is no date", deny(period={"start": "soon"})),
    ("one that never begins", deny(period={"start": "9999-12-31"})),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), STRICTER, ids=[what for what, _ in STRICTER])
def test_what_can_not_be_held_to_exactly_hides_everything_from_everybody(what: str, body: dict[str, Any]) -> None:
    found = compile_consent(body, PLACE)
    assert found.directives == UNCLEAR
    assert all(found.problems), "and it is told why"
    assert found.problems


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
