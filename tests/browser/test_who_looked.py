"""Who looked: the person reads it in plain words, the lead with all that was kept; what is worth a look is closed in words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser_pages import DESKTOP, IRIS, JOYCE, PHONE, SAM, findings, open_record, picture
from playwright.sync_api import Page, expect
from running_system import RunningSystem

from carelink import clock
from carelink.audit import patterns
from carelink.db.engine import engine_for
from carelink.db.tables import audit_signal
from carelink.demo.environment import Folder
from fhir_adapters.simulators import cast

Visit = Callable[..., Page]


def start(page: Page) -> None:
    """From any page of the lead's to the search of the audit; what does not fit the width is under More."""
    page.goto(re.sub(r"(https?://[^/]+).*", r"\1/audit", page.url))


@pytest.fixture
def looked(visit: Visit) -> None:
    """Sam Okafor has opened the record of Joyce Adeyemi, who is on his caseload."""
    open_record(visit(SAM), cast.SIGNS_IN)


@pytest.fixture
def signal(system: RunningSystem) -> str:
    """Something that is worth a look, as the hourly job would have raised it; gives what it is called."""
    engine = engine_for(Folder(system.folder).environment()["CARELINK_DATABASE_URL"])
    row = {"pattern": "many-people", "user": "nadia.rahman", "organisation": "RDV", "detail": {"minutes": 60}}
    at = clock.now()
    with engine.begin() as conn:
        conn.execute(audit_signal.insert().values(**row, day=at, count=71, raised_at=at))
    engine.dispose()
    return patterns.MANY_PEOPLE.label


@pytest.mark.usefixtures("looked")
def test_the_person_reads_who_opened_their_record_when_and_why(visit: Visit) -> None:
    page = visit(JOYCE)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Who looked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who looked at my record")
    sentence = re.compile(
        r"Sam Okafor, social worker at Northdale Council opened your record (at \d\d:\d\d|\d+ times).*, "
        r"because you are on their caseload or their team's\."
    )
    expect(page.get_by_role("listitem").filter(has_text=sentence).first).to_be_visible()
    picture(page, "who-looked-me")
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []


@pytest.mark.usefixtures("looked")
def test_the_person_chooses_days_without_scripts(visit: Visit) -> None:
    page = visit(JOYCE, "/me/who-looked", scripts=False)
    page.get_by_label("To date").fill("2020-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nobody looked at your record on these days.")).to_be_visible()


@pytest.mark.usefixtures("looked")
def test_the_lead_finds_who_looked_by_number_with_purpose_relationship_rules_and_questions(visit: Visit) -> None:
    page = visit(IRIS)
    start(page)
    assert findings(page, PHONE) == []
    page.get_by_label("NHS number").fill(cast.SIGNS_IN.nhs_number)
    page.get_by_role("button", name="Show who looked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who looked at Mrs Joyce Adeyemi")
    row = page.get_by_role("row").filter(has_text="Sam Okafor").filter(has_text="Opened").first
    expect(row).to_contain_text("planning and arranging care")
    expect(row).to_contain_text("caseload")
    row.get_by_text("Rules and questions").click()
    expect(row.get_by_text(re.compile("Rules: .*L8-"))).to_be_visible()
    assert cast.SIGNS_IN.nhs_number not in page.url
    picture(page, "who-looked-lead")
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []


@pytest.mark.usefixtures("looked")
def test_the_lead_narrows_by_organisation_and_sees_what_a_worker_looked_at(visit: Visit) -> None:
    page = visit(IRIS)
    start(page)
    page.get_by_label("NHS number").fill(cast.SIGNS_IN.nhs_number)
    page.get_by_role("button", name="Show who looked").click()
    page.get_by_label("Organisation").select_option(label="Northdale Council")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("row").filter(has_text="Sam Okafor").first).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Iris Lang")).to_have_count(0)
    page.get_by_role("link", name="Look for another person or a worker").click()
    page.get_by_label("Name of the worker").fill("okafor")
    page.get_by_role("button", name="Find the worker").click()
    page.get_by_role("button", name="Sam Okafor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What Sam Okafor looked at")
    expect(page.get_by_role("row").filter(has_text="Mrs Joyce Adeyemi").first).to_be_visible()
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []


def test_a_wrong_number_is_said_beside_its_field(visit: Visit) -> None:
    page = visit(IRIS, "/audit")
    page.get_by_label("NHS number").fill("12")
    page.get_by_role("button", name="Show who looked").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not an NHS number: check the ten digits")
    assert findings(page, DESKTOP) == []


def test_what_is_worth_a_look_is_closed_with_an_answer_and_words(visit: Visit, signal: str) -> None:
    page = visit(IRIS, "/audit/signals")
    expect(page.get_by_text("What it finds may be quite right")).to_be_visible()
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []
    page.get_by_role("link", name=signal).first.click()
    page.get_by_role("button", name="Save and close").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what it was")
    picture(page, "worth-a-look")
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []
    page.get_by_label("It was in order").check()
    page.get_by_label("What you found").fill("A colleague asked me to cover.")
    page.get_by_role("button", name="Save and close").click()
    expect(page.get_by_role("status")).to_have_text("Saved: this is closed.")
