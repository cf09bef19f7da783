"""A person's request is opened, gathered by a worker, reviewed item by item and released; a hold is put on a record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from browser_pages import DESKTOP, IRIS, JOYCE, PHONE, findings, picture
from playwright.sync_api import Page, expect
from processes import until

from carelink.clock import LONDON
from fhir_adapters.simulators import cast

Visit = Callable[..., Page]


def fill_today(page: Page, group: str) -> None:
    today = datetime.now(LONDON)
    for part, number in (("day", today.day), ("month", today.month), ("year", today.year)):
        page.locator(f"#{group}-{part}").fill(str(number))


def reloaded_until(page: Page, words: str) -> None:
    """A worker does it: look again until the page says so."""

    def there() -> bool:
        page.reload()
        return page.get_by_text(words).count() > 0

    until(there, f"the page says {words!r}")


def nothing_wrong(page: Page) -> None:
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []
    page.set_viewport_size(DESKTOP)


def test_the_whole_way_of_a_request(visit: Visit) -> None:
    page = visit(IRIS, "/requests")
    page.get_by_role("button", name="New request").click()
    page.get_by_label("NHS number").fill(cast.SAFEGUARDING.nhs_number)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text(cast.SAFEGUARDING.family)).to_be_visible()
    page.get_by_role("button", name="Open the request").click()
    expect(page.get_by_role("alert")).to_contain_text("Say who asks")
    nothing_wrong(page)
    page.get_by_label("Who asks").fill("Herself, by letter")
    page.get_by_label("The person themselves").check()
    fill_today(page, "asked")
    fill_today(page, "identity")
    page.get_by_role("button", name="Open the request").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(cast.SAFEGUARDING.family)
    reloaded_until(page, "items were gathered")
    nothing_wrong(page)
    picture(page, "request")

    page.get_by_role("button", name="Review them").click()
    nothing_wrong(page)
    picture(page, "request-review")
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what becomes of at least one item")
    concern = page.get_by_role("region", name=re.compile("^Concern"))
    concern.get_by_label("Take words out of it").check()
    concern.get_by_label("Words to take out, one a line").fill("words that are not there")
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("alert")).to_contain_text("does not stand in it")
    concern.get_by_label("Leave it out").check()
    while page.get_by_role("button", name="Save decisions").count():
        for choice in page.get_by_role("radio").all():
            if "(proposed)" in page.locator(f"label[for='{choice.get_attribute('id')}']").inner_text():
                choice.check()
        page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("status")).to_contain_text("Everything is decided")
    page.get_by_role("link", name="See all of them").click()
    expect(page.get_by_role("row", name=re.compile("^Concern"))).to_contain_text("left out")
    nothing_wrong(page)
    page.get_by_role("link", name=re.compile("^Back to request")).click()
    page.get_by_role("button", name="The review is finished").click()
    page.get_by_role("button", name="Release it").click()
    reloaded_until(page, "Give it to who asked")
    nothing_wrong(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="For people").click()
    assert re.fullmatch(r"request-\d+\.(pdf|html)", taken.value.suggested_filename)
    with page.expect_download() as taken:
        page.get_by_role("link", name="For computers").click()
    told = taken.value.path().read_text("utf-8")
    assert '"resourceType":"Bundle"' in told
    assert "s42 enquiry" not in told, "what was left out"
    page.goto(re.sub(r"/requests/\d+.*", "/requests", page.url))
    expect(page.get_by_role("table").get_by_role("row").last).to_contain_text("answered")


def test_a_person_asks_for_a_copy_and_sees_by_when_they_are_answered(visit: Visit) -> None:
    page = visit(JOYCE, "/me")
    page.get_by_role("link", name="ask for a full copy").click()
    page.get_by_role("button", name="Ask for a copy of everything").click()
    expect(page.get_by_text("You will be answered by")).to_be_visible()
    expect(page.get_by_role("button", name="Ask for a copy of everything")).to_have_count(0)
    nothing_wrong(page)
    picture(page, "me-requests")


def test_a_hold_is_put_on_a_record_and_taken_off(visit: Visit) -> None:
    page = visit(IRIS, "/retention")
    nothing_wrong(page)
    page.get_by_text("Put a hold on a record").click()
    page.get_by_label("NHS number").fill(cast.DECEASED.nhs_number)
    page.get_by_label("Why, and by whose word").fill("Inquest, the coroner's letter of today")
    page.get_by_role("button", name="Put the hold on").click()
    expect(page.get_by_role("status")).to_contain_text(cast.DECEASED.family)
    nothing_wrong(page)
    page.get_by_role("button", name="See what is due").click()
    expect(page.get_by_text("carelink retention run")).to_be_visible()
    picture(page, "retention")
    page.get_by_role("button", name=re.compile("^End the hold")).click()
    expect(page.get_by_text("No hold is on.")).to_be_visible()
