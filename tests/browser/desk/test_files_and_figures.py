"""A bin's page, the month against the former rounds, and files that leave and come in."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import FilePayload, expect

from storage.database import Connection
from storage.model import Plan
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.desk.conftest import at_the_desk, open_bin
from tests.browser.desk_town import DAY, drive_weeks, rounds
from tests.browser.town import INSEE


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
