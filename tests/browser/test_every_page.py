"""Every page, at a desk and on a phone: axe-core finds nothing, nothing hangs over, nothing raw is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from browser_pages import (
    DESKTOP,
    IRIS,
    JOYCE,
    NADIA,
    PHONE,
    SAM,
    find,
    findings,
    open_record,
    picture,
    violations,
)
from playwright.sync_api import Page, expect
from running_system import RunningSystem

from fhir_adapters.simulators import cast
from fhir_adapters.simulators.people import Person

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Seen:
    """A page as somebody comes to it; `heading` is its first."""

    heading: str
    who: str = SAM
    path: str = "/people/find"
    then: Callable[[Page], object] = lambda page: None


def record(person: Person) -> Callable[[Page], object]:
    return lambda page: open_record(page, person)


def nothing_fits(page: Page) -> None:
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_label("To date", exact=True).fill("1901-01-01")
    expect(page.get_by_text("Nothing fits these filters.")).to_be_visible()


def for_safeguarding(page: Page) -> None:
    open_record(page, cast.MARGARET_ELLISON)
    page.get_by_role("link", name="Looking for").click()
    page.get_by_label("Protecting somebody from abuse or neglect").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("region", name="Why you are looking")).to_be_visible()


def everything_past(page: Page) -> None:
    open_record(page, cast.SAFEGUARDING)
    for summary in page.locator("summary").all():
        summary.click()


PAGES = {
    "landing": Seen("CareLink for Dalemere", "", "/"),
    "the provider's": Seen("Who are you in this demonstration?", "", "/sign-in"),
    "signed out": Seen("CareLink for Dalemere", SAM, "/", lambda page: page.get_by_role("button").click()),
    "caseload": Seen("My caseload", SAM, "/caseload"),
    "caseload of nobody": Seen("My caseload", NADIA, "/caseload"),
    "find": Seen("Find a person"),
    "found": Seen("Find a person", then=lambda page: find(page, Family_name="Barraclough", Postcode="ZZ94 3QD")),
    "nobody found": Seen("Find a person", then=lambda page: find(page, Family_name="None", Postcode="ZZ94 3QD")),
    "wrong number": Seen("Find a person", then=lambda page: find(page, NHS_number="12")),
    "wrong date": Seen("Find a person", then=lambda page: find(page, Family_name="Lowe", Day="41")),
    "record": Seen("Mrs Margaret Rose Ellison", then=record(cast.MARGARET_ELLISON)),
    "record with its past": Seen("Mrs Winifred Naylor", then=everything_past),
    "record, nothing fits": Seen("Mrs Margaret Rose Ellison", then=nothing_fits),
    "record of who objected": Seen("Mr Harold Bentley", then=record(cast.OBJECTED)),
    "record of who is restricted": Seen("Ms Rebecca Jane Lowe", then=record(cast.RESTRICTED)),
    "record of who died": Seen("Mr Stanley Firth", then=record(cast.DECEASED)),
    "record with legal authority": Seen("Mrs Edith Crabtree", then=record(cast.LEGAL_AUTHORITY)),
    "record for a nurse": Seen("Mrs Margaret Rose Ellison", NADIA, then=record(cast.ON_WARD_NOW)),
    "record for safeguarding": Seen("Mrs Margaret Rose Ellison", then=for_safeguarding),
    "purpose": Seen("Why are you looking?", SAM, "/purpose"),
    "quarantine": Seen("Not stored", IRIS, "/quarantine"),
    "links": Seen("One person or two?", IRIS, "/links"),
    "my own": Seen("Mrs Joyce Adeyemi: my record", JOYCE, "/me"),
    "not there": Seen("There is no such page", path="/no/such/page"),
    "not to be seen": Seen("You can't do this", path="/quarantine"),
}


@pytest.mark.parametrize("seen", PAGES.values(), ids=PAGES)
def test_nothing_is_wrong_with_it_at_either_width(visit: Visit, seen: Seen) -> None:
    page = visit(seen.who, seen.path)
    seen.then(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(seen.heading)
    assert findings(page, DESKTOP) == []
    assert findings(page, PHONE) == []


def test_a_source_that_stopped_is_named_with_the_age_of_what_we_had_and_nothing_is_wrong_with_that_page(
    visit: Visit, system: RunningSystem
) -> None:
    page = visit(SAM)
    open_record(page, cast.MARGARET_ELLISON)
    stopped = page.get_by_text(
        re.compile(r"Hospital: not reachable since \d\d:\d\d, showing what we had (.+ ago|just now)")
    )
    expect(stopped).to_have_count(0)
    with system.without("hospital"):
        page.reload()
        expect(stopped).to_be_in_viewport()
        expect(page.get_by_role("region", name="Referrals")).to_contain_text("Discharge to assess")
        picture(page, "sources-stale")
        assert findings(page, DESKTOP) == []
        assert findings(page, PHONE) == []
        open_record(page, cast.DECEASED)
        expect(page.get_by_role("region", name="Plans")).to_contain_text("Hospital can't be reached now")
    page.reload()
    expect(stopped).to_have_count(0)


def test_axe_core_would_tell(visit: Visit) -> None:
    page = visit("", "/")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [found.split(" ")[0] for found in violations(page)] == ["button-name"]
