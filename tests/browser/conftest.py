"""A real Chromium on the real application over a made-up town, without tiles: nothing may leave our own origin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from api.app import ApiOptions
from storage.database import Connection
from tests.api.serving import serving
from tests.browser.chromium import running_chromium
from tests.browser.town import INSEE, Town, helsinki, make_town
from tests.tools import REPOSITORY


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver; no longer than its module, since while it lives no other event loop can run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture
def context(playwright: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own."""
    with running_chromium(playwright, tmp_path / "profile", viewport={"width": 1440, "height": 900}) as opened:
        yield opened


@pytest.fixture
def town(connection: Connection) -> Town:
    """The made-up town, in the test's database."""
    return make_town(connection, helsinki())


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
def watched(context: BrowserContext, base_url: str) -> Watched:
    """A page that has noted every console error, policy violation, failed request and request to another origin."""
    page = context.new_page()
    troubles: list[str] = []
    own = urlsplit(base_url).netloc
    page.on("console", lambda message: troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}: {request.failure}"))
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
