"""The page, its files, its policy, and the streets under its map."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from api.app import IGN_PLAN_URL, ApiOptions
from api.pages.languages import languages, translated
from api.pages.screens import SCREENS
from api.streets import read_streets, simplify, with_margin
from storage.database import Connection
from storage.errors import SettingsError
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.browser.town import helsinki
from tests.tools import REPOSITORY

MAP = f"/{INSEE}/carte"

NAMED = re.compile(r"%\(\w+\)s|\{\w+\}")
PAGES = (
    "/",
    "/accessibilite",
    "/confidentialite",
    "/premiers-pas",
    "/connexion",
    "/compte",
    MAP,
    f"/{INSEE}/exploitation",
    f"/{INSEE}/stationner",
    f"/{INSEE}/stationner/integre",
)


def _policy(answer: httpx.Response) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_nothing_from_elsewhere(client: httpx.Client, path: str):
    answer = client.get(path)
    assert answer.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert addresses
    for address in addresses:
        assert not re.match(r"(https?:)?//|/", address), f"{address} would break under a sub-path"
        if not address.startswith("#"):
            assert client.get(urljoin(path, address)).status_code == 200, address
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", answer.text)


def test_home_leads_to_each_page_of_each_commune(client: httpx.Client):
    home = client.get("/")
    assert "Noisy-le-Grand" in home.text
    for screen in SCREENS:
        assert f'href="{INSEE}/{screen.path}"' in home.text
        assert client.get(f"/{INSEE}/{screen.path}").status_code == 200


def test_home_says_that_there_is_no_commune_yet(database_url: str):
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE)) as client:
        assert "voirie communes add" in client.get("/").text


@pytest.mark.parametrize(
    ("query", "liked", "language"),
    [
        ("", "", "fr"),
        ("", "en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("", "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("", "de-DE,de;q=0.9,en;q=0.3,fr;q=0.1", "en"),
        ("", "de", "fr"),
        ("", ";;q=x,,*;q=0.1,en;q=0", "fr"),
        ("?lang=en", "fr", "en"),
        ("?lang=xx", "en", "en"),
    ],
)
def test_pages_speak_the_language_that_is_liked_best(client: httpx.Client, query: str, liked: str, language: str):
    answer = client.get(f"/{query}", headers={"Accept-Language": liked})
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}"' in answer.text
    assert ("streets, live" in answer.text) == (language == "en")


def test_catalogues_say_what_the_pages_say():
    done = subprocess.run(
        [sys.executable, "scripts/messages", "--check"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_translations_keep_the_names_that_are_filled_in():
    for language in languages():
        for french, told in translated(language).items():
            for text in told:
                assert set(NAMED.findall(text)) == set(NAMED.findall(french)), f"{language}: {text}"


def test_scripts_get_their_catalogue(client: httpx.Client):
    assert client.get("/messages/fr.json").json() == {}
    assert client.get("/messages/en.json").headers["cache-control"].startswith("public")
    assert client.get("/messages/de.json").status_code == 404


def test_policy_allows_the_tiles_host_only_while_tiles_are_on(client: httpx.Client, database_url: str):
    policy = _policy(client.get(MAP))
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert "data-tiles-url" not in client.get(MAP).text
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, tiles_url=IGN_PLAN_URL)
    with client_of(options) as with_tiles:
        answer = with_tiles.get(MAP)
        assert _policy(answer)["img-src"] == ["'self'", "data:", "https://data.geopf.fr"]
        assert "https://data.geopf.fr/wmts?SERVICE=WMTS&amp;" in answer.text


@pytest.mark.parametrize("path", ["/", MAP, "/api/v1/communes", "/static/js/main.js", "/nothing", "/metrics"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_streets_are_served_once_and_then_remembered(database_url: str, rows: Connection):
    rows.execute("UPDATE place SET longitude_deg = 24.94, latitude_deg = 60.17")
    rows.commit()
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with client_of(options) as client:
        path = f"/api/v1/communes/{INSEE}/streets"
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/geo+json"
        assert answer.headers["content-encoding"] == "gzip"
        classes = {feature["properties"]["class"] for feature in answer.json()["features"]}
        assert {"major", "minor", "path", "green", "water"} <= classes
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


def test_streets_far_from_the_places_are_left_out():
    everything = read_streets(helsinki(), None)
    near = read_streets(helsinki(), (24.945, 60.165, 24.95, 60.168))
    assert 0 < len(str(near)) < len(str(everything)) / 5
    assert read_streets(helsinki(), (2.3, 48.8, 2.4, 48.9))["features"] == []


def test_simplified_line_stays_within_its_tolerance():
    # Points every 10 m along a street with one corner 40 m off the chord, and noise below a metre.
    degree_m = 111_320.0
    line = [(index * 10 / degree_m, (index % 2) * 0.8 / degree_m) for index in range(21)]
    line[10] = (line[10][0], 40 / degree_m)
    simple = simplify(line, tolerance_m=2.5)
    assert simple[0] == (0.0, 0.0)
    assert len(simple) < len(line) / 2
    assert (round(line[10][0], 5), round(line[10][1], 5)) in simple
    assert simplify([(2.0, 48.0), (2.0, 48.0)]) == [(2.0, 48.0), (2.0, 48.0)]


def test_margin_keeps_the_box_while_places_come_and_go():
    box = with_margin((2.551, 48.841, 2.569, 48.849))
    assert box == with_margin((2.552, 48.8415, 2.5685, 48.8485))
    west, south, east, north = box
    assert west < 2.545
    assert east > 2.575
    assert south < 48.836
    assert north > 48.854


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"database_url": ""}, "database_url"),
        ({"commune_insee": "Noisy"}, "commune_insee"),
        ({"tiles_url": "https://tiles.example/{z}/{x}"}, "{y}"),
        ({"tiles_url": "javascript:alert(1)"}, "http"),
        ({"streets_extract": Path("/nowhere/to/be/found.osm.pbf")}, "streets_extract"),
        ({"pool_size": 0}, "pool_size > 0, got 0"),
    ],
)
def test_options_refuse_nonsense(changed: dict[str, object], complaint: str):
    given: dict[str, object] = {"database_url": "postgresql://", "commune_insee": INSEE} | changed
    with pytest.raises(SettingsError) as refused:
        ApiOptions(**given)  # type: ignore[arg-type]
    assert complaint in str(refused.value)


def test_metrics_count_requests_by_operation_and_the_ledger(client: httpx.Client):
    client.get(f"/api/v1/communes/{INSEE}/bins/COR-0001")
    client.get(f"/api/v1/communes/{INSEE}/bins/COR-0002")
    text = client.get("/metrics").text
    assert 'voirie_http_requests_total{method="GET",operation="one_bin",status="200"} 2.0' in text
    assert 'voirie_http_request_seconds_count{operation="one_bin"} 2.0' in text
    assert "voirie_database_up 1.0" in text
    assert f'voirie_intake_stored_total{{commune_insee="{INSEE}"}} 0.0' in text
