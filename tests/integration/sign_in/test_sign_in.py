"""The whole way to the identity provider and back, over HTTP: who comes in, who does not, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from conftest import NOW
from html_reading import read
from ingest_builders import patient, person_of
from sign_in_builders import HERE, IRIS, NUMBER, SAM, Visit, asked, last_event
from sqlalchemy import Engine, delete, insert, select, update

from carelink.db.tables import person, role_assignment, user
from fhir_adapters.simulators.cast import SIGNS_IN as JOYCE

UNPROVEN = "Prove who you are to NHS login first (level P9)."
NOT_CERTAIN = "We could not find a record that is certainly yours."


def test_a_worker_comes_in_at_their_caseload_and_that_is_kept(visit: Visit, known: Engine) -> None:
    assert visit.sign_in(SAM).headers["Location"] == "/"
    kept = last_event(known)
    assert (kept.action, kept.user, kept.role, kept.organisation) == ("sign-in", SAM, "social-worker", "901")
    assert (kept.outcome, kept.at) == ("success", NOW)
    assert visit.goes_to("/") == "/caseload"
    assert "Sam Okafor" in visit.page("/caseload").text


def test_what_leaves_holds_a_state_a_nonce_and_a_challenge_that_are_new_each_time(visit: Visit) -> None:
    one, other = asked(visit.leave()), asked(visit.leave())
    assert one["response_type"] == "code"
    assert one["code_challenge_method"] == "S256"
    assert one["redirect_uri"] == f"{HERE}/signed-in"
    assert one["scope"] == "openid profile"
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) >= 32
        assert one[name] != other[name]
    with visit.browser.session_transaction() as session:
        state, nonce, verifier = session["attempt"]
    assert (state, nonce, create_s256_code_challenge(verifier)) == (
        other["state"],
        other["nonce"],
        other["code_challenge"],
    )


def test_after_signing_in_one_is_where_one_wanted_to_go(visit: Visit) -> None:
    assert visit.goes_to("/people/find") == "/"
    came = visit.sign_in(SAM)
    assert came.headers["Location"] == "/people/find"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", 7]
)
def test_nobody_is_sent_to_another_site(visit: Visit, wanted: object) -> None:
    leaving = visit.browser.get("/sign-in?next=https://evil.example/&redirect_uri=https://evil.example/")
    assert urlsplit(asked(leaving.headers["Location"])["redirect_uri"]).netloc == "localhost"
    with visit.browser.session_transaction() as session:
        session["next"] = wanted
    came = visit.back(visit.choose(SAM, leaving.headers["Location"]) + "&next=https://evil.example/")
    assert came.headers["Location"] == "/"
    for path in ("//evil.example/caseload", "/\\evil.example", "//evil.example"):
        answer = visit.browser.get("/", environ_overrides={"PATH_INFO": path})
        assert (answer.status_code, "Location" in answer.headers) == (404, False)


def test_a_user_of_two_roles_chooses_one_and_may_take_no_other(visit: Visit, known: Engine) -> None:
    held = {"user": IRIS, "organisation": "901", "team": "adults-north", "role": "social-worker"}
    with known.begin() as conn:
        conn.execute(insert(role_assignment).values(held))
    try:
        visit.goes_to("/people/find")
        assert visit.sign_in(IRIS).headers["Location"] == "/roles"
        offered = [one.attributes["value"] for one in visit.page("/roles").all("input", type="radio")]
        assert offered == ["901|adults-north|social-worker", "QDM||ig-lead"]
        refused = visit.post("/roles", "/roles", assignment="RDV||nurse")
        assert (refused.status_code, read(refused.text).one("h1").text) == (403, "You can't do this")
        assert visit.post("/roles", "/roles", assignment=offered[0]).headers["Location"] == "/people/find"
        assert last_event(known).action == "role"
        assert visit.goes_to("/") == "/caseload"
        visit.post("/roles", "/roles", assignment=offered[1])
        assert visit.goes_to("/") == "/quarantine"
    finally:
        with known.begin() as conn:
            conn.execute(
                delete(role_assignment).where(role_assignment.c.user == IRIS, role_assignment.c.organisation == "901")
            )


@pytest.mark.parametrize("sub", ["joyce", "joyce-by-vot"])
def test_a_person_whom_nhs_login_proved_sees_their_own_record(visit: Visit, known: Engine, sub: str) -> None:
    visit.sign_in(sub)
    assert visit.goes_to("/") == "/me"
    assert JOYCE.name in visit.page("/me").text
    with known.connect() as conn:
        admitted = conn.execute(select(user.c.person).where(user.c.id == sub)).scalar_one()
        assert admitted == person_of(conn, patient("joyce"))


@pytest.mark.parametrize(
    ("sub", "words", "rule"),
    [
        ("nobody", "CareLink does not know this sign-in, or it was ended.", "user-inactive"),
        ("joyce-unproven", UNPROVEN, "proofing-level"),
        ("joyce-born-elsewhen", NOT_CERTAIN, "person-not-certain"),
        ("unknown-person", NOT_CERTAIN, "person-not-certain"),
        ("priya.nair", "This sign-in belongs to a member of staff.", "worker-is-not-person"),
    ],
)
def test_who_may_not_come_in_is_told_in_plain_words_and_that_is_kept(
    visit: Visit, known: Engine, sub: str, words: str, rule: str
) -> None:
    refused = visit.sign_in(sub)
    told, kept = read(refused.text), last_event(known)
    assert (refused.status_code, told.one("h1").text) == (403, "You can't do this")
    assert words in told.one("main").text
    assert told.one("strong", class_="app-reference").text == kept.request
    assert (kept.action, kept.outcome, kept.user, kept.rules) == ("refusal", "refused", sub, [rule])
    assert NUMBER not in str(kept)
    assert visit.goes_to("/caseload") == "/"
    assert visit.goes_to("/") == "/"


def test_nobody_comes_in_as_somebody_who_died_or_whose_access_was_ended(visit: Visit, known: Engine) -> None:
    visit.sign_in("joyce")
    with known.begin() as conn:
        conn.execute(update(user).where(user.c.id == "joyce").values(active=False))
    assert visit.browser.get("/me").status_code == 403, "an ended access ends now, not at the next sign-in"
    assert visit.sign_in("joyce").status_code == 403
    with known.begin() as conn:
        conn.execute(update(user).where(user.c.id == "joyce").values(active=True))
        conn.execute(update(person).values(deceased=True))
    assert NOT_CERTAIN in read(visit.sign_in("joyce").text).text
    with known.begin() as conn:
        conn.execute(update(person).values(deceased=False))


def test_a_session_ends_after_idle_minutes_and_goes_on_where_it_was(
    visit: Visit, at: Callable[[timedelta], None]
) -> None:
    visit.sign_in(SAM)
    at(timedelta(minutes=29))
    assert visit.goes_to("/people/find") == "/people/find"
    at(timedelta(minutes=29 + 30))
    assert visit.goes_to("/people/find") == "/people/find", "it was idle for half an hour, not for more"
    at(timedelta(minutes=29 + 30 + 31))
    assert visit.goes_to("/people/find") == "/"
    assert "signed out because nothing happened for a while" in visit.page("/").text
    assert "signed out" not in visit.page("/").text, "it is said once"
    assert visit.sign_in(SAM).headers["Location"] == "/people/find"


def test_a_session_ends_after_a_shift_however_busy(visit: Visit, at: Callable[[timedelta], None]) -> None:
    visit.sign_in(SAM)
    for minutes in range(0, 601, 25):
        at(timedelta(minutes=minutes))
        assert visit.goes_to("/people/find") == "/people/find"
    at(timedelta(hours=10, minutes=1))
    assert visit.goes_to("/people/find") == "/"


def test_signing_in_again_leaves_nothing_of_the_one_before(visit: Visit, known: Engine) -> None:
    visit.sign_in(IRIS)
    with visit.browser.session_transaction() as session:
        session["assignment"] = "QDM||ig-lead"
        session["draft"] = "of somebody else"
    visit.sign_in(SAM)
    with visit.browser.session_transaction() as session:
        assert (session["user"], session["assignment"], "draft" in session) == (SAM, "", False)


def test_signing_out_ends_it_here_and_is_kept(visit: Visit, known: Engine) -> None:
    visit.sign_in(SAM)
    assert visit.browser.get("/sign-out").status_code == 405
    left = visit.post("/sign-out", of="/people/find")
    assert (left.status_code, left.headers["Location"]) == (303, f"{HERE}/")
    assert (last_event(known).action, last_event(known).user) == ("sign-out", SAM)
    assert "You are signed out." in visit.page("/").text
    assert visit.goes_to("/people/find") == "/"
