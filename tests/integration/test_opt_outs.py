"""National data opt-outs: what the national service gave back becomes a Consent each, which nobody sees and all respect."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW
from fhir_builders import trail
from flask import Flask
from ingest_builders import NHS, condition, patient, person_of, take
from page_builders import VERIFIED, allocation, page, signed_in, site
from sqlalchemy import Connection, Engine, insert, select

from carelink import planning_commands, settings
from carelink.cases import opt_outs, planning
from carelink.cases.disclosure import FEWEST, Disclosure
from carelink.cases.opt_outs import Report
from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.tables import directive, resource, resource_version, user
from carelink.errors import Invalid
from carelink.identity.requesters import requester
from carelink.ids import UserId
from carelink.jobs.shop import Shop
from carelink.place import Place
from fhir_adapters import exact_json

NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069", "9990000077")
LENS = Lens.system("test", NOW)


class Plain(Disclosure):
    def threshold(self, *cell: str) -> int:
        return FEWEST


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())


@pytest.fixture
def db(engine: Engine, place: Place) -> Engine:
    """Seven people with verified NHS numbers, each with diabetes, on the caseload of Sam Okafor."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        for number in NUMBERS:
            identifier = {"system": NHS, "value": number, "extension": [VERIFIED]}
            someone = patient(f"p{number}", identifier=[identifier])
            take(conn, place, [someone, condition(f"c{number}", f"p{number}")], NOW)
            take(conn, place, [someone, allocation(id_=f"al{number}", subject=f"p{number}")], NOW, "council-a")
    return engine


def who(conn: Connection, number: str) -> object:
    return person_of(conn, patient(f"p{number}"))


def keep(conn: Connection, place: Place, *without: str, asked: tuple[str, ...] = NUMBERS, at: int = 0) -> Report:
    lens = Lens.system("test", NOW + timedelta(minutes=at), "operator:ada")
    return opt_outs.keep(conn, place, lens, asked, without)


def opted_out(conn: Connection) -> set[object]:
    return set(conn.execute(select(directive.c.person).where(directive.c.rule == "L10-opt-out")).scalars())


def counted(conn: Connection, place: Place) -> int | None:
    lens = Lens.compile(place, requester(conn, place, UserId("paul.reyes")), NOW + timedelta(hours=1))
    answer = planning.ask(conn, place, lens, "people-by-condition", Plain(b""))
    return answer.lines[0].counts[0] if answer.lines else None


def test_who_is_missing_from_the_answer_opted_out_and_is_counted_no_more(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        assert counted(conn, place) == 5
        assert keep(conn, place, *NUMBERS[:4]) == Report(asked=7, opted_out=3, new=3, ended=0, unknown=0)
        assert opted_out(conn) == {who(conn, number) for number in NUMBERS[4:]}
        assert counted(conn, place) is None, "four are left"


def test_the_same_answer_again_changes_nothing(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[:4])
        versions = len(conn.execute(select(resource_version)).all())
        assert keep(conn, place, *NUMBERS[:4], at=5) == Report(7, 3, new=0, ended=0, unknown=0)
        assert len(conn.execute(select(resource_version)).all()) == versions


def test_who_took_it_back_is_counted_again_and_may_opt_out_again(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[:4])
        assert keep(conn, place, *NUMBERS, at=5) == Report(7, 0, new=0, ended=3, unknown=0)
        assert opted_out(conn) == set()
        assert keep(conn, place, *NUMBERS[1:], at=10) == Report(7, 1, new=1, ended=0, unknown=0)
        assert keep(conn, place, *NUMBERS, at=15).ended == 1
        assert keep(conn, place, *NUMBERS[1:], at=20).new == 1
        assert opted_out(conn) == {who(conn, NUMBERS[0])}


def test_whoever_was_not_asked_about_keeps_their_choice(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
        assert keep(conn, place, NUMBERS[1], asked=NUMBERS[1:3], at=5) == Report(2, 1, new=1, ended=0, unknown=0)
        assert opted_out(conn) == {who(conn, NUMBERS[0]), who(conn, NUMBERS[2])}


def test_a_number_of_nobody_is_counted_and_no_more(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        assert keep(conn, place, *NUMBERS, asked=(*NUMBERS, "9990000999")) == Report(8, 1, 0, 0, unknown=1)


def test_it_is_a_consent_of_research_that_the_home_organisation_answers_for(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
        row = conn.execute(select(resource).where(resource.c.type == "Consent")).one()
    body = exact_json.loads(row.body)
    assert (body["status"], body["scope"]["coding"][0]["code"], body["provision"]["type"]) == (
        "active",
        "research",
        "deny",
    )
    assert (row.category, row.custodian, row.source) == ("opt-out", "QDM", "carelink")


def test_nobody_who_cares_for_them_reads_of_it_nor_do_they_on_their_own_page(db: Engine, place: Place) -> None:
    """The licence of the national service: not in the record, and for nothing but respecting it."""
    with db.begin() as conn:
        person = who(conn, NUMBERS[0])
        conn.execute(insert(user).values(id="self", name="Somebody", person=person))
    app = site(db, place)

    def shown(name: str, *paths: str) -> list[str]:
        return [page(signed_in(app, name, NOW), path).one("main").text for path in paths]

    theirs = (f"/people/{person}", f"/people/{person}/consents", f"/people/{person}/who-decides")
    before = shown("sam.okafor", *theirs) + shown("self", "/me", "/me/choices")
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
        assert opted_out(conn) == {person}
    assert shown("sam.okafor", *theirs) + shown("self", "/me", "/me/choices") == before


def test_it_holds_back_nothing_from_care(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
        lens = Lens.compile(place, requester(conn, place, UserId("sam.okafor")), NOW)
        seen = conn.execute(select(resource.c.key).where(resource.c.type == "Condition", lens.where(resource))).all()
        assert len(seen) == len(NUMBERS)
        assert not lens.withheld(conn, who(conn, NUMBERS[0]))  # type: ignore[arg-type]


def test_it_is_audited_without_a_number_in_it(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
    rows = trail(db)
    [kept] = [row for row in rows if row.action == "opt-outs"]
    assert (kept.user, kept.detail) == ("operator:ada", {"asked": 7, "opted_out": 1, "new": 1, "ended": 0})
    assert not any(number in str(row) for row in rows for number in NUMBERS)


# The commands --------------------------------------------------------------------------------------


@pytest.fixture
def shop(db: Engine, place: Place) -> Shop:
    return Shop(db, place, settings.Settings(place=place.folder, secret_key="only for tests"))


def test_the_list_is_written_for_the_operator_alone_and_never_over_another(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "sent.dat"
    assert planning_commands.ask_for_opt_outs(shop, file) == f"7 NHS numbers written to {file}"
    assert file.read_text() == "".join(f"{number},\n" for number in sorted(NUMBERS))
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Invalid, match="there already"):
        planning_commands.ask_for_opt_outs(shop, file)
    assert trail(shop.engine)[-1].action == "export"


def test_an_answer_is_read_from_a_file_and_of_one_that_is_wrong_nothing_is_kept(
    shop: Shop, db: Engine, tmp_path: Path
) -> None:
    asked, back = tmp_path / "sent.dat", tmp_path / "back.dat"
    planning_commands.ask_for_opt_outs(shop, asked)
    back.write_text("".join(f"{number},\n" for number in (*NUMBERS[:3], "9990000999")))
    with pytest.raises(Invalid) as wrong:
        planning_commands.keep_opt_outs(shop, back, asked)
    assert wrong.value.place == "back.dat:4"
    with db.begin() as conn:
        assert opted_out(conn) == set()
    back.write_text("".join(f"{number},\n" for number in NUMBERS[:3]))
    told = planning_commands.keep_opt_outs(shop, back, asked)
    assert told == "7 asked about, 4 opted out: 4 new, 0 ended; 0 numbers of nobody in the record"


def test_counts_are_told_in_a_terminal_as_asked_by_who_runs_it(shop: Shop) -> None:
    lines = planning_commands.count(shop, "people-by-condition", "paul.reyes", "", as_csv=False)
    assert lines[0] == "How many people have which condition?"
    assert lines[1] in ("Diabetes mellitus: people 5", "Nothing that enough people have")
    last = trail(shop.engine)[-1]
    assert last.user.startswith("operator:")
    assert last.detail == {"question": "people-by-condition", "view_of": "paul.reyes"}
    heading, *_ = planning_commands.count(shop, "people-by-age-and-sex", "paul.reyes", "", as_csv=True)
    assert heading == "Age,Female,Male,Other or not known"


def test_the_page_says_when_they_were_last_read(db: Engine, place: Place) -> None:
    with db.begin() as conn:
        keep(conn, place, *NUMBERS[1:])
    app: Flask = site(db, place)
    told = page(signed_in(app, "paul.reyes", NOW), "/planning").text
    assert "The national data opt-outs were last read 24 November 2026, 12:00" in told
