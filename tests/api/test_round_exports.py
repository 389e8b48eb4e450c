"""Rounds as files: a GPX by its schema's order, GeoJSON, a sheet that stands alone; hostile names stay text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from api.exports.sketch import sketch
from api.streets import read_streets
from simulators.streets import default_extract
from storage import bins, places, plans, round_rules
from storage.database import Connection
from tests.api.rows import INSEE, PLAN_ID, save_plan

PLANS = f"/api/v1/communes/{INSEE}/plans"
GPX = "{http://www.topografix.com/GPX/1/1}"
HOSTILE = '<script>alert(1)</script> "l\'Été" & ]]> <img src=x onerror=y> \N{BELL}\N{VERTICAL TABULATION}'
# https://www.topografix.com/GPX/1/1/gpx.xsd: what may stand in an element, in this order.
ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
    "wpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "fix"],
    "rte": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "rtept"],
    "rtept": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "fix"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
}


@pytest.fixture
def hostile(rows: Connection) -> Connection:
    """The plan with a street and a vehicle whose names would like to be code, and rules at its bin."""
    save_plan(rows)
    first = bins.every(rows, INSEE)[0]
    bins.save(rows, [replace(first, street=HOSTILE)])
    (vehicle,) = places.vehicles(rows, INSEE)
    places.save_vehicles(rows, [replace(vehicle, name=HOSTILE)])
    rules = round_rules.decode(
        b'{"bins": [{"place_id": "COR-0001", "windows": [{"opens": "06:00", "closes": "10:00"}], "max_width_cm": 200,'
        b' "crew": 2, "vehicle_kinds": ["<b>"]}],'
        b' "vehicles": [{"vehicle_id": "BOM-1", "crew": 3, "sectors": ["<i>Centre"]}]}'
    )
    round_rules.save(rows, INSEE, rules)
    rows.commit()
    return rows


def in_order(element: ET.Element) -> None:
    """Fail where the children of an element are not those of the schema, in its order."""
    allowed = ORDER.get(element.tag.removeprefix(GPX), [])
    found = [child.tag.removeprefix(GPX) for child in element]
    assert set(found) <= set(allowed), element.tag
    assert found == sorted(found, key=allowed.index), element.tag
    for child in element:
        in_order(child)


def test_gpx_keeps_to_its_schema_whatever_things_are_called(client: httpx.Client, hostile: Connection):
    answer = client.get(f"{PLANS}/{PLAN_ID}/export/gpx")
    assert answer.headers["content-type"] == "application/gpx+xml"
    assert answer.headers["content-disposition"] == 'attachment; filename="tournees-2026-03-11.gpx"'
    root = ET.fromstring(answer.content)
    assert (root.tag, root.attrib) == (f"{GPX}gpx", {"version": "1.1", "creator": "Voirie"})
    in_order(root)
    for point in [*root.iter(f"{GPX}wpt"), *root.iter(f"{GPX}rtept"), *root.iter(f"{GPX}trkpt")]:
        assert -90 <= float(point.attrib["lat"]) <= 90
        assert -180 <= float(point.attrib["lon"]) < 180
    assert [point.findtext(f"{GPX}name") for point in root.iter(f"{GPX}wpt")] == ["DEPOT-1", "1. COR-0001", "DEPOT-1"]
    (ordered,) = root.iter(f"{GPX}rte")
    assert [[tell.text for tell in point] for point in ordered.iter(f"{GPX}rtept")] == [
        [tell.text for tell in point] for point in root.iter(f"{GPX}wpt")
    ]
    told = [point.findtext(f"{GPX}desc") or "" for point in root.iter(f"{GPX}wpt")][1]
    readable = HOSTILE.replace("\x07", "\ufffd").replace("\x0b", "\ufffd")
    assert readable in told
    assert "05:35" in told  # in Paris
    (track,) = root.iter(f"{GPX}trk")
    assert track.findtext(f"{GPX}name") == readable
    assert [(p.attrib["lon"], p.attrib["lat"]) for p in track.iter(f"{GPX}trkpt")][1] == ("2.551000", "48.840000")
    assert "Lignes droites" in (root.findtext(f"{GPX}metadata/{GPX}desc") or "")


def test_geojson_has_a_line_a_round_and_a_point_a_stop(client: httpx.Client, hostile: Connection):
    answer = client.get(f"{PLANS}/{PLAN_ID}/routes/0/export/geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    document = answer.json()
    line, *stops = document["features"]
    assert line["geometry"]["coordinates"] == [[2.54, 48.84], [2.551, 48.84], [2.54, 48.84]]
    assert (line["properties"]["vehicle_name"], line["properties"]["on_streets"]) == (HOSTILE, False)
    assert [stop["properties"]["kind"] for stop in stops] == ["depot", "bin", "depot"]
    assert stops[1]["geometry"] == {"type": "Point", "coordinates": [2.551, 48.84]}
    assert (stops[1]["properties"]["load_l"], stops[1]["properties"]["load_kg"]) == (60, 9)
    assert stops[1]["properties"]["arrive_at"] == "2026-03-11T04:35:00Z"


class Reader(HTMLParser):
    """Keeps elements, attributes, text and the style sheet of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.style = self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] == "style" and not self.style:
            self.style = data
        self.text += data


def test_sheet_stands_alone_and_hostile_names_stay_text(client: httpx.Client, hostile: Connection):
    answer = client.get(f"{PLANS}/{PLAN_ID}/export/sheet")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Reader(answer.text)
    assert not {"script", "img", "link", "iframe", "i", "b"} & set(page.elements)
    assert not {"src", "href", "style", "onerror", "onload"} & set(page.attributes)
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert "size: A4" in page.style
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert page.text.count(HOSTILE) == 2  # the vehicle, the street
    for said in (
        "mercredi 11 mars 2026", "Départ 05:30", "Retour 05:41", "3 agent(s) · <i>Centre", "1,8 km",
        "accès 06:00-10:00 ; véhicule de 2,00\xa0m de large au plus ; 2 agent(s) ; véhicules\xa0: <b>",
        "Lignes droites", "60\xa0l, 9\xa0kg", "9 kg", "Pause",
    ):  # fmt: skip
        assert said in page.text, said
    assert "Wednesday 11 March 2026" in client.get(f"{PLANS}/{PLAN_ID}/export/sheet", params={"lang": "en"}).text


def test_what_is_not_there_is_said(client: httpx.Client, rows: Connection):
    save_plan(rows)
    assert client.get(f"{PLANS}/{uuid4()}/export/gpx").status_code == 404
    assert client.get(f"{PLANS}/{PLAN_ID}/routes/7/export/gpx").status_code == 404
    assert client.get(f"{PLANS}/{PLAN_ID}/export/pdf").status_code == 422


def test_sheet_draws_the_streets_around_the_round(rows: Connection):
    save_plan(rows)
    (route,) = plans.one(rows, INSEE, PLAN_ID).routes
    here = ((24.935, 60.168), (24.942, 60.171), (24.95, 60.169))
    in_town = replace(
        route,
        geometry=here,
        stops=tuple(
            replace(stop, longitude_deg=place[0], latitude_deg=place[1])
            for stop, place in zip(route.stops, here, strict=True)
        ),
    )
    drawn = sketch(in_town, read_streets(default_extract(), (24.92, 60.16, 24.96, 60.18))["features"])
    assert drawn is not None
    assert {"minor", "middle", "major"} <= {kind for kind, _ in drawn.paths}
    assert sum(len(path) for _, path in drawn.paths) < 300_000
    assert all(re.fullmatch(r"(M-?\d+ -?\d+(L-?\d+ -?\d+)*)+", path) for _, path in drawn.paths)
    assert [mark.number for mark in drawn.marks] == [None, 1, None]
    for mark in drawn.marks:
        assert 0 < mark.x < drawn.width
        assert 0 < mark.y < drawn.height
    west, middle, east = drawn.marks
    assert west.x < middle.x < east.x
    assert middle.y < west.y  # north is up


def test_sheet_tells_the_crew_of_the_day_rather_than_that_of_the_rules(client: httpx.Client, hostile: Connection):
    sheet = f"{PLANS}/{PLAN_ID}/export/sheet"
    assert "3 people" in client.get(sheet, params={"lang": "en"}).text
    # Who they are is written by hand: no plan keeps a name.
    assert 'Names&nbsp;: <span class="names"></span>' in client.get(sheet, params={"lang": "en"}).text
    hostile.execute("""UPDATE plan SET inputs = '{"crews": {"BOM-1": 2}}' WHERE plan_id = %s""", [PLAN_ID])
    hostile.commit()
    told = client.get(sheet, params={"lang": "en"}).text
    assert "3 people" not in told
    assert "2 people" in told
