"""The live line of a page, in a real browser: what breaks it, and that the page knows the newest afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from api.app import ApiOptions
from storage import readings
from storage.database import Connection
from storage.model import IntakeBatch
from tests.api.serving import serving
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, NOW, Town, helsinki, level_reading
from tests.proxying import caddy
from tests.tools import free_port


class Restartable:
    """The application at one address, which can be stopped and started again."""

    def __init__(self, options: ApiOptions) -> None:
        self._options = options
        self._port = free_port()
        self._running = ExitStack()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve, as a new process would: it knows nothing of the one before."""
        self._running.enter_context(serving(self._options, port=self._port))

    def stop(self) -> None:
        """Stop serving."""
        self._running.close()


@pytest.fixture
def server(database_url: str, town: Town) -> Iterator[Restartable]:
    """The running application."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki(), heartbeat_s=1.0)
    made = Restartable(options)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def base_url(server: Restartable) -> str:
    """Where it is served."""
    return server.url


def opened(page: Page, url: str, town: Town) -> tuple[Page, str]:
    """Open the map, and look at a bin that is nearly empty."""
    page.goto(f"{url}/{INSEE}/carte")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    page.evaluate("window.sameDocument = true")
    place_id = min((level, place_id) for place_id, level in town.levels.items() if place_id in town.device_ids)[1]
    page.fill("#bin-search", place_id)
    expect(page.locator(f'#bin-list [data-place="{place_id}"]')).to_be_visible()
    return page, place_id


def fill_up(connection: Connection, town: Town, place_id: str) -> None:
    """Have the bin measured full."""
    full = level_reading(town.device_ids[place_id], place_id, 0.99, at=NOW + timedelta(minutes=5))
    readings.take_in(connection, IntakeBatch(commune_insee=INSEE, collector="test", messages=1, fill_readings=(full,)))
    connection.commit()


def knows(page: Page, place_id: str) -> None:
    """The page hears again, knows that the bin is full, and was not loaded anew."""
    expect(page.locator("#line")).to_have_attribute("data-state", "live", timeout=40_000)
    expect(page.locator(f'#bin-list [data-place="{place_id}"] .row-value')).to_have_text(re.compile("^99"))
    assert page.evaluate("window.sameDocument")
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("proxied", [False, True], ids=["directly", "behind the proxy"])
def test_page_knows_what_happened_while_the_server_was_away(
    context: BrowserContext, server: Restartable, town: Town, connection: Connection, tmp_path: Path, *, proxied: bool
):
    with ExitStack() as stack:
        address = server.url
        page = context.new_page()
        if proxied:
            address = stack.enter_context(caddy(server.url, tmp_path / "caddy"))
            # The proxy's certificate is of its own making.
            session = context.new_cdp_session(page)
            session.send("Security.setIgnoreCertificateErrors", {"ignore": True})
        page, place_id = opened(page, address, town)
        server.stop()
        expect(page.locator("#line")).to_have_attribute("data-state", "lost")
        fill_up(connection, town, place_id)
        server.start()
        knows(page, place_id)


def test_page_that_slept_asks_for_what_it_missed(watched: Watched, base_url: str, town: Town, connection: Connection):
    """A laptop's lid was closed: its timers stood still, and its stream is one that nobody hears."""
    page = watched.page
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if f"{INSEE}/live" in request.url else None)
    opened(page, base_url, town)
    assert len(asked) == 1
    page.clock.fast_forward(120_000)
    place_id = page.locator("#bin-list .row").get_attribute("data-place")
    assert place_id is not None
    fill_up(connection, town, place_id)
    knows(page, place_id)
    assert len(asked) == 2
    assert "last_event_id=" in asked[1], "it says what it heard last"


def test_page_without_a_place_for_its_line_asks_now_and_then(
    context: BrowserContext, database_url: str, town: Town, connection: Connection
):
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, streets_extract=helsinki(), most_live_streams=1
    )
    with serving(options) as url:
        opened(context.new_page(), url, town)
        second = context.new_page()
        second.goto(f"{url}/{INSEE}/carte")
        expect(second.locator("#line")).to_have_attribute("data-state", "slow")
        expect(second.locator("#line-text")).to_have_text("Mis à jour toutes les 30 s")
        expect(second.locator("#bin-list .row").first).to_be_visible()
