"""What the browser tests do with a page: sign in, look for what axe-core finds, take its picture."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conftest import ROOT, absent
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, ViewportSize
from running_system import RunningSystem

from fhir_adapters.simulators.people import Person

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 15_000.0  # milliseconds; two cores may be busy with other tests
REFUSED = "Failed to load resource"  # what Chromium says of every page of 400 and above; those are looked at themselves

SAM = "Sam Okafor"  # social worker
NADIA = "Nadia Rahman"  # ward nurse
IRIS = "Iris Lang"  # information governance lead
JOYCE = "Joyce Adeyemi"  # a person


@dataclass
class Visitor:
    """A page, and what went wrong in it so far."""

    page: Page
    home: str
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, browser: Browser, system: RunningSystem, viewport: ViewportSize, scripts: bool, state: Any) -> Visitor:
        """A fresh browser profile in London; `state` are the cookies of a session that goes on."""
        context = browser.new_context(
            viewport=viewport,
            java_script_enabled=scripts,
            storage_state=state,
            locale="en-GB",
            timezone_id="Europe/London",
        )
        context.set_default_timeout(PATIENCE)
        visitor = cls(context.new_page(), urlsplit(system.base).hostname or "")
        visitor.page.on("pageerror", lambda error: visitor.troubles.append(f"script: {error}"))
        visitor.page.on("console", visitor._hear)
        visitor.page.on("request", visitor._see_request)
        visitor.page.on("response", visitor._see_response)
        return visitor

    def close(self) -> list[str]:
        """End it; gives what went wrong."""
        self.page.context.close()
        return self.troubles

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REFUSED):
            self.troubles.append(f"console: {message.text}")

    def _see_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in (self.home, None, ""):
            self.troubles.append(f"asked another machine: {request.url}")

    def _see_response(self, response: Response) -> None:
        missing = response.status >= 400 and response.request.resource_type != "document"
        if missing or response.status >= 500:
            self.troubles.append(f"{response.status} for {urlsplit(response.url).path}")


def sign_in(page: Page, system: RunningSystem, name: str) -> None:
    """By the development provider, as a person does it."""
    page.goto(system.base)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out").wait_for()


def find(page: Page, **typed: str) -> None:
    """Fill the search form by its labels (words of it, `_` for a space) and send it."""
    for label, text in typed.items():
        page.get_by_label(label.replace("_", " ")).fill(text)
    page.get_by_role("button", name="Find").click()


def find_by_number(page: Page, person: Person) -> None:
    """From any page to the results for this person's NHS number."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Find a person").click()
    find(page, NHS_number=person.nhs_number)


def open_record(page: Page, person: Person) -> None:
    """From any page to this person's own."""
    find_by_number(page, person)
    page.get_by_role("link", name=person.family).click()
    page.get_by_role("region", name="Who this is").wait_for()


def facts(part: Locator) -> dict[str, str]:
    """What a list of terms says, once the page is there whole: term -> words."""
    part.wait_for()
    part.page.wait_for_load_state()
    terms, words = part.get_by_role("term").all_inner_texts(), part.get_by_role("definition").all_inner_texts()
    return {term.strip(): " ".join(said.split()) for term, said in zip(terms, words, strict=True)}


def timeline_items(page: Page) -> Locator:
    return page.get_by_role("region", name="Timeline").get_by_role("listitem")


def timeline_texts(page: Page) -> list[str]:
    """What each item of the timeline says, without the question that may be asked of it."""
    return [text.partition(" Why?")[0] for text in timeline_items(page).all_inner_texts()]


@cache
def _axe() -> str:
    if not AXE.is_file():
        absent("axe-core (python -m carelink.frontend installs it)")
    return AXE.read_text("utf-8")


def violations(page: Page) -> list[str]:
    """What axe-core finds, a line each: rule, impact, and where. By the debugger's door: pages allow no inline script."""
    page.evaluate(_axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    return [
        f"{rule['id']} ({rule['impact']}) at {', '.join(' '.join(map(str, node['target'])) for node in rule['nodes'])}"
        for rule in found["violations"]
    ]


# What no page shows to anybody: keys, addresses, markup, a programmer's word for nothing.
RAW = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|https?://|urn:|[{}]|</|&[a-z]+;|\bNone\b|\bnull\b|undefined|Traceback"
)


def findings(page: Page, size: ViewportSize) -> list[str]:
    """What is wrong with the page at this size."""
    page.set_viewport_size(size)
    wide = overhang(page)
    raw = sorted(set(RAW.findall(page.locator("body").inner_text())))
    return [
        *violations(page),
        *([f"{wide} pixels wider than the window"] if wide > 0 else []),
        *(f"shows {what!r}" for what in raw),
    ]


def overhang(page: Page) -> int:
    """By how many pixels the page is wider than the window, once the menu has folded itself into its new width."""
    for _ in range(40):  # two seconds; the pages' policy allows no script that waits by itself
        # By a locator: it waits for a page that is just being exchanged.
        wide = int(page.locator("html").evaluate("it => it.scrollWidth - it.clientWidth"))
        if wide <= 0:
            break
        page.wait_for_timeout(50)
    return wide


def picture(page: Page, name: str, height: int = 0) -> None:
    """Into the folder that CARELINK_PICTURES names, where it is set; `height` of the window, if another than now."""
    folder = os.environ.get("CARELINK_PICTURES")
    if not folder:
        return
    size = page.viewport_size or DESKTOP
    page.set_viewport_size({"width": size["width"], "height": height or size["height"]})
    page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
    page.set_viewport_size(size)
