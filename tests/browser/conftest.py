"""A running system, a real browser, and a page for each who signs in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from browser_pages import DESKTOP, Visitor, sign_in
from conftest import absent
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from running_system import RunningSystem, running_system

QUIET = (
    "--lang=en-GB",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:  # the hook gets every test, wherever it stands
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        absent("chromium")
    return str(found)


@pytest.fixture(scope="session")
def system(chromium: str) -> Iterator[RunningSystem]:
    """One for all tests of this process. Whoever breaks something in it mends it."""
    with TemporaryDirectory(prefix="carelink-browser-") as folder, running_system(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Of one file: Playwright's event loop must not outlive it, other tests have their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def signed_in() -> dict[str, object]:
    """Name -> the cookies of a session that began with real clicks."""
    return {}


@pytest.fixture
def visit(system: RunningSystem, browser: Browser, signed_in: dict[str, object]) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody, or as nobody. What goes wrong in the browser meanwhile fails the test."""
    visitors: list[Visitor] = []

    def opens(name: str = "", path: str = "/", viewport: ViewportSize = DESKTOP, scripts: bool = True) -> Page:
        visitor = Visitor.of(browser, system, viewport, scripts, signed_in.get(name))
        visitors.append(visitor)
        if name and name not in signed_in:
            sign_in(visitor.page, system, name)
            signed_in[name] = visitor.page.context.storage_state()
        visitor.page.goto(system.url(path))
        return visitor.page

    yield opens
    troubles = [trouble for visitor in visitors for trouble in visitor.close()]
    assert troubles == []
