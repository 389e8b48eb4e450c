"""An empty installation walked to its first plan: each step is seen in the database, and said with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from storage import communes
from storage.cleansing_import import import_bins, import_vehicles
from storage.database import Connection
from storage.model import Commune, Role
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, helsinki, make_town
from tests.conftest import Original, Server


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Original[None]:
    """A database without a town."""
    return embedded_server.migrated


@pytest.fixture
def base_url(database_url: str) -> Iterator[str]:
    """An installation with nothing in it."""
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as url:
        yield url


def done(page: Page) -> list[str | None]:
    """The steps that are ticked."""
    return [step.get_attribute("data-step") for step in page.locator(".step.done").all()]


def test_an_empty_installation_is_walked_to_its_first_plan(
    watched: Watched, base_url: str, connection: Connection, screens: Path
):
    page = watched.page
    page.goto(base_url)
    page.get_by_role("link", name="Premiers pas").click()
    expect(page.locator(".step.next")).to_have_attribute("data-step", "commune")
    expect(page.locator(".step.next code")).to_have_text(f'voirie communes add {INSEE} "Nom"')
    assert done(page) == []
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    connection.commit()
    page.reload()
    expect(page.locator(".step.next")).to_have_attribute("data-step", "account")
    assert done(page) == ["commune"]
    page.screenshot(path=screens / "premiers-pas.png")
    assert faults(page) == []

    make_account(connection, "camille", (INSEE, Role.ADMINISTRATOR))
    page.reload()
    log_in(page, "camille")  # now that somebody can, only they see it
    page.wait_for_url("**/premiers-pas")
    assert done(page) == ["commune", "account"]
    import_bins(connection, INSEE, b"place_id,kind,longitude_deg,latitude_deg\nCOR-1,bin,2.5,48.8\nD,depot,2.5,48.8\n")
    import_vehicles(connection, INSEE, b"vehicle_id,depot_id,capacity_l\nBOM-1,D,3500\n")
    connection.commit()
    page.reload()
    assert done(page) == ["commune", "account", "bins"]
    expect(page.locator('.step[data-step="kerb"]')).to_contain_text("si vous en avez")
    make_town(connection, helsinki(), bin_count=6, bay_count=2, space_count=2)
    page.reload()
    assert done(page) == ["commune", "account", "bins", "kerb", "device", "reading", "forecast", "plan"]
    expect(page.locator(".step.next")).to_have_attribute("data-step", "streets")
    page.goto(base_url)
    expect(page.get_by_role("link", name="Premiers pas")).to_be_visible()
    assert watched.troubles == []


def test_first_steps_are_for_who_runs_the_installation(watched: Watched, base_url: str, connection: Connection):
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    make_account(connection, "camille", (INSEE, Role.DRIVER))
    page = watched.page
    page.goto(f"{base_url}/premiers-pas")
    log_in(page, "camille")
    expect(page.get_by_role("main")).to_contain_text("Cette page est pour")
    expect(page.locator(".step")).to_have_count(0)
    page.goto(base_url)
    expect(page.get_by_role("link", name="Premiers pas")).to_have_count(0)
