"""The officer's phone through its users' stories: find, take, go, close; patrols; colleagues; nothing kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from api.app import ApiOptions
from api.ports import Ports
from optimise.patrol.cpsat import SearchLimits
from optimise.patrol.planner import PatrolPlanner
from optimise.rounds.great_circle import GreatCircles
from storage import checks
from storage.database import Connection
from storage.identifying import looks_like_plate
from storage.model import CheckAct, CheckCause, CheckEvent, Role, ToldCheck
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, NOW, Town, helsinki, make_town
from tests.conftest import Original, Server

SHIFT = NOW + timedelta(minutes=50)
"""When the officer begins: what stood in the bays at NOW is over its limit since."""
PLANNER = PatrolPlanner(
    travel=GreatCircles(detour_factor=1.3, speed_kmh=4.5), limits=SearchLimits(seconds=None, work=0.2)
)
PHONE = {"width": 360, "height": 740}
COLLEAGUE = UUID(int=2)
STORED = """
async () => ({
  local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
  caches: await caches.keys(), databases: await indexedDB.databases(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})
"""
NOTHING = {"local": 0, "session": 0, "cookies": "", "caches": [], "databases": [], "workers": 0}
KEPT = NOTHING | {"databases": [{"name": "voirie appareil /", "version": 1}]}
"""During a shift: the key that the session is bound to, and nothing of the work."""
PUT_BY = """
async () => {
  localStorage.setItem("last", "ADL-01");
  sessionStorage.setItem("last", "ADL-01");
  await (await caches.open("pages")).put("kept", new Response("ADL-01"));
  await new Promise((resolve) => {
    indexedDB.open("shift").onsuccess = ({ target }) => { target.result.close(); resolve(); };
  });
}
"""
TYPED = [
    "AB-123-CD",
    "ab 123 cd devant le 12",
    "1234 AB 75",
    "camion 12-ABC-93",
    "GB: AB12 CDE",
    "B-XY 123",
    "1-ABC-123",
    "12-AB-34",
    "VF1AAAAA123456789",
    "LU 1234",
    "rien",
    "devant le 12, rue de Paris",
    "2 vélos cargos",
    "7 h 30",
    "déjà vu à 14:05",
    "livraison en cours, 3 palettes",
    "voir ADL-07",
    "place 12 bis",
    "",
]


def _fill(connection: Connection) -> Town:
    made = make_town(connection, helsinki(), bin_count=20, rate=1.0)
    connection.execute("UPDATE simulation SET simulated_origin = %s", [SHIFT])
    make_account(connection, "camille", (INSEE, Role.OFFICER))
    return made


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Iterator[Original[Town]]:
    """A town whose clock runs as ours does, late enough for overstays, and its officer."""
    with embedded_server.filled(_fill) as town:
        yield town


@pytest.fixture
def base_url(database_url: str, town: Town) -> Iterator[str]:
    """The application with accounts, and with what plans patrols."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options, Ports(patrols=PLANNER), open_to_all=False) as url:
        yield url


@pytest.fixture
def phone(watched: Watched, base_url: str, town: Town) -> Page:
    """The page of an officer who has just logged in, standing in the town's middle with a phone that says so."""
    page = watched.page
    page.set_viewport_size(PHONE)
    longitude, latitude = town.spots["ADL-07"].point
    page.context.grant_permissions(["geolocation"], origin=base_url)
    page.context.set_geolocation({"longitude": longitude, "latitude": latitude, "accuracy": 12})
    page.goto(f"{base_url}/{INSEE}/controle")
    log_in(page, "camille")
    page.wait_for_url(f"**/{INSEE}/controle")
    expect(page.locator("#line")).to_have_attribute("data-state", "live")
    expect(rows(page).first).to_be_visible()
    return page


def rows(page: Page) -> Locator:
    """The list's rows."""
    return page.locator("#check-list .check")


def near_me(page: Page) -> None:
    """Say where the phone is, and wait for a list that counts the walk."""
    page.get_by_role("button", name="Près de moi").click()
    expect(rows(page).first.locator(".check-walk")).to_be_visible()


def place_of(row: Locator) -> str:
    """The place of a row."""
    found = row.get_attribute("data-place")
    assert found is not None
    return found


def told(connection: Connection) -> list[ToldCheck]:
    """What officers told, the oldest first."""
    connection.rollback()
    return checks.log(connection, INSEE, since=NOW - timedelta(days=1))[::-1]


def colleague_takes(connection: Connection, place_id: str, *, unheard: bool = False) -> None:
    """A colleague goes there; `unheard`: no phone hears of it."""
    if unheard:
        connection.execute(
            "INSERT INTO kerb_check (commune_insee, place_id, holder_id, taken_by, taken_at, expires_at)"
            " VALUES (%s, %s, %s, 'Patrouille 2', %s, %s)",
            [INSEE, place_id, COLLEAGUE, SHIFT, SHIFT + timedelta(minutes=15)],
        )
    else:
        event = CheckEvent(
            event_id=uuid4(), place_id=place_id, act=CheckAct.TAKEN, told_by="Patrouille 2", happened_at=SHIFT
        )
        checks.take(connection, INSEE, event, holder_id=COLLEAGUE, hold=timedelta(minutes=15))
    connection.commit()


def test_officer_finds_takes_and_closes_a_check_and_leaves_nothing_behind(
    phone: Page, watched: Watched, base_url: str, connection: Connection
):
    expect(rows(phone).first.locator(".check-walk")).to_have_count(0)  # nobody said where they are
    near_me(phone)
    expect(phone.locator("#from-words")).to_have_text("votre position")
    walks = [int(re.sub(r"\D", "", each)) for each in phone.locator("#check-list .check-walk").all_inner_texts()]
    assert walks[0] == 0
    phone.locator(".choices summary").click()
    phone.get_by_label("Ordre").select_option("near")
    walks = [int(re.sub(r"\D", "", each)) for each in phone.locator("#check-list .check-walk").all_inner_texts()]
    assert walks == sorted(walks)
    first = rows(phone).first
    assert place_of(first) == "ADL-07"
    first.click()
    card = phone.locator("#card")
    expect(card.locator("#card-title")).to_contain_text("ADL-07")
    expect(card).to_contain_text(
        re.compile(r"Livraisons, 30.min au plus \(tolérance 5.min\), du lundi au samedi de 7.h à 20.h")
    )
    expect(card).to_contain_text("presque sûr")
    expect(card).to_contain_text(re.compile(r"86.% de chances que le contrôle soit fondé"))
    card.get_by_role("button", name="J’y vais").click()
    mine = phone.locator("#mine")
    expect(mine).to_contain_text("à vous jusqu’à 11:45")
    expect(mine.get_by_role("button", name="J’y suis")).to_be_focused()

    assert watched.troubles == []
    phone.reload()  # as a phone does that needs its memory: whose take it is the server knows
    expect(mine).to_contain_text("ADL-07")
    mine.get_by_role("button", name="J’y suis").click()
    phone.locator("#closing").get_by_role("button", name="Parti").click()
    expect(phone.locator("#done")).to_have_text(re.compile("^Terminé.: Parti"))
    expect(mine).to_be_hidden()
    expect(phone.locator('#check-list [data-place="ADL-07"]')).to_have_count(0)
    assert [(each.act, each.cause, each.told_by) for each in told(connection)] == [
        (CheckAct.TAKEN, None, "Camille"),
        (CheckAct.CLOSED, CheckCause.GONE, "Camille"),
    ]
    phone.get_by_role("tab", name="Collègues").click()
    expect(phone.locator("#log-list .told").first).to_contain_text("Parti")

    assert phone.evaluate(STORED) == KEPT
    phone.evaluate(PUT_BY)
    assert watched.troubles == []
    phone.get_by_role("button", name="Se déconnecter").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Connexion")
    assert phone.evaluate(STORED) == NOTHING
    phone.go_back()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Connexion")
    assert phone.request.get(f"{base_url}/api/v1/communes/{INSEE}/checks").status == 401


def test_what_colleagues_take_is_seen_and_a_conflict_leads_to_the_next(
    phone: Page, watched: Watched, connection: Connection
):
    near_me(phone)
    first, second = place_of(rows(phone).nth(0)), place_of(rows(phone).nth(1))
    colleague_takes(connection, first)
    taken = phone.locator(f'#check-list [data-place="{first}"]')
    expect(taken).to_contain_text("Patrouille 2 y va, jusqu’à 11:45")
    assert place_of(rows(phone).first) == second  # what is taken comes last
    phone.get_by_role("tab", name="Collègues").click()
    expect(phone.locator("#held-list")).to_contain_text("Patrouille 2, depuis 11:30")
    expect(phone.locator("#count-team")).to_have_text("1")

    phone.get_by_role("tab", name="À contrôler").click()
    third = place_of(rows(phone).nth(1))
    colleague_takes(connection, second, unheard=True)
    rows(phone).first.click()
    card = phone.locator("#card")
    card.get_by_role("button", name="J’y vais").click()
    expect(card.get_by_role("alert")).to_have_text("Déjà pris\u00a0: Patrouille 2 y va depuis 11:30, jusqu’à 11:45.")
    card.get_by_role("button", name="Aller plutôt à").click()
    expect(phone.locator("#mine")).to_contain_text(third)
    phone.locator("#mine").get_by_role("button", name="Laisser").click()
    expect(phone.locator("#mine")).to_be_hidden()
    assert [(each.place_id, each.act) for each in told(connection)] == [
        (first, CheckAct.TAKEN),
        (third, CheckAct.TAKEN),
        (third, CheckAct.RELEASED),
    ]
    (conflict,) = watched.troubles  # the browser notes what the server refuses
    assert "409" in conflict


def test_patrol_is_proposed_drawn_and_walked(phone: Page, watched: Watched, connection: Connection, screens: Path):
    phone.get_by_role("tab", name="Patrouille").click()
    phone.get_by_role("button", name="Proposer une patrouille").click()
    expect(phone.locator("#patrol-problem")).to_contain_text("Dites d’abord d’où vous partez")
    near_me_button = phone.get_by_role("button", name="Près de moi")
    expect(near_me_button).to_be_focused()
    near_me_button.click()
    expect(phone.locator("#from-words")).to_have_text("votre position")
    phone.get_by_role("radio", name="30 min").check()
    phone.get_by_role("button", name="Proposer une patrouille").click()
    stops = phone.locator(".patrol-stop")
    expect(stops.first).to_contain_text("Sur place")
    places = [place_of(each) for each in stops.locator(".check").all()]
    assert len(places) >= 3
    expect(phone.locator("#patrol")).to_contain_text("Marche estimée")
    phone.locator("#view-switch").click()
    expect(phone.locator(".patrol-pin")).to_have_text([str(turn) for turn in range(1, len(places) + 1)])
    expect(phone.locator(".patrol-line")).to_be_visible()
    phone.screenshot(path=screens / "controle-carte-telephone.png")
    phone.locator("#view-switch").click()

    phone.get_by_role("button", name="Commencer").click()
    mine = phone.locator("#mine")
    expect(mine).to_contain_text(places[0])
    colleague_takes(connection, places[1])
    mine.get_by_role("button", name="J’y suis").click()
    phone.locator("#closing").get_by_role("button", name="Toléré").click()
    expect(phone.locator("#card").get_by_role("alert")).to_contain_text("Déjà pris")
    phone.locator("#card [data-act=shut]").click()
    phone.get_by_role("button", name="Passer au suivant").click()
    expect(mine).to_contain_text(places[2])
    expect(phone.locator(".patrol-stop.now")).to_contain_text(places[2])
    expect(phone.locator(".patrol-stop.done")).to_have_count(2)


def test_what_is_found_without_network_is_sent_later_and_once(phone: Page, base_url: str, connection: Connection):
    module = f"{base_url}/static/js/officer/plates.js"
    seen = phone.evaluate("async ([path, texts]) => texts.map((await import(path)).looksLikePlate)", [module, TYPED])
    assert seen == [looks_like_plate(text) for text in TYPED]  # the phone refuses what the server refuses
    assert {True, False} == set(seen)
    near_me(phone)
    place_id = place_of(rows(phone).first)
    rows(phone).first.click()
    card = phone.locator("#card")
    phone.context.set_offline(True)
    card.get_by_role("button", name="J’y vais").click()
    expect(card.get_by_role("alert")).to_contain_text("Pas de réseau")
    card.get_by_role("button", name="J’y suis").click()
    closing = phone.locator("#closing")
    closing.get_by_role("button", name="Autre").click()
    expect(closing.get_by_role("alert")).to_contain_text("Dites d’abord quoi")
    closing.get_by_label("Un mot, si besoin").fill("Camion AB-123-CD")
    expect(closing.get_by_role("alert")).to_contain_text("ressemble à une plaque")
    closing.get_by_role("button", name="Autre").click()
    expect(closing).to_be_visible()  # it does not even leave the page
    closing.get_by_label("Un mot, si besoin").fill("Déménagement")
    closing.get_by_role("button", name="Autre").click()
    expect(phone.locator("#waiting")).to_contain_text("1 constat attend le réseau")
    assert told(connection) == []
    assert phone.evaluate(STORED) == KEPT  # it waits in the page alone
    phone.context.set_offline(False)
    expect(phone.locator("#waiting")).to_be_hidden(timeout=20_000)
    expect(phone.locator(f'#check-list [data-place="{place_id}"]')).to_have_count(0)
    (closed,) = told(connection)
    assert (closed.place_id, closed.cause, closed.comment) == (place_id, CheckCause.OTHER, "Déménagement")


def test_keyboard_alone_takes_and_closes(phone: Page, watched: Watched, connection: Connection):
    phone.locator(".skip").focus()
    phone.keyboard.press("Enter")
    expect(phone.locator("#panel")).to_be_focused()
    phone.keyboard.press("Tab")
    expect(phone.get_by_role("tab", name="À contrôler")).to_be_focused()
    for _ in range(2):  # past the filters
        phone.keyboard.press("Tab")
    expect(rows(phone).first).to_be_focused()
    place_id = place_of(rows(phone).first)
    phone.keyboard.press("Enter")
    card = phone.locator("#card")
    expect(card).to_be_visible()
    phone.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(rows(phone).first).to_be_focused()
    phone.keyboard.press("Enter")
    card.get_by_role("button", name="J’y vais").focus()
    phone.keyboard.press("Enter")
    expect(phone.locator("#mine").get_by_role("button", name="J’y suis")).to_be_focused()
    phone.keyboard.press("Enter")
    phone.locator('[data-cause="authorised"]').focus()
    phone.keyboard.press("Space")
    expect(phone.locator("#done")).to_contain_text("Autorisé")
    assert [(each.place_id, each.cause) for each in told(connection)] == [
        (place_id, None),
        (place_id, CheckCause.AUTHORISED),
    ]
    assert watched.troubles == []


def test_page_speaks_english_and_starts_from_a_point_of_the_map(phone: Page, watched: Watched, base_url: str):
    phone.goto(f"{base_url}/{INSEE}/controle?lang=en")
    expect(phone.locator("#line")).to_have_attribute("data-state", "live")
    watched.troubles.clear()  # what was under way on the page before
    expect(phone.get_by_role("tab")).to_have_text([re.compile("^To check"), "Patrol", "Colleagues"])
    phone.get_by_role("button", name="From elsewhere").click()
    name = phone.get_by_role("combobox", name="Street, address or place")
    expect(name).to_be_focused()
    name.fill("xyzzy")
    expect(phone.locator("#from-problem")).to_contain_text("Nothing of this name")
    name.fill("fabianinkat")
    expect(phone.locator("#suggestions").get_by_role("option").first).to_contain_text("Fabianinkatu")
    phone.keyboard.press("ArrowDown")
    phone.keyboard.press("Enter")
    expect(phone.locator("#from-words")).to_have_text("Fabianinkatu")
    expect(rows(phone).first.locator(".check-walk")).to_be_visible()
    phone.get_by_role("button", name="From elsewhere").click()
    phone.get_by_role("button", name="A point on the map").click()
    here = phone.get_by_role("button", name="Start from the middle of the map")
    expect(here).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone.locator("#from-words")).to_have_text("a point on the map")
    phone.locator("#view-switch").click()
    expect(rows(phone).first.locator(".check-walk")).to_be_visible()
    rows(phone).first.click()
    card = phone.locator("#card")
    expect(card.get_by_role("button", name="I am going")).to_be_visible()
    expect(card).to_contain_text(re.compile(r"Deliveries, 30.min at most \(5.min of grace\), Monday to Saturday 7:00"))
    said = phone.locator("body").inner_text()
    assert not re.search(r"(?<![\w-])(aller|prendre|depuis|jusqu|carte|liste|à pied)(?![\w-])", said, re.IGNORECASE)
    assert watched.troubles == []


def test_every_width_is_accessible_and_fits(phone: Page, watched: Watched, screens: Path):
    screens.mkdir(parents=True, exist_ok=True)
    near_me(phone)
    phone.get_by_role("tab", name="Patrouille").click()
    phone.get_by_role("button", name="Proposer une patrouille").click()
    expect(phone.locator(".patrol-stop").first).to_be_visible()
    for width, height in ((360, 740), (800, 1100), (1440, 900)):
        phone.set_viewport_size({"width": width, "height": height})
        assert phone.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(phone) == []  # with the patrol
    expect(phone.locator(".patrol-pin").last).to_be_in_viewport()  # the map fitted it as it came into view
    phone.set_viewport_size({"width": 960, "height": 600})
    phone.screenshot(path=screens / "controle.png")
    phone.set_viewport_size(PHONE)
    phone.get_by_role("tab", name="À contrôler").click()
    phone.screenshot(path=screens / "controle-telephone.png")
    rows(phone).first.click()
    assert faults(phone) == []
    phone.screenshot(path=screens / "controle-fiche.png")
    phone.locator("#card").get_by_role("button", name="J’y suis").click()
    assert faults(phone) == []
    phone.screenshot(path=screens / "controle-constat.png")
    small = phone.evaluate(
        "() => [...document.querySelectorAll('button, select, summary, input, a.account')]"
        ".filter((one) => one.checkVisibility())"
        ".map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])"
        ".filter(([, box]) => Math.min(box.width, box.height) < 44 && box.width).map(([text]) => text)"
    )
    assert [each for each in small if "checkbox" not in each and 'type="radio"' not in each] == []
    assert watched.troubles == []
