"""Where to park, as drivers meet it: in a real browser, with sensors that spoke and a forecast; without an account."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.app import ApiOptions
from optimise.occupancy.forecast.job import forecast_bays
from optimise.occupancy.job import make_sessions
from storage import readings
from storage.database import Connection
from storage.model import IntakeBatch
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.chromium import opened_context
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, NOW, Town, helsinki, make_town, occupancy_reading
from tests.conftest import Original, Server

WIDTHS = (360, 800, 1440)
HERE = {"latitude": 60.169843217, "longitude": 24.938412345}
KEPT = """
async () => ({
  cookies: document.cookie, local: localStorage.length, session: sessionStorage.length,
  caches: (await caches.keys()).length, databases: (await indexedDB.databases()).length,
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})
"""


def _fill(connection: Connection) -> Town:
    made = make_town(connection, helsinki(), rate=1.0)
    make_sessions(connection, INSEE)
    forecast_bays(connection, INSEE, as_of=NOW)
    return made


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Iterator[Original[Town]]:
    """The made-up town, with what its bays' sensors said made into stays, and what is foretold of them."""
    with embedded_server.filled(_fill) as town:
        yield town


class _Framing(BaseHTTPRequestHandler):
    """Another site: its pages frame the address that stands in their query."""

    def do_GET(self) -> None:
        framed = self.path.removeprefix("/?")
        body = f'<iframe src="{framed}" width="360" height="640"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Framing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def town_site() -> Iterator[str]:
    """The town's own site."""
    with _site() as address:
        yield address


@pytest.fixture
def base_url(database_url: str, town: Town, town_site: str) -> Iterator[str]:
    """The application as a town runs it, whose own site may show places in a frame."""
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, streets_extract=helsinki(), embedding_sites=(town_site,)
    )
    with serving(options, open_to_all=False) as url:
        yield url


def _open(page: Page, base_url: str, query: str = "") -> None:
    page.goto(f"{base_url}/{INSEE}/stationner{query}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Se garer")
    expect(page.locator(".leaflet-pins-pane .badge").first).to_be_visible()


def _asked(page: Page) -> list[str]:
    """Return a list that fills with the address of each request from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    return found


@pytest.mark.parametrize("query", ["?near=Mannerheimintie&at=20", "?near=Mannerheimintie&vehicle=delivery"])
def test_page_is_accessible_and_fits(watched: Watched, base_url: str, screens: Path, query: str):
    page = watched.page
    _open(page, base_url, query)
    screens.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    kind = "" if query.endswith("20") else "-livraison"
    for name, width, height in (("stationner-telephone", 360, 780), ("stationner", 960, 600)):
        page.set_viewport_size({"width": width, "height": height})
        if name + kind != "stationner-livraison":
            page.screenshot(path=screens / f"{name}{kind}.png")
    small = page.evaluate(
        "() => [...document.querySelectorAll('#main a, #main button, #main select, #main input:not([type=hidden])')]"
        ".filter((one) => one.offsetParent && !one.closest('.leaflet-control'))"
        ".filter((one) => one.getBoundingClientRect().height < 44)"
        ".map((one) => one.outerHTML)"
    )
    assert small == []
    assert watched.troubles == []


def test_a_street_is_found_with_a_slip_by_keyboard_alone(watched: Watched, base_url: str):
    page = watched.page
    _open(page, base_url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # to the content
    page.keyboard.press("Tab")
    field = page.get_by_role("combobox", name="Où allez-vous ?")
    expect(field).to_be_focused()
    page.keyboard.type("aleksantrinkatu 15")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("15 Aleksanterinkatu")
    assert faults(page) == []
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".answer-title")).to_have_text("Près de 15 Aleksanterinkatu")
    expect(page.locator("#said")).to_contain_text("Essayez")
    expect(page.locator("#suggestions")).to_be_hidden()
    page.get_by_label("Arrivée").focus()
    page.keyboard.type("dans 20")
    expect(page.locator(".spot .tenths").first).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["at"] == ["20"]
    # The address of the page is the answer: somebody else may be sent it.
    first = page.locator(".spot-name").first.inner_text()
    page.reload()
    expect(page.locator(".spot-name").first).to_have_text(first)
    go = page.locator(".spot .go").first
    assert re.fullmatch(r"geo:60\.\d+,24\.\d+\?q=60\.\d+,24\.\d+\(.*\)", go.get_attribute("href") or "")
    assert watched.troubles == []


def test_near_me_sends_a_rounded_position_and_nothing_is_kept(watched: Watched, base_url: str, context: BrowserContext):
    context.grant_permissions(["geolocation"], origin=base_url)
    context.set_geolocation(HERE)
    page = watched.page
    _open(page, base_url)
    asked = _asked(page)
    page.get_by_role("button", name="Près de moi").click()
    expect(page.locator(".answer-title")).to_have_text("Autour de vous")
    expect(page.locator(".spot").first).to_be_visible()
    told = [parse_qs(urlsplit(url).query) for url in asked if "lat=" in url]
    assert told
    assert {(one["lon"][0], one["lat"][0]) for one in told} == {("24.9384", "60.1698")}
    assert "24.93" not in page.url
    assert not any("60.16984" in url or "24.93841" in url for url in asked)
    # How long the way takes is worked out without a word to anybody.
    page.get_by_label("Où allez-vous ?").fill("Liisankatu")
    page.keyboard.press("Enter")
    expect(page.locator(".answer-title")).to_contain_text("Liisankatu")
    asked.clear()
    page.get_by_role("button", name=re.compile("^Calculer l.arrivée depuis ma position$")).click()
    expect(page.locator("#from-here-said")).to_have_text(re.compile(r"^Environ \d,\d\skm, \d+\smin en voiture\.$"))
    minutes = int(page.get_by_label("Arrivée").input_value())
    assert 3 <= minutes <= 15
    expect(page.locator(".spot .tenths").first).to_be_visible()
    assert not any("24.938" in url for url in asked)
    assert context.cookies() == []
    assert page.evaluate(KEPT) == {"cookies": "", "local": 0, "session": 0, "caches": 0, "databases": 0, "workers": 0}
    assert watched.troubles == []


def test_what_fails_is_said_and_what_was_known_stays(watched: Watched, base_url: str, context: BrowserContext):
    page = watched.page
    _open(page, base_url, "?near=Mannerheimintie")
    context.grant_permissions([], origin=base_url)
    page.get_by_role("button", name="Près de moi").click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("Votre appareil n.a pas donné sa position"))
    known = page.locator(".spot").count()
    context.set_offline(True)
    page.get_by_role("radio", name="Livraison").check()
    expect(page.get_by_role("alert")).to_contain_text("Le service ne répond pas")
    expect(page.locator(".spot")).to_have_count(known)
    context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".spot-rule").first).to_contain_text("Livraisons, 30 min au plus")
    page.get_by_label("Où allez-vous ?").fill("rue Introuvable-Xyz")
    page.keyboard.press("Enter")
    expect(page.locator(".answer-title")).to_contain_text("est introuvable ici")


def test_the_list_needs_no_script(browser: Browser, base_url: str):
    with opened_context(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{base_url}/{INSEE}/stationner")
        page.get_by_label("Où allez-vous ?").fill("manerheimintie")
        page.get_by_label("Arrivée").select_option("20")
        page.get_by_role("button", name="Chercher").click()
        expect(page.locator(".answer-title")).to_have_text("Près de Mannerheimintie")
        assert page.locator(".spot").count() > 3
        expect(page.get_by_role("button", name="Près de moi")).to_have_count(0)
        page.get_by_role("link", name="English").click()
        expect(page.locator(".answer-title")).to_have_text("Near Mannerheimintie")
        expect(page.locator(".spot-verdict").first).to_contain_text("in 10")
        page.goto(f"{base_url}/{INSEE}/stationner/panneau?zone=Mannerheimintie")
        expect(page.locator("#number")).to_have_text(re.compile(r"^\d+$"))


def test_the_page_speaks_english(watched: Watched, base_url: str):
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/stationner?near=Mannerheimintie&at=20&lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where to park")
    page.get_by_role("radio", name="Deliver").check()
    expect(page.locator(".spot-now").first).to_contain_text("Right now: free")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert watched.troubles == []


def test_only_the_towns_site_may_frame_the_list(watched: Watched, base_url: str, town_site: str):
    page = watched.page
    page.goto(f"{town_site}/?{base_url}/{INSEE}/stationner/integre?near=Mannerheimintie")
    inside = page.frame_locator("iframe")
    expect(inside.locator(".spot").first).to_be_visible()
    expect(inside.locator("header")).to_have_count(0)
    expect(inside.get_by_role("link", name="Chercher ailleurs")).to_have_attribute("target", "_blank")
    page.goto(f"{town_site}/?{base_url}/{INSEE}/stationner?near=Mannerheimintie")
    expect(page.frame_locator("iframe").locator(".spot")).to_have_count(0)
    with _site() as other:
        page.goto(f"{other}/?{base_url}/{INSEE}/stationner/integre?near=Mannerheimintie")
        expect(page.frame_locator("iframe").locator(".spot")).to_have_count(0)
    refused = [trouble for trouble in watched.troubles if "frame-ancestors" in trouble]
    assert len(refused) == 2


def test_a_sign_follows_and_doubts(watched: Watched, base_url: str, town: Town, connection: Connection, screens: Path):
    page = watched.page
    page.set_viewport_size({"width": 320, "height": 160})
    page.clock.install()
    page.goto(f"{base_url}/{INSEE}/stationner/panneau?zone=Mannerheimintie&max_age_min=30")
    number = page.locator("#number")
    expect(number).to_have_text(re.compile(r"^\d+$"))
    box = number.bounding_box()
    assert box is not None
    assert box["height"] > 80
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [320, 160]
    page.screenshot(path=screens / "panneau.png")
    before = int(number.inner_text())
    page.evaluate("window.sameDocument = true")
    at = NOW + timedelta(seconds=5)
    kerb = [each for each in town.spots if each.startswith(("ADL", "STA"))]
    taken = [each for each in kerb if each.startswith("STA") and town.spots[each].street == "Mannerheimintie"]
    told = tuple(occupancy_reading(10_000 + kerb.index(each), each, occupied=False, at=at) for each in taken)
    readings.take_in(
        connection, IntakeBatch(commune_insee=INSEE, collector="test", messages=1, occupancy_readings=told)
    )
    make_sessions(connection, INSEE)
    connection.commit()
    with page.expect_response(lambda answer: "guidance/number" in answer.url):
        page.clock.run_for(16_000)
    expect(number).to_have_text(str(len(taken)))
    assert len(taken) > before
    page.context.set_offline(True)
    page.clock.run_for(15 * 60_000)
    expect(number).to_have_text(str(len(taken)))
    page.clock.run_for(16 * 60_000)
    expect(number).to_have_text("?")
    page.context.set_offline(False)
    page.clock.run_for(16_000)
    expect(number).to_have_text(str(len(taken)))
    assert page.evaluate("window.sameDocument")
    assert not [trouble for trouble in watched.troubles if "another origin" in trouble]
