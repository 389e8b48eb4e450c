"""Log-ins with a real OpenID Connect provider, from its password page to who came back; nothing of it is imitated."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urljoin, urlsplit

import httpx
import pytest

from api.oidc import Attempt, GrantRule, IdentityGrant, LoginRefusedError, OidcClient, OidcOptions
from storage.errors import SettingsError, UnavailableError
from tests.identity_provider import CLIENT_SECRET, PASSWORD
from tests.providing import running_provider
from tests.tools import free_port

BACK = "http://localhost:9/oidc/retour"  # nobody listens there: the test reads where the browser is sent
OUT = "http://localhost:9/au-revoir"
RULES = (
    GrantRule(claim="groups", value="cheffes", roles=("dispatcher",), communes=("93051",)),
    GrantRule(claim="groups", value="agents", roles=("driver",), communes=("93051", "93048")),
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider with two people, two groups and three clients."""
    folder = tmp_path_factory.mktemp("provider")
    with running_provider(folder, redirect_uri=BACK, post_logout_redirect_uri=OUT) as url:
        yield url


def options(issuer: str, client_id: str = "voirie-basic") -> OidcOptions:
    return OidcOptions(
        issuer=issuer,
        client_id=client_id,
        client_secret=CLIENT_SECRET,
        redirect_uri=BACK,
        post_logout_redirect_uri=OUT,
        client_authentication="client_secret_basic" if client_id == "voirie-basic" else "client_secret_post",
        scopes=("openid", "profile", "email", "groups"),
        rules=RULES,
    )


@pytest.fixture
def client(issuer: str) -> Iterator[OidcClient]:
    with OidcClient(options(issuer)) as opened:
        yield opened


def come_back(url: str, *, person: str = "amina", answer: str = "accept", password: str = PASSWORD) -> dict[str, str]:
    """Fill in the provider's pages as a person would, and return the query with which the browser is sent back."""
    with httpx.Client(timeout=20) as browser:
        response = browser.get(url)
        for _ in range(12):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["Location"])
                if target.startswith(BACK):
                    return dict(parse_qsl(urlsplit(target).query))
                response = browser.get(target)
                continue
            assert response.is_success, response.text
            typed = {"login": person, "password": password, "answer": answer}
            hidden = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', response.text)
            names = set(re.findall(r'<(?:input|button)[^>]*\bname="(\w+)"', response.text))
            form = {name: text for name, text in typed.items() if name in names}
            form["csrf_token"] = html.unescape(hidden[1]) if hidden else ""
            response = browser.post(str(response.url), data=form)
    pytest.fail(f"the provider did not send the browser back: {response.text}")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("client_id", ["voirie-basic", "voirie-post", "voirie-signed"])
def test_who_logs_in_at_the_provider_is_known_here_with_what_their_groups_grant(issuer: str, client_id: str):
    with OidcClient(options(issuer, client_id)) as client:
        attempt = Attempt.begin(now=now(), return_path="/93051/carte")
        kept = attempt.to_text()
        answer = come_back(client.authorization_url(attempt), person="bruno")
        found = client.complete(answer, Attempt.from_text(kept), now=now())
    assert (found.issuer, found.subject) == (issuer, "bruno")
    assert found.display_name == "Bruno Caron"
    assert found.email == "bruno@noisy.example"
    assert found.grants == {
        IdentityGrant(commune_insee="93051", role="driver"),
        IdentityGrant(commune_insee="93048", role="driver"),
    }
    assert abs((now() - found.authenticated_at).total_seconds()) < 120
    assert found.id_token not in repr(found)


def test_groups_add_up(client: OidcClient):
    attempt = Attempt.begin(now=now())
    found = client.complete(come_back(client.authorization_url(attempt)), attempt, now=now())
    assert {(grant.commune_insee, grant.role) for grant in found.grants} == {
        ("93051", "dispatcher"),
        ("93051", "driver"),
        ("93048", "driver"),
    }


def test_userinfo_comes_signed_where_the_client_asked_for_it(issuer: str, monkeypatch: pytest.MonkeyPatch):
    seen: list[str] = []
    asked = OidcClient._ask

    def noting(self: OidcClient, request: httpx.Request, basic: httpx.BasicAuth | None) -> tuple[int, str, bytes]:
        answer = asked(self, request, basic)
        seen.append(answer[1])
        return answer

    monkeypatch.setattr(OidcClient, "_ask", noting)
    with OidcClient(options(issuer, "voirie-signed")) as client:
        attempt = Attempt.begin(now=now())
        client.complete(come_back(client.authorization_url(attempt)), attempt, now=now())
    assert "application/jwt" in seen


def test_a_code_is_worth_nothing_the_second_time(client: OidcClient):
    attempt = Attempt.begin(now=now())
    answer = come_back(client.authorization_url(attempt))
    client.complete(answer, attempt, now=now())
    with pytest.raises(LoginRefusedError, match="invalid_grant"):
        client.complete(answer, attempt, now=now())


def test_a_stolen_code_is_worth_nothing_without_the_verifier(client: OidcClient):
    attempt = Attempt.begin(now=now())
    answer = come_back(client.authorization_url(attempt))
    thief = replace(attempt, code_verifier=Attempt.begin(now=now()).code_verifier)
    with pytest.raises(LoginRefusedError, match="invalid_grant"):
        client.complete(answer, thief, now=now())


def test_an_answer_to_another_browsers_log_in_is_refused(client: OidcClient):
    mine, anothers = Attempt.begin(now=now()), Attempt.begin(now=now())
    answer = come_back(client.authorization_url(anothers))
    with pytest.raises(LoginRefusedError, match="state"):
        client.complete(answer, mine, now=now())


def test_a_token_with_another_nonce_is_refused(client: OidcClient):
    attempt = Attempt.begin(now=now())
    answer = come_back(client.authorization_url(attempt))
    replayed = replace(attempt, nonce=Attempt.begin(now=now()).nonce)
    with pytest.raises(LoginRefusedError, match="nonce"):
        client.complete(answer, replayed, now=now())


def test_an_answer_in_another_providers_name_is_refused(client: OidcClient):
    attempt = Attempt.begin(now=now())
    answer = come_back(client.authorization_url(attempt))
    for changed in ({**answer, "iss": "https://autre.example"}, {k: v for k, v in answer.items() if k != "iss"}):
        with pytest.raises(LoginRefusedError, match="iss"):
            client.complete(changed, attempt, now=now())


def test_who_says_no_at_the_provider_is_not_logged_in(issuer: str):
    # A client of its own, to which nobody has agreed yet.
    with OidcClient(options(issuer, "voirie-refused")) as client:
        attempt = Attempt.begin(now=now())
        answer = come_back(client.authorization_url(attempt), answer="deny")
        assert "code" not in answer
        with pytest.raises(LoginRefusedError, match="access_denied"):
            client.complete(answer, attempt, now=now())


def test_a_wrong_password_at_the_provider_leads_nowhere(client: OidcClient):
    with pytest.raises(pytest.fail.Exception, match="did not send the browser back"):
        come_back(client.authorization_url(Attempt.begin(now=now())), password="wrong")


def test_what_the_provider_is_told_beforehand_keeps_the_verifier_secret(client: OidcClient):
    attempt = Attempt.begin(now=now())
    url = client.authorization_url(attempt)
    told = parse_qs(urlsplit(url).query)
    assert told["code_challenge_method"] == ["S256"]
    assert told["code_challenge"] == [attempt.code_challenge]
    assert told["response_type"] == ["code"]
    assert attempt.code_verifier not in url
    assert CLIENT_SECRET not in url


def test_a_log_out_ends_the_providers_session_and_comes_back(client: OidcClient):
    attempt = Attempt.begin(now=now())
    found = client.complete(come_back(client.authorization_url(attempt)), attempt, now=now())
    url = client.logout_url(id_token=found.id_token, state="un-etat-pour-ce-depart")
    assert url is not None
    # The browser of this test has no session there any more: the token alone says whose it was.
    target = httpx.get(url, timeout=20).headers["Location"]
    assert target.startswith(OUT)
    assert parse_qs(urlsplit(target).query)["state"] == ["un-etat-pour-ce-depart"]


def test_a_wrong_secret_is_our_mistake_and_not_the_persons(issuer: str):
    with OidcClient(replace(options(issuer), client_secret="not-it")) as client:
        attempt = Attempt.begin(now=now())
        answer = come_back(client.authorization_url(attempt))
        with pytest.raises(UnavailableError, match=r"oidc\.client_id"):
            client.complete(answer, attempt, now=now())


def test_a_provider_that_calls_itself_otherwise_is_not_asked(issuer: str):
    with (
        OidcClient(replace(options(issuer), issuer=issuer.replace("localhost", "127.0.0.1"))) as client,
        pytest.raises((SettingsError, UnavailableError)),
    ):
        client.authorization_url(Attempt.begin(now=now()))


def test_a_provider_that_is_away_is_said_to_be_away():
    with (
        OidcClient(options(f"http://localhost:{free_port()}")) as client,
        pytest.raises(UnavailableError, match="does not answer"),
    ):
        client.authorization_url(Attempt.begin(now=now()))
