"""The ward nurse, the information governance lead, and the person: each sees what is theirs to see."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from browser_pages import DESKTOP, IRIS, JOYCE, NADIA, PHONE, SAM, find, findings, open_record, picture
from playwright.sync_api import Page, expect
from running_system import RunningSystem

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]


def test_the_ward_nurse_opens_who_is_on_the_ward_and_finds_nobody_else(visit: Visit) -> None:
    page = visit(NADIA)
    expect(page.get_by_text("Nobody is allocated to you or your team")).to_be_visible()
    open_record(page, cast.ON_WARD_NOW)
    expect(page.get_by_role("region", name="Medicines")).to_contain_text("GP record")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Find a person").click()
    find(page, NHS_number=cast.SENSITIVE.nhs_number)
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()


def test_a_page_that_another_may_see_is_not_there_for_who_may_not(visit: Visit, system: RunningSystem) -> None:
    of_sam = visit(SAM, "/people/find")
    open_record(of_sam, cast.SENSITIVE)
    for name in (NADIA, JOYCE):
        page = visit(name, of_sam.url.removeprefix(system.base))
        expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here that you can see")
        expect(page.get_by_text(cast.SENSITIVE.family)).to_have_count(0)


def test_the_information_governance_lead_sees_what_waits_but_of_nobody(visit: Visit, shared_examples: Path) -> None:
    page = visit(IRIS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not stored")
    refused = page.get_by_role("table", name="Resources in quarantine, newest first").get_by_role("row").nth(1)
    expect(refused.get_by_role("cell").nth(0)).to_have_text(re.compile("^(GP record|Hospital)$"))
    expect(refused.get_by_role("cell").nth(2)).to_have_text(re.compile(r"^[A-Z][\w.\[\]]+ \w+ "))
    text = page.get_by_role("main").inner_text()
    assert re.findall(r"\b999\d{7}\b|\b999 \d{3} \d{4}\b", text) == []
    menu = page.get_by_role("navigation", name="Main").get_by_role("link")
    for name in ("Not stored", "One person or two?", "Consents to look at", "Opened in need", "Who looked", "Requests"):
        expect(menu.filter(has_text=name)).to_have_count(1)
    assert not {"My caseload", "Find a person"} & set(menu.all_inner_texts())


def test_a_human_compares_two_records_and_decides(visit: Visit, shared_examples: Path) -> None:
    page = visit(IRIS, "/links")
    expect(page.get_by_role("heading", level=1)).to_have_text("One person or two?")
    waiting = page.get_by_role("main").get_by_role("rowheader").get_by_role("link")
    before = waiting.count()
    waiting.last.click()
    expect(page.get_by_role("row", name="Born")).to_contain_text("the same")
    picture(page, "links")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose whether they are one person or two")
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []
    page.get_by_label("Two people").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved: the two records stay two people.")
    expect(waiting).to_have_count(before - 1)


def test_who_does_not_watch_over_the_quarantine_is_told_that_they_can_not_see_it(visit: Visit) -> None:
    page = visit(NADIA, "/quarantine")
    expect(page.get_by_role("heading", level=1)).to_have_text("You can't do this")
    expect(page.get_by_text("Your role does not watch over the quarantine")).to_be_visible()


def test_a_person_reads_their_own_record_and_can_change_nothing(visit: Visit) -> None:
    page = visit(JOYCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Mrs Joyce Adeyemi: my record")
    expect(page.get_by_text("You can read it here; you can't change it here.")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="999 000 0131")).to_be_visible()
    expect(page.get_by_role("region", name="Medicines")).to_contain_text("Metformin")
    expect(page.get_by_role("region", name="How up to date this is")).to_contain_text("GP record")
    sent = page.evaluate("[...document.forms].filter(form => form.method == 'post').map(form => form.innerText.trim())")
    assert sent == ["Sign out"], "a form that could change something"
    picture(page, "me")


def test_a_person_filters_their_own_story_in_its_place(visit: Visit) -> None:
    page = visit(JOYCE)
    story = page.get_by_role("region", name="Timeline").get_by_role("listitem")
    before = story.count()
    page.get_by_label("Show").select_option(label="Vaccinations")
    expect(page).to_have_url(re.compile("/me.*category=immunisations"))
    expect(story.first).to_contain_text("Vaccination")
    assert 0 < story.count() < before


def test_a_person_has_no_way_to_other_people(visit: Visit, system: RunningSystem) -> None:
    page = visit(JOYCE)
    expect(page.get_by_role("navigation", name="Main").get_by_role("link")).to_have_text(
        ["My record", "My choices", "Who looked"]
    )
    page.goto(system.url("/people/find"))
    find(page, NHS_number=cast.MARGARET_ELLISON.nhs_number)
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
