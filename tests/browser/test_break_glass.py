"""A record that is opened in need, from the search to the review, at a desk, on a phone, and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser_pages import DESKTOP, IRIS, PHONE, find, findings, picture
from playwright.sync_api import Locator, Page, expect

from fhir_adapters.simulators import cast
from fhir_adapters.simulators.people import Person

Visit = Callable[..., Page]
GWEN = "Gwen Price"  # a social worker of the other council
WORDS = "Found on the stairs by a neighbour, can't say what she takes"
MOST_STEPS = 40


def nothing_is_wrong(page: Page) -> None:
    """At either width."""
    assert findings(page, PHONE) == []
    assert findings(page, DESKTOP) == []


def name(page: Page, person: Person) -> None:
    """Type the two facts and go on."""
    for label, value in (("Day", person.born.day), ("Month", person.born.month), ("Year", person.born.year)):
        page.get_by_label(label).fill(str(value))
    page.get_by_label("NHS number").fill(person.nhs_number)
    page.get_by_role("button", name="Continue").click()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_from_nobody_found_to_the_record_to_the_review(visit: Visit) -> None:
    page = visit(GWEN, "/people/find")
    find(page, NHS_number=cast.EDITH_CRABTREE.nhs_number)
    page.get_by_role("link", name="Open a record in need").click()
    heading(page, "Open a record in need")
    nothing_is_wrong(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the whole date of birth")
    nothing_is_wrong(page)
    name(page, cast.EDITH_CRABTREE)
    heading(page, "Why do you need to open this record?")
    nothing_is_wrong(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose why you need to open this record")
    nothing_is_wrong(page)
    page.get_by_label("Emergency").check()
    page.get_by_label("What has happened").fill(WORDS)
    page.get_by_role("button", name="Continue").click()
    heading(page, "You are about to open the record of a person you are not involved with")
    picture(page, "break-glass", 1250)
    nothing_is_wrong(page)
    page.get_by_role("button", name="Open the record").click()

    heading(page, "Mrs Edith Crabtree")
    banner = page.get_by_role("region", name="Opened in need")
    expect(banner).to_contain_text(re.compile(r"It closes at \d\d:\d\d.*, in (60|59) minutes\. Every look is reviewed"))
    expect(banner).to_be_in_viewport()
    expect(page.get_by_role("region", name="Who this is")).to_contain_text("Opened in need until")
    nothing_is_wrong(page)
    record = page.url

    banner.get_by_role("button", name="I am done").click()
    heading(page, "The record is closed")
    nothing_is_wrong(page)
    page.goto(record)
    heading(page, "There is nothing here that you can see")

    lead = visit(IRIS, "/break-glass/reviews")
    nothing_is_wrong(lead)
    lead.get_by_role("row", name="Emergency").first.get_by_role("link", name=GWEN).click()
    heading(lead, "Was this record opened rightly?")
    expect(lead.get_by_role("main")).to_contain_text(WORDS)
    expect(lead.get_by_role("row", name="Looked at: the whole record")).to_be_visible()
    picture(lead, "break-glass-review", 1600)
    nothing_is_wrong(lead)
    lead.get_by_label("Justified", exact=True).check()
    lead.get_by_label("How you came to this").fill("The ward confirms that she was brought in that night")
    lead.get_by_role("button", name="Close this review").click()
    expect(lead.get_by_role("status")).to_contain_text("this one is closed")
    nothing_is_wrong(lead)


def step_to(page: Page, wanted: Locator) -> None:
    """Tab by tab, until the focus is there."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} was not reached in {MOST_STEPS} steps")


def typed(page: Page, label: str, text: str) -> None:
    step_to(page, page.get_by_label(label))
    page.keyboard.type(text)


def test_it_needs_no_mouse(visit: Visit) -> None:
    page, person = visit(GWEN, "/break-glass"), cast.BRIAN_THORPE
    typed(page, "Day", str(person.born.day))
    typed(page, "Month", str(person.born.month))
    typed(page, "Year", str(person.born.year))
    typed(page, "NHS number", person.nhs_number)
    page.keyboard.press("Enter")
    heading(page, "Why do you need to open this record?")
    step_to(page, page.get_by_label("Emergency"))
    page.keyboard.press("Space")
    typed(page, "What has happened", WORDS)
    step_to(page, page.get_by_role("button", name="Continue"))
    page.keyboard.press("Enter")
    heading(page, "You are about to open the record of a person you are not involved with")
    step_to(page, page.get_by_role("button", name="Open the record"))
    page.keyboard.press("Enter")
    done = page.get_by_role("button", name="I am done")
    done.wait_for()
    step_to(page, done)
    page.keyboard.press("Enter")
    heading(page, "The record is closed")


def test_it_works_without_scripts_on_a_phone(visit: Visit) -> None:
    page = visit(GWEN, "/break-glass", PHONE, scripts=False)
    name(page, cast.BRIAN_THORPE)
    heading(page, "Why do you need to open this record?")
    page.get_by_role("link", name="Leave without opening it").click()
    heading(page, "My caseload")
