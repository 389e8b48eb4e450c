"""A provider that misbehaves, or changes its keys: a server on the loopback that says what the test tells it to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from api.oidc import Attempt, Identity, LoginRefusedError, OidcClient, OidcOptions
from storage.errors import SettingsError, UnavailableError, VoirieError

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
Answer = tuple[int, str, bytes]


class Provider:
    """What is answered at each path, and how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys = [ECKey.generate_key("P-256", auto_kid=True)]
        self.published = list(self.keys)
        self.description: dict[str, Any] = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize?theme=clair",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks",
        }
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return as_json(self.description)
        if path == "/jwks":
            return as_json({"keys": [key.as_dict(private=False) for key in self.published]})
        return 404, "text/plain", b""

    def gives(self, attempt: Attempt, **claims: Any) -> None:
        key = self.keys[-1]
        told = {
            "iss": self.url,
            "sub": "8d2f",
            "aud": "voirie",
            "iat": NOW_S,
            "exp": NOW_S + 60,
            "nonce": attempt.nonce,
        }
        token = jwt.encode({"alg": "ES256", "kid": key.kid}, told | claims, key)
        self.answers["/token"] = as_json({"access_token": "at", "token_type": "Bearer", "id_token": token})


def as_json(document: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(document).encode()


@pytest.fixture
def provider() -> Iterator[Provider]:
    playing: list[Provider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, media_type, body = playing[0].answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the base class's spelling

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        playing.append(Provider(f"http://127.0.0.1:{server.server_port}"))
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield playing[0]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def client_of(provider: Provider) -> Iterator[Callable[..., OidcClient]]:
    opened: list[OidcClient] = []

    def opening(**changes: Any) -> OidcClient:
        options = OidcOptions(
            issuer=provider.url,
            client_id="voirie",
            client_secret="s3cret",
            redirect_uri="https://voirie.noisy.example/oidc",
            **changes,
        )
        opened.append(OidcClient(options))
        return opened[-1]

    yield opening
    for client in opened:
        client.close()


def log_in(client: OidcClient, provider: Provider, **claims: Any) -> Identity:
    attempt = Attempt.begin(now=NOW)
    provider.gives(attempt, **claims)
    return client.complete({"code": "c", "state": attempt.state}, attempt, now=NOW)


def test_a_provider_may_change_its_keys(
    provider: Provider, client_of: Callable[..., OidcClient], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.oidc.client._KEYS_AGAIN_S", 0.0)
    client = client_of()
    assert log_in(client, provider).subject == "8d2f"
    provider.keys.append(ECKey.generate_key("P-256", auto_kid=True))
    provider.published = provider.keys[-1:]
    assert log_in(client, provider).subject == "8d2f"


def test_tokens_with_made_up_keys_do_not_make_us_ask_each_time(
    provider: Provider, client_of: Callable[..., OidcClient]
):
    client = client_of()
    log_in(client, provider)
    provider.keys.append(ECKey.generate_key("P-256", auto_kid=True))  # never published
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            log_in(client, provider)
    assert provider.asked.count("/jwks") == 1
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_levels_of_assurance_are_asked_for_as_the_provider_reads_them(
    provider: Provider, client_of: Callable[..., OidcClient]
):
    attempt = Attempt.begin(now=NOW)
    url = client_of(acr_values=("eidas2", "eidas3")).authorization_url(attempt)
    assert parse_qs(urlsplit(url).query)["acr_values"] == ["eidas2 eidas3"]
    assert parse_qs(urlsplit(url).query)["theme"] == ["clair"]  # a query of the provider's own stays
    provider.description["claims_parameter_supported"] = True
    url = client_of(acr_values=("eidas2", "eidas3")).authorization_url(attempt)
    told = parse_qs(urlsplit(url).query)
    assert "acr_values" not in told
    assert json.loads(told["claims"][0]) == {
        "id_token": {"acr": {"essential": True, "values": ["eidas2", "eidas3"]}},
    }


def test_a_level_below_the_one_asked_for_is_refused(provider: Provider, client_of: Callable[..., OidcClient]):
    client = client_of(acr_values=("eidas2",))
    assert log_in(client, provider, acr="eidas2").acr == "eidas2"
    with pytest.raises(LoginRefusedError, match="acr"):
        log_in(client, provider, acr="eidas1")


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("/.well-known/openid-configuration", (500, "text/html", b"<h1>oops"), UnavailableError),
        ("/.well-known/openid-configuration", (200, "application/json", b"[" * 100_000), UnavailableError),
        ("/.well-known/openid-configuration", (302, "text/plain", b"http://127.0.0.1:1/"), UnavailableError),
        ("/.well-known/openid-configuration", (200, "application/json", b"{}" + b" " * 300_000), UnavailableError),
        ("/.well-known/openid-configuration", as_json({"issuer": "https://autre.example"}), SettingsError),
        ("/jwks", as_json({"keys": []}), LoginRefusedError),
        ("/jwks", (404, "text/plain", b""), UnavailableError),
        ("/token", as_json({"error": "invalid_grant"}, 400), LoginRefusedError),
        ("/token", as_json({"error": "invalid_client"}, 401), UnavailableError),
        ("/token", as_json({"error": "<script>alert(1)</script>"}, 400), LoginRefusedError),
        ("/token", as_json({"access_token": "at", "token_type": "Bearer"}), UnavailableError),
        ("/token", as_json({"access_token": "at", "token_type": "mac", "id_token": "x"}), UnavailableError),
        ("/token", (200, "application/json", b"\xff\xfe"), UnavailableError),
        ("/userinfo", as_json({"sub": "autre"}), LoginRefusedError),
        ("/userinfo", (200, "application/jwt", b"a.b.c"), LoginRefusedError),
        ("/userinfo", (401, "text/plain", b""), UnavailableError),
        ("/userinfo", as_json(["sub"]), LoginRefusedError),
    ],
)
def test_what_a_provider_says_wrongly_lets_nobody_in(
    provider: Provider,
    client_of: Callable[..., OidcClient],
    path: str,
    answer: Answer,
    expected: type[VoirieError],
):
    provider.description["userinfo_endpoint"] = f"{provider.url}/userinfo"
    attempt = Attempt.begin(now=NOW)
    provider.gives(attempt)
    provider.answers["/userinfo"] = as_json({"sub": "8d2f"})
    provider.answers[path] = answer
    with pytest.raises(expected) as refused:
        client_of().complete({"code": "c", "state": attempt.state}, attempt, now=NOW)
    for never in ("s3cret", "<script>", attempt.code_verifier, attempt.nonce):
        assert never not in str(refused.value)


def test_userinfo_adds_to_the_token_and_never_overrules_it(provider: Provider, client_of: Callable[..., OidcClient]):
    provider.description["userinfo_endpoint"] = f"{provider.url}/userinfo"
    provider.answers["/userinfo"] = as_json({"sub": "8d2f", "name": "Usurper", "email": "amina@noisy.example"})
    found = log_in(client_of(), provider, name="Amina Benali")
    assert (found.display_name, found.email) == ("Amina Benali", "amina@noisy.example")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "state"),
        ({"code": "c"}, "state"),
        ({"error": "access_denied"}, "state"),  # who did not begin it cannot end it either
        ({"state": "OURS"}, "neither"),
        ({"state": "OURS", "error": "access_denied", "error_description": "<b>x"}, "access_denied"),
        ({"state": "OURS", "error": "<b>x"}, "no known error code"),
        ({"state": "OURS", "code": "c", "iss": "https://autre.example"}, "iss"),
    ],
)
def test_what_comes_back_wrongly_is_refused(
    provider: Provider, client_of: Callable[..., OidcClient], answer: dict[str, str], says: str
):
    attempt = Attempt.begin(now=NOW)
    provider.gives(attempt)
    told = {name: attempt.state if text == "OURS" else text for name, text in answer.items()}
    with pytest.raises(LoginRefusedError, match=says) as refused:
        client_of().complete(told, attempt, now=NOW)
    assert "<b>" not in str(refused.value)
    assert "/token" not in provider.asked


def test_a_provider_without_a_log_out_is_left_alone(provider: Provider, client_of: Callable[..., OidcClient]):
    assert client_of().logout_url(id_token="x", state="y") is None


def test_a_log_out_says_no_more_than_the_provider_needs(provider: Provider, client_of: Callable[..., OidcClient]):
    provider.description["end_session_endpoint"] = f"{provider.url}/end"
    client = client_of(post_logout_redirect_uri="https://voirie.noisy.example/au-revoir")
    for audience, also in (("voirie", set()), (["voirie"], {"client_id"})):
        found = log_in(client, provider, aud=audience)
        url = client.logout_url(id_token=found.id_token, state="s" * 43)
        assert url is not None
        assert set(parse_qs(urlsplit(url).query)) == {"id_token_hint", "post_logout_redirect_uri", "state"} | also
