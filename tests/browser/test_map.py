"""The map as its users meet it: what stands on it, what the lists say, and that it follows what happens."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from api.app import ApiOptions
from storage import readings
from storage.database import Connection
from storage.model import IntakeBatch
from tests.api.serving import serving
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, NOW, Town, helsinki, level_reading, occupancy_reading
from tests.tools import free_port, wait_until

COUNT_PIXELS = """
([pane, red, green, blue]) => {
  const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
  if (!canvas) return 0;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) found += 1;
  }
  return found;
}
"""
SAID = """
() => [...document.querySelectorAll("body *")].flatMap((one) => [
  ...[...one.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE).map((each) => each.data.trim()),
  one.getAttribute("aria-label") ?? "", one.getAttribute("title") ?? "", one.getAttribute("alt") ?? "",
])
"""
FRENCH = re.compile(
    r"(?<![\w-])(le|la|les|des|du|une|sur|est|pas|pour|aires?|corbeilles?|tournées?|mesurées?|estimées?)(?![\w-])",
    re.IGNORECASE,
)
FULL = [0x4B, 0x2A, 0x8C]
HALF = [0xEB, 0x7F, 0x86]
WHITE = [0xFF, 0xFF, 0xFF]


def _open(watched: Watched, base_url: str) -> Page:
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    expect(page.locator("#bin-list .row").first).to_be_visible()
    expect(page.locator("path.round-line")).to_have_count(4)
    expect(page.locator(".leaflet-bays-pane .bay")).to_have_count(24)
    return page


def _pixels(page: Page, pane: str, colour: list[int]) -> int:
    return int(page.evaluate(COUNT_PIXELS, [pane, *colour]))


def test_map_shows_bins_rounds_bays_and_places(watched: Watched, base_url: str, town: Town, screens: Path):
    page = _open(watched, base_url)
    expect(page).to_have_title("Noisy-le-Grand · Voirie")
    expect(page.locator("#demo")).to_have_text(re.compile(r"^Démonstration, temps accéléré .60$"))
    sensors = sum(place_id.startswith("COR") for place_id in town.device_ids)
    # One sensor never spoke; two bins end in 99 and have no forecast, of which one has a sensor.
    expect(page.locator("#count-measured")).to_have_text(str(sensors - 1))
    expect(page.locator("#count-predicted")).to_have_text(str(200 - sensors + 1 - 1))
    expect(page.locator("#count-unknown")).to_have_text("1")
    expect(page.locator("#figure-readings")).to_have_text(re.compile(r"^3.\d{3}$"))
    expect(page.locator("#figure-refused")).to_have_text("23")
    expect(page.locator("#figure-to-empty-note")).to_have_text("sur 200")
    wait_until(lambda: _pixels(page, "dots", FULL) > 100, what="full bins on the map")
    assert _pixels(page, "dots", HALF) > 100
    assert _pixels(page, "streets", [255, 255, 255]) > 1000
    page.locator("#bin-list .row").nth(3).click()
    expect(page.locator(".leaflet-popup .chart")).to_be_visible()
    expect(page.locator(".leaflet-popup dt", has_text="Mesuré")).to_be_visible()
    expect(page.locator(".leaflet-popup .why")).to_contain_text("Risque d'être pleine")
    expect(page.locator(".leaflet-zoom-anim, .leaflet-pan-anim")).to_have_count(0)
    screens.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=screens / "carte.png")
    assert watched.troubles == []


def test_rounds_say_every_stop_and_why(watched: Watched, base_url: str):
    page = _open(watched, base_url)
    page.get_by_role("tab", name="Tournées").click()
    expect(page.locator("#rounds-title")).to_have_text("Tournées du mercredi 11 mars")
    round_ = page.locator(".round").nth(1)
    round_.get_by_role("button").first.click()
    expect(round_.get_by_role("button").first).to_have_attribute("aria-expanded", "true")
    named = round_.locator(".stop-reason")
    assert named.count() > 10
    expect(page.locator(".stop-pin")).to_have_count(named.count())
    page.locator(".stop-pin").first.dispatch_event("click")
    expect(page.locator(".leaflet-popup .why")).to_contain_text("Risque d'être pleine")
    page.locator("#left-out-title").click()
    expect(page.locator("#left-out-list .row").first).to_contain_text("Restera sous 90 %")
    assert watched.troubles == []


def test_new_readings_appear_without_reload(watched: Watched, base_url: str, town: Town, connection: Connection):
    page = _open(watched, base_url)
    page.evaluate("window.sameDocument = true")
    place_id = min((level, place_id) for place_id, level in town.levels.items() if place_id in town.device_ids)[1]
    page.fill("#bin-search", place_id)
    row = page.locator(f'#bin-list [data-place="{place_id}"]')
    expect(row).to_be_visible()
    row.click()
    card = page.locator(f'.leaflet-popup [data-place="{place_id}"]')
    expect(card).to_have_attribute("data-fill", "0")
    before = int(re.sub(r"\D", "", page.locator("#figure-readings").inner_text()))

    at = NOW + timedelta(minutes=5)
    batch = IntakeBatch(
        commune_insee=INSEE,
        collector="test",
        messages=1,
        fill_readings=(level_reading(town.device_ids[place_id], place_id, 0.99, at=at),),
    )
    readings.take_in(connection, batch)
    connection.commit()

    expect(row.locator(".row-value")).to_have_text(re.compile(r"^99"))
    expect(card).to_have_attribute("data-fill", "4")
    expect(page.locator("#figure-readings")).to_have_text(re.compile(rf"{str(before + 1)[-3:]}$"))
    assert page.evaluate("window.sameDocument")
    assert watched.troubles == []


def test_emptied_bin_and_left_bay_change_at_once(watched: Watched, base_url: str, town: Town, connection: Connection):
    page = _open(watched, base_url)
    expect(page.locator("#count-declared")).to_have_text("0")
    place_id = next(each for each in town.levels if each not in town.device_ids)
    event = {"event_id": str(uuid4()), "place_id": place_id, "kind": "emptied", "happened_at": NOW.isoformat()}
    event["happened_at"] = (NOW + timedelta(seconds=30)).isoformat()
    httpx.post(f"{base_url}/api/v1/communes/{INSEE}/service-events", json={"events": [event]}).raise_for_status()
    expect(page.locator("#count-declared")).to_have_text("1")

    page.get_by_role("tab", name="Livraison").click()
    worst = page.locator("#bay-list .row").first
    expect(worst).to_contain_text("+ ")
    bay_id = worst.get_attribute("data-place")
    assert bay_id is not None
    device_id = 10_000 + [each for each in town.spots if each.startswith(("ADL", "STA"))].index(bay_id)
    left = occupancy_reading(device_id, bay_id, occupied=False, at=NOW + timedelta(minutes=1))
    readings.take_in(
        connection, IntakeBatch(commune_insee=INSEE, collector="test", messages=1, occupancy_readings=(left,))
    )
    connection.commit()
    expect(page.locator(f'#bay-list [data-place="{bay_id}"]')).to_have_count(0)
    assert watched.troubles == []


def test_page_survives_a_lost_line(watched: Watched, base_url: str):
    page = _open(watched, base_url)
    page.context.set_offline(True)
    page.evaluate("window.stop()")  # ends the stream, as a lost network does
    expect(page.locator("#line")).to_have_attribute("data-state", "lost", timeout=15_000)
    expect(page.locator("#bin-list .row").first).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#line")).to_have_attribute("data-state", "live", timeout=15_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_keyboard_reaches_everything(watched: Watched, base_url: str):
    page = _open(watched, base_url)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Corbeilles")).to_be_focused()
    for key, name in (("ArrowRight", "Tournées"), ("End", "Places"), ("ArrowRight", "Corbeilles")):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_have_count(1)
    row = page.locator("#bin-list .row").first
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup .card")).to_be_visible()
    for role in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    assert watched.troubles == []


@pytest.mark.parametrize(("width", "height"), [(360, 740), (800, 1100), (1440, 900)])
def test_page_fits_its_screen(watched: Watched, base_url: str, screens: Path, width: int, height: int):
    watched.page.set_viewport_size({"width": width, "height": height})
    page = _open(watched, base_url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#map").bounding_box()
    assert box is not None
    assert box["width"] >= min(width, 440)
    assert box["height"] >= 320
    for name in ("Corbeilles", "Tournées", "Livraison", "Places"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 700:  # the narrowest one is shown in the documentation
        screens.mkdir(parents=True, exist_ok=True)
        page.get_by_role("tab", name="Corbeilles").click()
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=screens / "carte-telephone.png")
    assert watched.troubles == []


def test_foreign_text_is_never_markup(watched: Watched, base_url: str, town: Town, connection: Connection):
    evil = '<img src=x onerror="document.title=1">'
    connection.execute("UPDATE place SET street = %s WHERE place_id LIKE 'COR%%' OR place_id LIKE 'ADL%%'", [evil])
    connection.commit()
    page = _open(watched, base_url)
    expect(page.locator("#bin-list .row-name").first).to_contain_text(evil)
    page.locator("#bin-list .row").first.click()
    expect(page.locator(".leaflet-popup .card-place")).to_contain_text(evil)
    assert page.locator("#panel img, .leaflet-popup img").count() == 0
    assert watched.troubles == []


def test_layers_can_be_put_away(watched: Watched, base_url: str):
    page = _open(watched, base_url)
    page.get_by_role("tab", name="Livraison").click()
    page.locator("#pane-bays .switch").click()
    expect(page.locator(".leaflet-bays-pane .bay")).to_have_count(0)
    page.locator("#pane-bays .switch").click()
    expect(page.locator(".leaflet-bays-pane .bay")).to_have_count(24)
    page.get_by_role("tab", name="Tournées").click()
    page.locator("#pane-rounds .switch").click()
    expect(page.locator("path.round-line")).to_have_count(0)
    assert watched.troubles == []


def test_streets_are_drawn_when_tiles_do_not_come(context: BrowserContext, database_url: str, town: Town):
    assert town
    nobody = f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png"
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, streets_extract=helsinki(), tiles_url=nobody,
        tiles_attribution="nobody's tiles",
    )  # fmt: skip
    with serving(options) as url:
        page = context.new_page()
        page.goto(f"{url}/{INSEE}/carte")
        credit = page.locator(".leaflet-control-attribution")
        expect(credit).to_contain_text("OpenStreetMap")
        expect(credit).not_to_contain_text("nobody's tiles")
        wait_until(lambda: _pixels(page, "streets", WHITE) > 1000, what="the streets")


def test_map_speaks_english_to_who_asks(watched: Watched, base_url: str):
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte?lang=en")
    expect(page.locator("#line-text")).to_have_text("Live")
    expect(page.locator("#clock-date")).to_have_text("Tuesday 10 March")
    expect(page.locator("#demo")).to_have_text(re.compile(r"^Demonstration, time runs .60$"))
    expect(page.get_by_role("tab")).to_have_text(["Bins", "Rounds", "Deliveries", "Parking"])
    expect(page.locator("#figure-readings")).to_have_text(re.compile(r"^3,\d{3}$"))
    expect(page.locator("#figure-to-empty-note")).to_have_text("of 200")
    expect(page.locator("#bin-list .row-value").first).to_have_text(re.compile(r"^\d+%$"))
    page.locator("#bin-list .row").first.click()
    expect(page.locator(".leaflet-popup dt", has_text="Measured")).to_be_visible()
    page.get_by_role("tab", name="Rounds").click()
    expect(page.locator("#rounds-title")).to_have_text("Rounds of Wednesday 11 March")
    page.get_by_role("tab", name="Parking").click()
    expect(page.locator("#parking-of")).to_have_text(re.compile(r"^free spaces? of \d+$"))
    # What is still French is said to be so: the planner's reasons and the rules of decrees.
    page.evaluate("document.querySelectorAll('[lang=fr]').forEach((one) => one.remove())")
    said = page.evaluate(SAID)
    assert [text for text in said if FRENCH.search(text)] == []
    assert watched.troubles == []
