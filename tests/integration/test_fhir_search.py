"""The search language of FHIR R4: what each way of asking finds, and that none of it tells what is withheld."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest
from fhir_builders import (  # fmt: skip
    ANN,
    ANN_NUMBER,
    BOB,
    DOCTOR,
    HER_ITEMS,
    HIS_ITEMS,
    api,
    entries,
    link,
    people,
    read,
    statements,
    system,
    trail,
    wrong,
)
from flask.testing import FlaskClient
from ingest_builders import NHS, SNOMED, UNITS, item, key, observation, patient, take
from sqlalchemy import Engine

from carelink import clock
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import kept
from fhir_adapters.exact_json import ExactDecimal
from fhir_adapters.source import Item

ROOT = "/fhir/R4"
LOINC = "http://loinc.org"


def _pressure(id_: str, systolic: str, diastolic: str, day: str) -> Item:
    def part(code: str, value: str) -> dict[str, object]:
        measured = {"value": ExactDecimal(value), "unit": "mmHg", "system": UNITS, "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": measured}

    return observation(
        id_,
        "ann",
        code={"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood pressure panel"}]},
        valueQuantity=None,
        component=[part("8480-6", systolic), part("8462-4", diastolic)],
        effectiveDateTime=day,
        encounter={"reference": "Encounter/e1"},
    )


GLUCOSE = observation("glucose", "ann", "5.4", effectiveDateTime="2026-03-02", encounter={"reference": "Encounter/e1"})
HIGH = _pressure("high", "160", "70", "2026-03-03")
LOW = _pressure("low", "110", "95", "2026-03")
WORDS = observation(
    "words",
    "ann",
    code={"text": "Feels well today"},
    valueQuantity=None,
    valueString="Slept \\ ate, walked",
    effectiveDateTime="2025-12-31",
)
ASTHMA = item(
    "Condition",
    "asthma",
    subject={"reference": "Patient/ann"},
    code={"coding": [{"system": SNOMED, "code": "195967001"}], "text": "Asthma, since childhood"},
    onsetDateTime="2001",
    encounter={"reference": "Encounter/e1"},
    identifier=[
        {
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]},
            "system": "urn:filler",
            "value": "A,1|2$3",
        }
    ],
)
# What another hospital unit says of Bob, with whom this requester is not involved.
HIS = observation("his", "bob", "9.9", effectiveDateTime="2026-03-02")
MORE = [GLUCOSE, HIGH, LOW, WORDS, ASTHMA, HIS]
STAY, DIABETES, HBA1C = HER_ITEMS
NAMES = {str(key(one)): one.source_id for one in (*MORE, *HER_ITEMS, *HIS_ITEMS, DOCTOR, ANN, BOB)}


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    found = people(engine, place)
    with engine.begin() as conn:
        take(conn, place, MORE, clock.now())
    return found


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    """A system of the hospital that has Ann on a ward, and is not involved with Bob."""
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


def named(ids: list[str], who: dict[str, PersonKey]) -> list[str]:
    people = {str(person): f"golden {name}" for name, person in who.items()}
    return [NAMES.get(one) or people.get(one, one) for one in ids]


def found(client: FlaskClient, who: dict[str, PersonKey], path: str, mode: str = "match") -> list[str]:
    answer = client.get(f"{ROOT}/{path}")
    assert answer.status_code == 200, answer.text
    return named([one["id"] for one in entries(read(answer), mode)], who)


FILLED = "A\\,1\\|2\\$3"  # as it is written in a search
FILLER = "http://terminology.hl7.org/CodeSystem/v2-0203|FILL"
# of Ann's observations or conditions: what is asked -> who is found, in any order
OBSERVATIONS = [
    ("code=85354-9", ["high", "low"], "a code of any system"),
    (f"code={LOINC}|85354-9,{SNOMED}|43396009", ["glucose", "high", "low", "o1"], "either of two"),
    (f"code={LOINC}|", ["high", "low"], "any code of a system"),
    ("code:not=85354-9", ["glucose", "o1", "words"], "all that do not have it, also without a code"),
    ("code:text=panel", ["high", "low"], "the words of a code"),
    ("code:text=feels%20WELL", ["words"], "the text of a concept without a code"),
    ("code:missing=false", ["glucose", "high", "low", "o1", "words"], "words alone are a code too"),
    ("encounter:missing=true", ["o1", "words"], "what is of no encounter"),
    (f"encounter={key(STAY)}", ["glucose", "high", "low"], "a reference by its id"),
    (f"encounter=Encounter/{key(STAY)}", ["glucose", "high", "low"], "and by its type"),
    (f"encounter=http://localhost/fhir/R4/Encounter/{key(STAY)}", ["glucose", "high", "low"], "by our address"),
    (f"encounter:Encounter={key(STAY)}", ["glucose", "high", "low"], "with the type as the modifier"),
    (f"encounter:EpisodeOfCare={key(STAY)}", [], "it is none of that type"),
    (f"encounter=https://other.example/Encounter/{key(STAY)}", [], "another server's may look like ours"),
    ("encounter.class=IMP", ["glucose", "high", "low"], "by what the encounter says"),
    ("encounter:Encounter.class=IMP", ["glucose", "high", "low"], "the same with its type"),
    ("encounter.class=AMB", [], "which it does not say"),
    (f"patient.identifier={NHS}|{ANN_NUMBER}", ["glucose", "high", "low", "o1", "words"], "by who the patient is"),
    ("subject:Patient.gender=female", ["glucose", "high", "low", "o1", "words"], "chained with a type"),
    ("subject:Patient.gender=male", [], "which nobody here is"),
    ("value-quantity=5.4", ["glucose"], "a number to its precision"),
    ("value-quantity=5", ["glucose"], "5 is from 4.5 to 5.5"),
    ("value-quantity=5.0", [], "5.0 is from 4.95 to 5.05"),
    ("value-quantity=gt7||%25", ["o1"], "more than, in a unit as written"),
    (f"value-quantity=lt6|{UNITS}|%25", ["glucose"], "less than, in a coded unit"),
    (f"value-quantity=lt6|{UNITS}|mg", [], "in another unit"),
    ("value-quantity=ap7", ["o1"], "about 7"),
    ("component-value-quantity=gt150", ["high"], "of a component"),
    ("combo-value-quantity=gt90", ["high", "low"], "of the whole or of a component"),
    (f"combo-code={LOINC}|8480-6", ["high", "low"], "the code of a component"),
    ("component-code-value-quantity=8480-6$gt150", ["high"], "both in one component"),
    ("component-code-value-quantity=8462-4$gt150", [], "not one of each"),
    ("combo-code-value-quantity=8462-4$ge95", ["low"], "of a component"),
    ("combo-code-value-quantity=43396009$gt7", ["o1"], "or of the whole"),
    ("code-value-quantity=43396009$lt6", ["glucose"], "code and value of the whole"),
    ("date=2026-03", ["glucose", "high", "low"], "in a month"),
    ("date=2026-03-02", ["glucose"], "on a day: a month is not within it"),
    ("date=sa2026-03-03", ["o1"], "starts after"),
    ("date=eb2026-01-01", ["words"], "ends before"),
    ("date=ne2026-03", ["o1", "words"], "not in that month"),
    ("date=ge2026-03-02&date=lt2026-03-03", ["glucose", "low"], "two that must both hold: a month overlaps both"),
    ("date=ap2026-03-02", ["glucose", "high", "low"], "about a time"),
    ("value-string=slept", ["words"], "the beginning of a text"),
    ("value-string:contains=walk", ["words"], "anywhere in it"),
    ("value-string:exact=Slept%20%5C%5C%20ate%5C,%20walked", ["words"], "all of it, with what is escaped"),
    ("value-string:exact=slept%20%5C%5C%20ate%5C,%20walked", [], "case and all"),
    (f"_id={key(GLUCOSE)},{key(HIGH)},{key(HIS)}", ["glucose", "high"], "by ids, of those that may be seen"),
    ("_lastUpdated=gt2020-01-01&status=final", ["glucose", "high", "low", "o1", "words"], "by when it came"),
    ("performer:missing=false", ["o1"], "whether there is a performer"),
    ("performer:Practitioner.family=desai", ["o1"], "by the name of who did it"),
]  # fmt: skip
CONDITIONS = [
    ("code:text=childhood", ["asthma"], "words with punctuation"),
    (f"identifier:of-type={quote(f'{FILLER}|{FILLED}')}", ["asthma"], "by the type of its number, whose text is escaped"),
    (f"identifier={quote(FILLED)}", ["asthma"], "what is escaped is of the value"),
    ("onset-date=lt2010", ["asthma"], "before"),
    ("_has:Observation:focus:code=1", [], "nothing refers to it so"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "names", "why"), OBSERVATIONS, ids=[one[0][:60] for one in OBSERVATIONS])
def test_observations_are_found(
    asks: FlaskClient, who: dict[str, PersonKey], asked: str, names: list[str], why: str
) -> None:
    for path in (f"Observation?patient={who['ann']}&{asked}", f"Observation?{asked}"):
        assert sorted(found(asks, who, path)) == names, why


@pytest.mark.parametrize(("asked", "names", "why"), CONDITIONS, ids=[one[0][:60] for one in CONDITIONS])
def test_conditions_are_found(
    asks: FlaskClient, who: dict[str, PersonKey], asked: str, names: list[str], why: str
) -> None:
    assert sorted(found(asks, who, f"Condition?patient={who['ann']}&{asked}")) == names, why


def test_people_are_found_by_what_there_is_of_them(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    for asked in (
        "_has:Observation:patient:code=85354-9",
        "_has:Observation:subject:value-quantity=lt6",
        "_has:Condition:patient:encounter.class=IMP",
        "_has:Encounter:patient:_has:Observation:encounter:code=85354-9",
        f"_id={who['ann']},{who['bob']}",
        f"identifier={NHS}|{ANN_NUMBER}&gender=female",
        "deceased=false&birthdate=gt1900",
    ):
        assert found(asks, who, f"Patient?{asked}") == ["golden ann"], asked
    assert found(asks, who, "Patient?_has:Observation:patient:value-quantity=9.9") == [], "that is of Bob"


# Order, pages, totals -------------------------------------------------------------------------------


def test_they_come_in_the_order_that_is_asked_for(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    whole = f"Observation?patient={who['ann']}"
    assert found(asks, who, f"{whole}&_sort=value-quantity,-date") == ["high", "low", "words", "glucose", "o1"]
    assert found(asks, who, f"{whole}&_sort=-value-quantity,date") == ["o1", "glucose", "words", "low", "high"]
    assert found(asks, who, f"{whole}&_sort=_id") == sorted(found(asks, who, whole), key=lambda one: _key(one))
    assert found(asks, who, f"{whole}&_sort=code&_sort=-date")[:1] == ["words"], "no code is before any"


def _key(name: str) -> str:
    return next(id_ for id_, called in NAMES.items() if called == name)


@pytest.mark.parametrize("order", ["-date", "value-quantity,-date", "-_lastUpdated", "code,value-quantity", "_id"])
def test_pages_follow_each_other_in_every_order(asks: FlaskClient, who: dict[str, PersonKey], order: str) -> None:
    whole = found(asks, who, f"Observation?patient={who['ann']}&_sort={order}")
    path, seen = f"{ROOT}/Observation?patient={who['ann']}&_sort={order}&_count=1", list[str]()
    while path:
        page = read(asks.get(path))
        seen += named([one["id"] for one in entries(page)], who)
        path = link(page, "next")
    assert (seen, len(whole)) == (whole, 5)


def test_a_total_is_said_where_it_is_asked_for_or_known(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    whole = f"{ROOT}/Observation?patient={who['ann']}"
    assert read(asks.get(whole))["total"] == 5
    assert "total" not in read(asks.get(f"{whole}&_count=2"))
    assert "total" not in read(asks.get(f"{whole}&_count=2&_total=none"))
    assert read(asks.get(f"{whole}&_count=2&_total=accurate"))["total"] == 5
    for only in ("_count=0", "_summary=count"):
        told = read(asks.get(f"{whole}&{only}"))
        assert (told["total"], told.get("entry")) == (5, None)
    assert read(asks.get(f"{ROOT}/Observation?patient={who['bob']}&_count=0"))["total"] == 0
    assert read(asks.get(f"{ROOT}/Observation?code=43396009&_count=0"))["total"] == 2, "not the one of Bob"


# What comes with it ---------------------------------------------------------------------------------


def test_what_it_refers_to_comes_with_it(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    one = f"Observation?_id={key(GLUCOSE)}"
    assert found(asks, who, f"{one}&_include=Observation:encounter", "include") == ["e1"]
    assert found(asks, who, f"{one}&_include=Observation:encounter:EpisodeOfCare", "include") == []
    assert sorted(found(asks, who, f"{one}&_include=*", "include")) == ["ann", "e1"]
    assert found(asks, who, f"{one}&_include=Observation:subject", "include") == ["ann"], "as its source knows her"
    assert found(asks, who, f"{one}&_include=Condition:encounter", "include") == [], "it is no Condition"
    assert found(asks, who, one, "include") == []


def test_what_refers_to_it_comes_with_it(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    stay = f"Encounter?_id={key(STAY)}"
    assert sorted(found(asks, who, f"{stay}&_revinclude=Observation:encounter", "include")) == [
        "glucose",
        "high",
        "low",
    ]
    both = f"{stay}&_revinclude=Observation:encounter&_revinclude=Condition:encounter"
    assert sorted(found(asks, who, both, "include")) == ["asthma", "glucose", "high", "low"]
    whole = f"Patient?_id={who['ann']}&_revinclude=Condition:patient"
    assert sorted(found(asks, who, whole, "include")) == ["asthma", "c1"]


def test_what_came_is_asked_again_where_it_is_wanted(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    one = f"Condition?_id={key(ASTHMA)}&_include=Condition:encounter"
    assert found(asks, who, f"{one}&_revinclude=Observation:encounter", "include") == ["e1"]
    again = f"{one}&_revinclude:iterate=Observation:encounter&_include:iterate=Observation:performer"
    assert sorted(found(asks, who, again, "include")) == ["e1", "glucose", "high", "low"]


def test_an_include_that_goes_in_a_circle_ends(asks: FlaskClient, who: dict[str, PersonKey], engine: Engine) -> None:
    around = "_include:iterate=Observation:encounter&_revinclude:iterate=Observation:encounter"
    with statements(engine) as said:
        assert sorted(found(asks, who, f"Observation?_id={key(GLUCOSE)}&{around}", "include")) == ["e1", "high", "low"]
    assert len(said) < 12


# What may not be known ------------------------------------------------------------------------------


def test_what_is_withheld_is_nowhere_in_what_is_found(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    """Of Bob, with whom the ward is not involved: no way of asking tells that there is anything of him."""
    nothing = [
        f"Observation?_id={key(HIS)}",
        f"Observation?patient={who['bob']}",
        "Observation?value-quantity=9.9",
        "Observation?patient.identifier=9990000026",
        f"Patient?_has:Observation:patient:_id={key(HIS)}",
        f"Patient?_id={who['bob']}&_revinclude=Observation:patient",
        f"Encounter?_has:Observation:encounter:_id={key(HIS)}",
    ]
    for asked in nothing:
        unknown = asked.replace(str(key(HIS)), str(uuid4())).replace(str(who["bob"]), str(uuid4()))
        assert (found(asks, who, asked), found(asks, who, asked, "include")) == ([], []), asked
        assert found(asks, who, unknown) == [], asked


def test_nothing_at_the_other_end_counts_that_the_scopes_do_not_name(
    engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    """A chain, `_has` or include into a type that the token has no scope for finds what it would if there were none."""
    with system(
        api(engine, place), place, "narrow", "RDV", "nurse", "system/Observation.rs system/Patient.rs"
    ) as narrow:
        assert found(narrow, who, "Observation?encounter.class=IMP") == []
        assert found(narrow, who, "Patient?_has:Condition:patient:code=195967001") == []
        assert found(narrow, who, f"Observation?_id={key(GLUCOSE)}&_include=Observation:encounter", "include") == []
        assert found(narrow, who, "Observation?subject.gender=female&code=85354-9&_sort=date") == ["low", "high"]


def test_where_somebody_lives_can_not_be_found_out_of_whom_that_is_restricted(
    engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    """PDS 'S': by no address, number of an organisation, performer, `:not`, `:missing` or order (rule L3-restricted)."""
    secret = {
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    }
    hidden = patient("ann", **{**ANN.body, **secret})
    asked = [
        "address-postalcode=DM",
        "address:contains=mill",
        "address-postalcode:missing=false",
        "identifier=urn:ward|7",
        "telecom:missing=false",
        "general-practitioner:missing=false",
    ]
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as asks:
        assert found(asks, who, "Patient?address-postalcode=DM&gender=female") == ["golden ann"]
        with engine.begin() as conn:
            take(conn, place, [hidden], clock.now())
        for one in asked:
            assert found(asks, who, f"Patient?gender=female&{one}") == [], one
        for one in ("address-postalcode:missing=true", "telecom:missing=true", "general-practitioner:missing=true"):
            assert found(asks, who, f"Patient?gender=female&{one}") == ["golden ann"], one
        assert found(asks, who, "Observation?patient.address-postalcode=DM") == []
        assert found(asks, who, "Observation?performer:Practitioner.family=desai") == []
        assert found(asks, who, "Observation?performer:missing=false") == []


# What is not known ----------------------------------------------------------------------------------


def test_a_client_that_prefers_leniency_is_told_what_was_left_out(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    path = f"{ROOT}/Observation?patient={who['ann']}&code=85354-9&colour=blue&date=soon"
    refused = wrong(asks.get(path), 400, "invalid")
    assert refused["expression"] == ["colour"]
    wrong(asks.get(path, headers={"Prefer": "handling=strict"}), 400, "invalid")
    page = read(asks.get(path, headers={"Prefer": "return=minimal; handling=lenient"}))
    assert sorted(named([one["id"] for one in entries(page)], who)) == ["high", "low"]
    (said,) = entries(page, "outcome")
    assert [(one["severity"], one["expression"]) for one in said["issue"]] == [
        ("warning", ["colour"]),
        ("warning", ["date"]),
    ]


def test_a_client_that_leaves_out_all_is_refused_all_the_same(asks: FlaskClient) -> None:
    answer = asks.get(f"{ROOT}/Observation?colour=blue", headers={"Prefer": "handling=lenient"})
    assert "say which" in wrong(answer, 400, "invalid")["diagnostics"]


@pytest.mark.parametrize(
    "asked",
    [
        "encounter.encounter.class=1",
        "performer.class=x",
        "performer:Elephant.name=x",
        "code:in=http://x",
        "code:above=1",
        "value-quantity=1|2",
        "value-quantity=many",
        "combo-code-value-quantity=1",
        "component-code-value-quantity=a$b$c",
        "date=ge",
        "date=2026-13",
        "encounter:missing=perhaps",
        "_has:Elephant:patient:code=1",
        "_has:Observation:code:code=1",
        "_has:Observation:encounter:code=1",
        "identifier=a|b|c",
        "_id:exact=1",
        "_include=Elephant:subject",
        "patient:Group=1",
        "encounter." * 6 + "class=1",
        "code=" + ",".join(["1"] * 201),
    ],
)
def test_what_can_not_be_asked_is_refused_with_its_place(
    asks: FlaskClient, who: dict[str, PersonKey], asked: str
) -> None:
    answer = asks.get(f"{ROOT}/Observation?patient={who['ann']}&{asked}")
    assert wrong(answer, 400, "invalid")["expression"][0]


# Cost and audit -------------------------------------------------------------------------------------


def test_a_question_of_a_shape_that_was_asked_is_not_put_together_again(
    asks: FlaskClient, who: dict[str, PersonKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = found(asks, who, f"Observation?patient={who['ann']}&code=85354-9&date=ge2026")
    made = list[object]()
    monkeypatch.setattr(kept, "opened", lambda values: made.append(values) or [])
    assert sorted(found(asks, who, f"Observation?patient={who['ann']}&code=43396009&date=ge2020")) == ["glucose", "o1"]
    assert (sorted(first), made) == (["high", "low"], [])


def test_the_audit_keeps_how_it_was_asked_and_no_value(
    asks: FlaskClient, who: dict[str, PersonKey], engine: Engine
) -> None:
    found(asks, who, f"Observation?patient.identifier={NHS}|{ANN_NUMBER}&code:not=1&_include=Observation:encounter")
    row = trail(engine)[-1]
    assert row.query == "Observation?patient.identifier&code:not"
    assert (row.action, row.count, row.person) == ("search", 6, who["ann"])
    found(asks, who, "Patient?_has:Observation:patient:code:text=panel")
    assert trail(engine)[-1].query == "Patient?_has:Observation:patient:code:text"
