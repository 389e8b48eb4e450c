"""Accounts in a real browser: an administrator makes one, its person sets it up, a chef ends its tablet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from storage import one_time_codes
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import PASSWORD, make_account
from tests.api.rows import INSEE, save_commune
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.conftest import Original, Server

WIDTHS = (360, 1280)


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Original[None]:
    """A database without a town."""
    return embedded_server.migrated


@pytest.fixture
def base_url(database_url: str, connection: Connection) -> Iterator[str]:
    """A commune with an administrator and a chef."""
    save_commune(connection)
    connection.commit()
    make_account(connection, "admin", (INSEE, Role.ADMINISTRATOR))
    make_account(connection, "chef", (INSEE, Role.DISPATCHER))
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as url:
        yield url


def log_in(page: Page, base_url: str, name: str, password: str = PASSWORD, device: str = "") -> None:
    page.context.clear_cookies()
    page.goto(f"{base_url}/connexion")
    page.get_by_label("Nom de compte").fill(name)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_label("Cet appareil").fill(device)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Connexion")


def audited(page: Page) -> None:
    """The page fits its screen and breaks no rule of accessibility."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []


def set_up_second_factor(page: Page, password: str) -> str:
    """Set a second factor up on the account's page, and return a recovery code."""
    page.locator("#factor_password").fill(password)
    page.get_by_role("button", name="Mettre en place un second facteur").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second facteur")
    drawing = page.locator("main img")
    assert drawing.evaluate("image => image.complete && image.naturalWidth > 100"), (
        "the policy lets the drawing be shown"
    )
    audited(page)
    secret = page.locator("main code").inner_text()
    page.get_by_label("Code à six chiffres").fill(
        one_time_codes.code_at(secret, one_time_codes.step_at(datetime.now(UTC)))
    )
    page.get_by_role("button", name="Mettre en place").click()
    expect(page.locator("ol code")).to_have_count(one_time_codes.RECOVERY_CODES)
    audited(page)
    return page.locator("ol code").first.inner_text()


def test_account_from_its_making_to_its_lost_tablet(watched: Watched, base_url: str):
    page = watched.page
    log_in(page, base_url, "admin")
    page.goto(f"{base_url}/compte")
    page.get_by_role("link", name="Administrer les comptes").click()
    audited(page)
    page.get_by_label("Nom de compte").fill("jo")
    page.get_by_label("Nom que lisent les collègues").fill("Jo Petit")
    page.get_by_label("Rôle").select_option("driver")
    page.get_by_role("button", name="Créer le compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jo Petit")
    password = page.get_by_role("status").locator("code").inner_text()
    audited(page)
    page.goto(f"{base_url}/cles")
    page.get_by_label("Pour quelle machine").fill("portail")
    page.get_by_role("button", name="Créer la clé").click()
    expect(page.get_by_role("status").locator("code")).to_have_text(re.compile("^voirie_"))
    audited(page)

    log_in(page, base_url, "jo", password, device="tablette benne 3")
    page.goto(f"{base_url}/compte")
    audited(page)
    recovery = set_up_second_factor(page, password)
    page.context.clear_cookies()
    page.goto(f"{base_url}/connexion")
    page.get_by_label("Nom de compte").fill("jo")
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_label("Cet appareil").fill("tablette benne 3")
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Code de connexion")
    audited(page)
    page.get_by_label("Code à six chiffres").fill(recovery)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("link", name="Jo Petit")).to_be_visible()
    tablet = page.context.cookies()

    log_in(page, base_url, "chef")
    page.goto(f"{base_url}/{INSEE}/equipe")
    expect(page.get_by_role("row").nth(1)).to_contain_text("tablette benne 3")
    audited(page)
    page.get_by_role("button", name="Mettre fin : tablette benne 3").last.click()
    page.context.clear_cookies()
    page.context.add_cookies(tablet)  # type: ignore[arg-type] # what cookies() gives
    page.goto(f"{base_url}/{INSEE}/carte")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    expect(page.get_by_label("Cet appareil")).to_have_value("tablette benne 3")
    assert watched.troubles == []
