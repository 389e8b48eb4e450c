"""The operator's page as its users meet it, with accounts and a worker: what is wrong, why, and what mends it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from cli.jobs import Jobs
from cli.worker import make_app
from config.settings import CommuneSettings, Settings
from ingest.reviewer import review_commune
from storage import broker_lines, device_changes, readings
from storage.broker_lines import ToldLine
from storage.database import Connection
from storage.device_changes import Assignment, Telling
from storage.model import DeviceStatus, IntakeBatch, KnownModel, RefusalReason, RefusedMessage, Role
from tests.api.accounts import make_account
from tests.api.serving import as_web, serving
from tests.browser.conftest import Watched
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, NOW, Town, helsinki

DEVICE = "benne-7"
PAYLOAD = json.dumps({"readings": [{"measured_at": NOW.isoformat(), "occupied": True}]}).encode()
MODELS = {"voirie-native": KnownModel(name="voirie-native", title="Native", measures="either", lorawan=False)}


@pytest.fixture
def base_url(database_url: str, town: Town) -> Iterator[str]:
    """The application as a town runs it: with accounts, and a worker to ask."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    ports = Ports(at_once=WorkerAtOnce(as_web(database_url)))
    with serving(options, ports, open_to_all=False) as url:
        yield url


@pytest.fixture
def work(database_url: str) -> Callable[[], None]:
    """Do what waits for a worker, once."""
    settings = Settings(commune=CommuneSettings(insee_code=INSEE, name="Noisy-le-Grand"))
    jobs = Jobs(settings=settings, database_url=database_url)
    app = make_app(database_url=database_url, jobs=jobs)

    def run() -> None:
        app.run_worker(queues=["at_once"], wait=False, install_signal_handlers=False, listen_notify=False)

    def once() -> None:
        # Playwright's own event loop runs in this thread.
        worker = threading.Thread(target=run, name="worker")
        worker.start()
        worker.join()

    return once


def opened(watched: Watched, base_url: str, connection: Connection, role: Role = Role.INTEGRATOR) -> Page:
    make_account(connection, "camille", (INSEE, role))
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/exploitation")
    log_in(page, "camille")
    page.wait_for_url(f"**/{INSEE}/exploitation")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    expect(page.locator(".signal")).to_have_count(6)
    return page


LINE = ToldLine(
    collector="collecteur-1", broker="courtier.ville.example:8883", connected=True, subscribed=True, held_s=3 * 86_400,
    waiting=0, lag_s=0.0,
)  # fmt: skip


def tell_line(connection: Connection, line: ToldLine) -> None:
    """A collector says how its line to the broker stands."""
    broker_lines.tell(connection, [INSEE], line)
    connection.commit()


def test_operator_sees_what_is_wrong_first(watched: Watched, base_url: str, connection: Connection, screens: Path):
    review_commune(connection, INSEE, now=NOW)  # who was heard and how they are
    tell_line(connection, LINE)
    page = opened(watched, base_url, connection)
    expect(page.locator(".signal", has_text="Capteurs")).to_contain_text("bons sur")
    expect(page.locator(".signal", has_text="Travailleur")).to_have_attribute("data-level", "bad")
    expect(page.locator("#devices .item").first).to_be_visible()
    chip = page.locator("#conditions .chip").nth(1)
    count = int(chip.locator("b").inner_text())
    chip.click()
    expect(page.locator("#device-count")).to_have_text(re.compile(rf"^{count} capteur"))
    page.get_by_label("Chercher un capteur").fill("rien de tel")
    expect(page.locator("#devices")).to_have_text("Aucun capteur ne correspond.")
    page.get_by_label("Chercher un capteur").fill("")
    expect(page.locator("#devices .item").first).to_be_visible()
    page.set_viewport_size({"width": 1120, "height": 760})
    page.screenshot(path=screens / "exploitation.png")
    page.get_by_role("tab", name="Versions et disque").click()
    expect(page.locator("#versions")).to_contain_text("PostgreSQL")
    expect(page.locator("#retention")).to_contain_text("mesures de remplissage")
    page.get_by_role("tab", name="Tâches").click()
    expect(page.locator("#worker")).to_contain_text("voirie worker")
    page.get_by_role("tab", name="Réception").click()
    line = page.locator("#brokers .item")
    expect(line).to_contain_text("courtier.ville.example:8883")
    expect(line).to_contain_text("connecté il y a 3 j")
    expect(line).to_contain_text("rien n’attend")
    tell_line(connection, replace(LINE, connected=False, subscribed=False, held_s=240, waiting=3, lag_s=12))
    page.reload()
    expect(page.locator(".signal").first).to_contain_text("courtier injoignable")
    page.get_by_role("tab", name="Réception").click()
    expect(line).to_contain_text("injoignable il y a 4 min")
    expect(line).to_contain_text("3 messages attendent la base")
    assert watched.troubles == []


def test_refused_messages_say_why_and_are_taken_in_once_the_cause_is_mended(
    watched: Watched, base_url: str, connection: Connection, work: Callable[[], None], screens: Path
):
    refused = RefusedMessage(
        commune_insee=INSEE, received_at=NOW, network="native", topic=f"voirie/v1/{INSEE}/{DEVICE}/readings",
        payload=PAYLOAD, reason=RefusalReason.UNKNOWN_DEVICE, detail=f"no device {DEVICE!r} in commune {INSEE}",
        device_eui=DEVICE,
    )  # fmt: skip
    readings.take_in(connection, IntakeBatch(commune_insee=INSEE, collector="made-up", messages=1, refused=(refused,)))
    connection.commit()
    page = opened(watched, base_url, connection)
    page.get_by_role("tab", name="Messages refusés").click()
    kind = page.locator("#refusal-kinds .item", has_text="native")
    expect(kind).to_contain_text("Capteur inconnu")
    expect(kind).to_contain_text("voirie devices import")
    kind.get_by_role("button", name="Voir les messages").click()
    expect(page.locator("#refusals .item")).to_have_count(1)
    page.locator("#refusals summary").click()
    expect(page.locator("#refusals .payload")).to_have_text(PAYLOAD.decode())
    page.screenshot(path=screens / "exploitation-refus.png")

    telling = Telling(catalogue=MODELS, author=None, comment=None)
    device_changes.register(connection, INSEE, eui=DEVICE, model="voirie-native", telling=telling)
    assigned = Assignment(
        eui=DEVICE, place_id="ADL-01", at=NOW, until=None, geometry=None, replace=DeviceStatus.IN_STOCK
    )
    device_changes.assign(connection, INSEE, assigned, telling=telling)
    connection.commit()
    kind.get_by_role("button", name="Rejouer").click()
    expect(page.locator("#replays .item")).to_contain_text("en cours")
    work()
    expect(page.locator("#replays .item")).to_contain_text("1 message pris sur 1")
    expect(kind).to_have_count(0)
    expect(page.locator("#refusal-kinds .item").first).to_be_visible()
    notes = connection.execute(
        "SELECT actor, act FROM audit_note WHERE act LIKE 'intake.%' ORDER BY note_id"
    ).fetchall()
    assert notes == [("Camille", "intake.replay_asked"), ("voirie", "intake.replayed")]
    assert watched.troubles == []


def test_operators_page_is_walked_by_keyboard_in_english(watched: Watched, base_url: str, connection: Connection):
    opened(watched, base_url, connection, Role.ADMINISTRATOR)
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/exploitation?lang=en")
    watched.troubles.clear()  # what is under way when a page is left is broken off
    expect(page.get_by_role("heading", level=1)).to_have_text("Operation")
    expect(page.locator("#devices .item").first).to_contain_text("never heard")
    page.get_by_role("tab", name="Sensors").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Refused messages")).to_be_focused()
    expect(page.locator("#refusal-kinds .item").first).to_contain_text("Unreadable reading")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="See the messages").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#refusal-filter-text")).to_contain_text("Unreadable reading")
    page.get_by_role("tab", name="Refused messages").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Versions and disk")).to_be_focused()
    expect(page.locator("#versions")).to_contain_text("schema")
    assert watched.troubles == []


def test_no_other_role_opens_the_page_or_its_figures(watched: Watched, base_url: str, connection: Connection):
    make_account(connection, "camille", (INSEE, Role.DISPATCHER))
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte")
    log_in(page, "camille")
    page.wait_for_url(f"**/{INSEE}/carte")
    for path in (f"{INSEE}/exploitation", f"api/v1/communes/{INSEE}/operation"):
        answer = page.request.get(f"{base_url}/{path}")
        assert answer.status == 403, path
    page.goto(base_url)
    expect(page.get_by_role("link", name="Exploitation")).to_have_count(0)
