"""The map with accounts, in a real browser: each role sees its own parts, and nothing is asked for that is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from storage import accounts
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import PASSWORD, make_account
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, Town, helsinki


@pytest.fixture
def base_url(database_url: str, town: Town) -> Iterator[str]:
    """The application as a town runs it: with accounts."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options, open_to_all=False) as url:
        yield url


def log_in(page: Page, name: str) -> None:
    """Fill in the form that the page led to."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    page.get_by_label("Nom de compte").fill(name)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()


@dataclass(kw_only=True)
class Sees:
    """What somebody with a role sees: tabs, one of their lists, figures."""

    role: Role
    tabs: list[str] = field(default_factory=list)
    listed: str | None = None
    figures: list[str] = field(default_factory=list)


SEEN = [
    Sees(role=Role.DRIVER, tabs=["Corbeilles"], listed="#bin-list"),
    Sees(
        role=Role.OFFICER,
        tabs=["Livraison", "Places"],
        listed="#bay-list",
        figures=["Aires en dépassement", "Places libres"],
    ),
    Sees(
        role=Role.DISPATCHER,
        tabs=["Corbeilles", "Tournées"],
        listed="#bin-list",
        figures=["Corbeilles à vider", "Kilomètres prévus", "Messages reçus", "Messages refusés"],
    ),
    # Devices are theirs, no place is: figures of the intake, and no list.
    Sees(role=Role.INTEGRATOR, figures=["Messages reçus", "Messages refusés"]),
]


@pytest.mark.parametrize("sees", SEEN, ids=lambda sees: sees.role)
def test_each_role_sees_its_parts_and_asks_for_no_other(
    watched: Watched, base_url: str, connection: Connection, sees: Sees
):
    make_account(connection, "camille", (INSEE, sees.role))
    page = watched.page
    refused: list[str] = []
    page.on(
        "response", lambda answer: refused.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    page.goto(f"{base_url}/{INSEE}/carte")
    log_in(page, "camille")
    page.wait_for_url(f"**/{INSEE}/carte")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    expect(page.get_by_role("tab")).to_have_text(sees.tabs)
    expect(page.locator(".figures dt")).to_have_text(sees.figures)
    expect(page.locator("#commune-name")).to_have_text("Noisy-le-Grand")
    for tab in page.get_by_role("tab").all():
        tab.click()
    if sees.listed is not None:
        page.get_by_role("tab").first.click()
        page.locator(f"{sees.listed} .row").first.click()
        expect(page.locator(".leaflet-popup .card")).to_be_visible()
    else:
        expect(page.locator("#panel")).to_contain_text("Vos rôles ne montrent aucune liste")
    assert faults(page) == []
    assert watched.troubles == []  # what is under way when a page is left is broken off: only until here
    page.get_by_role("link", name="Camille").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    page.goto(f"{base_url}/{INSEE}/carte")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    assert refused == []


def test_session_that_ends_leads_to_the_form_and_back(watched: Watched, base_url: str, connection: Connection):
    account = make_account(connection, "camille", (INSEE, Role.DRIVER))
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte")
    log_in(page, "camille")
    expect(page.locator("#bin-list .row").first).to_be_visible()
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    accounts.end_sessions(connection, account.account_id)
    connection.commit()
    # An emptying somewhere makes every page ask for the bins again.
    connection.execute(
        "SELECT pg_notify('voirie_live', %s)", [f'{{"kind": "service_events", "commune_insee": "{INSEE}"}}']
    )
    connection.commit()
    log_in(page, "camille")
    page.wait_for_url(f"**/{INSEE}/carte")
    expect(page.locator("#bin-list .row").first).to_be_visible()


def test_session_that_ended_while_the_line_was_away_leads_to_the_form(
    watched: Watched, base_url: str, connection: Connection
):
    account = make_account(connection, "camille", (INSEE, Role.OFFICER))
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte")
    log_in(page, "camille")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    page.context.set_offline(True)
    page.evaluate("window.stop()")
    expect(page.locator("#line")).to_have_attribute("data-state", "lost")
    accounts.end_sessions(connection, account.account_id)
    connection.commit()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion", timeout=15_000)


def test_home_leads_to_what_the_visitor_may_open(watched: Watched, base_url: str, connection: Connection):
    make_account(connection, "camille", (INSEE, Role.OFFICER))
    make_account(connection, "alix")
    page = watched.page
    page.goto(base_url)
    expect(page.get_by_role("heading", name="Noisy-le-Grand")).to_be_visible()
    expect(page.get_by_role("link", name="Carte")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name="Se connecter").click()
    # Whoever takes the cookies away while the officer's device proves itself has its answer refused.
    with page.expect_response("**/appareil/preuve"):
        log_in(page, "camille")
    expect(page.get_by_role("link", name="Carte")).to_be_visible()
    expect(page.get_by_role("link", name="Se connecter")).to_have_count(0)
    page.context.clear_cookies()
    page.goto(f"{base_url}/connexion")
    log_in(page, "alix")
    expect(page.get_by_text(re.compile("^Votre compte n.a encore aucun rôle"))).to_be_visible()
    expect(page.get_by_role("link", name="Carte")).to_have_count(0)
    expect(page.get_by_role("link", name="Se garer")).to_be_visible()
    assert watched.troubles == []
