"""What the scopes and the purpose of a token leave out: everywhere, in whatever way it is asked (rule L0-scope)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fhir_builders import (
    ANN,
    ANN_NUMBER,
    BOB_NUMBER,
    DOCTOR,
    HER_ITEMS,
    ON_THE_WARD,
    api,
    bearer,
    entries,
    involve,
    link,
    people,
    read,
    registered,
    token,
    trail,
    wrong,
)
from flask.testing import FlaskClient
from ingest_builders import condition, key, observation, take
from sqlalchemy import Connection, Engine

from carelink import clock
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db.tables import directive
from carelink.errors import NotFound
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place
from carelink.record import search, store
from carelink.record.query import Query

ALL = "system/*.rs"
SOME = "system/Patient.read system/Condition.read"
PROBLEM = HER_ITEMS[1]
Opens = Callable[..., FlaskClient]


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def opens(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Opens:
    """A system of the hospital with these scopes, which asks with its token."""
    app = api(engine, place)

    def client(scopes: str = ALL, id_: str = "ward", role: str = "nurse", **form: str) -> FlaskClient:
        made = app.test_client()
        secret = registered(engine, place, id_, "RDV", role, ALL)
        made.environ_base["HTTP_AUTHORIZATION"] = bearer(token(made, id_, secret, scope=scopes, **form))[
            "Authorization"
        ]
        return made

    return client


def lens(place: Place, now: datetime, *types: str, purpose: str = "TREAT") -> Lens:
    """Of a ward nurse whose token names these types; none: all."""
    asks = Requester(UserId("client:ward"), "ward", Ods("RDV"), "nhs-trust", "nurse", purpose)
    return Lens.compile(place, replace(asks, types=frozenset(types) or None), now)


def test_everything_is_of_the_types_that_the_scopes_name_and_its_total_says_so(
    opens: Opens, who: dict[str, PersonKey]
) -> None:
    asked = f"/fhir/R4/Patient/{who['ann']}/$everything"
    less, all_ = read(opens(SOME).get(asked)), read(opens().get(asked))
    assert entries(less)[0]["id"] == str(who["ann"])
    assert {one["id"] for one in entries(less)[1:]} == {str(key(ANN)), str(key(PROBLEM))}
    assert (less["total"], entries(less, "include")) == (3, [])
    assert (all_["total"], [one["id"] for one in entries(all_, "include")]) == (5, [str(key(DOCTOR))])


def test_who_is_named_is_given_where_a_scope_names_their_type(opens: Opens, who: dict[str, PersonKey]) -> None:
    found = read(
        opens("system/Patient.rs system/Observation.rs system/Practitioner.rs").get(
            f"/fhir/R4/Patient/{who['ann']}/$everything"
        )
    )
    assert {one["resourceType"] for one in entries(found)} == {"Patient", "Observation"}
    assert [one["id"] for one in entries(found, "include")] == [str(key(DOCTOR))]


def test_scopes_never_make_it_say_that_something_is_withheld_and_what_is_withheld_of_their_types_is_said(
    opens: Opens, engine: Engine, who: dict[str, PersonKey], place: Place
) -> None:
    asked = f"/fhir/R4/Patient/{who['ann']}/$everything"
    client = opens(SOME)
    assert "suppressed" not in client.get(asked).text
    with engine.begin() as conn:
        theirs = [ANN, condition("gp-c1", "ann"), observation("gp-o1", "ann")]
        take(conn, place, [replace(one, namespace="P81001/ann") for one in theirs], clock.now(), "gp")
        _deny(conn, who["ann"], types=["Observation"])
    assert "suppressed" not in client.get(asked).text, "nothing of its types is"
    assert "suppressed" in opens().get(asked).text
    with engine.begin() as conn:
        _deny(conn, who["ann"], types=["Condition"])
    assert "suppressed" in client.get(asked).text


def _deny(conn: Connection, person: PersonKey, types: list[str]) -> None:
    row = {"person": person, "consent": key(ANN), "rule": "L7-objection", "effect": "deny", "types": types}
    conn.execute(directive.insert().values(**row, starts=datetime.fromisoformat("2020-01-01T00:00:00+00:00")))


@pytest.mark.parametrize(("types", "seen"), [(("Patient", "Condition"), True), (("Patient", "Observation"), False)])
def test_nothing_reaches_around_the_scopes(
    engine: Engine, place: Place, who: dict[str, PersonKey], types: tuple[str, ...], seen: bool
) -> None:
    """Read, history, one version, search, count and keys ask through the one lens."""
    asks = lens(place, clock.now(), *types)
    with engine.begin() as conn:
        by_key = search.by_keys(conn, asks, [key(PROBLEM)])
        listed = search.run(conn, asks, Query(("Condition",), person=who["ann"])).rows
        of_all = [one for one in search.run(conn, asks, Query(person=who["ann"])).rows if one.type == "Condition"]
        counted = search.count(conn, asks, Query(("Condition",), person=who["ann"]))
        assert [len(by_key), len(listed), len(of_all), counted] == [int(seen)] * 4
        if seen:
            assert store.history(conn, asks, "Condition", key(PROBLEM))
            assert store.vread(conn, asks, "Condition", key(PROBLEM), 1)
            assert search.get(conn, asks, "Condition", key(PROBLEM))
            return
        for ask in (
            lambda: search.get(conn, asks, "Condition", key(PROBLEM)),
            lambda: store.history(conn, asks, "Condition", key(PROBLEM)),
            lambda: store.vread(conn, asks, "Condition", key(PROBLEM), 1),
        ):
            with pytest.raises(NotFound):
                ask()


def test_a_person_of_whom_the_scopes_name_nothing_is_not_found(
    engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn, pytest.raises(NotFound):
        store.everything(conn, lens(place, clock.now(), "Appointment"), who["ann"])


def test_the_page_of_one_scope_or_purpose_is_not_followed_with_another(
    opens: Opens, engine: Engine, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        involve(conn, who["bob"], "RDV")
    form = {"identifier": f"{ANN_NUMBER},{BOB_NUMBER}", "_count": "1"}
    client = opens(SOME)
    first = read(client.post("/fhir/R4/Patient/_search", data=form))
    more = link(first, "next")
    assert len(entries(read(client.get(more)))) == 1
    assert len(entries(read(opens(SOME).get(more)))) == 1, "a new token of the same kind goes on"
    for other in (opens(ALL), opens("system/Patient.rs"), opens(SOME, purpose_of_use="ETREAT"), opens(SOME, "other")):
        issue = wrong(other.get(more), 400, "invalid")
        assert issue["expression"] == ["_page"]


def test_what_is_asked_for_another_purpose_of_the_role_is_kept_so(
    opens: Opens, engine: Engine, who: dict[str, PersonKey]
) -> None:
    opens(purpose_of_use="ETREAT").get(f"/fhir/R4/Patient/{who['ann']}")
    kept = trail(engine)[-1]
    assert (kept.action, kept.purpose, kept.person) == ("read", "ETREAT", who["ann"])


def test_the_audit_is_read_by_who_has_its_scope_and_not_by_who_has_another(opens: Opens) -> None:
    wrong(opens(SOME, "lead", "ig-lead").get("/fhir/R4/AuditEvent?date=ge2020"), 403, "forbidden")
    found = read(opens("system/AuditEvent.rs", "lead", "ig-lead").get("/fhir/R4/AuditEvent?date=ge2020"))
    assert {one["resourceType"] for one in entries(found)} == {"AuditEvent"}


def test_a_refusal_for_a_scope_says_nothing_of_the_person(opens: Opens, who: dict[str, PersonKey]) -> None:
    client = opens("system/Consent.rs")
    there = client.get(f"/fhir/R4/Patient/{who['ann']}")
    absent = client.get(f"/fhir/R4/Patient/{key(ON_THE_WARD)}")
    wrong(there, 403, "forbidden")
    assert there.data == absent.data


def test_scopes_hold_for_what_is_stored_after_the_token_was_given(
    opens: Opens, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    client = opens(SOME)
    with engine.begin() as conn:
        take(conn, place, [ANN, observation("o2", "ann"), condition("c9", "ann")], clock.now() + timedelta(seconds=1))
    found = read(client.get(f"/fhir/R4/Patient/{who['ann']}/$everything"))
    assert {one["resourceType"] for one in entries(found)} == {"Patient", "Condition"}
    assert found["total"] == 4
