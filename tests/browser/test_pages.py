"""What every page keeps: accessible to all, within its screen, in the reader's language, under any sub-path."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import ApiOptions, create_app
from api.pages.languages import translated
from api.typography import typeset
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, Town, helsinki
from tests.tools import free_port, wait_until

PAGES = (
    "",
    "accessibilite",
    "confidentialite",
    "premiers-pas",
    "connexion",
    "compte",
    f"{INSEE}/carte",
    f"{INSEE}/exploitation",
    f"{INSEE}/proprete",
    f"{INSEE}/proprete/corbeilles/COR-0001",
    f"{INSEE}/proprete/mois",
    f"{INSEE}/stationner",
    f"{INSEE}/stationner/integre",
    f"{INSEE}/tournee",
    f"{INSEE}/controle",
)
SHOWN = {
    "proprete": "#round-list .round",
    "COR-0001": "#bin-chart svg",
    "mois": "#month-empty",
    "controle": "#check-list .check",
}
"""What tells that a page shows what it knows, by the end of its address; otherwise a list of bins does."""
WIDTHS = (360, 800, 1440)


def _settled(page: Page) -> None:
    """Wait until the page shows what it knows; one without scripts does so at once."""
    if page.locator("#line").count():
        expect(page.locator("#line")).to_have_attribute("data-state", "live")
    last = urlsplit(page.url).path.rsplit("/", 1)[-1]
    if last in SHOWN:
        expect(page.locator(SHOWN[last]).first).to_be_visible()
    elif page.locator("#bin-list").count():
        expect(page.locator("#bin-list .row").first).to_be_visible()
    if page.locator("#signals").count():
        expect(page.locator("#devices .item").first).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_and_fit(watched: Watched, base_url: str, path: str):
    page = watched.page
    page.goto(f"{base_url}/{path}")
    _settled(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    assert watched.troubles == []


def test_the_audit_finds_what_is_wrong(watched: Watched, base_url: str):
    watched.page.goto(base_url)
    watched.page.evaluate("document.querySelector('.brand img').removeAttribute('alt')")
    assert any(fault.startswith("image-alt") for fault in faults(watched.page))


def test_night_looks_like_night(watched: Watched, base_url: str):
    page = watched.page
    page.emulate_media(color_scheme="dark")
    for path in ("", f"{INSEE}/carte", f"{INSEE}/stationner", f"{INSEE}/exploitation"):
        page.goto(f"{base_url}/{path}")
        assert page.evaluate(_LIGHTNESS, "body") < 0.2
    page.goto(f"{base_url}/{INSEE}/stationner/integre")  # within another's page
    assert page.evaluate(_LIGHTNESS, "body") > 0.8


_LIGHTNESS = """
(selector) => {
  const [red, green, blue] = getComputedStyle(document.querySelector(selector)).backgroundColor.match(/[\\d.]+/g);
  return (red * 0.299 + green * 0.587 + blue * 0.114) / 255;
}
"""


def test_scripts_set_french_as_the_server_does(watched: Watched, base_url: str):
    texts = [*translated("en"), "30 min, 7 h-20 h", "Que faire ?", "« Autre »", "à 7:30", "3 litres, 12 h 05"]
    watched.page.goto(base_url)
    said = watched.page.evaluate(
        "async ([address, texts]) => { const { typeset } = await import(address); return texts.map(typeset); }",
        [f"{base_url}/static/js/typography.js", texts],
    )
    assert dict(zip(texts, said, strict=True)) == {text: typeset(text) for text in texts}


def test_home_is_walked_by_keyboard(watched: Watched, base_url: str):
    page = watched.page
    page.goto(base_url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Carte")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{INSEE}/carte")
    _settled(page)


def test_home_speaks_english_to_who_asks(watched: Watched, base_url: str, screens: Path):
    page = watched.page
    page.goto(base_url)
    expect(page.get_by_role("heading", level=1)).to_have_text("La voirie de la commune, en direct")
    page.screenshot(path=screens / "accueil.png")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The town's streets, live")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.fixture
def sub_path_url(database_url: str, town: Town) -> Iterator[str]:
    """The application behind something that serves it under a path, and takes that path away before it asks us."""
    app = create_app(
        ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki(), open_to_all=True)
    )
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(_under("/villes/voirie", app), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, name="sub-path")
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), what="the server's start")
    yield f"http://127.0.0.1:{port}/villes/voirie"
    server.should_exit = True
    server.force_exit = True  # the map's stream of events would hold it
    thread.join(timeout=20)


def _under(prefix: str, app: ASGIApp) -> ASGIApp:
    async def stripped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(prefix), f"{scope['path']} is outside of {prefix}"
            path = scope["path"].removeprefix(prefix)
            scope = scope | {"path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return stripped


def test_pages_work_under_a_sub_path(context: BrowserContext, sub_path_url: str):
    page = context.new_page()
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.goto(f"{sub_path_url}/")
    page.get_by_role("link", name="Carte").click()
    _settled(page)
    page.locator(".brand-name").click()
    page.get_by_role("link", name="Tournée").click()
    expect(page.locator("#kept")).to_contain_text("Prête pour les zones sans réseau.")
    page.locator(".brand-name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("La voirie de la commune, en direct")
    page.get_by_role("link", name="Accessibilité : partiellement conforme").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Déclaration d.accessibilité$"))
    assert failed == []
