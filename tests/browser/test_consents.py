"""Consent in a browser: a worker records and withdraws it with the person, the person objects, the lead sees what is unclear."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser_pages import DESKTOP, IRIS, JOYCE, PHONE, SAM, findings, open_record, picture
from playwright.sync_api import Page, expect

from fhir_adapters.simulators import cast
from fhir_adapters.simulators.people import Person

Visit = Callable[..., Page]
WHO = cast.MARGARET_ELLISON


def consents_of(page: Page, person: Person) -> None:
    open_record(page, person)
    page.get_by_role("link", name="Consent and objections").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consent and objections")


def step(page: Page, heading: str) -> None:
    """We are at this step, and nothing is wrong with it at a desk or on a phone."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert findings(page, PHONE) == []
    assert findings(page, DESKTOP) == []


def withdraw_all(page: Page) -> None:
    """What a test recorded is taken back, so that the next begins as the first did."""
    while page.get_by_role("link", name="Withdraw this").count():
        page.get_by_role("link", name="Withdraw this").first.click()
        page.get_by_label("The person themselves").check()
        page.get_by_label("Face to face").check()
        page.get_by_label("Why is it withdrawn?").fill("They changed their mind")
        page.get_by_role("button", name="Withdraw").click()
        expect(page.get_by_text("it is withdrawn and no longer counts")).to_be_visible()


def test_a_worker_records_an_objection_with_the_person_prints_it_and_withdraws_it(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    consents_of(page, WHO)
    step(page, "Consent and objections")
    page.get_by_role("button", name="Record what the person wants").click()
    step(page, "What does the person want for their record?")
    page.get_by_label("The person themselves").check()
    page.get_by_label("Share less").check()
    page.get_by_role("button", name="Continue").click()
    step(page, "Share less")
    page.get_by_label("Dale Valley Hospitals NHS Trust").check()
    page.get_by_label("It may be shared in an emergency").check()
    page.get_by_label("Face to face").check()
    picture(page, "consent-details")
    page.get_by_role("button", name="Continue").click()
    step(page, "Check before you save")
    expect(page.get_by_text("Don't share the person's record with Dale Valley Hospitals NHS Trust.")).to_be_visible()
    expect(page.get_by_text("will no longer see anything that others hold")).to_be_visible()
    picture(page, "consent-check")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("it is recorded and counts from now on")
    step(page, "Consent and objections")
    picture(page, "consents")
    page.get_by_role("link", name="Print it to be signed").click()
    step(page, "I don't want my record to be shared as usual")
    page.emulate_media(media="print")
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    picture(page, "consent-print", height=1100)
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="Withdraw this objection").click()
    step(page, "Withdraw this?")
    page.go_back()
    withdraw_all(page)
    expect(page.get_by_text("Withdrawn because: They changed their mind").first).to_be_visible()


def test_who_may_not_decide_is_refused_with_the_reason_and_what_to_do(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    consents_of(page, WHO)
    page.get_by_role("button", name="Record what the person wants").click()
    page.get_by_label("Somebody else for them").check()
    page.get_by_label("Their name, if somebody else decides").fill("Bea")
    page.get_by_label("As what they decide").select_option(label="Appointee for benefits")
    page.get_by_label("Share nothing").check()
    page.get_by_role("button", name="Continue").click()
    summary = page.get_by_role("alert").filter(has_text="There is a problem")
    expect(summary).to_contain_text("This can't be recorded: see below why")
    expect(page.get_by_text("An appointee claims and spends the person's benefits")).to_be_visible()
    expect(page.get_by_text("Ask the person. If they can't decide this")).to_be_visible()
    expect(page.get_by_label("Their name, if somebody else decides")).to_have_value("Bea")
    step(page, "What does the person want for their record?")
    picture(page, "consent-refused")


def test_a_mistake_is_one_click_from_its_field_and_what_was_typed_stays(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    consents_of(page, WHO)
    page.get_by_role("button", name="Record what the person wants").click()
    page.get_by_label("The person themselves").check()
    page.get_by_label("Agree to sharing").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Or one worker: first and last name").fill("Gwen Nobody")
    page.get_by_label("HIV").check()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error: "))
    summary = page.get_by_role("alert").filter(has_text="There is a problem")
    summary.get_by_role("link", name="No worker here is called so").click()
    expect(page.locator("#worker")).to_be_focused()
    expect(page.locator("#worker")).to_have_value("Gwen Nobody")
    expect(page.get_by_label("HIV")).to_be_checked()
    step(page, "Agree to sharing")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_person_objects_on_their_own_page_and_takes_it_back(visit: Visit, scripts: bool) -> None:
    page = visit(JOYCE, "/me", scripts=scripts)
    page.get_by_role("link", name="My choices").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My choices about sharing")
    page.get_by_role("button", name="Make a choice").click()
    page.get_by_label("Share less").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Southmere Council").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Don't share my record with Southmere Council.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your choice counts from now on.")).to_be_visible()
    if scripts:
        step(page, "My choices about sharing")
        picture(page, "choices")
    page.get_by_role("link", name="Take it back").first.click()
    page.get_by_label("Why do you take it back?").fill("I was unsure")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("You took it back.")).to_be_visible()


def test_the_person_is_asked_in_plain_words(visit: Visit) -> None:
    page = visit(JOYCE, "/me/choices/new")
    for choice, heading in (
        ("Share nothing", "Share nothing"),
        ("Share less", "Share less"),
        ("Agree to", "Agree to sharing"),
    ):
        page.goto(page.url)
        step(page, "What do you want for your record?")
        page.get_by_label(choice).check()
        page.get_by_role("button", name="Continue").click()
        step(page, heading)
        expect(page.get_by_text("Who decides?")).to_have_count(0)


def test_the_lead_is_shown_what_can_not_be_read(visit: Visit) -> None:
    page = visit(IRIS, "/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Consents to look at").click()
    step(page, "Consents to look at")
