"""A real Chromium, for the tests and the benchmark of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.tools import missing

_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def program() -> str | None:
    """Return where Chromium is installed; None when it is not."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _needed() -> str:
    chromium = program()
    if chromium is None:
        missing("Chromium")
    return chromium


@contextmanager
def launched_chromium(driver: Playwright) -> Iterator[Browser]:
    """Start a Chromium for many contexts, each of which begins with nothing and keeps nothing."""
    browser = driver.chromium.launch(executable_path=_needed(), args=_ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def opened_context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a French context; `options` are those of Playwright's."""
    context = browser.new_context(locale="fr-FR", **options)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def running_chromium(driver: Playwright, profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Open a French Chromium that keeps its profile in a folder; `options` are those of Playwright's context."""
    context = driver.chromium.launch_persistent_context(
        profile, executable_path=_needed(), args=_ARGUMENTS, locale="fr-FR", **options
    )
    try:
        yield context
    finally:
        context.close()
