"""The morning's desk of a made-up town: its plan, the application, and the worker that computes drafts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from storage.database import Connection
from storage.model import Plan, Role
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.desk_town import DAY, make_desk_town
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, helsinki
from tests.conftest import Original, Server
from tests.working import running_worker

BINS = 102
"""Of COR-0099 nothing is known."""


PICTURES = os.environ.get("VOIRIE_WRITE_SCREENS") == "1"
"""They show rounds along streets, which take longer."""


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Original[None]:
    """A database without a town: each test makes its own, with streets or without."""
    return embedded_server.migrated


@pytest.fixture
def streets() -> bool:
    """Whether rounds follow the streets."""
    return PICTURES


@pytest.fixture
def plan(connection: Connection, tmp_path: Path, *, streets: bool) -> Plan:
    """The morning's plan."""
    return make_desk_town(connection, tmp_path / "streets", streets=streets, bin_count=BINS)[1]


@pytest.fixture
def base_url(database_url: str, plan: Plan, connection: Connection) -> Iterator[str]:
    """The application as a town runs it, with an account of each role that has a desk."""
    assert len(plan.routes) > 1
    make_account(connection, "camille", (INSEE, Role.DISPATCHER))
    make_account(connection, "alix", (INSEE, Role.DISPATCHER))
    make_account(connection, "robin", (INSEE, Role.DATA_READER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options, Ports(at_once=WorkerAtOnce(database_url)), open_to_all=False) as url:
        yield url


@pytest.fixture
def worker(database_url: str, tmp_path: Path, *, streets: bool) -> Iterator[subprocess.Popen[bytes]]:
    """What computes drafts, as a town runs it."""
    settings = {
        "VOIRIE_DATABASE__URL": database_url,
        "VOIRIE_COMMUNE__INSEE_CODE": INSEE,
        "VOIRIE_ROUNDS__EDIT_S": "1.5",
        "VOIRIE_ROUNDS__REPAIR": "false",
    }
    if streets:
        settings["VOIRIE_STREETS__EXTRACT"] = str(helsinki())
        settings["VOIRIE_STREETS__CACHE_FOLDER"] = str(tmp_path / "streets")
    with running_worker(tmp_path, settings) as process:
        yield process


def at_the_desk(page: Page, base_url: str, name: str = "camille", *, path: str = "proprete") -> None:
    """Open a page of the desk with an account."""
    page.goto(f"{base_url}/{INSEE}/{path}")
    log_in(page, name)
    page.wait_for_url(f"**/{INSEE}/{path}")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")


def open_bin(page: Page, place_id: str) -> None:
    """Find a bin in the list and open its sheet."""
    page.get_by_role("tab", name="Corbeilles").click()
    page.get_by_label("Chercher une corbeille").fill(place_id)
    page.locator("#bin-list .row").first.click()
    expect(page.locator("#sheet-title")).to_have_text(place_id)


def latest(page: Page, base_url: str) -> dict[str, Any]:
    """Return the published plan of the day."""
    answer = page.request.get(
        f"{base_url}/api/v1/communes/{INSEE}/plans/latest", params={"service_date": DAY.isoformat()}
    )
    assert answer.ok
    document: dict[str, Any] = answer.json()
    return document
