"""Who decides: a social worker finds it on the person's page, records an assessment and an authority, and corrects one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_pages import DESKTOP, PHONE, SAM, findings, open_record, picture
from playwright.sync_api import Page, expect

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]
UNABLE = "Found unable to decide about sharing their record"


def answer(page: Page, question: str, said: str) -> None:
    """Chooses one of the radios under that question."""
    page.get_by_role("group", name=question).get_by_label(said, exact=True).check()


def begin(page: Page) -> None:
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_role("link", name="Who decides", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who decides for")


def fill_in(page: Page) -> None:
    """An assessment: she can't keep it in mind, because of delirium."""
    answer(page, "What is to be decided?", "Sharing their record")
    answer(page, "Can they understand", "Yes")
    answer(page, "Can they keep it in mind", "No")
    answer(page, "Can they use or weigh it", "Yes")
    answer(page, "Can they tell somebody", "Yes")
    page.get_by_label("How do you know?").fill("Asked her twice in the morning. She had lost it within a minute.")
    answer(page, "What did you find?", "They are not able to decide this")


def put_right(page: Page, link: str) -> None:
    page.get_by_role("link", name=link).first.click()
    page.get_by_label("What was wrong?").fill("A test of the browser")
    page.get_by_role("button", name="Mark as a mistake").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_assessment_is_recorded_shows_at_the_top_of_the_record_and_is_put_right(visit: Visit, scripts: bool) -> None:
    page = visit(SAM, scripts=scripts)
    begin(page)
    expect(page.get_by_role("region", name="Who may consent")).to_contain_text("An adult is taken to be able to decide")
    page.get_by_role("button", name="Record an assessment of capacity").click()
    fill_in(page)
    page.get_by_role("button", name="Record the assessment").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Say whether it is because of an impairment")
    alert.get_by_role("link").first.click()  # leads to what is to be put right, and nothing that was typed is lost
    expect(page.get_by_label("How do you know?")).to_have_value(
        "Asked her twice in the morning. She had lost it within a minute."
    )
    answer(page, "If you said no to any of these", "Yes")
    page.get_by_label("What impairment or disturbance?").fill("Delirium")
    page.get_by_role("button", name="Record the assessment").click()
    expect(page.get_by_role("status")).to_contain_text("The assessment is recorded.")
    expect(page.get_by_role("region", name="Who may consent")).to_contain_text("Nobody may consent now.")
    if scripts:
        picture(page, "who-decides")
    page.get_by_role("link", name="Back to").click()
    expect(page.get_by_role("region", name="Who this is")).to_contain_text(UNABLE)
    page.get_by_role("link", name="Who decides", exact=True).click()
    put_right(page, "Recorded by mistake")
    expect(page.get_by_role("status")).to_contain_text("counts no longer")
    expect(page.get_by_role("region", name="Who may consent")).to_contain_text("decides.")


def test_the_pages_of_who_decides_are_for_everybody_on_every_screen(visit: Visit) -> None:
    page = visit(SAM)
    begin(page)
    start = page.url
    for where in ("", "/assessment", "/best-interests", "/authority"):
        page.goto(f"{start}{where}")
        if where:
            page.get_by_role("button", name="Record the").click()  # with all that is wrong said
        assert [(where, one) for size in (DESKTOP, PHONE) for one in findings(page, size)] == []
