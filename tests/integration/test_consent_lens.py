"""The same decision twice: as SQL in every statement, and as a value with its rule. The two must never differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product
from uuid import uuid4

import pytest
from conftest import NOW
from consent_builders import (
    ANN,
    DAY,
    HOSPITAL,
    LONG_AGO,
    NORTH,
    PLACE,
    SOUTH,
    SURGERY,
    facts,
    item,
    key_of,
    labels_of,
    lens_of,
    objects,
    related,
    staff,
    store_item,
    store_person,
)
from consent_cases import ANN_HERSELF, HIS, IRIS, LENA, NADIA, NOBODY, SAM, TOM, WARD, Case, also
from consent_cases_whole import CASES
from consent_world import EVERYBODY, WHO, store_world
from sqlalchemy import Connection, FromClause, event, select, text
from sqlalchemy.dialects.postgresql import dialect

from carelink.consent.facts import Labelled
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.predicate import as_array
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.db.tables import person, resource, resource_version
from carelink.errors import NotFound
from carelink.ids import ODS, Ods, ResourceKey
from carelink.record import search, store
from carelink.record.query import Criterion, Query

Answers = dict[ResourceKey, Effect]


def asked(conn: Connection, lens: Lens, t: FromClause = resource) -> Answers:
    """What the SQL of the lens says of every row: shown, shown redacted, or not."""
    shown = conn.execute(select(t.c.key, lens.body(t).label("sent")).where(lens.where(t)))
    return {ResourceKey(row.key): Effect.PERMIT if "FULL" in row.sent else Effect.REDACT for row in shown}


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_the_table_as_sql(conn: Connection, case: Case) -> None:
    store_person(conn, case.item.person or ANN, case.person)
    key = store_item(conn, case.item)
    lens = lens_of(case.who, case.place)
    assert asked(conn, lens).get(key, Effect.DENY) is case.effect
    assert asked(conn, lens, resource_version).get(key, Effect.DENY) is case.effect


@pytest.fixture
def world(conn: Connection) -> dict[ResourceKey, Labelled]:
    return store_world(conn)


def test_the_sql_of_a_lens_agrees_with_its_decision_on_every_kind_of_item_person_and_requester(
    conn: Connection, world: dict[ResourceKey, Labelled]
) -> None:
    known = {key_of(name): facts_of(conn, key_of(name)) for name in EVERYBODY}
    assert known == {key_of(name): told for name, told in EVERYBODY.items()}, "the tables hold what was told"
    for requester in WHO:
        lens = lens_of(requester)
        decided = {
            key: lens.decide(one, known[one.person] if one.person else NOBODY).effect for key, one in world.items()
        }
        permitted = {key: effect for key, effect in decided.items() if effect is not Effect.DENY}
        assert asked(conn, lens) == permitted, requester
        assert asked(conn, lens, resource.alias("another")) == permitted, requester
        assert asked(conn, lens, resource_version) == permitted, requester
        assert asked(conn, lens, resource_version.alias("another")) == permitted, requester


def test_that_world_has_every_answer_for_somebody(conn: Connection, world: dict[ResourceKey, Labelled]) -> None:
    """Or else the test above would compare nothing with nothing."""
    told = {requester.user: asked(conn, lens_of(requester)) for requester in WHO}
    assert {effect for answers in told.values() for effect in answers.values()} == {Effect.PERMIT, Effect.REDACT}
    assert len(told["sam"]) > len(told["lena"]) > 0
    assert len(asked(conn, Lens.system("test", NOW))) == len(world)


def test_a_person_may_be_opened_by_whoever_is_involved_for_direct_care_and_by_themselves(conn: Connection) -> None:
    for name, known in EVERYBODY.items():
        store_person(conn, key_of(name), known)
    for requester, (name, known) in product(WHO, EVERYBODY.items()):
        lens, key = lens_of(requester), key_of(name)
        involved = any(one.holds(requester, NOW) for one in known.related)
        assert lens.standing is not None
        expected = key == requester.person if requester.person else involved and lens.standing.cares
        assert lens.person_visible(conn, key) is expected, (requester.user, name)
        assert lens.locating_allowed(person.c.key) is not None
    assert Lens.system("test", NOW).person_visible(conn, ANN)


def test_people_are_found_by_place_unless_they_are_restricted_and_the_role_may_not_know_where(conn: Connection) -> None:
    for name, known in EVERYBODY.items():
        store_person(conn, key_of(name), known)
    restricted = {key_of("restricted"), key_of("restricted, and objects")}
    for requester, told in ((SAM, False), (TOM, True), (staff("tom", "CAREMGT"), False), (ANN_HERSELF, True)):
        lens = lens_of(requester)
        allowed = set(conn.execute(select(person.c.key).where(lens.locating_allowed(person.c.key))).scalars())
        kept_away = {key_of("kept from a worker by a court")} if requester is SAM else set()
        assert allowed == {key_of(name) for name in EVERYBODY} - (set() if told else restricted) - kept_away, requester


def test_the_statement_is_the_same_text_for_everybody() -> None:
    """So it is compiled once; and nothing of a requester can stand in it but as a bound value."""
    texts = {
        str(select(resource.c.key, lens.body()).where(lens.where()).compile(dialect=dialect()))
        for lens in map(lens_of, (SAM, NADIA, IRIS, ANN_HERSELF, replace(SAM, user="x' or true --")))  # type: ignore[arg-type]
    }
    assert len(texts) == 1
    assert "sam" not in texts.pop()


@pytest.mark.parametrize(
    "query",
    [
        Query(types=("Condition",), person=ANN),
        Query(types=("Observation",), person=ANN, categories=("results",), sort="-last_updated"),
        Query(
            types=("Patient",),
            criteria=(Criterion("identifier", ("https://fhir.nhs.uk/Id/nhs-number|1",)),),
            goldens=True,
        ),
    ],
    ids=["of one person", "of a kind of information", "by a number"],
)
def test_a_search_is_short_enough_for_the_driver_to_keep_what_it_read_of_it(conn: Connection, query: Query) -> None:
    """psycopg reads a longer one anew each time that it is asked (decision 34)."""
    said: list[str] = []
    event.listen(conn, "before_cursor_execute", lambda c, cursor, text_, *more: said.append(text_))
    search.run(conn, lens_of(SAM), query)
    assert [len(one) for one in said if len(one) > 4096] == []
    assert len(said) == 2


def test_what_a_requester_is_called_can_not_change_the_question(conn: Connection) -> None:
    store_person(conn, ANN, NOBODY)
    store_item(conn, item(SURGERY, "problems"))
    for odd in ("' or true --", "\\", "%(param_1)s", "{person}", ":self", "null"):
        crooked = replace(SAM, user=odd, team=odd, organisation=Ods(odd), role=odd)  # type: ignore[arg-type]
        assert asked(conn, lens_of(crooked)) == {}


# A question of identity -----------------------------------------------------------------------------


@pytest.mark.parametrize("called", ["", "null", "a,b", '"', "\\", "{}", "' or true --", " O\u2019Hara ", "t\\"])
def test_an_array_says_what_it_was_made_of(conn: Connection, called: str) -> None:
    asked_ = text("select cast(:texts as text[]), cast(:numbers as int[]), cast(:flags as boolean[])")
    given = {
        "texts": as_array([called, None, called]),
        "numbers": as_array([3, -1]),
        "flags": as_array([True, False]),
    }
    assert tuple(conn.execute(asked_, given).one()) == ([called, None, called], [3, -1], [True, False])


def test_who_decides_links_sees_patients_and_nothing_else_and_nothing_that_the_law_restricts(conn: Connection) -> None:
    """Rule L0-identity: whom the two records say that they are about, for a role that decides whether they are one."""
    store_person(conn, ANN, facts(restricted=True))
    home = item(HOSPITAL, "demographics", locating=True)
    shown = store_item(conn, home, "Patient")
    plain = store_item(conn, item(SURGERY, "demographics", "SDV"), "Patient")
    store_item(conn, item(SURGERY, "demographics", "LEGAL"), "Patient")
    store_item(conn, home, "Patient", deleted=True)
    store_item(conn, item(SURGERY, "problems"), "Condition")

    def identified(requester: Requester) -> Answers:
        lens = lens_of(requester)
        rows = conn.execute(select(resource.c.key, lens.body().label("sent")).where(lens.identifies()))
        return {ResourceKey(row.key): Effect.REDACT if "LESS" in row.sent else Effect.PERMIT for row in rows}

    assert identified(IRIS) == {shown: Effect.REDACT, plain: Effect.PERMIT}
    assert asked(conn, lens_of(IRIS)) == {}, "but no record is opened by that"
    for stranger in (SAM, NADIA, TOM, ANN_HERSELF, staff("iris", "TREAT"), replace(SAM, role="inspector")):
        assert identified(stranger) == {}
    assert len(conn.execute(select(resource.c.key).where(Lens.system("test", NOW).identifies())).all()) == 5


# Old versions --------------------------------------------------------------------------------------


def versions(conn: Connection, *labels: Labelled) -> ResourceKey:
    """A resource that was labelled so, one version after the other."""
    key = store_item(conn, labels[0])
    for number, one in enumerate(labels[1:], 2):
        labelled = labels_of(one, "Condition", key)
        conn.execute(resource.update().where(resource.c.key == key).values(version=number, **labelled))
        conn.execute(resource_version.insert().values(key=key, version=number, **labelled))
    return key


def seen_versions(conn: Connection, lens: Lens, key: ResourceKey) -> list[int]:
    try:
        return [row.version for row in store.history(conn, lens, "Condition", key)]
    except NotFound:
        return []


OPEN, HIDDEN = item(SURGERY, "problems"), item(SURGERY, "problems", "HIV")
HISTORIES = [
    ("labels that stayed", [OPEN, OPEN], [2, 1]),
    ("a sensitivity that was noticed late hides what was there before too", [OPEN, HIDDEN], []),
    ("one that was taken back leaves hidden what it was on", [HIDDEN, OPEN], [2]),
    ("one that came and went", [OPEN, HIDDEN, OPEN], [3, 1]),
    ("a kind that is not shared", [OPEN, item(SURGERY, "documents")], []),
]


@pytest.mark.parametrize(("what", "labels", "wanted"), HISTORIES, ids=[what for what, *_ in HISTORIES])
def test_an_old_version_is_seen_where_its_own_labels_and_those_of_today_allow_it(
    conn: Connection, what: str, labels: list[Labelled], wanted: list[int]
) -> None:
    store_person(conn, ANN, HIS)
    key = versions(conn, *labels)
    assert seen_versions(conn, lens_of(SAM), key) == wanted
    assert seen_versions(conn, lens_of(LENA), key) == []
    assert seen_versions(conn, Lens.system("test", NOW), key) == list(range(len(labels), 0, -1))
    for number in range(1, len(labels) + 1):
        if number in wanted:
            assert store.vread(conn, lens_of(SAM), "Condition", key, number).version == number
        else:
            with pytest.raises(NotFound):
                store.vread(conn, lens_of(SAM), "Condition", key, number)


def test_old_versions_of_a_restricted_person_are_redacted_like_the_new_one(conn: Connection) -> None:
    store_person(conn, ANN, also(HIS, restricted=True))
    home = item(SURGERY, "demographics", locating=True)
    key = versions(conn, home, home, item(SURGERY, "demographics"))
    sent = {row.version: row.body for row in store.history(conn, lens_of(SAM), "Condition", key)}
    assert ["LESS" in sent[number] for number in (1, 2, 3)] == [True, True, False]
    assert all("FULL" in row.body for row in store.history(conn, Lens.system("test", NOW), "Condition", key))


def test_what_is_deleted_is_in_no_answer_but_its_past_is_seen_by_whom_it_was_shown_to(conn: Connection) -> None:
    store_person(conn, ANN, HIS)
    key = store_item(conn, OPEN)
    conn.execute(resource.update().where(resource.c.key == key).values(version=2, deleted=True))
    last = labels_of(OPEN, "Condition", key, deleted=True)
    conn.execute(resource_version.insert().values(key=key, version=2, **last))
    lens = lens_of(SAM)
    query = Query(("Condition",), person=ANN)
    assert search.run(conn, lens, query).rows == ()
    assert search.count(conn, lens, query) == 0
    assert search.by_keys(conn, lens, [key]) == ()
    for read in (search.get, lambda *asked: store.vread(*asked, 2)):
        with pytest.raises(NotFound):
            read(conn, lens, "Condition", key)
    assert seen_versions(conn, lens, key) == [1]
    assert seen_versions(conn, lens_of(LENA), key) == []


# What changes takes effect on the next request ----------------------------------------------------------


CONSENT = ResourceKey(uuid4())


def consent(**provision: object) -> dict[str, object]:
    privacy = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    return {
        "resourceType": "Consent",
        "id": str(CONSENT),
        "status": "active",
        "scope": {"coding": [privacy]},
        "category": [{"text": "Objection to sharing"}],
        "policyRule": {"text": "Place policy"},
        "patient": {"reference": f"Patient/{ANN}"},
        "provision": {"type": "deny", **provision},
    }


def to(ods: str) -> dict[str, object]:
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    return {"actor": [{"role": role, "reference": {"identifier": {"system": ODS, "value": ods}}}]}


def of(category: str) -> dict[str, object]:
    return {"class": [{"system": "https://carelink.example/category", "code": category}]}


# what is put -> what the social worker, and the nurse of the ward, still see of problems (P) and demographics (D)
CONSENTS = [
    ("everything", consent(), "", ""),
    ("to the council", consent(**to(NORTH)), "", "D"),
    ("of problems", consent(**of("problems")), "D", "D"),
    ("of problems to another council", consent(**to(SOUTH), **of("problems")), "PD", "D"),
    ("from tomorrow on", consent(period={"start": "2026-11-25"}), "PD", "D"),
    ("until yesterday", consent(period={"end": "2026-11-23"}), "PD", "D"),
    ("until today", consent(period={"end": "2026-11-24"}), "", ""),
    ("that can't be read exactly", consent(purpose=[{"code": "TREAT"}]), "", ""),
    ("that ends before it starts", consent(period={"start": "2026-12-02", "end": "2026-12-01"}), "", ""),
    ("that was withdrawn", consent() | {"status": "inactive"}, "PD", "D"),
]


@pytest.mark.parametrize(("what", "body", "sam", "nadia"), CONSENTS, ids=[what for what, *_ in CONSENTS])
def test_an_objection_takes_effect_on_the_next_request_and_ends_so(
    conn: Connection, what: str, body: dict[str, object], sam: str, nadia: str
) -> None:
    store_person(conn, ANN, also(HIS, *WARD.related))
    letters = {store_item(conn, item(SURGERY, "problems")): "P", store_item(conn, item(SURGERY, "demographics")): "D"}

    def seen(requester: Requester) -> str:
        shown = asked(conn, lens_of(requester))
        return "".join(letter for key, letter in letters.items() if key in shown)

    assert (seen(SAM), seen(NADIA)) == ("PD", "D")
    store.put(conn, PLACE, body, ANN, None, NOW)
    assert (seen(SAM), seen(NADIA)) == (sam, nadia)
    store.delete(conn, PLACE, Lens.system("test", NOW), "Consent", CONSENT)
    assert (seen(SAM), seen(NADIA)) == ("PD", "D")


def test_a_person_who_becomes_restricted_is_so_without_a_row_of_theirs_being_written(conn: Connection) -> None:
    store_person(conn, ANN, HIS)
    key = store_item(conn, item(SURGERY, "demographics", locating=True))
    lens = lens_of(SAM)
    assert asked(conn, lens) == {key: Effect.PERMIT}
    conn.execute(person.update().where(person.c.key == ANN).values(restricted=True))
    assert asked(conn, lens) == {key: Effect.REDACT}


def test_the_same_lens_asks_for_the_time_that_it_was_made_for(conn: Connection) -> None:
    store_person(conn, ANN, also(facts(related(ends=NOW + DAY)), objects(starts=NOW + DAY / 2)))
    key = store_item(conn, OPEN)
    times = {LONG_AGO - DAY: False, LONG_AGO: True, NOW: True, NOW + DAY / 2: False, NOW + DAY: False}
    assert {at: key in asked(conn, lens_of(SAM, at=at)) for at in times} == times


MOMENTS = (LONG_AGO, NOW - DAY, NOW, NOW + DAY)


@pytest.mark.parametrize("at", MOMENTS)
def test_they_agree_at_any_time(conn: Connection, at: datetime) -> None:
    periods = list(product(MOMENTS, (None, *MOMENTS)))
    known = {
        key_of(f"{number}"): facts(related(starts=starts, ends=ends), objects(starts=ends or LONG_AGO, ends=starts))
        for number, (starts, ends) in enumerate(periods)
    }
    for key, told in known.items():
        store_person(conn, key, told)
    items = {store_item(conn, item(SURGERY, "problems", of=key)): key for key in known}
    lens = lens_of(SAM, at=at)
    seen = {key for key, whose in items.items() if lens.decide(item(SURGERY, "problems", of=whose), known[whose]).effect is not Effect.DENY}  # fmt: skip
    assert set(asked(conn, lens)) == seen
