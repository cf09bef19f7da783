"""Label rules that change: what was stored long before is labelled by them too, once a worker has been through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ingest_builders import SNOMED, body, condition, item, key, observation, patient, person_of, read, take, versions
from page_builders import allocation, lens
from sqlalchemy import Engine, select

from carelink.consent.explain import explain, lines
from carelink.db import sync
from carelink.db.tables import label_hint, outbox, resource
from carelink.ids import PersonKey, ResourceKey
from carelink.jobs import handlers, labels_changed
from carelink.jobs.shop import Shop
from carelink.place import LabelRule, LocalSensitivity, Place
from carelink.record import search
from carelink.record.query import Query
from carelink.settings import Settings

DIABETES = ("http://snomed.info/sct", "73211009")
TOLD = {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]}}
STOMA = LocalSensitivity("STOMA", "Stoma care", 7, "a test")
LATER = timedelta(hours=1)


@pytest.fixture
def known(engine: Engine, place: Place, now: datetime) -> Engine:
    """Somebody on Sam's caseload, in hospital with diabetes, a result and something that the hospital calls PSY."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        labels_changed.note(conn, place, now)
        take(conn, place, [patient(), allocation()], now, "council-a")
        told = condition("c2", code="195967001", **TOLD)
        take(conn, place, [patient(), condition(), told, observation()], now)
    work(engine, place, now)
    return engine


def work(engine: Engine, place: Place, now: datetime) -> None:
    """Every piece of this work that is open is done, as a worker does it."""
    t = outbox.c
    with engine.connect() as conn:
        asked = select(t.id).where(t.kind == labels_changed.KIND, t.done_at.is_(None))
        open_ = list(conn.execute(asked).scalars())
    for id_ in open_:
        assert handlers.run(Shop(engine, place, Settings(), lambda: now), id_)


def switch(engine: Engine, place: Place, now: datetime) -> bool:
    """The pack is this one from now on; gives whether there was something to do, which is done."""
    with engine.begin() as conn:
        asked = labels_changed.note(conn, place, now)
    work(engine, place, now)
    return asked


def with_rules(place: Place, *rules: LabelRule, own: Sequence[LocalSensitivity] = ()) -> Place:
    return replace(place, labels=(*rules, *place.labels), sensitivities=(*place.sensitivities, *own))


def conditions_of_sam(engine: Engine, place: Place, now: datetime) -> list[str]:
    """What the social worker sees of the problems."""
    with engine.begin() as conn:
        sam = lens(conn, place, now, "sam.okafor")
        rows = search.run(conn, sam, Query(types=("Condition",), person=_person(engine))).rows
        return sorted(body(row)["code"]["coding"][0]["code"] for row in rows)


def _person(engine: Engine) -> PersonKey:
    with engine.connect() as conn:
        return person_of(conn, patient())


def _bits(engine: Engine) -> dict[Any, int]:
    with engine.connect() as conn:
        return {row.key: row.sensitivities for row in conn.execute(select(resource.c.key, resource.c.sensitivities))}


def test_a_new_rule_hides_what_was_stored_before_once_a_worker_has_been_through_it(
    known: Engine, place: Place, now: datetime
) -> None:
    assert conditions_of_sam(known, place, now) == ["73211009"]
    stricter = with_rules(place, LabelRule("d", "a test", sensitivities=("SEX",), codes=frozenset([DIABETES])))
    assert switch(known, stricter, now + LATER)
    assert conditions_of_sam(known, stricter, now) == []
    with known.begin() as conn:
        labels = body(read(conn, condition(), now))["meta"]["security"]
    assert [one["code"] for one in labels] == ["SEX"]


def test_a_rule_that_goes_shows_it_again_but_never_what_the_source_itself_said(
    known: Engine, place: Place, now: datetime
) -> None:
    stricter = with_rules(place, LabelRule("d", "a test", sensitivities=("PSY",), types=("Condition",)))
    switch(known, stricter, now + LATER)
    assert conditions_of_sam(known, stricter, now) == []
    switch(known, place, now + 2 * LATER)
    assert conditions_of_sam(known, place, now) == ["73211009"]
    with known.begin() as conn:
        assert body(read(conn, condition("c2"), now))["meta"]["security"] == TOLD["meta"]["security"]
        assert "security" not in body(read(conn, condition(), now))["meta"]


def test_a_sensitivity_that_the_place_adds_hides_until_an_agreement_names_it(
    known: Engine, place: Place, now: datetime
) -> None:
    rule = LabelRule("stoma", "a test", sensitivities=("STOMA",), codes=frozenset([DIABETES]))
    switch(known, with_rules(place, rule, own=[STOMA]), now + LATER)
    own = with_rules(place, rule, own=[STOMA])
    assert conditions_of_sam(known, own, now) == []
    assert _bits(known)[key(condition())] == 1 << 21
    named = tuple(replace(one, sensitivities=one.sensitivities | {"STOMA"}) for one in own.agreements)
    assert conditions_of_sam(known, replace(own, agreements=named), now) == ["73211009"]
    assert conditions_of_sam(known, place, now) == [], "a pack that has forgotten the sensitivity shows nothing more"


def test_only_what_has_another_label_has_a_new_version(known: Engine, place: Place, now: datetime) -> None:
    with known.connect() as conn:
        before = versions(conn)
    rule = LabelRule("d", "a test", category="documents", codes=frozenset([DIABETES]))
    switch(known, with_rules(place, rule), now + LATER)
    with known.connect() as conn:
        after = versions(conn)
    assert {one for one in after if after[one] != before[one]} == {key(condition())}


def test_what_is_labelled_again_is_not_new_when_its_source_sends_it_again(
    known: Engine, place: Place, now: datetime
) -> None:
    stricter = with_rules(place, LabelRule("d", "a test", sensitivities=("SEX",), codes=frozenset([DIABETES])))
    switch(known, stricter, now + LATER)
    with known.begin() as conn:
        again = take(conn, stricter, [patient(), condition(), condition("c2", code="195967001", **TOLD)], now + LATER)
    assert (again.stored, again.unchanged) == (0, 3)


def test_the_same_rules_are_worked_with_once(known: Engine, place: Place, now: datetime) -> None:
    assert not switch(known, place, now)
    stricter = with_rules(place, LabelRule("d", "a test", sensitivities=("SEX",), codes=frozenset([DIABETES])))
    assert switch(known, stricter, now)
    assert not switch(known, stricter, now)


def test_the_order_of_codes_is_no_change_and_every_part_of_a_rule_is_one(place: Place) -> None:
    rule = LabelRule("r", "a test", sensitivities=("SEX",), codes=frozenset([DIABETES, (SNOMED, "1")]))
    mine = labels_changed.fingerprint(with_rules(place, rule))
    assert labels_changed.fingerprint(with_rules(place, replace(rule, codes=frozenset(sorted(rule.codes))))) == mine
    others = [
        replace(rule, category="documents"),
        replace(rule, sensitivities=("SEX", "MH")),
        replace(rule, sources=("gp",)),
        replace(rule, types=("Condition",)),
        replace(rule, codes=rule.codes | {(SNOMED, "2")}),
        replace(rule, documents=frozenset([DIABETES])),
        replace(rule, text=("word",)),
    ]
    assert len({mine, *(labels_changed.fingerprint(with_rules(place, one)) for one in others)}) == 8


def test_many_are_labelled_part_by_part(
    known: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_changed, "PART", 2)
    stricter = with_rules(place, LabelRule("all", "a test", sensitivities=("SEX",), sources=("hospital",)))
    switch(known, stricter, now + LATER)
    bits = _bits(known)
    mine = [patient(), condition(), condition("c2"), observation()]
    assert all(bits[key(one)] & 32 for one in mine)
    golden = _person(known)
    assert not bits[golden] & 32, "the council's Patient is plain: who it is stays known"


def test_a_patient_that_becomes_sensitive_leaves_the_golden_record(known: Engine, place: Place, now: datetime) -> None:
    stricter = with_rules(
        place, LabelRule("all", "a test", sensitivities=("LEGAL",), sources=("council-a",), types=("Patient",))
    )
    with known.begin() as conn:
        take(conn, place, [patient(maritalStatus={"text": "Married"})], now + LATER, "council-a")
    switch(known, stricter, now + 2 * LATER)
    with known.begin() as conn:
        sam = lens(conn, stricter, now, "sam.okafor")
        golden = search.get(conn, sam, "Patient", ResourceKey(_person(known)))
        assert [link["other"]["reference"] for link in body(golden)["link"]] == [f"Patient/{key(patient())}"]


def test_a_worker_with_other_rules_leaves_it_to_one_that_knows_the_new(
    known: Engine, place: Place, now: datetime
) -> None:
    stricter = with_rules(place, LabelRule("d", "a test", sensitivities=("SEX",), codes=frozenset([DIABETES])))
    with known.begin() as conn:
        labels_changed.note(conn, stricter, now)
        t = outbox.c
        id_ = conn.execute(select(t.id).where(t.kind == labels_changed.KIND, t.done_at.is_(None))).scalar_one()
    assert not handlers.run(Shop(known, place, Settings(), lambda: now), id_)
    assert handlers.run(Shop(known, stricter, Settings(), lambda: now), id_)


def test_new_words_raise_hints_for_what_is_stored_and_label_nothing(known: Engine, place: Place, now: datetime) -> None:
    rule = LabelRule("words", "a test", sensitivities=("SEX",), text=("diabetes",))
    before = _bits(known)
    switch(known, with_rules(place, rule), now + LATER)
    assert _bits(known) == before
    with known.connect() as conn:
        raised = conn.execute(select(label_hint.c.resource).where(label_hint.c.rule == "words")).scalars().all()
    assert sorted(raised) == sorted([key(condition()), key(condition("c2"))])


def test_what_a_reference_points_at_is_not_said_beside_it(known: Engine, place: Place, now: datetime) -> None:
    """Whoever sees the medicine, and not the problem, reads nowhere that the problem is HIV."""
    reason = {"reference": "Condition/c9", "display": "HIV infection"}
    dose = {"reference": "Practitioner/dr", "display": "Dr Desai"}
    asked = item(
        "MedicationRequest",
        "m1",
        status="active",
        intent="order",
        subject={"reference": "Patient/p1", "display": "Nora"},
        medicationCodeableConcept={"text": "Tablets"},
        reasonReference=[reason],
        requester=dose,
    )
    with known.begin() as conn:
        take(conn, place, [patient(), condition("c9", code="86406008"), asked], now)
        sam = lens(conn, place, now, "sam.okafor")
        seen = search.get(conn, sam, "MedicationRequest", key(asked))
    assert "HIV" not in seen.body
    assert body(seen)["requester"]["display"] == "Dr Desai"
    assert body(seen)["reasonReference"] == [{"reference": f"Condition/{key(condition('c9'))}"}]


def test_the_explanation_names_the_sensitivity_of_the_place(known: Engine, place: Place, now: datetime) -> None:
    rule = LabelRule("stoma", "a test", sensitivities=("STOMA",), codes=frozenset([DIABETES]))
    own = with_rules(place, rule, own=[STOMA])
    switch(known, own, now + LATER)
    with known.begin() as conn:
        told = lines(explain(conn, lens(conn, own, now, "sam.okafor"), _person(known), "test"), own)
    [mine] = [one for one in told if "STOMA" in one]
    assert "[STOMA]" in mine
    assert "L5-sensitive, STOMA" in mine
