"""Where to park without a browser's help: the same answer for everybody, nothing to keep, no guess on a sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from html import unescape
from itertools import pairwise

import httpx
import pytest

from api.app import ApiOptions
from storage import places
from storage.database import Connection
from storage.errors import SettingsError
from storage.model import DeliveryBay
from tests.api.rows import INSEE, NOW, save_commune
from tests.api.serving import client_of
from tests.storage import bay_town

PAGE = f"/{INSEE}/stationner"
FRAME, SIGN = f"{PAGE}/integre", f"{PAGE}/panneau"
FOUND = f"/api/v1/communes/{INSEE}/destinations"
NEAR = {"lon": 2.5503, "lat": 48.84}
SITE = "https://www.noisylegrand.example"


@pytest.fixture
def streets(connection: Connection) -> Connection:
    """Two streets of bays: of some a sensor spoke, of two in each it never did."""
    save_commune(connection)
    bay_town.provision(connection, days=2)
    save_commune(connection)
    bay_town.set_free(connection, free={0, 1, 8, 9, 10, 11, 12, 13})
    return connection


@pytest.fixture
def driver(database_url: str, streets: Connection) -> Iterator[httpx.Client]:
    """Somebody without an account, where accounts are asked for."""
    with _driver(database_url) as client:
        yield client


@contextmanager
def _driver(database_url: str, sites: tuple[str, ...] = ()) -> Iterator[httpx.Client]:
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, embedding_sites=sites)
    with client_of(options, open_to_all=False) as client:
        yield client


def _spots(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return what the list says of each place: its verdict and its name, in order."""
    assert answer.status_code == 200, answer.text
    found = re.findall(r'data-verdict="(\w+)".*?spot-name">([^<]*)<', answer.text, flags=re.DOTALL)
    return [(verdict, unescape(name).strip()) for verdict, name in found]


def _number(answer: httpx.Response) -> str:
    (number,) = re.findall(r'id="number">([^<]*)<', answer.text)
    return str(number)


@pytest.mark.parametrize(
    "path", [PAGE, f"{PAGE}?near=Rue+Haute&at=20", f"{FRAME}?near=Rue+Haute", f"{SIGN}?lon=2.55&lat=48.84"]
)
def test_the_answer_is_the_same_for_everybody_and_sets_nothing(driver: httpx.Client, path: str):
    first = driver.get(path)
    assert first.status_code == 200
    assert "set-cookie" not in first.headers
    assert first.headers["cache-control"].startswith("public, max-age=15")
    assert first.headers["vary"].split(", ")[0] == "Accept-Language"
    assert "Cookie" not in first.headers["vary"]
    assert first.headers["referrer-policy"] == "no-referrer"
    known = driver.get(path, headers={"Cookie": "voirie_session=somebody", "X-Forwarded-For": "203.0.113.7"})
    assert known.content == first.content
    again = driver.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB", first.text)


def test_places_near_a_street_are_listed_without_scripts(driver: httpx.Client, streets: Connection):
    now = driver.get(PAGE, params={"near": "rue hautte"})
    assert _spots(now) == [("free", "Rue Haute"), ("free", "Rue Basse")]
    assert "2 libres" in now.text
    assert "2 inconnues" in now.text
    later = driver.get(PAGE, params={"near": "rue haute", "at": 20})
    assert [verdict for verdict, _ in _spots(later)] == ["unknown", "unknown"]  # nothing is foretold yet
    bay_town.forecast(streets)
    foretold = driver.get(PAGE, params={"near": "rue haute", "at": 20})
    assert {verdict for verdict, _ in _spots(foretold)} <= {"likely", "maybe", "unlikely"}
    assert "chances sur 10" in foretold.text
    assert "geo:48.84" in foretold.text
    assert '<form class="parking-form" id="form" method="get"' in foretold.text


def test_what_is_full_comes_after_what_is_worth_the_way_and_what_is_unknown_comes_last(
    driver: httpx.Client, streets: Connection
):
    bay_town.set_free(streets, free={8}, at_min=1)
    streets.execute("DELETE FROM parking_space WHERE place_id IN ('STA-0006', 'STA-0007')")
    streets.execute("DELETE FROM place WHERE place_id IN ('STA-0006', 'STA-0007')")
    streets.execute("UPDATE place SET street = 'Rue Inconnue' WHERE place_id IN ('STA-0014', 'STA-0015')")
    streets.commit()
    told = _spots(driver.get(PAGE, params=NEAR))
    assert told == [("free", "Rue Basse"), ("full", "Rue Haute"), ("unknown", "Rue Inconnue")]


def test_a_name_that_is_not_there_says_so_and_one_that_is_unclear_offers_others(driver: httpx.Client):
    nothing = driver.get(PAGE, params={"near": "<b>Nulle part</b>"})
    assert "est introuvable ici" in nothing.text
    assert "<b>Nulle" not in nothing.text
    unclear = driver.get(PAGE, params={"near": "rue"})
    assert "Ou plutôt" in unclear.text
    assert driver.get(PAGE, params={"near": "rue", "utm_source": "newsletter"}).status_code == 200


def test_the_whole_commune_is_shown_before_somebody_says_where(driver: httpx.Client):
    answer = driver.get(PAGE)
    assert _spots(answer) == [("free", "Rue Basse"), ("free", "Rue Haute")]  # six free, then two
    assert "Les capteurs voient 8 places libres en ce moment" in answer.text


def test_delivery_bays_are_told_one_by_one_with_the_rule_that_holds_then(
    database_url: str, driver: httpx.Client, streets: Connection
):
    bay = DeliveryBay(
        commune_insee=INSEE, place_id="ADL-01", longitude_deg=2.5502, latitude_deg=48.8401, street="Rue Haute",
        length_cm=1200, max_stay_s=1800, grace_s=300, enforced_days=(1, 2, 3, 4, 5, 6),
        enforced_from=time(7), enforced_until=time(20),
    )  # fmt: skip
    places.save_delivery_bays(streets, [bay])
    streets.commit()
    answer = driver.get(PAGE, params={**NEAR, "vehicle": "delivery"})
    assert _spots(answer) == [("unknown", "Rue Haute")]
    assert "aucun capteur ne le dit" in answer.text
    assert re.search(r"Livraisons, 30\smin au plus", answer.text)


def test_pages_speak_english_and_keep_it_in_their_form(driver: httpx.Client):
    answer = driver.get(PAGE, params={**NEAR, "lang": "en"})
    assert "Where to go" in answer.text
    assert '<input type="hidden" name="lang" value="en">' in answer.text
    assert re.search(r'href="\?[^"]*lon=2\.5503[^"]*lang=fr"', answer.text)


def test_positions_are_rounded_whoever_sends_them(driver: httpx.Client):
    precise = driver.get(PAGE, params={"lon": 2.550312, "lat": 48.840004, "lang": "fr"})
    assert 'data-lon="2.5503"' in precise.text
    assert "2.550312" not in precise.text
    assert driver.get(PAGE, params={"lon": 2.5}).status_code == 422


def test_only_the_sites_of_the_setting_may_frame_the_embedded_view(database_url: str, streets: Connection):
    with _driver(database_url) as nobody:
        for path in (PAGE, FRAME):
            headers = nobody.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
    with _driver(database_url, (SITE, "https://*.grandparis.example")) as town:
        framed = town.get(FRAME, params=NEAR)
        assert f"frame-ancestors {SITE} https://*.grandparis.example" in framed.headers["content-security-policy"]
        assert "x-frame-options" not in framed.headers
        assert '<header class="top' not in framed.text
        assert "<form" not in framed.text
        held = town.get(FRAME, params=NEAR, headers={"If-None-Match": framed.headers["etag"]})
        assert f"frame-ancestors {SITE}" in held.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in town.get(PAGE).headers["content-security-policy"]


@pytest.mark.parametrize(
    "site", ["noisy.example", "https://a.example; script-src *", "*", "'self'", "https://a.example/x"]
)
def test_a_site_that_is_no_origin_is_refused(site: str):
    with pytest.raises(SettingsError, match="embedding_sites"):
        ApiOptions(database_url="postgresql://", commune_insee=INSEE, embedding_sites=(site,))


def test_a_sign_shows_one_number_and_a_question_mark_where_it_would_guess(driver: httpx.Client, streets: Connection):
    assert _number(driver.get(SIGN, params={**NEAR, "radius_m": 100})) == "2"
    unknown = driver.get(SIGN, params={"zone": "Rue Haute"})
    assert (unknown.status_code, _number(unknown)) == (404, "?")  # nothing is foretold yet, so there are no groups
    bay_town.forecast(streets)
    sign = driver.get(SIGN, params={"zone": "Rue Haute"})
    assert (_number(sign), sign.status_code) == ("2", 200)
    assert '<p class="label">Rue Haute</p>' in sign.text
    assert '<p class="label">' not in driver.get(SIGN, params={"zone": "Rue Haute", "label": "false"}).text
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', sign.text)
    assert int(_number(driver.get(SIGN, params={"zone": "Rue Haute", "at": 30}))) <= 8
    # Five minutes ago is what sensors said last.
    assert _number(driver.get(SIGN, params={"zone": "Rue Haute", "max_age_min": 4})) == "?"
    (source,) = re.findall(r'data-source="\.\./\.\./(api/[^"]+)"', sign.text)
    told = driver.get("/" + unescape(source)).json()
    assert (told["number"], told["kind"]) == (2, "measured")
    assert 240 < told["heard_s"] <= 310
    old = driver.get("/" + unescape(source).replace("max_age_min=30", "max_age_min=4")).json()
    assert old["number"] is None


def test_a_sign_doubts_a_forecast_that_is_too_old(driver: httpx.Client, streets: Connection):
    bay_town.forecast(streets)
    asked = {"zone": "Rue Haute", "at": 20}
    assert _number(driver.get(SIGN, params=asked)) != "?"
    streets.execute("UPDATE bay_forecast_run SET as_of = %s", [NOW - timedelta(minutes=40)])
    streets.commit()
    assert _number(driver.get(SIGN, params=asked)) == "?"
    assert _number(driver.get(SIGN, params={**asked, "max_age_min": 60})) != "?"


def test_destinations_are_found_without_an_extract_by_the_streets_of_places(driver: httpx.Client):
    answer = driver.get(FOUND, params={"q": "rue bases"})
    (found,) = answer.json()["destinations"]
    assert (found["name"], found["kind"]) == ("Rue Basse", "street")
    assert found["latitude_deg"] == pytest.approx(48.842, abs=0.0005)
    assert "max-age=3600" in answer.headers["cache-control"]
    assert driver.get(FOUND, params={"q": "zzzz"}).json() == {"destinations": []}
    assert driver.get(FOUND).status_code == 422


def test_places_worth_the_way_are_nearest_first(driver: httpx.Client, streets: Connection):
    text = driver.get(PAGE, params=NEAR).text
    walks = [int(minutes) for minutes in re.findall(r'spot-way">\s*(\d+)\smin', text)]
    assert all(one <= other for one, other in pairwise(walks))
    assert len(walks) == 2
