"""`carelink explain`: what somebody sees of a person, what not, and the rule for each; kept as a look by whoever asked."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from conftest import NOW
from consent_builders import (
    ANN,
    DAY,
    HOSPITAL,
    NORTH,
    PLACE,
    SOUTH,
    SURGERY,
    facts,
    item,
    key_of,
    lens_of,
    objects,
    related,
    store_item,
    store_person,
    themselves,
)
from consent_cases import HIS, IRIS, LENA, NADIA, NOBODY, SAM, TOM, WARD, also
from consent_records import Person, Thing, nhs_number, person, places_of, store
from processes import run
from sqlalchemy import Connection, Engine, select

from carelink import commands, settings
from carelink.consent.explain import explain, lines
from carelink.consent.facts import Facts, Labelled
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import BY_ID
from carelink.db import sync
from carelink.db.tables import audit_event
from carelink.db.tables import person as persons
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.jobs.shop import Shop
from carelink.place import Place

HELD = (
    item(SURGERY, "problems"),
    item(SURGERY, "problems"),
    item(SURGERY, "problems", "HIV", "MH"),
    item(SURGERY, "demographics", locating=True),
    item(HOSPITAL, "mental-health", "MH"),
    item(NORTH, "services"),
    item(NORTH, "services", "LEGAL"),
)


def told(conn: Connection, who: Requester, known: Facts, place: Place = PLACE) -> list[str]:
    store_person(conn, ANN, known)
    for one in HELD:
        store_item(conn, one)
    store_item(conn, item(SURGERY, "medicines"), deleted=True)
    return lines(explain(conn, lens_of(who, place), ANN, "operator:ada"), place)


def because(rule: str) -> str:
    return f"{rule}: {BY_ID[rule].because}"


def test_an_involved_social_worker(conn: Connection) -> None:
    agreed, own = BY_ID["L8-agreement"].because, BY_ID["L8-own-organisation"].because
    assert told(conn, SAM, HIS) == [
        "Asked as Sam Okafor, social-worker at 901, purpose CAREMGT, at 24 November 2026 12:00 UTC",
        "Relationship caseload: sam (holds for the requester)",
        "They are told that some information is not shown",
        f"permit              1 x Services of Organisation 901: L8-own-organisation, caseload: {own}",
        f"deny                1 x Services [LEGAL] of Organisation 901: {because('L1-legal')}",
        f"permit              1 x Demographics of Organisation P81001: L8-agreement, identity; caseload: {agreed}",
        f"permit              2 x Problems of Organisation P81001: L8-agreement, health-to-care; caseload: {agreed}",
        f"deny                1 x Problems [HIV, MH] of Organisation P81001: L5-sensitive, HIV, MH: {BY_ID['L5-sensitive'].because}",
        f"deny                1 x Mental-Health [MH] of Organisation RDV: {because('L8-no-agreement')}",
    ]


def decisions(said: list[str]) -> list[str]:
    """`deny problems L5-sensitive` of each line about items."""
    items = [line for line in said if " x " in line]
    return [
        f"{line.split()[0]} {line.split(' x ')[1].split()[0]} {line.split(': ')[1].split(',')[0]}" for line in items
    ]


def test_a_stranger_sees_nothing_and_is_told_of_nothing(conn: Connection) -> None:
    said = told(conn, LENA, HIS)
    assert said[1] == "Relationship caseload: sam (not the requester's)"
    assert {line.split()[0] for line in said if " x " in line} == {"deny"}
    assert decisions(said) == [
        "deny Services L9-no-relationship",
        "deny Services L1-legal",
        "deny Demographics L9-no-relationship",
        "deny Problems L9-no-relationship",
        "deny Problems L5-sensitive",
        "deny Mental-Health L8-no-agreement",
    ]
    assert "They are told that some information is not shown" not in said


def test_nobody_at_all_is_involved(conn: Connection) -> None:
    assert told(conn, SAM, NOBODY)[1] == "No relationship is recorded"


def test_the_person_themselves_is_not_named(conn: Connection) -> None:
    said = told(conn, themselves(ANN), HIS)
    assert said[0] == "Asked as the person themselves, purpose PATRQT, at 24 November 2026 12:00 UTC"
    assert decisions(said) == [
        "permit Services L2-own-record",
        "deny Services L1-legal",
        "permit Demographics L2-own-record",
        "permit Problems L2-own-record",
        "permit Problems L2-own-record",
        "permit Mental-Health L2-own-record",
    ]
    assert "Nora" not in " ".join(said)


def test_an_objection_is_named_with_its_consent(conn: Connection) -> None:
    objection = objects(NORTH, "problems", ends=NOW + DAY)
    said = told(conn, SAM, also(HIS, objection))
    assert said[2] == "Objection: deny problems to 901 until 25 Nov 2026"
    assert f"L7-objection, Consent/{objection.consent}: {BY_ID['L7-objection'].because}" in " ".join(said)
    assert "permit Demographics L8-agreement" in decisions(said)


OBJECTIONS = [
    (objects(), "Objection: deny the whole record to anyone else"),
    (objects(SOUTH), "Objection: deny the whole record to 902"),
    (objects(None, "alerts"), "Objection: deny alerts to anyone else"),
    (objects(ends=NOW), "Objection: deny the whole record to anyone else until 24 Nov 2026 (not in force now)"),
    (objects(starts=NOW + DAY), "Objection: deny the whole record to anyone else (not in force now)"),
    (objects(rule="L7-objection-unclear"), "Objection: deny the whole record to anyone else (a consent that can't be read exactly)"),
]  # fmt: skip


@pytest.mark.parametrize(("objection", "words"), OBJECTIONS, ids=[words for _, words in OBJECTIONS])
def test_each_objection_is_said_in_words(conn: Connection, objection: object, words: str) -> None:
    assert told(conn, SAM, also(HIS, objection))[2] == words


def test_a_consent_that_can_not_be_read_is_the_rule_that_is_told(conn: Connection) -> None:
    said = told(conn, SAM, also(HIS, objects(rule="L7-objection-unclear")))
    assert "deny Problems L7-objection-unclear" in decisions(said)
    assert "deny Problems L7-objection" not in decisions(said)


def test_a_restriction_says_what_is_taken_out_and_for_whom(conn: Connection) -> None:
    said = told(conn, SAM, also(HIS, restricted=True))
    assert said[2] == "Restricted: what would tell where they are is taken out for this role"
    assert "permit-redacted Demographics L3-restricted" in decisions(said)
    assert "permit Problems L8-agreement" in decisions(said)


def test_a_role_that_may_know_where_they_are_is_told_so(conn: Connection) -> None:
    said = told(conn, TOM, also(facts(related("registered-practice", SURGERY)), restricted=True))
    assert said[2] == "Restricted: what would tell where they are is shown to this role"
    assert "permit Demographics L8-own-organisation" in decisions(said)


RELATIONSHIPS = [
    (related(ends=NOW - DAY), "Relationship caseload: 901 until 23 Nov 2026 (the requester's, but over)"),
    (related(starts=NOW + DAY), "Relationship caseload: 901 (the requester's, but not begun)"),
    (related(team="adults-north"), "Relationship caseload: adults-north (holds for the requester)"),
    (related("referral", SOUTH), "Relationship referral: 902 (not the requester's)"),
]


@pytest.mark.parametrize(("relation", "words"), RELATIONSHIPS, ids=[words for _, words in RELATIONSHIPS])
def test_each_relationship_is_said_in_words(conn: Connection, relation: object, words: str) -> None:
    assert told(conn, SAM, also(NOBODY, relation))[1] == words


def test_of_a_person_of_whom_nothing_is_held_that_is_said(conn: Connection) -> None:
    store_person(conn, ANN, HIS)
    assert lines(explain(conn, lens_of(SAM), ANN, "ada"), PLACE)[-1] == "Nothing is held about this person"


@pytest.mark.parametrize("who", [SAM, LENA, NADIA, TOM, IRIS, themselves(ANN)], ids=lambda who: who.role)
def test_what_is_explained_is_what_the_decision_says_of_every_item(conn: Connection, who: Requester) -> None:
    known = also(HIS, *WARD.related, objects(category="services"), restricted=True)
    store_person(conn, ANN, known)
    for one in HELD:
        store_item(conn, one)
    lens = lens_of(who)
    explained = explain(conn, lens, ANN, "ada")
    assert explained.facts == known
    assert sum(line.items for line in explained.lines) == len(HELD)
    decided = {(one.custodian, one.category, one.sensitivities): lens.decide(one, known) for one in HELD}
    assert [line.decision for line in explained.lines] == [decided[key] for key in sorted(decided)]


def test_a_job_is_explained_by_its_reason(conn: Connection) -> None:
    store_person(conn, ANN, NOBODY)
    store_item(conn, HELD[0])
    said = lines(explain(conn, Lens.system("compose golden Patients", NOW), ANN, "ada"), PLACE)
    assert said[0].startswith("Asked as a system job")
    assert "L0-system, compose golden Patients" in said[-1]


def test_nobody_is_explained_by_a_key_of_nobody(conn: Connection) -> None:
    with pytest.raises(NotFound, match="Nobody of that key is in the record"):
        explain(conn, lens_of(SAM), ANN, "ada")


def test_of_a_person_who_was_merged_the_one_that_they_are_now_is_explained(conn: Connection) -> None:
    gone = key_of("gone")
    store_person(conn, ANN, HIS)
    store_item(conn, HELD[0])
    conn.execute(persons.insert().values(key=gone, created=NOW, merged_into=ANN))
    explained = explain(conn, lens_of(SAM), gone, "ada")
    assert (explained.person, len(explained.lines)) == (ANN, 1)


# The command --------------------------------------------------------------------------------------------


@pytest.fixture
def shop(engine: Engine, place: Place) -> Shop:
    """A database with one person on the caseload of a social worker of the example place."""
    known = facts(related(user="sam.okafor"), restricted=True)
    things = tuple(Thing(0, type_, Labelled(person(0), SURGERY, kind)) for type_, kind in KINDS)
    with engine.begin() as conn:
        sync.sync(conn, place)
        store(conn, [Person(known, things)], [])
    return Shop(engine, place, settings.load({}), lambda: NOW)


KINDS = (("Patient", "demographics"), ("Condition", "problems"), ("Encounter", "encounters"))


def test_the_command_takes_a_key_or_an_nhs_number_and_says_nothing_that_tells_who(shop: Shop) -> None:
    by_key = commands.explain(shop, "sam.okafor", str(person(0)), "")
    assert by_key[0].startswith("Asked as Sam Okafor, social-worker at 901, purpose CAREMGT")
    number = f"{nhs_number(0)[:3]} {nhs_number(0)[3:6]} {nhs_number(0)[6:]}"
    assert commands.explain(shop, "sam.okafor", number, "") == by_key
    assert [value for value in ("Family0", nhs_number(0), *places_of(0)) if value in " ".join(by_key)] == []


def test_the_command_is_kept_as_asked_by_whoever_runs_it(shop: Shop) -> None:
    commands.explain(shop, "sam.okafor", nhs_number(0), "")
    with shop.engine.connect() as conn:
        t = audit_event.c
        asked = select(t.action, t.user, t.person, t.detail, t.reason).where(t.action.in_(["search", "explain"]))
        looked, explained = conn.execute(asked.order_by(t.id)).all()
    assert looked.user == explained.user
    assert str(explained.user).startswith("operator:")
    assert looked.reason == "explain: whose NHS number it is"
    assert (looked.person, explained.person, explained.detail["view_of"]) == (person(0), person(0), "sam.okafor")


WRONG: list[tuple[str, tuple[str, str, str], type[Exception], str]] = [
    ("an unknown user", ("nobody", str(person(0)), ""), Forbidden, "does not know this sign-in"),
    ("an unknown key", ("sam.okafor", str(UUID(int=0)), ""), NotFound, "Nobody of that key"),
    ("an unknown NHS number", ("sam.okafor", "9990000999", ""), NotFound, "Nobody of that NHS number"),
    ("neither a key nor a number", ("sam.okafor", "Nora Hart", ""), Invalid, "--person"),
    ("a purpose that the role may not ask for", ("sam.okafor", str(person(0)), "HRESCH"), Forbidden, "may not ask"),
]


@pytest.mark.parametrize(("what", "asked", "error", "words"), WRONG, ids=[what for what, *_ in WRONG])
def test_what_can_not_be_explained_is_one_clear_line_and_leaves_no_explanation(
    shop: Shop, what: str, asked: tuple[str, str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as wrong:
        commands.explain(shop, *asked)
    assert len(str(wrong.value).splitlines()) == 1
    with shop.engine.connect() as conn:
        assert conn.execute(select(audit_event.c.id).where(audit_event.c.action == "explain")).all() == []


def test_as_a_process_it_prints_the_lines_and_ends_well_or_says_one_line_and_ends_with_two(
    shop: Shop, database_url: str
) -> None:
    def explained(user: str, key: object) -> tuple[int, str, str]:
        ended = run("explain", "--user", user, "--person", str(key), CARELINK_DATABASE_URL=database_url)
        return ended.returncode, ended.stdout, ended.stderr

    code, out, err = explained("sam.okafor", person(0))
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == "Relationship caseload: sam.okafor (holds for the requester)"
    assert "permit-redacted" in out
    for user, key, words in (
        ("nobody", person(0), "carelink: CareLink does not know this sign-in, or it was ended"),
        ("sam.okafor", uuid4(), "carelink: Nobody of that key is in the record"),
        ("sam.okafor", "Nora", "carelink: --person: must be the key of a person, or an NHS number"),
    ):
        assert explained(user, key) == (2, "", f"{words}\n")
