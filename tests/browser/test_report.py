"""The report's page in a real browser, as on a desk and as on a phone: nothing is asked for, nothing is cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext

from cli.report.page import Heading, render
from optimise.fill.report.whole import ReportOptions, make_report
from simulators.streets import default_extract
from tests.sensing import commune


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = commune(seed=33, bins=160, days=10).heard(np.random.default_rng(3).permutation(160)[:70])
    page = tmp_path_factory.mktemp("report") / "rapport.html"
    heading = Heading(town="Noisy-le-Grand", extract=default_extract())
    page.write_text(render(make_report(data, ReportOptions()), heading), encoding="utf-8")
    return page


@pytest.mark.parametrize("width", [1200, 390, 320])
def test_the_page_fits_and_asks_for_nothing(context: BrowserContext, file: Path, screens: Path, width: int):
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: None if request.url == file.as_uri() else troubles.append(request.url))
    page.goto(file.as_uri())
    assert troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figures = page.locator("svg")
    assert figures.count() >= 10
    for index in range(figures.count()):
        box = figures.nth(index).bounding_box()
        assert box
        assert box["width"] > 200
        assert box["height"] > 60
    # Words stay inside their drawing.
    outside = page.evaluate(
        "[...document.querySelectorAll('svg text')].filter(text => { const t = text.getBoundingClientRect(), s ="
        " text.ownerSVGElement.getBoundingClientRect(); return t.left < s.left - 1 || t.right > s.right + 1"
        " || t.top < s.top - 1 || t.bottom > s.bottom + 1 }).map(text => text.textContent)"
    )
    assert outside == []
    if width != 320:
        name = "rapport.png" if width > 1000 else "rapport-telephone.png"
        page.set_viewport_size({"width": width, "height": 1700})
        page.screenshot(path=screens / name)
