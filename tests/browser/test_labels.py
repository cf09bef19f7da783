"""A GP corrects the label of a problem: the social worker sees it no more, and again when the correction is undone."""

from __future__ import annotations

from collections.abc import Callable

from browser_pages import DESKTOP, PHONE, SAM, findings, open_record, picture
from playwright.sync_api import Page, expect

from fhir_adapters.simulators import cast

Visit = Callable[..., Page]
TOM = "Tom Ellis"  # general practitioner of Riverside Surgery
PROBLEM = "Osteoarthritis"


def problems(page: Page) -> str:
    return page.get_by_role("region", name="Problems").inner_text()


def test_a_gp_corrects_a_label_and_takes_it_back(visit: Visit) -> None:
    sam = visit(SAM, "/people/find")
    open_record(sam, cast.MARGARET_ELLISON)
    assert PROBLEM in problems(sam)

    tom = visit(TOM, "/people/find")
    open_record(tom, cast.MARGARET_ELLISON)
    tom.get_by_role("region", name="Problems").get_by_role("link", name=f"Label of {PROBLEM}").first.click()
    expect(tom.get_by_role("heading", level=1)).to_have_text("Label of this item")
    expect(tom.get_by_role("definition").filter(has_text=PROBLEM)).to_be_visible()
    tom.get_by_label("Therapy notes").check()
    tom.get_by_role("button", name="Save the label").click()
    expect(tom.get_by_role("alert")).to_contain_text("Say why the label is wrong")
    expect(tom.get_by_label("Therapy notes")).to_be_checked()
    assert findings(tom, DESKTOP) == []
    assert findings(tom, PHONE) == []
    tom.set_viewport_size(DESKTOP)
    tom.get_by_label("Why the label is wrong").fill("Written down in a therapy session")
    tom.get_by_role("button", name="Save the label").click()
    try:
        expect(tom.get_by_role("status")).to_have_text("Saved: the label is corrected. It holds from now on.")
        expect(tom.get_by_role("definition").filter(has_text="Written down in a therapy session")).to_be_visible()
        picture(tom, "label")
        sam.reload()
        assert PROBLEM not in problems(sam)
    finally:
        tom.get_by_role("button", name="Take the correction back").click()
    expect(tom.get_by_role("status")).to_have_text("Saved: the rules label this item again.")
    sam.reload()
    assert PROBLEM in problems(sam)


def test_who_corrects_labels_finds_what_waits_in_the_menu(visit: Visit) -> None:
    page = visit(TOM, "/people/find")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Labels to check").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Labels to check")
    assert findings(page, DESKTOP) == []


def test_it_works_without_scripts(visit: Visit) -> None:
    page = visit(TOM, "/people/find", scripts=False)
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_role("region", name="Problems").get_by_role("link", name="Label of").first.click()
    page.get_by_role("button", name="Save the label").click()
    expect(page.get_by_role("link", name="Say why the label is wrong")).to_be_visible()
