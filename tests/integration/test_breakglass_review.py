"""What was opened in need is told to who must know, and waits until another has looked at it and said what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from breakglass_builders import GWEN, IRIS, WORDS, grant, grants, open_in_need, post, said, trail
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from page_builders import page, signed_in
from sqlalchemy import Engine, insert, select, text, update

from carelink.cases import breakglass_telling
from carelink.clock import now as clock
from carelink.db.tables import access_grant, outbox, resource, role_assignment
from carelink.ids import PersonKey
from carelink.jobs import handlers
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.record.validation import check
from carelink.settings import Settings
from fhir_adapters import exact_json

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def iris(app: Flask, changed: Engine, now: datetime) -> FlaskClient:
    return signed_in(app, IRIS, now)


@pytest.fixture
def opened(changed: Engine, known: PersonKey, now: datetime) -> int:
    """Gwen's, over since an hour, due tomorrow."""
    with changed.begin() as conn:
        return grant(conn, known, now - 2 * HOUR, ends=now - HOUR, review_due=now + DAY)


@pytest.fixture
def work(changed: Engine, place: Place) -> Callable[[], None]:
    """Does what break-glass left in the outbox."""

    def do() -> None:
        waiting = select(outbox.c.id).where(outbox.c.kind.like("break-glass%"), outbox.c.done_at.is_(None))
        with changed.connect() as conn:
            ids = conn.execute(waiting).scalars().all()
        for id_ in ids:
            assert handlers.run(Shop(changed, place, Settings(), clock), id_)

    return do


def rows(told: Element) -> dict[str, str]:
    """The summary of a case: what -> what it says."""
    return {one.one("dt").text: one.one("dd").text for one in told.all("div", class_="nhsuk-summary-list__row")}


# Telling -------------------------------------------------------------------------------------------


def test_the_person_reads_on_their_own_page_that_it_happened_and_not_why(
    app: Flask, changed: Engine, known: PersonKey, now: datetime, work: Callable[[], None]
) -> None:
    open_in_need(signed_in(app, GWEN, now), known)
    herself = signed_in(app, "nora", now)
    assert "opened in need" not in page(herself, "/me").text
    work()
    told = page(herself, "/me")
    notice = told.one("section", aria_labelledby="notices").text
    assert wrongs(told) == []
    assert (
        "On 24 November 2026 at 12:00 somebody who works as Social worker of Southmere Council opened parts" in notice
    )
    assert "The information governance lead of Dalemere checks whether it was right" in notice
    assert "01632 960 001" in notice
    assert WORDS not in told.text


def test_a_place_that_does_not_tell_the_person_makes_no_notice(
    changed: Engine, known: PersonKey, now: datetime, place: Place, opened: int
) -> None:
    assert place.glass is not None
    silent = replace(place, glass=replace(place.glass, tell_person=False))
    with changed.begin() as conn:
        breakglass_telling.tell(conn, silent, opened, now)
        made = conn.execute(
            select(resource.c.type).where(
                resource.c.type.in_(("Task", "Communication")), resource.c.source == "carelink"
            )
        )
        assert made.scalars().all() == ["Task"]


def test_no_worker_reads_the_notice_or_the_task(
    app: Flask, changed: Engine, known: PersonKey, now: datetime, work: Callable[[], None]
) -> None:
    open_in_need(signed_in(app, GWEN, now), known)
    work()
    for user in ("sam.okafor", "tom.ellis", "nadia.rahman", GWEN):
        told = page(signed_in(app, user, now), f"/people/{known}").one("main").text
        assert "Your record was opened in need" not in told
        assert "Review a record" not in told


def test_the_lead_has_a_task_with_the_day_by_which_it_must_be_answered_and_it_names_nobody(
    app: Flask, changed: Engine, known: PersonKey, now: datetime, work: Callable[[], None]
) -> None:
    open_in_need(signed_in(app, GWEN, now), known)
    work()
    task, notice = _made(changed)
    assert (task["status"], task["restriction"]["period"]["end"]) == ("requested", "2026-11-27T12:00:00+00:00")
    assert task["code"]["coding"][0]["code"] == "break-glass-review"
    assert not any(word in str(task) for word in ("Nora", "Hart", str(known), WORDS, GWEN))
    assert [check(one["resourceType"], one).problems for one in (task, notice)] == [(), ()]


def _made(engine: Engine) -> list[dict[str, object]]:
    made = select(resource.c.body).where(
        resource.c.source == "carelink", resource.c.type.in_(("Task", "Communication"))
    )
    with engine.connect() as conn:
        return [exact_json.loads(body) for body in conn.execute(made.order_by(resource.c.type.desc())).scalars()]


def test_told_twice_it_is_there_once(changed: Engine, place: Place, now: datetime, opened: int) -> None:
    for _ in range(2):
        with changed.begin() as conn:
            breakglass_telling.tell(conn, place, opened, now)
    assert len(_made(changed)) == 2


# The queue -----------------------------------------------------------------------------------------


def test_what_is_overdue_comes_first_and_is_counted_in_the_menu(
    iris: FlaskClient, changed: Engine, known: PersonKey, now: datetime, opened: int
) -> None:
    with changed.begin() as conn:
        late = grant(conn, known, now - 6 * DAY, ends=now - 6 * DAY + HOUR, review_due=now - 3 * DAY, user="sam.okafor")
        grant(conn, known, now, ends=now + HOUR, review_due=now + 3 * DAY)
    told = page(iris, "/break-glass/reviews")
    assert wrongs(told) == []
    first, second, third = (row.text for row in told.one("tbody").all("tr"))
    assert ("Sam Okafor" in first, "3 days late" in first) == (True, True)
    assert "due in 1 day" in second
    assert ("still open" in third, "due in 3 days" in third) == (True, True)
    assert "3 wait" in told.text
    menu = page(iris, "/links").one("nav", aria_label="Main").text
    assert "Opened in need (1 late)" in menu
    with changed.begin() as conn:
        conn.execute(update(access_grant).where(access_grant.c.id == late).values(reviewed_at=now, finding="unclear"))
    assert "late" not in page(iris, "/links").one("nav", aria_label="Main").text


def test_the_list_names_no_person(iris: FlaskClient, changed: Engine, opened: int) -> None:
    told = page(iris, "/break-glass/reviews").text
    assert "Gwen Price" in told
    assert "Nora" not in told
    [look] = [row for row in trail(changed, "search") if row.user == IRIS]
    assert (look.query, look.count, look.person) == ("break-glass reviews", 1, None)


@pytest.mark.parametrize("user", ["sam.okafor", "paul.reyes", "nora"])
def test_who_does_not_review_sees_none_of_it(app: Flask, opened: int, now: datetime, user: str) -> None:
    browser = signed_in(app, user, now)
    for path in ("/break-glass/reviews", f"/break-glass/reviews/{opened}"):
        assert "Opened in need" not in page(browser, path, 403).text


# One case ------------------------------------------------------------------------------------------


def test_a_case_says_who_why_what_was_looked_at_and_the_ties_then_and_now(
    app: Flask, iris: FlaskClient, changed: Engine, known: PersonKey, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    gwen = signed_in(app, GWEN, now)
    open_in_need(gwen, known)
    for _ in range(2):
        page(gwen, f"/people/{known}")
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T13:00:00+00:00")
    gwen.get(f"/people/{known}")
    with changed.begin() as conn:
        tie = "insert into relationship (person, kind, organisation, starts) values (:key, 'referral', '902', :at)"
        conn.execute(text(tie), {"key": known, "at": now + timedelta(minutes=30)})
    told = page(signed_in(app, IRIS, now + HOUR), f"/break-glass/reviews/{grants(changed)[0].id}")
    assert wrongs(told) == []
    facts = rows(told)
    assert facts["Opened by"] == "Gwen Price, Social worker, Southmere Council, team adults-south"
    assert facts["Person"] == "Nora Hart, born 6 May 1944, NHS number 999 000 0018"
    assert facts["Opened"] == "24 November 2026, 12:00 to 13:00"
    assert facts["Reason"] == "Emergency: the person's life or health is at risk now"
    assert facts["In their words"] == WORDS
    assert facts["Involved then"] == "no tie that CareLink knows of"
    assert facts["Involved now"] == "referred to their organisation"
    looks = {row.one("th").text: [cell.text for cell in row.all("td")] for row in told.one("tbody").all("tr")}
    assert looks["Looked at: who they are"][0] == "2", "the refusal at 13:00 is not among them"
    assert int(looks["Looked at: the whole record"][1]) > 2
    assert "The requester is not involved with this person, and broke the glass" in told.text
    [look] = [row for row in trail(changed, "read") if row.user == IRIS]
    assert look.person == known


def test_an_answer_closes_it_is_kept_and_told(
    iris: FlaskClient, changed: Engine, known: PersonKey, now: datetime, opened: int, work: Callable[[], None]
) -> None:
    path = f"/break-glass/reviews/{opened}"
    answer = post(iris, path, path, finding="not-justified", words="She had no part in this case; told her manager")
    assert answer.status_code == 303
    after = page(iris, "/break-glass/reviews")
    assert "Nothing waits for a review." in after.text
    assert "Not justified" in after.one("tbody").text
    [row] = grants(changed)
    assert (row.finding, row.reviewed_by, row.reviewed_at) == ("not-justified", IRIS, now)
    [event] = trail(changed, "break-glass-review")
    assert (event.user, event.person) == (IRIS, known)
    assert event.detail == {"grant": opened, "finding": "not-justified", "opened_by": GWEN}
    work()
    assert [(one["status"], one["businessStatus"]) for one in _made(changed)] == [
        ("completed", {"text": "not-justified"})
    ]
    assert "told her manager" in page(iris, path).text


@pytest.mark.parametrize(
    ("sent", "asks"),
    [
        ({"words": "She was on duty that night"}, "Choose what you found"),
        ({"finding": "fine", "words": "She was on duty that night"}, "Choose what you found"),
        ({"finding": "justified", "words": "ok"}, "Say how you came to this"),
    ],
)
def test_it_is_not_closed_without_a_finding_and_words(
    iris: FlaskClient, changed: Engine, opened: int, sent: dict[str, str], asks: str
) -> None:
    answer = post(iris, f"/break-glass/reviews/{opened}", f"/break-glass/reviews/{opened}", **sent)
    assert asks in read(answer.text).one("div", class_="nhsuk-error-summary").text
    assert grants(changed)[0].reviewed_at is None


def test_who_opened_it_does_not_review_it_in_whatever_role(
    app: Flask, changed: Engine, opened: int, now: datetime
) -> None:
    with changed.begin() as conn:
        conn.execute(insert(role_assignment).values(user=GWEN, organisation="QDM", team="", role="ig-lead"))
    gwen = signed_in(app, GWEN, now, "QDM||ig-lead")
    path = f"/break-glass/reviews/{opened}"
    assert "somebody else must review it" in page(gwen, path).text
    answer = post(gwen, path, path, finding="justified", words="It was quite right, I say")
    assert answer.status_code == 403
    assert grants(changed)[0].reviewed_at is None


def test_what_is_still_open_can_be_closed_by_the_reviewer_and_only_then_answered(
    app: Flask, iris: FlaskClient, changed: Engine, known: PersonKey, now: datetime
) -> None:
    gwen = signed_in(app, GWEN, now)
    open_in_need(gwen, known)
    path = f"/break-glass/reviews/{grants(changed)[0].id}"
    early = post(iris, path, path, finding="justified", words="It was quite right, I say")
    assert (early.status_code, "still open" in said(early)) == (409, True)
    assert post(iris, f"{path}/end", path).status_code == 303
    assert gwen.get(f"/people/{known}").status_code == 404
    assert trail(changed, "break-glass-end")[0].detail["opened_by"] == GWEN
    assert post(iris, path, path, finding="justified", words="It was quite right, I say").status_code == 303


def test_what_was_answered_meanwhile_is_not_answered_again(iris: FlaskClient, changed: Engine, opened: int) -> None:
    path = f"/break-glass/reviews/{opened}"
    assert post(iris, path, path, finding="justified", words="It was quite right, I say").status_code == 303
    again = post(iris, path, "/break-glass/reviews", finding="unclear", words="On second thoughts, I ask")
    assert again.status_code == 409
    assert grants(changed)[0].finding == "justified"


def test_a_number_of_nothing_is_not_found(iris: FlaskClient) -> None:
    assert iris.get("/break-glass/reviews/999999").status_code == 404
