"""What a social worker does all day: sign in, the caseload, find a person, open the record, filter its timeline."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser_pages import (
    PHONE,
    SAM,
    facts,
    find,
    find_by_number,
    open_record,
    picture,
    sign_in,
    timeline_items,
    timeline_texts,
)
from playwright.sync_api import Page, expect
from running_system import RunningSystem

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]
NOT_SHOWN = "Some information is not shown."


def spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def test_the_social_worker_signs_in_finds_a_person_filters_and_is_told_what_is_old_and_what_is_withheld(
    visit: Visit, system: RunningSystem
) -> None:
    page = visit()
    sign_in(page, system, SAM)
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_label("Show").select_option(label="Problems")
    expect(page).to_have_url(re.compile("category=problems"))
    expect(timeline_items(page).first).to_contain_text("Problem")
    with system.without("hospital"):
        page.reload()
        expect(page.get_by_text(re.compile(r"Hospital: not reachable since \d\d:\d\d"))).to_be_visible()
    open_record(page, cast.OBJECTED)
    expect(page.get_by_text(NOT_SHOWN)).to_be_visible()


def test_the_caseload_says_of_each_what_a_morning_needs(visit: Visit) -> None:
    page = visit(SAM, "/caseload")
    expect(page.get_by_role("heading", level=1)).to_have_text("My caseload")
    row = page.get_by_role("row").filter(has_text=spaced(cast.ON_WARD_NOW.nhs_number))
    expect(row.get_by_role("rowheader")).to_contain_text("Mrs Margaret Rose Ellison")
    expect(row.get_by_role("cell").nth(0)).to_contain_text("falls")
    expect(row.get_by_role("cell").nth(2)).to_contain_text("In hospital now")
    for person in cast.CASELOAD_OF_SAM:
        expect(page.get_by_role("row").filter(has_text=spaced(person.nhs_number))).to_have_count(1)
    picture(page, "caseload")


def test_the_caseload_is_sorted_by_who_is_in_hospital(visit: Visit) -> None:
    page = visit(SAM, "/caseload")
    expect(page.get_by_role("row").nth(1)).not_to_contain_text("In hospital now")
    page.get_by_role("link", name="In hospital").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("In hospital now")
    expect(page.get_by_role("columnheader", name="In hospital")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize(
    "typed",
    [
        {"NHS_number": cast.MARGARET_ELLISON.nhs_number},
        {"NHS_number": spaced(cast.MARGARET_ELLISON.nhs_number)},
        {"Family_name": "Ellison", "Day": "12", "Month": "3", "Year": "1941"},
        {"Family_name": "ellison", "Postcode": "zz94 1ab"},
        {"Family_name": "Ellis", "First_name": "Margaret", "Postcode": "ZZ941AB"},
    ],
    ids=["number", "spaced number", "name and birth date", "name and postcode", "beginnings and postcode"],
)
def test_a_person_is_found(visit: Visit, system: RunningSystem, typed: dict[str, str]) -> None:
    page = visit(SAM, "/people/find")
    find(page, **typed)
    expect(page.get_by_role("heading", name="1 found")).to_be_visible()
    expect(page.get_by_role("link", name="Mrs Margaret Rose Ellison")).to_be_visible()
    assert page.url == system.url("/people/find"), "what was typed must not stand in an address"


def test_who_is_found_is_told_apart_by_birth_date_number_and_address(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    find(page, Family_name="Ogden", Postcode=cast.FATHER_AND_SON[0].address.postcode)
    expect(page.get_by_role("heading", name="2 found")).to_be_visible()
    for person in cast.FATHER_AND_SON:
        line = page.get_by_role("listitem").filter(has_text=spaced(person.nhs_number))
        expect(line).to_contain_text(f"{person.born.day} {person.born:%B %Y}")
    picture(page, "find")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"NHS_number": "999 000 0019"}, "This is not an NHS number: check the ten digits"),
        ({}, "Enter an NHS number, or a family name with a date of birth or postcode"),
        ({"Family_name": "Ellison"}, "Enter the date of birth or the postcode as well"),
        ({"Family_name": "Ellison", "Day": "31", "Month": "2", "Year": "1941"}, "Date of birth must be a real date"),
        ({"Family_name": "Ellison", "Postcode": "ZZ"}, "Enter a whole postcode, like DM1 4QT"),
    ],
    ids=["wrong number", "nothing", "name alone", "impossible date", "half a postcode"],
)
def test_a_mistake_is_named_and_one_click_away_from_its_field(visit: Visit, typed: dict[str, str], told: str) -> None:
    page = visit(SAM, "/people/find")
    find(page, **typed)
    summary = page.get_by_role("alert").filter(has_text="There is a problem")
    expect(summary).to_be_visible()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link", name=told).click()
    expect(page.locator(".nhsuk-form-group--error input:focus")).to_be_visible()


def test_nobody_found_says_what_to_do(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    find(page, Family_name="Nosuchname", Postcode="ZZ94 1AB")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    expect(page.get_by_text("ask your manager to allocate them to you")).to_be_visible()


def test_the_first_screen_says_who_it_is_what_warns_and_how_old_everything_is(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    banner = page.get_by_role("region", name="Who this is")
    expect(banner.get_by_role("heading", level=1)).to_have_text("Mrs Margaret Rose Ellison")
    told = facts(banner)
    assert told["NHS number"] == "999 000 0018"
    assert told["Born"].startswith("12 March 1941 (")
    assert told["Address"] == "14 Weavers Court, Northdale, ZZ94 1AB"
    expect(banner).to_contain_text("In hospital since")
    sources = page.get_by_role("region", name="How up to date this is")
    for source in ("Northdale Council", "Southmere Council", "Hospital", "National demographics (PDS)", "GP record"):
        expect(sources.get_by_role("listitem").filter(has_text=source)).to_have_text(re.compile("ago|just now"))
    for part in ("Allergies", "Alerts", "Who is involved"):
        expect(page.get_by_role("region", name=part, exact=True)).to_be_in_viewport(ratio=0.9)
    picture(page, "person", height=1100)


def test_the_phone_shows_the_name_the_number_and_the_alerts_first(visit: Visit) -> None:
    page = visit(SAM, "/people/find", PHONE)
    open_record(page, cast.MARGARET_ELLISON)
    banner = page.get_by_role("region", name="Who this is")
    for said in ("Mrs Margaret Rose Ellison", "999 000 0018", "Key safe by the back door"):
        expect(banner.get_by_text(said).first).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Allergies")).to_be_in_viewport()
    picture(page, "person-phone")


def kept(page: Page) -> list[str]:
    """The items of the timeline as they are read, in their order."""
    return [" ".join(text.split()) for text in timeline_texts(page)]


def test_the_timeline_is_filtered_in_its_place(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    before = kept(page)
    page.evaluate("window.same = true")
    page.get_by_label("Show").select_option(label="Problems")
    expect(page).to_have_url(re.compile("category=problems"))
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ items? shown$"))
    page.get_by_label("From", exact=True).select_option(label="Hospital")
    expect(page).to_have_url(re.compile("source=hospital"))
    expect(timeline_items(page).filter(has_text="GP record")).to_have_count(0)
    after = kept(page)
    assert page.evaluate("window.same === true"), "the page was not loaded again"
    assert 0 < len(after) < len(before)
    assert all("Problem" in item and item.endswith("Hospital") for item in after)


def test_the_timeline_is_filtered_alike_without_scripts(visit: Visit) -> None:
    filtered = []
    for scripts in (True, False):
        page = visit(SAM, "/people/find", scripts=scripts)
        open_record(page, cast.MARGARET_ELLISON)
        page.get_by_label("Show").select_option(label="Medicines")
        page.get_by_label("To date", exact=True).fill("2020-12-31")
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(re.compile("category=medicines.*until=2020-12-31"))
        expect(timeline_items(page).first).to_contain_text(re.compile("20[01][0-9]|2020"))
        expect(page.get_by_label("To date", exact=True)).to_have_value("2020-12-31")
        filtered.append(kept(page))
    assert filtered[0] == filtered[1]
    assert filtered[0]


def test_a_filtered_timeline_is_cleared_and_says_when_nothing_fits(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    before = kept(page)
    page.get_by_label("To date", exact=True).fill("1901-01-01")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing fits these filters.")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(timeline_items(page)).to_have_count(len(before))


def test_who_objected_is_known_but_what_others_hold_is_not_shown(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.OBJECTED)
    expect(page.get_by_text(NOT_SHOWN)).to_be_visible()
    medicines = page.get_by_role("region", name="Medicines")
    expect(medicines).to_contain_text("There may be more: something is not shown to you.")
    sources = {item.splitlines()[-1] for item in timeline_texts(page)}
    assert sources == {"Northdale Council"}, "what their own council holds, and nothing else"


def test_who_did_not_object_is_shown_without_that_notice(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    expect(page.get_by_text(NOT_SHOWN)).to_have_count(0)


def test_where_a_restricted_person_is_can_neither_be_read_nor_found_out(visit: Visit) -> None:
    who = cast.RESTRICTED
    page = visit(SAM, "/people/find")
    find(page, Family_name=who.family, Postcode=who.address.postcode)
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    born = {"Day": str(who.born.day), "Month": str(who.born.month), "Year": str(who.born.year)}
    page.get_by_label("Postcode").fill("")
    find(page, **born)
    expect(page.get_by_role("listitem").filter(has_text=who.family)).to_contain_text("Address is restricted")
    page.get_by_role("link", name=who.family).click()
    expect(page.get_by_role("region", name="Who this is")).to_contain_text("Address is restricted")
    secrets = (*who.address.lines, who.address.postcode, who.landline, who.mobile, who.landline.replace(" ", ""))
    source = page.content()
    assert [secret for secret in secrets if secret in source] == []


def test_the_banner_of_who_died_says_so_first(visit: Visit) -> None:
    page = visit(SAM, "/people/find")
    find_by_number(page, cast.DECEASED)
    line = page.get_by_role("listitem").filter(has_text="Firth")
    expect(line).to_contain_text("died")
    expect(line).not_to_contain_text("years")
    page.get_by_role("link", name="Firth").click()
    told = facts(page.get_by_role("region", name="Who this is"))
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}", told["Died"])
    assert told["Born"] == "19 January 1935", "no age: nobody is 91 who is dead"


def test_a_page_that_is_not_there_says_so_in_words(visit: Visit, system: RunningSystem) -> None:
    page = visit(SAM, "/people/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here that you can see")
    expect(page.get_by_text("give this reference")).to_be_visible()
    page.goto(system.url("/no/such/page"))
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_after_signing_out_nothing_of_the_record_is_left(visit: Visit, system: RunningSystem) -> None:
    page = visit(SAM, "/people/find")
    open_record(page, cast.MARGARET_ELLISON)
    record = page.url
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(record)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text(cast.MARGARET_ELLISON.family)).to_have_count(0)
    sign_in(page, system, SAM)
    expect(page).to_have_url(record)
