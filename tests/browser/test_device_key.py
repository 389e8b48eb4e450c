"""The tablet binds its session to a key of its own: what a thief has, and a lost key (dead spots: test_driver)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from api.app import ApiOptions
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import make_account
from tests.api.serving import serving
from tests.browser.conftest import Watched
from tests.browser.test_roles import log_in
from tests.browser.town import INSEE, Town, helsinki
from tests.tools import wait_until

PROOF, SESSION = "voirie_proof", "voirie_session"
BINS = f"/api/v1/communes/{INSEE}/bins"
KEY_IS_KEPT_IN = """async () => {
  const [{ name }] = (await indexedDB.databases()).filter(({ name }) => name.startsWith("voirie appareil"));
  const box = await new Promise((resolve) => {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => resolve(asked.result);
  });
  const pair = await new Promise((resolve) => {
    const asked = box.transaction("kept").objectStore("kept").get("pair");
    asked.onsuccess = () => resolve(asked.result);
  });
  box.close();
  const exported = await crypto.subtle.exportKey("jwk", pair.privateKey).then(() => true, () => false);
  return { name, extractable: pair.privateKey.extractable, exported };
}"""


@pytest.fixture
def base_url(database_url: str, connection: Connection, town: Town) -> Iterator[str]:
    """The application as a town runs it, with a driver."""
    assert town
    make_account(connection, "dominique", (INSEE, Role.DRIVER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, streets_extract=helsinki())
    with serving(options, open_to_all=False) as url:
        yield url


def kept(context: BrowserContext) -> dict[str, str]:
    return {str(cookie.get("name")): str(cookie.get("value")) for cookie in context.cookies()}


def bound(page: Page, base_url: str, connection: Connection) -> None:
    """Log in and wait until the device has proved itself, some time ago."""
    page.goto(f"{base_url}/compte")
    log_in(page, "dominique")
    page.wait_for_url("**/compte")
    wait_until(lambda: PROOF in kept(page.context), what="the device's proof")
    connection.execute("UPDATE login_session SET bound_at = bound_at - interval '1 minute'")
    connection.commit()


def asked(base_url: str, cookies: dict[str, str]) -> tuple[int, str]:
    answer = httpx.get(f"{base_url}{BINS}", cookies=cookies, timeout=20)
    return answer.status_code, answer.json().get("type", "")


def test_copied_cookie_is_nothing_and_the_key_cannot_be_taken_along(
    watched: Watched, base_url: str, connection: Connection
):
    page = watched.page
    bound(page, base_url, connection)
    cookies = kept(page.context)
    assert asked(base_url, {name: cookies[name] for name in (SESSION, PROOF)})[0] == 200
    assert asked(base_url, {SESSION: cookies[SESSION]}) == (401, "urn:voirie:problem:prove-device")
    told = page.evaluate(KEY_IS_KEPT_IN)
    assert (told["extractable"], told["exported"]) == (False, False)
    assert watched.troubles == []


def test_page_of_before_leads_on_and_a_lost_key_to_the_log_in(watched: Watched, base_url: str, connection: Connection):
    page = watched.page
    bound(page, base_url, connection)
    page.goto(f"{base_url}/accessibilite")  # without the script that renews
    page.context.clear_cookies(name=PROOF)
    page.goto(f"{base_url}/compte")
    page.wait_for_url("**/compte")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    name = page.evaluate(KEY_IS_KEPT_IN)["name"]
    page.evaluate("(name) => new Promise((done) => { indexedDB.deleteDatabase(name).onsuccess = done; })", name)
    page.context.clear_cookies(name=PROOF)
    page.goto(f"{base_url}/compte")
    expect(page.get_by_role("alert")).to_contain_text("n’est plus, liée à cet appareil")
    page.get_by_role("alert").get_by_role("link", name="Se connecter").click()
    log_in(page, "dominique")
    page.wait_for_url("**/compte")
    wait_until(lambda: PROOF in kept(page.context), what="the new key's proof")
