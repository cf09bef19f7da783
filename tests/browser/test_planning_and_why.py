"""A planner reads numbers and takes them away; a social worker asks why they see something, the lead why and why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from browser_pages import DESKTOP, IRIS, PHONE, SAM, find, findings, open_record, picture
from playwright.sync_api import Page, expect

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]
PAUL = "Paul Reyes"  # planner


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def fits(page: Page) -> list[str]:
    found = [*findings(page, PHONE), *findings(page, DESKTOP)]
    page.set_viewport_size(DESKTOP)
    return found


def test_a_planner_reads_an_answer_and_takes_it_away(visit: Visit) -> None:
    page = visit(PAUL, "/planning")
    assert heading(page) == "Numbers for planning"
    assert fits(page) == []
    page.get_by_role("link", name="How many people, by age and sex?").click()
    assert heading(page) == "How many people, by age and sex?"
    assert fits(page) == []
    picture(page, "planning")
    cells = page.get_by_role("table").get_by_role("cell").all_inner_texts()
    assert len(cells) == 24
    assert all(re.fullmatch(r"too few|\d*[05]", cell) for cell in cells)
    with page.expect_download() as file:
        page.get_by_role("link", name="Download as a file (CSV)").click()
    assert file.value.suggested_filename == "people-by-age-and-sex.csv"
    text = Path(file.value.path()).read_text()
    assert text.splitlines()[0] == "Age,Female,Male,Other or not known"


def test_a_planner_finds_nobody(visit: Visit) -> None:
    page = visit(PAUL, "/planning")
    menu = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert menu.all_inner_texts() == ["Numbers for planning"]
    page.goto(page.url.replace("/planning", "/people/find"))
    find(page, NHS_number=cast.MARGARET_ELLISON.nhs_number)
    assert page.get_by_role("link", name=cast.MARGARET_ELLISON.family).count() == 0


def test_a_social_worker_asks_why_they_see_something_and_goes_back(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    record = page.url
    page.get_by_role("region", name="Allergies").get_by_role("link", name="Why? do I see").first.click()
    assert heading(page) == "Why you see this"
    expect(page.get_by_role("main")).to_contain_text("on your caseload")
    assert fits(page) == []
    picture(page, "why")
    page.get_by_role("link", name="Back to the record").click()
    expect(page).to_have_url(record)


def test_of_a_restricted_person_the_page_names_no_practice_and_no_hospital(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.RESTRICTED)
    shown = page.get_by_role("main").inner_text()
    assert "A GP practice" in shown
    assert [word for word in ("Riverside", "Dale Valley", "GP record") if word in shown] == []
    assert page.get_by_label("From", exact=True).count() == 0
    assert fits(page) == []


def test_the_lead_asks_why_and_why_not(visit: Visit) -> None:
    page = visit(IRIS, "/who-sees-what")
    page.get_by_role("link", name="Why, and why not").click()
    assert fits(page) == []
    page.get_by_role("button", name="Ask").click()
    assert fits(page) == []
    page.get_by_role("link", name="Choose a worker from the list").click()
    expect(page.get_by_label("Worker", exact=True)).to_be_focused()
    page.get_by_label("Worker", exact=True).fill("sam.okafor")
    page.get_by_label("Whose record").fill(cast.SENSITIVE.nhs_number)
    page.get_by_role("button", name="Ask").click()
    answer = page.get_by_role("region", name="What Sam Okafor sees now")
    expect(answer).to_contain_text("L5-sensitive")
    expect(answer).to_contain_text("Health and Social Care")
    assert fits(page) == []
    picture(page, "explain")


def test_why_is_asked_without_scripts(visit: Visit) -> None:
    page = visit(SAM, "/people/find", scripts=False)
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_role("region", name="Alerts").get_by_role("link", name="Why?").first.click()
    assert heading(page) == "Why you see this"
