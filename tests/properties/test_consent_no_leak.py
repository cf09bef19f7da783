"""Whatever is recorded, agreed and objected to: no reading function gives more, or less, than the decision permits.

And of a restricted person none gives anything that tells where they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from consent_builders import (
    DAY,
    HOSPITAL,
    NORTH,
    PLACE,
    SURGERY,
    facts,
    lens_of,
    objects,
    related,
    staff,
    themselves,
)
from consent_records import (
    DIRECTORY,
    TYPES,
    Person,
    Thing,
    marks,
    nhs_number,
    person,
    places_of,
    postcode,
    store,
    telephone,
    things,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from carelink.cases import caseload, finding, person_page, story
from carelink.consent.facts import Facts, Labelled
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.consent.unplaced import unplaced
from carelink.db.tables import metadata, resource, resource_version
from carelink.errors import NotFound
from carelink.ids import NHS_NUMBER, Ods, PersonKey, ResourceKey
from carelink.place import Agreement, Place
from carelink.record import search
from carelink.record import store as storing
from carelink.record.lookups import ASKED
from carelink.record.parameters import LOCATING_TYPES, PARAMETERS, Kind, Parameter, of_type
from carelink.record.query import Criterion, Query
from carelink.record.summary import summary
from carelink.record.timeline import EVENTS, Filters, timeline

EXAMPLES = 600 if os.environ.get("CARELINK_SOAK") else 50

# Worlds --------------------------------------------------------------------------------------------

# Weighted so that in most worlds something is shown, something hidden and something redacted.
ENDS = st.sampled_from((None, None, NOW, NOW + DAY))
INVOLVED = (
    *((NORTH, who) for who in ({}, {"user": "sam"}, {"team": "adults-north"}, {"team": "adults-west"})),
    *((HOSPITAL, who) for who in ({}, {"user": "nadia"}, {"team": "ward-7"})),
    *((SURGERY, who) for who in ({}, {"user": "tom"})),
)
RELATED = st.builds(
    lambda involved, ends: related("caseload", involved[0], ends=ends, **involved[1]), st.sampled_from(INVOLVED), ENDS
)
OBJECTS = st.builds(
    lambda to, category, ends: objects(to, category, ends=ends),
    st.sampled_from((None, NORTH, HOSPITAL)),
    st.sampled_from((None, "problems", "demographics", "encounters")),
    ENDS,
)
KNOWN = st.builds(
    lambda related_, objects_, restricted: facts(*related_, *objects_, restricted=restricted),
    st.lists(RELATED, min_size=1, max_size=5),
    st.just([]) | st.just([]) | st.lists(OBJECTS, max_size=2),
    st.booleans(),
)
CUSTODIANS = (NORTH, SURGERY, HOSPITAL)
KINDS = ("problems", "demographics", "encounters", "services")
CARE = ("", "", "", "", "MH", "HIV", "THIRD-PARTY", "LEGAL")


def _agreement(custodian: str, recipient: str, categories: set[str], named: set[str]) -> Agreement:
    roles, purposes = frozenset({"social-worker", "nurse", "gp"}), frozenset({"TREAT", "CAREMGT"})
    return Agreement("drawn", custodian, recipient, roles, frozenset(categories), purposes, "drawn", frozenset(named))


AGREEMENTS = st.lists(
    st.builds(
        _agreement,
        st.sampled_from(("*", "gp-practice", "nhs-trust", NORTH)),
        st.sampled_from(("*", "*", "council", HOSPITAL)),
        st.sets(st.sampled_from(KINDS), min_size=2),
        st.sets(st.sampled_from(("MH", "HIV"))),
    ),
    max_size=3,
)
# Two Patients, a medicine, a stay that others point at, who names that medicine, a package; then anything.
FIXED = ("Patient", "Patient", "Medication", "Encounter", "MedicationStatement", "EpisodeOfCare")
WHO: tuple[Requester, ...] = (
    *(staff("sam"), staff("nadia"), staff("tom")) * 3,
    staff("gwen"),
    staff("iris"),
    staff("nadia", "HRESCH"),
    themselves(person(0)),
)


def records(number: int) -> st.SearchStrategy[Person]:
    def thing(type_: str) -> st.SearchStrategy[Thing]:
        kinds = ("demographics", "demographics", "problems") if type_ == "Patient" else KINDS
        return things(CUSTODIANS, kinds, CARE, type_, number)

    others = st.lists(st.sampled_from(TYPES).flatmap(thing), max_size=5)
    fixed = st.tuples(*map(thing, FIXED))
    return st.builds(lambda known, first, rest: Person(known, (*first, *rest)), KNOWN, fixed, others)


NOBODYS = st.lists(things(CUSTODIANS, ("directory", "problems"), ("",), "Practitioner", None), max_size=2)


# What may be seen, by the decision ------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """What the decision, as a value, says of every resource and every version for one requester."""

    lens: Lens
    sent: Mapping[ResourceKey, str]  # current ones that may be seen -> the text that may be sent
    versions: Mapping[tuple[ResourceKey, int], str]
    restricted: frozenset[PersonKey]

    @property
    def marks(self) -> set[str]:
        return marks(" ".join(self.sent.values()))


def truth(conn: Connection, lens: Lens, people: int) -> Truth:
    known: dict[PersonKey | None, Facts] = {person(n): facts_of(conn, person(n)) for n in range(people)}
    known[None] = facts()
    current = {row.key: row for row in conn.execute(select(resource))}
    today = {key: _sent(lens, row, known) for key, row in current.items()}
    versions = {(row.key, row.version): _sent(lens, row, known) for row in conn.execute(select(resource_version))}
    return Truth(
        lens,
        {ResourceKey(key): text for key, text in today.items() if text and not current[key].deleted},
        {(ResourceKey(key), n): text for (key, n), text in versions.items() if text and today[key]},
        frozenset(key for key, facts_ in known.items() if key and facts_.restricted),
    )


def _sent(lens: Lens, row: Any, known: Mapping[PersonKey | None, Facts]) -> str:
    item = Labelled(row.person, Ods(row.custodian), row.category, row.sensitivities, row.redacted is not None)
    effect = lens.decide(item, known[row.person]).effect
    if effect is not Effect.DENY and row.person is not None and known[row.person].restricted and not lens.may_locate:
        own = lens.requester.organisation if lens.requester else ""
        return unplaced(row.redacted or row.body, own, own_item=row.custodian == own)
    return {Effect.PERMIT: row.body, Effect.REDACT: row.redacted, Effect.DENY: ""}[effect]


# Questions ------------------------------------------------------------------------------------------


def criteria(conn: Connection) -> Iterator[tuple[str, Parameter, Criterion, bool]]:
    """For every parameter with rows, and each type that it searches, a value that is really there; whether it locates."""
    for parameter in PARAMETERS:
        table = INDEX.get(parameter.kind)
        if table is None:
            continue
        asked = select(resource.c.type, table).join(resource, resource.c.key == table.c.key)
        found = conn.execute(asked.where(table.c.parameter == parameter.number).order_by(table.c.key))
        for type_, row in {row.type: row for row in found}.items():
            asks = Criterion(parameter.code, (VALUE[parameter.kind](row),))
            yield type_, parameter, asks, _locates(parameter, row)


def _locates(parameter: Parameter, row: Any) -> bool:
    """Whether a hit by that row would tell where somebody is; the NHS number does not."""
    if parameter.code == "identifier" and row.system == NHS_NUMBER:
        return False
    by_type = parameter.locating_by_type and (row.target is None or row.type_1 in LOCATING_TYPES)
    return parameter.locating or by_type


INDEX = {kind: asked[""].table for kind, asked in ASKED.items() if kind is not Kind.NUMBER}  # R4 asks for none here
VALUE: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TOKEN: lambda row: f"{row.system}|{row.code}" if row.system else row.code,
    Kind.STRING: lambda row: row.value,
    Kind.DATE: lambda row: f"ge{row.low.date().isoformat()}",
    Kind.REFERENCE: lambda row: str(row.target or row.literal),
    Kind.QUANTITY: lambda row: str(row.low),
    Kind.URI: lambda row: row.code,
}
SORTS = ("-clinical", "clinical", "-last_updated", "last_updated")


def queries(people: int) -> Iterator[Query]:
    """Of everybody and of one person, by each sort, and by what any resource can be asked."""
    for sort in SORTS:
        yield Query(sort=sort)
    for number in range(people):
        yield Query(person=person(number))
        yield Query(criteria=(Criterion("patient", (f"Patient/{person(number)}",)),))
    yield Query(types=("Patient",), goldens=True)
    yield Query(types=TYPES, categories=("problems",), sources=("gp", "council"))
    yield Query(since=NOW - 30 * DAY, criteria=(Criterion("_lastUpdated", ("ge2026",)),))


def all_pages(conn: Connection, lens: Lens, query: Query, size: int) -> list[search.Row]:
    rows: list[search.Row] = []
    after = ""
    while True:
        page = search.run(conn, lens, replace(query, count=size, after=after))
        rows += page.rows
        after = page.next
        if not after:
            return rows


def told(conn: Connection, truth: Truth, query: Query, locating: bool = False) -> list[search.Row]:
    """The answer to a question: the same as the system's, less what may not be seen, in the same order."""
    everything = all_pages(conn, Lens.system("test", NOW), query, 500)
    hidden = truth.restricted if locating and not truth.lens.may_locate else frozenset()
    wanted = [row.key for row in everything if row.key in truth.sent and row.person not in hidden]
    rows = all_pages(conn, truth.lens, query, 3)
    assert [row.key for row in rows] == wanted, query
    assert {row.key: row.body for row in rows}.items() <= truth.sent.items()
    assert search.count(conn, truth.lens, query) == len(wanted)
    return rows


# The properties -------------------------------------------------------------------------------------

fast = settings(
    max_examples=EXAMPLES, deadline=timedelta(seconds=20), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)  # fmt: skip


@fast
@given(
    people=st.tuples(records(0), records(1)),
    nobodys=NOBODYS,
    agreements=AGREEMENTS,
    requester=st.sampled_from(WHO),
)
def test_no_reading_function_gives_more_or_less_than_the_decision(
    shared_engine: Engine,
    people: Sequence[Person],
    nobodys: Sequence[Thing],
    agreements: Sequence[Agreement],
    requester: Requester,
) -> None:
    place = replace(PLACE, agreements=(*PLACE.agreements, *agreements))
    with shared_engine.connect() as conn, conn.begin() as transaction:
        store(conn, people, nobodys)
        known = truth(conn, lens_of(requester, place), len(people))
        _searches(conn, known, len(people))
        _reads(conn, known)
        for number in range(len(people)):
            _of_one_person(conn, known, place, number)
        _finds(conn, known, place, len(people))
        transaction.rollback()


def _searches(conn: Connection, truth: Truth, people: int) -> None:
    for query in queries(people):
        told(conn, truth, query, locating=bool(query.sources))  # which source tells of somebody, tells where they are
    for type_, _, criterion, locates in list(criteria(conn)):
        told(conn, truth, Query((type_,), criteria=(criterion,)), locates)


def _reads(conn: Connection, truth: Truth) -> None:
    keys = sorted(conn.execute(select(resource.c.key)).scalars())
    rows = search.by_keys(conn, truth.lens, map(ResourceKey, keys))
    assert {row.key: row.body for row in rows} == truth.sent
    for key, type_ in conn.execute(select(resource.c.key, resource.c.type)).all():
        assert _or_nothing(lambda: search.get(conn, truth.lens, type_, key).body) == truth.sent.get(key)  # noqa: B023
        _history(conn, truth, type_, key)


def _history(conn: Connection, truth: Truth, type_: str, key: ResourceKey) -> None:
    t = resource_version.c
    asked = select(t.version, t.deleted).where(t.key == key).order_by(t.version.desc())
    stored = {row.version: row.deleted for row in conn.execute(asked)}
    wanted = {n: truth.versions[key, n] for n, gone in stored.items() if (key, n) in truth.versions and not gone}
    shown = _or_nothing(lambda: {row.version: row.body for row in storing.history(conn, truth.lens, type_, key)})
    assert (shown or {}) == wanted
    for number in stored:
        read = _or_nothing(lambda: storing.vread(conn, truth.lens, type_, key, number).body)  # noqa: B023
        assert read == wanted.get(number)


def _of_one_person(conn: Connection, truth: Truth, place: Place, number: int) -> None:
    key, lens = person(number), truth.lens
    mine = set(conn.execute(select(resource.c.key).where(resource.c.person == key)).scalars()) & truth.sent.keys()
    whole = _or_nothing(lambda: storing.everything(conn, lens, key)) or ()
    assert {row.key: row.body for row in whole}.items() <= truth.sent.items()
    assert {row.key for row in whole if row.person == key} == mine
    part = timeline(conn, lens, key, Filters(count=500))
    types = dict(conn.execute(select(resource.c.key, resource.c.type)).all())
    assert {entry.key for entry in part.entries} == {one for one in mine if types[one] in EVENTS}
    said = summary(conn, lens, key)
    page = _or_nothing(lambda: person_page.person_page(conn, place, lens, key, story.Wanted()))
    alone = _or_nothing(lambda: story.story_alone(conn, lens, key, story.Wanted()))
    for answer in (whole, part, said, page, alone):
        _tells_no_more(truth, answer)
        _tells_no_place(truth, answer, number)


def _finds(conn: Connection, truth: Truth, place: Place, people: int) -> None:
    cases = caseload.caseload(conn, place, truth.lens)
    _tells_no_more(truth, cases)
    for number in range(people):
        _tells_no_place(truth, cases, number)
        family, born = f"Family{number}", f"195{number}-02-03"
        named = finding.find(conn, place, truth.lens, finding.Asked(family=family, born=born))
        by_number = finding.find(conn, place, truth.lens, finding.Asked(nhs_number=nhs_number(number)))
        assert {one.person for one in named.people} == _known(conn, truth, number)
        for answer in (named, by_number):
            _tells_no_more(truth, answer)
            _tells_no_place(truth, answer, number)
        if person(number) in truth.restricted and not truth.lens.may_locate:
            _not_found_by_place(conn, truth, place, number)


def _known(conn: Connection, truth: Truth, number: int) -> set[PersonKey]:
    """The person, where at least one of their Patients may be seen that has a birth date."""
    asked = select(resource.c.key).where(resource.c.person == person(number), resource.c.type == "Patient")
    return {person(number)} if set(conn.execute(asked).scalars()) & truth.sent.keys() else set()


def _not_found_by_place(conn: Connection, truth: Truth, place: Place, number: int) -> None:
    asked = finding.Asked(family=f"Family{number}", postcode=postcode(number))
    assert finding.find(conn, place, truth.lens, asked).people == ()
    for criterion in (
        Criterion("address-postalcode", (postcode(number),)),
        Criterion("address-postalcode", ("ZZ",)),
        Criterion("telecom", (telephone(number),)),
        Criterion("phone", (telephone(number),)),
    ):
        rows = search.run(conn, truth.lens, Query(("Patient",), criteria=(criterion,))).rows
        assert person(number) not in {row.person for row in rows}
        both = (criterion, Criterion("identifier", (f"{NHS_NUMBER}|{nhs_number(number)}",)))
        assert search.count(conn, truth.lens, Query(("Patient",), criteria=both)) == 0


def _or_nothing(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except NotFound:
        return None


def _tells_no_more(truth: Truth, answer: object) -> None:
    assert marks(repr(answer)) <= truth.marks


def _tells_no_place(truth: Truth, answer: object, number: int) -> None:
    if person(number) in truth.restricted and not truth.lens.may_locate:
        text = repr(answer)
        assert [place for place in places_of(number) if place in text] == []


def test_the_questions_are_of_every_kind(shared_engine: Engine) -> None:
    """Or else the property above would ask nothing of a kind of criterion that is added."""
    made = tuple(Person(facts(), tuple(_plain(number, type_) for type_ in (*FIXED, *TYPES))) for number in range(2))
    with shared_engine.connect() as conn, conn.begin() as transaction:
        store(conn, made, [_plain(None, type_) for type_ in DIRECTORY])
        asked = list(criteria(conn))
        transaction.rollback()
    assert {parameter.kind for _, parameter, _, _ in asked} == set(INDEX)
    assert {"address-postalcode", "telecom", "address"} <= {
        parameter.code for _, parameter, _, _ in asked if parameter.locating
    }
    assert {table.name for table in INDEX.values()} == {name for name in metadata.tables if name.startswith("index_")}


def _plain(of: int | None, type_: str) -> Thing:
    return Thing(
        of, type_, Labelled(person(of) if of is not None else None, NORTH, "directory" if of is None else "problems")
    )


@pytest.mark.parametrize("code", ["general-practitioner", "organization", "address", "address-city", "telecom"])
def test_the_practice_and_the_rest_of_an_address_are_found_by_whom_it_may_be_known_to(code: str) -> None:
    assert of_type("Patient")[code].locating
