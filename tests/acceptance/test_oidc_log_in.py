"""Logging in to the real application at a real OpenID Connect provider, and out again at both."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from api.app import ApiOptions
from api.oidc import GrantRule, OidcOptions
from storage import accounts, audit
from storage.database import Connection
from storage.model import Grant, Role
from tests.api.accounts import OURS
from tests.api.rows import INSEE, save_commune, save_places
from tests.api.serving import serving
from tests.identity_provider import CLIENT_SECRET, PASSWORD
from tests.providing import running_provider
from tests.tools import free_port

MAP = f"/{INSEE}/carte"
RULES = (
    GrantRule(claim="groups", value="cheffes", roles=("dispatcher",), communes=(INSEE, "93048")),
    GrantRule(claim="groups", value="agents", roles=("driver",), communes=(INSEE,)),
)


@pytest.fixture(scope="module")
def port() -> int:
    """Where our server will listen: the provider wants to know beforehand."""
    return free_port()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[str]:
    """The provider, which sends browsers to our server."""
    folder, here = tmp_path_factory.mktemp("provider"), f"http://127.0.0.1:{port}"
    back, out = f"{here}/connexion/retour", f"{here}/connexion"
    with running_provider(folder, redirect_uri=back, post_logout_redirect_uri=out) as url:
        yield url


@pytest.fixture
def rows(connection: Connection) -> Connection:
    """A connection to a database that holds the small commune."""
    save_commune(connection)
    save_places(connection)
    connection.commit()
    return connection


@pytest.fixture
def browser(database_url: str, rows: Connection, issuer: str, port: int) -> Iterator[httpx.Client]:
    """A browser at our server, whose dispatchers need a second factor if they have a password here."""
    here = f"http://127.0.0.1:{port}"
    oidc = OidcOptions(
        issuer=issuer, client_id="voirie-basic", client_secret=CLIENT_SECRET, redirect_uri=f"{here}/connexion/retour",
        post_logout_redirect_uri=f"{here}/connexion", scopes=("openid", "profile", "email", "groups"), rules=RULES,
    )  # fmt: skip
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, oidc=oidc, oidc_title="Noisy",
        second_factor=frozenset({Role.DISPATCHER}),
    )  # fmt: skip
    with serving(options, open_to_all=False, port=port) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def follow(browser: httpx.Client, response: httpx.Response, person: str) -> httpx.Response:
    """Follow redirects and fill in the provider's pages as `person`, until a page of ours answers."""
    for _ in range(20):
        if response.is_redirect:
            response = browser.get(urljoin(str(response.url), response.headers["Location"]))
            continue
        if urlsplit(str(response.url)).netloc == browser.base_url.netloc.decode():
            return response
        assert response.is_success, response.text
        typed = {"login": person, "password": PASSWORD, "answer": "accept"}
        hidden = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', response.text)
        names = set(re.findall(r'<(?:input|button)[^>]*\bname="(\w+)"', response.text))
        form = {name: text for name, text in typed.items() if name in names}
        form["csrf_token"] = html.unescape(hidden[1]) if hidden else ""
        response = browser.post(str(response.url), data=form)
    pytest.fail(f"no page of ours came: {response.text}")


def log_in(browser: httpx.Client, person: str, after: str = MAP[1:]) -> httpx.Response:
    return follow(browser, browser.get("/connexion/fournisseur", params={"after": after}), person)


def test_who_logs_in_there_is_somebody_here_until_they_log_out_of_both(browser: httpx.Client, rows: Connection):
    shown = browser.get("/connexion", params={"after": MAP[1:]}, headers={"Accept-Language": "fr"})
    assert f'href="connexion/fournisseur?after={MAP[1:]}"' in shown.text
    assert "Se connecter avec Noisy" in shown.text
    answer = log_in(browser, "amina")
    assert (answer.status_code, answer.url.path) == (200, MAP)
    assert "Amina Benali" in answer.text
    account_page = browser.get("/compte").text
    assert "compte/mot-de-passe" not in account_page, "who comes from the provider has no password here"
    assert browser.get(f"/api/v1/communes/{INSEE}/bins").status_code == 200
    # What the claims grant, where this installation serves: not in the second commune.
    [account] = accounts.every(rows)
    assert [(one.commune_insee, one.role) for one in accounts.grants(rows, account.account_id)] == [
        (INSEE, Role.DISPATCHER),
        (INSEE, Role.DRIVER),
    ]
    acts = [link.act for link in audit.links(rows, audit.INSTALLATION)]
    assert acts == ["account.added", "account.claims_changed"]
    out = browser.post("/deconnexion", headers=OURS)
    assert out.status_code == 200
    assert browser.get(MAP).status_code == 303
    [there] = re.findall(r'<a class="button primary" href="([^"]+)"', out.text)
    gone = follow(browser, browser.get(html.unescape(there)), "amina")
    assert gone.url.path == "/connexion"
    # The provider asks for the password again: its session is over.
    asked = browser.get("/connexion/fournisseur")
    assert asked.status_code == 303
    page = browser.get(asked.headers["Location"], follow_redirects=True)
    assert 'name="login"' in page.text or 'name="password"' in page.text


def test_claims_replace_what_claims_granted_and_leave_what_was_granted_by_hand(browser: httpx.Client, rows: Connection):
    log_in(browser, "bruno")
    [account] = accounts.every(rows)
    accounts.grant(rows, account.account_id, Grant(commune_insee=INSEE, role=Role.OFFICER))
    # As if the provider had said more the last time.
    rows.execute(
        "INSERT INTO account_grant (account_id, commune_insee, role, granted_by) VALUES (%s, %s, %s, 'claims')",
        [account.account_id, INSEE, Role.INTEGRATOR.value],
    )
    rows.commit()
    browser.cookies.clear()
    log_in(browser, "bruno")
    assert [one.role for one in accounts.grants(rows, account.account_id)] == [Role.DRIVER, Role.OFFICER]
    assert len(accounts.every(rows)) == 1, "the same person is the same account"
    accounts.disable(rows, account.account_id, disabled=True)
    rows.commit()
    browser.cookies.clear()
    refused = log_in(browser, "bruno")
    assert refused.status_code == 403
    assert "voirie_session" not in browser.cookies


def test_answer_that_this_browser_did_not_ask_for_lets_nobody_in(browser: httpx.Client):
    answer = browser.get("/connexion/retour", params={"code": "x", "state": "y"})
    assert answer.status_code == 403
    begun = browser.get("/connexion/fournisseur")
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    for told in ({"state": f"{state[:-1]}_"}, {"state": state, "error": "access_denied"}):
        browser.get("/connexion/fournisseur")
        assert browser.get("/connexion/retour", params={"code": "x", **told}).status_code == 403
        assert "voirie_attempt" not in browser.cookies, "an attempt is forgotten at the first answer"
        assert "voirie_session" not in browser.cookies


def test_provider_that_is_away_leaves_the_password(database_url: str):
    oidc = OidcOptions(
        issuer=f"http://localhost:{free_port()}", client_id="x", client_secret="y",
        redirect_uri="http://127.0.0.1:9/connexion/retour",
    )  # fmt: skip
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, oidc=oidc)
    with serving(options, open_to_all=False) as url:
        answer = httpx.get(f"{url}/connexion/fournisseur", headers={"Accept-Language": "fr"}, timeout=20)
        assert answer.status_code == 503
        assert 'name="password"' in answer.text
        assert "ne répond pas" in answer.text
