"""A real Chromium on the real application over a made-up town, without tiles: nothing may leave our own origin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, sync_playwright

from api.app import ApiOptions
from tests.api.serving import serving
from tests.browser.chromium import launched_chromium, opened_context
from tests.browser.town import INSEE, Town, helsinki, make_town
from tests.conftest import Original, Server
from tests.tools import REPOSITORY


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver; no longer than its module, since while it lives no other event loop can run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium; each test has a context of its own in it, which shares nothing with others."""
    with launched_chromium(playwright) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A French visitor who comes for the first time."""
    with opened_context(browser, viewport={"width": 1440, "height": 900}) as opened:
        yield opened


@pytest.fixture(scope="session")
def original(embedded_server: Server) -> Iterator[Original[Any]]:
    """The made-up town, made once; a file that needs another one, or none, says so."""
    with embedded_server.filled(lambda connection: make_town(connection, helsinki())) as town:
        yield town


@pytest.fixture
def database_url(database_url: str) -> str:
    """A copy of `original` whose clock begins when the test does, however long ago it was made."""
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE simulation SET wall_origin = now()")
    return database_url


@pytest.fixture
def town(original: Original[Any]) -> Town:
    """The made-up town that is in the test's database."""
    assert isinstance(original.told, Town)
    return original.told


@pytest.fixture
def base_url(database_url: str, town: Town) -> Iterator[str]:
    """The served application."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options) as url:
        yield url


@dataclass
class Watched:
    """A page, and everything about it that should not have happened."""

    page: Page
    troubles: list[str]


@pytest.fixture
def watched(context: BrowserContext, base_url: str) -> Iterator[Watched]:
    """A page that notes what should not happen; it leaves before its server does, which else waits for its streams."""
    yield watch(context, base_url)
    context.close()


def watch(context: BrowserContext, base_url: str) -> Watched:
    """Return a page that notes each console error, policy violation, failed request and request to another origin."""
    page = context.new_page()
    troubles: list[str] = []
    own = urlsplit(base_url).netloc

    def said(message: ConsoleMessage) -> None:
        # A test that takes the cookies away while the device proves itself has that answer refused.
        late_proof = "/appareil/" in message.location["url"] and "401" in message.text
        if message.type in {"error", "warning"} and not late_proof:
            troubles.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def failed(request: Request) -> None:
        # Who leaves a page at once breaks off what it still loads; what a server breaks off is called otherwise.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"failed: {request.url}: {request.failure}")

    page.on("requestfailed", failed)
    page.on(
        "request",
        lambda request: (
            None
            if urlsplit(request.url).scheme == "data" or urlsplit(request.url).netloc == own
            else troubles.append(f"another origin: {request.url}")
        ),
    )
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));"
    )
    return Watched(page=page, troubles=troubles)


@pytest.fixture
def screens(tmp_path: Path) -> Path:
    """Where screenshots go: to the documentation when asked to, else to the test's folder."""
    if os.environ.get("VOIRIE_WRITE_SCREENS") == "1":
        return REPOSITORY / "docs" / "screens"
    return tmp_path
