"""Edits of a plan at the desk, with a real worker: tried, explained, published; two at once; rounds under way."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from storage import places
from storage.database import Connection
from storage.ground import distance_m
from storage.model import Plan, StopKind
from tests.api import accounts
from tests.api.accounts import OURS
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.desk.conftest import at_the_desk, latest, open_bin
from tests.browser.desk_town import DAY, rounds, stand_still
from tests.browser.town import INSEE


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
