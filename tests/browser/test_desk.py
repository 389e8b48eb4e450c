"""The chef's desk in a real browser: what is odd at 5:15, edits with a real worker, two people at once, files."""

from __future__ import annotations

import math
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from storage import places
from storage.database import Connection
from storage.ground import distance_m
from storage.model import Plan, Role, StopKind
from tests.api import accounts
from tests.api.accounts import OURS, make_account
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.desk_town import DAY, drive_weeks, make_desk_town, rounds, stand_still
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


def test_at_half_past_five_the_plan_and_what_is_odd_come_first(
    watched: Watched, base_url: str, plan: Plan, screens: Path
):
    page = watched.page
    at_the_desk(page, base_url)
    expect(page.locator("#plan-title")).to_have_text(re.compile("mercredi 11 mars", re.IGNORECASE))
    expect(page.locator("#plan-relative")).to_have_text(re.compile("^Aujourd.hui$"))
    expect(page.locator("#round-list .round")).to_have_count(len(plan.routes))
    odd = page.locator("#odd-list")
    expect(odd.locator(".odd.urgent")).to_contain_text("COR-0007 Température de 74 °C")
    expect(odd).to_contain_text("capteurs muets")
    if plan.travel_source.startswith("great_circle"):
        expect(odd).to_contain_text("à vol d")
    expect(page.locator("#strip-alarms")).to_have_text("3")
    page.set_viewport_size({"width": 1120, "height": 700})
    page.screenshot(path=screens / "proprete.png")
    # Every stop and every bin that is left has its reason.
    page.locator("#round-list .round > button").first.click()
    served = rounds(plan)[plan.routes[0].vehicle_id]
    expect(page.locator(".stop")).to_have_count(len(served))
    expect(page.locator(".stop .stop-reason")).to_have_count(len(served))
    page.locator("#left-out > summary").click()
    for group in page.locator("#left-out-groups summary").all():
        group.click()
    while page.locator("#left-out-groups .more").count():
        page.locator("#left-out-groups .more").first.click()
    expect(page.locator("#left-out-groups .row-note")).to_have_count(len(plan.left_out))
    for width in (360, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=screens / "proprete-telephone.png")
    assert watched.troubles == []


def test_filters_narrow_list_and_map_together(watched: Watched, base_url: str):
    page = watched.page
    at_the_desk(page, base_url)
    page.locator(".strip button", has_text="Alarmes").click()
    expect(page.get_by_role("tab", name="Corbeilles")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#bin-list .row")).to_have_count(3)
    expect(page.locator("#bin-list .row").first).to_contain_text("Température de 74 °C")
    for name in ("today", "tomorrow", "silent", "missed"):
        page.locator(f'#filters input[value="{name}"]').check()
        told = int(page.locator(f"#count-{name}").inner_text())
        expect(page.locator("#bin-list .row")).to_have_count(min(40, told))
        if told == 0:
            expect(page.locator("#bin-list .empty")).to_be_visible()
    page.locator('#filters input[value="all"]').check()
    page.get_by_label("Secteur").select_option("Nord")
    expect(page.locator("#bin-list-title")).to_have_text(f"{BINS // 3} corbeilles sur {BINS}")
    for source in ("Mesurées", "Estimées", "Vidées depuis peu"):
        page.get_by_label(source).uncheck()
    page.get_by_label("Inconnues").uncheck()
    expect(page.locator("#bin-list .empty")).to_contain_text("Aucune corbeille ne répond à ces critères")
    assert watched.troubles == []


def test_edits_are_tried_explained_and_published(
    watched: Watched, base_url: str, plan: Plan, worker: subprocess.Popen[bytes], screens: Path
):
    page = watched.page
    at_the_desk(page, base_url)
    one, other = list(rounds(plan).items())[:2]
    dropped, moved, locked = one[1][0], one[1][1], other[1][2]
    open_bin(page, dropped)
    page.get_by_role("button", name="Retirer de la tournée").click()
    open_bin(page, moved)
    page.get_by_label("Véhicule").select_option(other[0])
    page.get_by_label("Position").fill("2")
    page.get_by_role("button", name="Déplacer", exact=True).click()
    open_bin(page, locked)
    page.get_by_role("button", name="Garder cette place").click()
    bar = page.locator("#edit-bar")
    expect(bar.locator(".edits li")).to_have_count(3)
    # Nothing is lost with the page.
    page.reload()
    watched.troubles.clear()  # leaving a page breaks its stream off
    expect(bar.locator(".edits li")).to_have_count(3)
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar.get_by_role("progressbar")).to_be_visible()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    assert worker.poll() is None
    expect(page.locator("#plan-version")).to_contain_text("personne ne le conduit")
    difference = page.locator("#difference")
    expect(difference.locator("tbody tr")).to_have_count(7)
    expect(difference).to_contain_text(dropped)
    assert latest(page, base_url)["plan_id"] == str(plan.plan_id)
    # One edit is taken back: the draft no longer answers, and is made anew.
    bar.get_by_role("button", name=re.compile(f"^Enlever : {locked}")).click()
    expect(bar).to_contain_text("ne répond pas encore")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    assert faults(page) == []
    page.get_by_role("tab", name="Plan du jour").click()
    expect(difference).not_to_contain_text("NaN")
    page.set_viewport_size({"width": 1120, "height": 700})
    page.evaluate("document.querySelector('#difference').scrollIntoView()")
    page.screenshot(path=screens / "proprete-brouillon.png")
    bar.get_by_role("button", name="Publier ce plan").click()
    expect(page.locator("#plan-version")).to_contain_text("Version 3, publiée par Camille")
    expect(bar).to_be_hidden()
    published = latest(page, base_url)
    stops = {
        route["vehicle_id"]: [stop["place_id"] for stop in route["stops"] if stop["kind"] == "bin"]
        for route in published["routes"]
    }
    assert dropped not in {place_id for places in stops.values() for place_id in places}
    assert moved in stops[other[0]]
    assert watched.troubles == []


def test_refused_edits_say_which_rule_and_a_draft_is_given_up(
    watched: Watched, base_url: str, plan: Plan, worker: subprocess.Popen[bytes]
):
    page = watched.page
    at_the_desk(page, base_url)
    open_bin(page, "COR-0099")
    expect(page.locator("#sheet")).to_contain_text("Aucune prévision pour cette corbeille")
    page.get_by_role("button", name="Ajouter, où cela coûte le moins").click()
    bar = page.locator("#edit-bar")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar.locator(".alert")).to_contain_text("COR-0099 : aucune tournée ne peut la prendre", timeout=60_000)
    assert worker.poll() is None
    bar.get_by_role("button", name=re.compile("^Enlever")).click()
    expect(bar).to_be_hidden()
    # The sheet of a vehicle: it stays at the depot, and others take over.
    page.get_by_role("tab", name="Plan du jour").click()
    page.locator("#round-list .round > button").first.click()
    page.get_by_role("button", name="Véhicule, équipage, fichiers").click()
    page.get_by_role("button", name="Ce véhicule reste au dépôt").click()
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    expect(page.locator("#difference")).to_contain_text("ne sort plus")
    expect(page.locator("#round-list .round")).to_have_count(len(plan.routes) - 1)
    bar.get_by_role("button", name="Abandonner le brouillon").click()
    expect(bar).to_be_hidden()
    expect(page.locator("#plan-version")).to_contain_text("du planificateur")
    expect(page.locator("#round-list .round")).to_have_count(len(plan.routes))
    day = page.request.get(f"{base_url}/api/v1/communes/{INSEE}/plans/days/{DAY}").json()
    assert [version["status"] for version in day["versions"] if version["origin"] == "edited"] == ["discarded"]


def test_who_published_meanwhile_is_named_and_edits_are_kept(
    watched: Watched, base_url: str, plan: Plan, worker: subprocess.Popen[bytes]
):
    page = watched.page
    at_the_desk(page, base_url)
    places = [place_id for names in rounds(plan).values() for place_id in names]
    open_bin(page, places[3])
    page.get_by_role("button", name="Retirer de la tournée").click()
    page.locator("#edit-bar").get_by_role("button", name="Calculer le nouveau plan").click()
    expect(page.locator("#edit-bar")).to_contain_text("Brouillon prêt", timeout=60_000)
    assert worker.poll() is None
    publish_as_alix(base_url, plan, places[5])
    bar = page.locator("#edit-bar")
    expect(bar.locator(".alert")).to_contain_text("Alix a publié la version 3", timeout=20_000)
    expect(bar.locator(".edits li")).to_have_count(1)
    bar.get_by_role("button", name="Les refaire sur ce plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    bar.get_by_role("button", name="Publier ce plan").click()
    expect(page.locator("#plan-version")).to_contain_text("Version 4, publiée par Camille")
    served = {stop["place_id"] for route in latest(page, base_url)["routes"] for stop in route["stops"]}
    assert not {places[3], places[5]} & served


def publish_as_alix(base_url: str, plan: Plan, place_id: str) -> None:
    """A colleague drops a bin somewhere else and publishes at once."""
    with httpx.Client(base_url=base_url, headers=OURS, timeout=60) as client:
        assert accounts.log_in(client, "alix").status_code == 303
        plans = f"/api/v1/communes/{INSEE}/plans"
        body = {"request_id": str(uuid4()), "by": "x", "edits": [{"kind": "drop", "place_id": place_id}]}
        made = client.post(f"{plans}/{plan.plan_id}/edits", json=body, params={"wait_s": 30}).json()
        done = client.post(f"{plans}/{made['made_plan_id']}/publish", json={"by": "x"})
        assert done.status_code == 200, done.text


def test_edits_outlive_a_network_that_is_away(watched: Watched, base_url: str, plan: Plan):
    page = watched.page
    at_the_desk(page, base_url)
    open_bin(page, rounds(plan)[plan.routes[0].vehicle_id][0])
    page.get_by_role("button", name="Retirer de la tournée").click()
    page.context.set_offline(True)
    bar = page.locator("#edit-bar")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar.locator(".alert")).to_contain_text("Le service ne répond pas. Vos modifications sont gardées")
    page.context.set_offline(False)
    # Nobody computes here: the request is kept, says how long it takes, and waiting can be stopped.
    bar.get_by_role("button", name="Calculer de nouveau").click()
    expect(bar.get_by_role("status")).to_contain_text("Calcul depuis")
    bar.get_by_role("button", name="Ne plus attendre").click()
    expect(bar.locator(".edits li")).to_have_count(1)


@pytest.mark.parametrize(
    ("path", "asked", "shown"),
    [
        ("proprete/corbeilles/COR-0001", "**/bins/COR-0001/history?*", "#bin-chart svg"),
        ("proprete/mois", "**/kpi?*by=month*", "#month-whole:visible, #month-empty:visible"),
    ],
)
def test_what_failed_is_loaded_again_when_the_line_stands(
    watched: Watched, base_url: str, path: str, asked: str, shown: str
):
    page = watched.page
    page.route(asked, lambda route: route.abort(), times=1)
    at_the_desk(page, base_url, path=path)
    expect(page.locator(shown)).to_be_visible(timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_the_desk_is_walked_by_keyboard(watched: Watched, base_url: str, plan: Plan):
    page = watched.page
    at_the_desk(page, base_url)
    expect(page.locator("#round-list .round").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Plan du jour")).to_be_focused()
    tab_to(page, ".round > button")
    page.keyboard.press("Enter")
    expect(page.locator(".round > button").first).to_be_focused()
    tab_to(page, ".stop")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    tab_to(page, ".doings .button")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-bar .edits li")).to_have_count(1)
    # A street is closed with the cross in the map's middle.
    page.locator("#close-street").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#map")).to_be_focused()
    for _ in range(2):
        tab_to(page, "#closing-here")
        page.keyboard.press("Enter")
        page.locator("#map").focus()
        page.keyboard.press("ArrowRight")
    tab_to(page, "#closing-done")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-bar .edits li")).to_have_count(2)
    expect(page.locator("#close-street")).to_be_focused()
    assert watched.troubles == []


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no {selector} within {most} steps")


def spot_of(page: Page, plan: Plan, place_id: str) -> Callable[[tuple[float, float]], tuple[float, float]]:
    """Return where on the screen a point (longitude, latitude) is, once the map has a bin in its middle."""
    stop = next(stop for route in plan.routes for stop in route.stops if stop.place_id == place_id)
    assert stop.longitude_deg is not None
    assert stop.latitude_deg is not None
    middle = _mercator((stop.longitude_deg, stop.latitude_deg))
    box = page.locator("#map").bounding_box()
    assert box is not None

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = _mercator(point)
        return box["x"] + box["width"] / 2 + x - middle[0], box["y"] + box["height"] / 2 + y - middle[1]

    return place


def _mercator(point: tuple[float, float], *, zoom: int = 16) -> tuple[float, float]:
    """Return a point in pixels of a web map's zoom (spherical Mercator, tiles of 256)."""
    world, latitude = 256 * 2**zoom, math.radians(point[1])
    return world * (point[0] / 360 + 0.5), world * (0.5 - math.asinh(math.tan(latitude)) / (2 * math.pi))


def straight_bit(plan: Plan) -> tuple[str, tuple[float, float], tuple[float, float]]:
    """Return a bin with a straight bit of the way beside it, 60 to 250 m long and not farther off than that."""
    for route in plan.routes:
        line = list(zip(route.geometry, route.geometry[1:], strict=False))
        for stop in route.stops:
            if stop.kind is not StopKind.BIN or stop.longitude_deg is None or stop.latitude_deg is None:
                continue
            here = (stop.longitude_deg, stop.latitude_deg)
            for start, end in line:
                if 60 < distance_m(start, end) < 250 and max(distance_m(here, start), distance_m(here, end)) < 250:
                    return str(stop.place_id), start, end
    raise AssertionError("no straight bit of street near any bin")


@pytest.mark.parametrize("streets", [True])
def test_a_street_that_is_closed_is_driven_no_more_by_the_published_plan(
    watched: Watched, base_url: str, plan: Plan, worker: subprocess.Popen[bytes]
):
    assert plan.travel_source.startswith("osrm")
    place_id, start, end = straight_bit(plan)
    page = watched.page
    at_the_desk(page, base_url)
    open_bin(page, place_id)
    page.get_by_role("button", name="Voir sur la carte").click()
    page.get_by_role("tab", name="Plan du jour").click()
    page.locator("#close-street").click()
    where = spot_of(page, plan, place_id)
    # Not at the crossings themselves, where other streets are as near.
    for share in (0.25, 0.75):
        point = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        page.mouse.click(*where(point))
    expect(page.locator("#closing-count")).to_have_text("2 points posés.")
    page.get_by_role("button", name="Barrer cette rue").click()
    bar = page.locator("#edit-bar")
    expect(bar.locator(".edits li")).to_contain_text("Rue barrée, dessinée sur la carte")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=90_000)
    assert worker.poll() is None
    assert driven(latest(page, base_url), start, end)
    bar.get_by_role("button", name="Publier ce plan").click()
    expect(page.locator("#plan-version")).to_contain_text("publiée par Camille")
    published = latest(page, base_url)
    assert published["plan_id"] != str(plan.plan_id)
    assert not driven(published, start, end)
    assert watched.troubles == []


def driven(plan: dict[str, Any], start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a round of the plan goes along this bit of street, either way."""
    bits = [
        (tuple(one), tuple(other))
        for route in plan["routes"]
        for one, other in pairwise(route["geometry"]["coordinates"])
    ]
    return (start, end) in bits or (end, start) in bits


def test_a_vehicle_that_stands_idle_is_sent_out(
    watched: Watched, base_url: str, plan: Plan, connection: Connection, worker: subprocess.Popen[bytes]
):
    out = {route.vehicle_id for route in plan.routes}
    first = next(vehicle for vehicle in places.vehicles(connection, INSEE) if vehicle.vehicle_id in out)
    places.save_vehicles(connection, [replace(first, vehicle_id="BOM-9", name="Benne de réserve")])
    # As if it had stood there when the plan was made: only who could have gone out then may be sent out.
    connection.execute("UPDATE plan SET inputs = jsonb_insert(inputs, '{vehicles,-1}', '\"BOM-9\"', true)")
    connection.commit()
    page = watched.page
    at_the_desk(page, base_url)
    expect(page.locator("#idle")).to_contain_text("Benne de réserve")
    moved = rounds(plan)[plan.routes[0].vehicle_id][0]
    open_bin(page, moved)
    page.get_by_label("Véhicule").select_option("BOM-9")
    page.get_by_role("button", name="Déplacer", exact=True).click()
    bar = page.locator("#edit-bar")
    expect(bar.locator(".edits li")).to_contain_text(f"{moved} va à Benne de réserve")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    assert worker.poll() is None
    bar.get_by_role("button", name="Publier ce plan").click()
    expect(page.locator("#plan-version")).to_contain_text("publiée par Camille")
    stops = {
        route["vehicle_id"]: [stop["place_id"] for stop in route["stops"]] for route in latest(page, base_url)["routes"]
    }
    assert moved in stops["BOM-9"]
    assert watched.troubles == []


def test_rounds_under_way_are_repaired_and_edited(
    watched: Watched, base_url: str, plan: Plan, connection: Connection, worker: subprocess.Popen[bytes]
):
    stand_still(connection, min(route.start_at for route in plan.routes) + timedelta(minutes=5))
    connection.commit()
    page = watched.page
    at_the_desk(page, base_url)
    place_id = rounds(plan)[plan.routes[0].vehicle_id][4]
    open_bin(page, place_id)
    expect(page.get_by_role("button", name="Passer juste après l’arrêt en cours")).to_be_visible()
    page.get_by_role("button", name="Bloquée").click()
    expect(page.locator("#sheet-body .good")).to_be_visible()
    told = connection.execute("SELECT place_id, kind FROM service_event WHERE kind = 'blocked'").fetchall()
    assert told == [(place_id, "blocked")]
    page.get_by_role("button", name="Fermer").click()
    page.get_by_role("tab", name="Plan du jour").click()
    next_stop, dropped = rounds(plan)[plan.routes[0].vehicle_id][0], rounds(plan)[plan.routes[0].vehicle_id][6]
    open_bin(page, dropped)
    page.get_by_role("button", name="Retirer de la tournée").click()
    bar = page.locator("#edit-bar")
    bar.get_by_role("button", name="Calculer le nouveau plan").click()
    expect(bar).to_contain_text("Brouillon prêt", timeout=60_000)
    bar.get_by_role("button", name="Publier ce plan").click()
    expect(page.locator("#plan-version")).to_contain_text("publiée par Camille", timeout=20_000)
    assert worker.poll() is None
    (route,) = [one for one in latest(page, base_url)["routes"] if one["vehicle_id"] == plan.routes[0].vehicle_id]
    driven = [stop["place_id"] for stop in route["stops"] if stop["kind"] == "bin"]
    assert driven[0] == next_stop
    assert not {place_id, dropped} & set(driven)
    page.get_by_role("tab", name="Plan du jour").click()
    page.locator("#round-list .round > button").first.click()
    page.get_by_role("button", name="Véhicule, équipage, fichiers").click()
    page.get_by_role("button", name="En panne").click()
    expect(page.locator("#sheet-body .good")).to_be_visible()
    assert watched.troubles == []


def test_a_bin_has_its_level_over_time_its_emptyings_alarms_and_sensor(
    watched: Watched, base_url: str, plan: Plan, connection: Connection, screens: Path
):
    drive_weeks(connection, plan, days=5)
    page = watched.page
    at_the_desk(page, base_url)
    open_bin(page, "COR-0007")
    page.get_by_role("link", name="Toute son histoire").click()
    page.wait_for_url("**/proprete/corbeilles/COR-0007")
    chart = page.locator("#bin-chart svg")
    expect(chart.locator("polygon")).to_have_count(2)  # the 80 and the 90 % band
    assert chart.locator("polyline").count() >= 2
    expect(page.locator("#bin-facts")).to_contain_text("le capteur")
    expect(page.locator("#bin-alarm-list")).to_contain_text("Température de 74 °C")
    expect(page.locator("#bin-device-facts")).to_contain_text("eui-cor-0007")
    expect(page.locator("#bin-plan-words")).to_contain_text("mercredi 11 mars")
    page.set_viewport_size({"width": 1200, "height": 900})
    page.screenshot(path=screens / "proprete-corbeille.png")
    driven = next(name for name in rounds(plan)[plan.routes[0].vehicle_id] if name != "COR-0007")
    page.goto(f"{base_url}/{INSEE}/proprete/corbeilles/{driven}")
    expect(page.locator("#bin-emptyings tr").first).to_contain_text("équipe")
    page.get_by_label("28 jours").check()
    expect(page.locator("#bin-emptyings tr").first).to_contain_text("équipe")
    for width in (360, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    page.goto(f"{base_url}/{INSEE}/proprete/corbeilles/COR-9999")
    expect(page.locator("#bin-unknown")).to_be_visible()


def test_a_month_is_held_against_the_former_rounds_that_a_file_tells(
    watched: Watched, base_url: str, plan: Plan, connection: Connection, screens: Path
):
    drive_weeks(connection, plan, days=9)
    page = watched.page
    at_the_desk(page, base_url, path="proprete/mois")
    tiles = page.locator("#month-tiles")
    expect(tiles.locator(".value").first).to_contain_text("%")
    expect(tiles).not_to_contain_text("positions des tablettes")
    connection.execute(
        "INSERT INTO vehicle_day SELECT commune_insee, vehicle_id, '2026-03-08', 12340, 0 FROM vehicle"
        " ORDER BY vehicle_id LIMIT 1"
    )
    connection.commit()
    page.reload()
    expect(tiles).to_contain_text(re.compile(r"d’après les positions des tablettes\s: 12,3\skm"))
    before = tiles.locator(".value").first.inner_text()
    assert page.locator("#month-chart rect").count() >= 12
    page.get_by_text("Les chiffres, jour par jour").click()
    expect(page.locator("#month-days tr")).to_have_count(10)
    for width in (360, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    page.evaluate("scrollTo(0, 0)")
    page.set_viewport_size({"width": 1200, "height": 900})
    page.screenshot(path=screens / "proprete-mois.png")
    told = b"sector,weekday,km,hours,bins\n"
    page.get_by_label("Fichier CSV").set_input_files(csv("wrong.csv", told + b"Centre,9,-4,2,70\n"))
    expect(page.locator("form[data-import=former] .alert")).to_contain_text("ligne 2")
    told += "".join(f"Centre,{weekday},200,9,70\n" for weekday in range(1, 8)).encode()
    page.get_by_label("Fichier CSV").set_input_files(csv("right.csv", told))
    page.get_by_role("button", name="Importer").click()
    expect(page.locator("form[data-import=former] .good")).to_contain_text("7 anciennes tournées")
    expect(tiles.locator(".value").first).not_to_have_text(before)
    with page.expect_download() as download:
        page.get_by_role("link", name="Emporter en CSV").click()
    assert download.value.suggested_filename.startswith("kpi-93051-2026-03-01")


def csv(name: str, content: bytes) -> FilePayload:
    """A file that somebody chooses."""
    return {"name": name, "mimeType": "text/csv", "buffer": content}


def test_a_plan_leaves_as_files_and_rules_come_in(watched: Watched, base_url: str, tmp_path: Path):
    page = watched.page
    at_the_desk(page, base_url)
    page.get_by_role("tab", name="Fichiers").click()
    for name, suffix in (("GPX", ".gpx"), ("GeoJSON", ".geojson")):
        with page.expect_download() as download:
            page.locator("#plan-files").get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"tournees-{DAY}{suffix}"
    sheet = page.locator("#plan-files").get_by_role("link", name="Feuille à imprimer").get_attribute("href")
    assert sheet is not None
    assert "<!doctype html>" in page.request.get(sheet).text().lower()
    rules = tmp_path / "rules.json"
    rules.write_text('{"bins": [{"place_id": "COR-0001", "crew": 2}]}', encoding="utf-8")
    page.get_by_label("Fichier JSON").set_input_files(rules)
    page.get_by_role("button", name="Importer").click()
    expect(page.locator("form[data-import=rules] .good")).to_contain_text("1 corbeille")
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    page.get_by_label("Fichier JSON").set_input_files(broken)
    expect(page.locator("form[data-import=rules] .alert")).to_contain_text("pas du JSON")
    assert watched.troubles == []


def test_a_reader_sees_bins_and_months_and_is_asked_for_nothing_else(watched: Watched, base_url: str):
    page = watched.page
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    at_the_desk(page, base_url, "robin")
    expect(page.get_by_role("tab")).to_have_text(["Corbeilles"])
    expect(page.locator("#strip-alarms")).to_have_text("3")
    page.locator("#bin-list .row").first.click()
    expect(page.locator("#sheet")).not_to_contain_text("Modifier le plan")
    page.get_by_role("link", name="Toute son histoire").click()
    expect(page.locator("#bin-chart svg")).to_be_visible()
    expect(page.locator("#bin-plan")).to_be_hidden()
    page.get_by_role("link", name="Le mois").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Le mois")
    expect(page.locator("form[data-import]")).to_have_count(0)
    assert refused == []


def test_the_desk_speaks_english(watched: Watched, base_url: str):
    page = watched.page
    at_the_desk(page, base_url)
    page.goto(f"{base_url}/{INSEE}/proprete?lang=en")
    watched.troubles.clear()  # leaving a page breaks its stream off
    expect(page.locator("#plan-relative")).to_have_text("Today")
    expect(page.locator("#plan-lead")).to_contain_text("rounds")
    expect(page.get_by_role("tab")).to_have_text([re.compile("^Day.s plan$"), "Bins", "Files"])
    # Reasons are kept in French; what stands here is said anew from their codes and figures.
    page.locator("#round-list .round > button").first.click()
    reason = page.locator(".stop .stop-reason").first
    expect(reason).to_contain_text("overflow")
    expect(reason).not_to_have_attribute("lang", "fr")
    page.locator("#left-out > summary").click()
    page.locator("#left-out-groups summary").last.click()
    expect(page.locator("#left-out-groups .row-note").first).to_contain_text("detour")
    expect(page.locator("#left-out-groups .row-note[lang=fr]")).to_have_count(0)
    assert watched.troubles == []
