"""The information governance lead looks as somebody else, back, and ahead; in a browser, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser_pages import DESKTOP, IRIS, PATIENCE, PHONE, SAM, facts, findings, open_record, picture, timeline_texts
from playwright.sync_api import Page, expect
from running_system import RunningSystem

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]


def look(page: Page, worker: str, number: str) -> None:
    """From the ways to ask to the view."""
    page.get_by_role("link", name="Look as somebody else").click()
    page.get_by_label("Whose record").fill(number)
    page.get_by_label("Worker", exact=True).select_option(label=worker)
    page.get_by_role("button", name="Look").click()


def test_the_lead_sees_the_record_as_the_social_worker_does_under_a_band_that_stays(visit: Visit) -> None:
    page = visit(IRIS, "/who-sees-what")
    look(page, "Sam Okafor, Social worker, Northdale Council", cast.SENSITIVE.nhs_number)
    band = page.get_by_role("region", name="Looking as somebody else")
    expect(band).to_contain_text("Looking as: Sam Okafor, Social worker, Northdale Council")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(band).to_be_in_viewport()
    who = facts(page.get_by_role("region", name="Who this is"))
    items = timeline_texts(page)
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []
    page.set_viewport_size(DESKTOP)
    page.evaluate("window.scrollTo(0, 0)")
    picture(page, "view-as")
    sams = visit(SAM, "/people/find")
    open_record(sams, cast.SENSITIVE)
    his = facts(sams.get_by_role("region", name="Who this is"))
    assert {term: said.removesuffix(" Who decides") for term, said in his.items()} == who, "he may act on it, she not"
    assert timeline_texts(sams) == items


def test_the_view_is_filtered_and_stays_the_view(visit: Visit) -> None:
    page = visit(IRIS, "/who-sees-what")
    look(page, "Sam Okafor, Social worker, Northdale Council", cast.SENSITIVE.nhs_number)
    page.get_by_label("Show").select_option(label="Medicines")
    expect(page).to_have_url(re.compile("/view-as/people/.*category=medicines"), timeout=PATIENCE)
    expect(page.get_by_role("region", name="Looking as somebody else")).to_be_visible()


def test_a_stranger_finds_nobody_and_the_lead_stops(visit: Visit) -> None:
    page = visit(IRIS, "/who-sees-what")
    look(page, "Gwen Price, Social worker, Southmere Council", cast.SENSITIVE.nhs_number)
    expect(page.get_by_role("heading", level=1)).to_have_text("They would not find this person")
    assert findings(page, DESKTOP) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look as somebody else")


def test_it_works_without_scripts(visit: Visit) -> None:
    page = visit(IRIS, "/view-as", scripts=False)
    assert page.get_by_label("Worker", exact=True).is_visible()
    page.get_by_label("Whose record").fill(cast.SENSITIVE.nhs_number)
    page.get_by_label("Role", exact=True).select_option(label="Social worker")
    page.get_by_label("Organisation").select_option(label="Northdale Council")
    page.get_by_label("As if they were involved with the person").check()
    page.get_by_role("button", name="Look").click()
    band = page.get_by_role("region", name="Looking as somebody else")
    expect(band).to_contain_text("Any social worker, Northdale Council, as if they were involved")


def test_the_pages_of_who_sees_what_can_be_used_by_everybody(visit: Visit, system: RunningSystem) -> None:
    page = visit(IRIS, "/view-as")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose whose view you want to take")
    for path in ("/view-as", "/who-sees-what", "/as-it-was", "/what-if"):
        page.goto(system.url(path))
        assert findings(page, DESKTOP) == [], path
        assert findings(page, PHONE) == [], path


def test_the_lead_asks_what_a_worker_could_see(visit: Visit) -> None:
    page = visit(IRIS, "/as-it-was")
    page.get_by_label("Worker", exact=True).fill("sam.okafor")
    page.get_by_label("Whose record").fill(cast.SENSITIVE.nhs_number)
    page.get_by_label("Day", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("when the first place pack was kept")
    assert findings(page, DESKTOP) == []
