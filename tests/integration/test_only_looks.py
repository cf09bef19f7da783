"""Who records something of a person: whoever is involved. Broken glass, and the person's word, let somebody look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from breakglass_builders import grant, said, trail
from fhir_builders import bearer, registered, token
from flask import Flask
from ingest_builders import item, key
from page_builders import RECORD, lens, objection, page, signed_in
from sqlalchemy import Connection, Engine, delete

from carelink.cases import capacity, capacity_acts, consents, labelling, labelling_queue
from carelink.cases.capacity_shapes import Assessment
from carelink.cases.consent_form import Effect, How, Wish
from carelink.cases.consents import Given
from carelink.cases.labelling import Wanted
from carelink.cases.recording import IN_NEED, ONLY_LOOKS, PERMITTED
from carelink.consent.capacity import Giver, Relation
from carelink.consent.lens import Lens
from carelink.consent.mind import Decision, Outcome
from carelink.consent.view_as import lens_of, of_worker
from carelink.db.tables import directive, label_hint, relationship
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey
from carelink.place import Place

TOM = "tom.ellis"  # a general practitioner, who records consents and corrects labels
MEDICINE = key(item("MedicationStatement", "ms", RECORD), "gp")
GIVEN = Given(Giver(Relation.THE_PERSON), How.FACE_TO_FACE)
LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
HINT = 77
Act = Callable[[Connection, Place, Lens, PersonKey], object]


def _assessed(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> object:
    said = Assessment(False, Decision.SHARING, Outcome.HAS, lens.at, "Tom", {}, "He said it back")
    return capacity_acts.record_assessment(conn, place, lens, person, said, "t")


ACTS: dict[str, Act] = {
    "a consent": lambda conn, place, lens, who: consents.record(
        conn, place, lens, who, Wish(Effect.OBJECTS), GIVEN, "t"
    ),
    "who decides": _assessed,
    "a label": lambda conn, place, lens, _: labelling.correct(
        conn, place, lens, MEDICINE, Wanted("medicines", ("HIV",), "Part of an HIV regime")
    ),
    "an answer": lambda conn, place, lens, _: labelling_queue.not_needed(conn, lens, HINT),
}


@pytest.fixture
def theirs(changed: Engine, place: Place, known: PersonKey) -> Engine:
    """A database in which an item of Nora's practice waits for somebody to look at its words."""
    rule = next(one.id for one in place.labels if one.text)
    with changed.begin() as conn:
        row = {"id": HINT, "resource": MEDICINE, "person": known, "custodian": "P81001", "rule": rule}
        conn.execute(label_hint.insert().values(**row, raised_at=LONG_AGO))
    return changed


def left(conn: Connection, person: PersonKey) -> None:
    """The practice is not involved with the person any more."""
    conn.execute(delete(relationship).where(relationship.c.person == person, relationship.c.organisation == "P81001"))


def in_need(conn: Connection, person: PersonKey, now: datetime) -> None:
    """Tom is involved by nothing but broken glass."""
    left(conn, person)
    ends, due = now + timedelta(minutes=55), now + timedelta(days=3)
    grant(
        conn, person, now - timedelta(minutes=5), user=TOM, organisation="P81001", role="gp", ends=ends, review_due=due
    )


def permitted(conn: Connection, person: PersonKey, now: datetime) -> None:
    """Tom's practice is involved by nothing but the person's permission."""
    left(conn, person)
    row = {"person": person, "consent": uuid4(), "rule": "L6-consent-permit", "effect": "permit", "starts": LONG_AGO}
    conn.execute(directive.insert().values(**row, organisation="P81001", made=LONG_AGO))


WAYS_IN = [(in_need, IN_NEED), (permitted, PERMITTED)]


@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
def test_who_is_involved_records_it(theirs: Engine, place: Place, known: PersonKey, now: datetime, act: Act) -> None:
    with theirs.begin() as conn:
        act(conn, place, lens(conn, place, now, TOM), known)


@pytest.mark.parametrize(("way_in", "why"), WAYS_IN, ids=["in need", "permitted"])
@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
def test_who_only_looks_records_nothing(
    theirs: Engine,
    place: Place,
    known: PersonKey,
    now: datetime,
    act: Act,
    way_in: Callable[[Connection, PersonKey, datetime], None],
    why: str,
) -> None:
    with theirs.begin() as conn:
        way_in(conn, known, now)
        looks = lens(conn, place, now, TOM)
        assert looks.person_visible(conn, known)
        assert not looks.may_record(conn, known)
        with pytest.raises((Forbidden, NotFound)) as refused:
            act(conn, place, looks, known)
        if isinstance(refused.value, Forbidden):
            assert (str(refused.value), refused.value.rule) == (why, ONLY_LOOKS)
        else:
            assert act in (ACTS["an answer"], ACTS["a label"]), "of what they can't see they are told nothing"


def test_who_may_not_even_look_is_told_nothing_of_the_person(
    theirs: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    with theirs.begin() as conn:
        left(conn, known)
        for act in ACTS.values():
            with pytest.raises(NotFound):
                act(conn, place, lens(conn, place, now, TOM), known)


def test_the_pages_say_why_and_offer_nothing(theirs: Engine, app: Flask, known: PersonKey, now: datetime) -> None:
    before = signed_in(app, TOM, now)
    assert "Record what the person wants" in page(before, f"/people/{known}/consents").text
    assert "/labels/" in str([one.attributes for one in page(before, f"/people/{known}").all("a")])
    with theirs.begin() as conn:
        in_need(conn, known, now)
    tom = signed_in(app, TOM, now)
    for path, offered in (("consents", "Record what the person wants"), ("who-decides", "Record an authority")):
        told = page(tom, f"/people/{known}/{path}").one("main").text
        assert IN_NEED in told
        assert offered not in told
    assert "/labels/" not in str([one.attributes for one in page(tom, f"/people/{known}").one("main").all("a")])
    assert "Nora Hart" not in page(tom, "/labels").one("main").text
    refused = tom.get(f"/people/{known}/consents/new")
    assert (refused.status_code, IN_NEED in said(refused)) == (403, True)
    assert trail(theirs, "refusal")[-1].rules == [ONLY_LOOKS]


def test_a_person_records_of_themselves_and_of_nobody_else(
    theirs: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    with theirs.begin() as conn:
        own = lens(conn, place, now, "nora")
        assert own.may_record(conn, known)
        assert not own.may_record(conn, PersonKey(uuid4()))


def test_a_system_of_an_organisation_that_may_only_look_stores_no_consent(
    theirs: Engine, app: Flask, place: Place, known: PersonKey, now: datetime
) -> None:
    with theirs.begin() as conn:
        permitted(conn, known, now)
    client = app.test_client()
    scopes = "system/Patient.rs system/Consent.cu"
    secret = registered(theirs, place, "surgery", "P81001", "gp", scopes)
    headers = bearer(token(client, "surgery", secret))
    body = {**objection().body, "patient": {"reference": f"Patient/{known}"}}
    refused = client.post("/fhir/R4/Consent", json=body, headers=headers)
    assert (refused.status_code, PERMITTED in refused.get_data(as_text=True)) == (403, True)


def test_nobody_records_who_looks_as_somebody_else(
    theirs: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    with theirs.begin() as conn:
        viewed = lens_of(place, of_worker(place, TOM, involved=True), lens(conn, place, now, "iris.lang"), now)
        assert viewed.person_visible(conn, known)
        assert not viewed.may_record(conn, known)
        with pytest.raises(Forbidden):
            capacity.must_may(conn, viewed, known)
