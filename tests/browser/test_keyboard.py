"""Without a mouse: from signing in to the filtered timeline, seeing at each step where one is."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser_pages import PHONE, SAM, find_by_number, timeline_items
from playwright.sync_api import Locator, Page, expect

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]
MOST_STEPS = 200  # each item has links of its own

# Whether what has the focus can be seen: it has a size, and nothing lies over the middle of its first line.
IN_SIGHT = """() => {
  const box = document.activeElement.getClientRects()[0];
  const top = box && document.elementFromPoint(box.left + Math.min(box.width / 2, 20), box.top + box.height / 2);
  return Boolean(top && (document.activeElement.contains(top) || top.contains(document.activeElement)));
}"""


def step_to(page: Page, wanted: Locator) -> None:
    """Tab by tab, until the focus is there; wherever it is on the way, it is in sight."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert page.evaluate(IN_SIGHT), f"the focus is hidden at {where}"
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} was not reached in {MOST_STEPS} steps")


def test_the_first_step_leads_past_the_menu(visit: Visit) -> None:
    page = visit(SAM, "/caseload")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_signing_in_needs_no_mouse(visit: Visit) -> None:
    page = visit("", "/")
    step_to(page, page.get_by_role("button", name="Sign in"))
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who are you in this demonstration?")
    step_to(page, page.get_by_role("button", name=SAM))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("My caseload")


def test_finding_opening_and_filtering_need_no_mouse(visit: Visit) -> None:
    page = visit(SAM, "/caseload")
    step_to(page, page.get_by_role("link", name="Find a person"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Find a person")
    step_to(page, page.get_by_label("NHS number"))
    page.keyboard.type(cast.MARGARET_ELLISON.nhs_number)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 found")).to_be_visible()
    step_to(page, page.get_by_role("link", name="Mrs Margaret Rose Ellison"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mrs Margaret Rose Ellison")
    step_to(page, page.get_by_role("navigation", name="Parts of this record").get_by_role("link", name="Timeline"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Timeline")).to_be_in_viewport()
    show = page.get_by_label("Show")
    step_to(page, show)
    page.keyboard.type("Prob")
    expect(page).to_have_url(re.compile("category=problems"))
    expect(timeline_items(page).first).to_contain_text("Problem")
    expect(show).to_be_focused()


def test_on_a_phone_and_at_four_times_the_size_every_step_is_in_sight(visit: Visit) -> None:
    page = visit(SAM, "/caseload", PHONE)
    step_to(page, page.get_by_role("link", name="Mrs Margaret Rose Ellison"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mrs Margaret Rose Ellison")
    step_to(page, page.get_by_label("Show"))


def test_what_is_jumped_to_is_not_hidden_by_the_banner(visit: Visit) -> None:
    page = visit(SAM)
    find_by_number(page, cast.MARGARET_ELLISON)
    page.get_by_role("link", name="Ellison").click()
    contents = page.get_by_role("navigation", name="Parts of this record")
    for link in contents.get_by_role("link").all():
        link.click()
        banner = page.get_by_role("region", name="Who this is").bounding_box()
        heading = page.locator(str(link.get_attribute("href"))).bounding_box()
        assert banner is not None
        assert heading is not None
        assert heading["y"] >= banner["y"] + banner["height"], link.inner_text()
