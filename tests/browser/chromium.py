"""A real Chromium with a profile of its own, for the tests and the benchmark of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Playwright

from tests.tools import missing

_ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def program() -> str | None:
    """Return where Chromium is installed; None when it is not."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def running_chromium(driver: Playwright, profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Open a French Chromium that keeps its profile in a folder; `options` are those of Playwright's context."""
    chromium = program()
    if chromium is None:
        missing("Chromium")
    context = driver.chromium.launch_persistent_context(
        profile, executable_path=chromium, args=_ARGUMENTS, locale="fr-FR", **options
    )
    try:
        yield context
    finally:
        context.close()
