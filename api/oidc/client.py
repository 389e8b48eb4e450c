"""The conversation with a provider: Authorization Code with PKCE, userinfo, and log-out (OpenID Connect Core 1.0).

Thread-safe. What the provider says about itself and its keys are kept for an hour, and asked for again before when a
token names a key that is not among them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc.jwk import KeySet

from api.oidc import identity, tokens
from api.oidc.attempts import Attempt
from api.oidc.errors import LoginRefusedError
from api.oidc.identity import Identity
from api.oidc.options import OidcOptions
from api.oidc.provider import Provider, discovery_url
from storage.errors import UnavailableError

_KEPT_S = 3600.0
_KEYS_AGAIN_S = 30.0
"""Whoever sends tokens with made-up key ids must not make us ask the provider at each."""
_LONGEST_ANSWER_BYTES = 262_144
_ERROR_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_")
_LONGEST_ERROR = 64


class OidcClient:
    """Begins and completes log-ins with the provider of `options`; `close` it."""

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        self._http = httpx.Client(timeout=options.timeout_s, follow_redirects=False)
        self._lock = Lock()
        self._provider: tuple[float, Provider] | None = None
        self._keys: tuple[float, KeySet] | None = None

    @property
    def patience_s(self) -> int:
        """How long somebody may take at the provider."""
        return self._options.patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def provider(self) -> Provider:
        """Return what the provider says about itself.

        Raises UnavailableError when it does not answer, and SettingsError when it is not the one of the settings or
        offers less than is safe.
        """
        with self._lock:
            if self._provider is None or time.monotonic() - self._provider[0] > _KEPT_S:
                document = self._document(discovery_url(self._options.issuer))
                self._provider = (time.monotonic(), Provider.read(document, issuer=self._options.issuer))
            return self._provider[1]

    def authorization_url(self, attempt: Attempt) -> str:
        """Return where the browser goes to begin `attempt` (section 3.1.2.1). Raises as `provider` does."""
        provider, options = self.provider(), self._options
        parameters = {
            "response_type": "code",
            "client_id": options.client_id,
            "redirect_uri": options.redirect_uri,
            "scope": " ".join(options.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.code_challenge,
            "code_challenge_method": "S256",
        }
        if options.acr_values and provider.reads_claims_parameter:
            wanted = {"id_token": {"acr": {"essential": True, "values": list(options.acr_values)}}}
            parameters["claims"] = json.dumps(wanted, separators=(",", ":"))
        elif options.acr_values:
            parameters["acr_values"] = " ".join(options.acr_values)
        return _with_query(provider.authorization_endpoint, parameters)

    def complete(self, answer: Mapping[str, str], attempt: Attempt, *, now: datetime) -> Identity:
        """Return who came back with the query parameters `answer` to `attempt`, at `now` (UTC).

        Raises LoginRefusedError when the answer is not to this attempt or the provider said no, UnavailableError when
        the provider does not answer or does not take us for its client. An attempt must be forgotten by the caller
        before it is completed: a second time with it would be a replay.
        """
        options = self._options
        attempt.check(state=answer.get("state", ""), now=now, patience=timedelta(seconds=options.patience_s))
        provider = self.provider()
        # RFC 9207: another provider's answer, sent to us to have its code tried here.
        named = answer.get("iss")
        if named != provider.issuer and (named is not None or provider.names_itself_in_answers):
            raise LoginRefusedError("the answer is not from the provider that was asked (iss)")
        if "error" in answer:
            raise LoginRefusedError(f"the provider refused the log-in: {_error_code(answer['error'])}")
        code = answer.get("code")
        if not code:
            raise LoginRefusedError("the provider's answer has neither a code nor an error")
        access_token, id_token = self._exchange(provider, code, attempt)
        claims = self._trusting_new_keys(
            lambda keys: tokens.check_id_token(
                id_token, keys=keys, options=options, nonce=attempt.nonce, access_token=access_token, now=now
            )
        )
        told = self._userinfo(provider, access_token, subject=claims["sub"])
        # What the signed token says prevails.
        return self._identity({**told, **claims}, id_token=id_token, now=now)

    def logout_url(self, *, id_token: str, state: str) -> str | None:
        """Return where the browser goes to end the provider's session, None when the provider offers no such thing.

        It comes back to `post_logout_redirect_uri` with `state` (OpenID Connect RP-Initiated Logout 1.0). Our own
        session is to be ended before: nothing says that anybody comes back.
        """
        endpoint = self.provider().end_session_endpoint
        if endpoint is None:
            return None
        parameters = {"id_token_hint": id_token}
        # A token with a list of audiences leaves open which of them asks. Otherwise the token says it, and ProConnect
        # refuses parameters that it does not expect.
        if isinstance(tokens.unverified(id_token).get("aud"), list):
            parameters["client_id"] = self._options.client_id
        if self._options.post_logout_redirect_uri is not None:
            parameters |= {"post_logout_redirect_uri": self._options.post_logout_redirect_uri, "state": state}
        return _with_query(endpoint, parameters)

    def _exchange(self, provider: Provider, code: str, attempt: Attempt) -> tuple[str, str]:
        """Return the access token and the id token that `code` is worth (section 3.1.3)."""
        options = self._options
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": options.redirect_uri,
            "code_verifier": attempt.code_verifier,
        }
        basic: httpx.BasicAuth | None = None
        if options.client_authentication == "client_secret_post":
            form |= {"client_id": options.client_id, "client_secret": options.client_secret}
        else:
            # RFC 6749, section 2.3.1: form-encoded before they are joined, so that a colon in them does no harm.
            basic = httpx.BasicAuth(quote_plus(options.client_id), quote_plus(options.client_secret))
        request = self._http.build_request(
            "POST", provider.token_endpoint, data=form, headers={"Accept": "application/json"}
        )
        status, _, body = self._ask(request, basic)
        document = _json(body)
        if status in {400, 401, 403}:
            error = _error_code(document.get("error"))
            if error in {"invalid_client", "unauthorized_client"} or status != httpx.codes.BAD_REQUEST:
                raise UnavailableError(
                    f"the identity provider does not take us for its client ({error}): look at oidc.client_id, its "
                    "secret, and oidc.client_authentication"
                )
            raise LoginRefusedError(f"the provider did not take the code: {error}")
        access_token, id_token = document.get("access_token"), document.get("id_token")
        if status != httpx.codes.OK or not isinstance(access_token, str) or not isinstance(id_token, str):
            raise UnavailableError(f"the identity provider answered {status} without tokens at its token endpoint")
        if str(document.get("token_type", "")).lower() != "bearer":
            raise UnavailableError("the identity provider gave a token that is not of type Bearer")
        return access_token, id_token

    def _userinfo(self, provider: Provider, access_token: str, *, subject: str) -> dict[str, Any]:
        """Return what the userinfo endpoint says about `subject` (section 5.3), nothing when there is none."""
        if provider.userinfo_endpoint is None:
            return {}
        request = self._http.build_request(
            "GET", provider.userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"}
        )
        status, media_type, body = self._ask(request, None)
        if status != httpx.codes.OK:
            raise UnavailableError(f"the identity provider answered {status} at its userinfo endpoint")
        signed = media_type == "application/jwt"
        if signed:
            token = body.decode("ascii", errors="replace").strip()
            claims = self._trusting_new_keys(lambda keys: tokens.verified(token, keys=keys, options=self._options)[1])
        else:
            claims = _json(body)
        tokens.check_userinfo(claims, subject=subject, options=self._options, signed=signed)
        return claims

    def _identity(self, claims: dict[str, Any], *, id_token: str, now: datetime) -> Identity:
        options = self._options
        at = claims.get("auth_time")
        if not isinstance(at, int | float) or not 0 < at <= now.timestamp():
            at = now.timestamp()
        acr = claims.get("acr")
        return Identity(
            issuer=options.issuer,
            subject=claims["sub"],
            display_name=identity.display_name(claims, options.name_claims),
            email=identity.email(claims),
            acr=acr if isinstance(acr, str) else None,
            authenticated_at=datetime.fromtimestamp(at, UTC),
            grants=identity.granted(claims, options.rules),
            id_token=id_token,
        )

    def _trusting_new_keys(self, check: Callable[[KeySet], dict[str, Any]]) -> dict[str, Any]:
        try:
            return check(self._key_set(_KEPT_S))
        except tokens.UnknownKeyError:
            return check(self._key_set(_KEYS_AGAIN_S))

    def _key_set(self, oldest_s: float) -> KeySet:
        """Return the provider's keys, as they were at most `oldest_s` ago."""
        jwks_uri = self.provider().jwks_uri
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys[0] > oldest_s:
                self._keys = (time.monotonic(), tokens.read_keys(self._document(jwks_uri)))
            return self._keys[1]

    def _document(self, url: str) -> dict[str, Any]:
        status, _, body = self._ask(self._http.build_request("GET", url), None)
        document = _json(body)
        if status != httpx.codes.OK or not document:
            raise UnavailableError(f"the identity provider answered {status} at {url}, expected a JSON object")
        return document

    def _ask(self, request: httpx.Request, basic: httpx.BasicAuth | None) -> tuple[int, str, bytes]:
        """Return the status, the media type and the bounded body of an answer."""
        body = bytearray()
        try:
            response = self._http.send(request, auth=basic, stream=True)
            try:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _LONGEST_ANSWER_BYTES:
                        raise UnavailableError(f"the identity provider's answer at {_place(request)} is too long")
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the identity provider does not answer at {_place(request)}: {type(error).__name__}"
            ) from error
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return response.status_code, media_type, bytes(body)


def _place(request: httpx.Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}{request.url.path}"


def _json(body: bytes) -> dict[str, Any]:
    """Return the JSON object of `body`, an empty one when it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _error_code(told: object) -> str:
    """Return an error code of the protocol; anything else that a provider or a browser sends is not repeated."""
    if isinstance(told, str) and 0 < len(told) <= _LONGEST_ERROR and set(told) <= _ERROR_LETTERS:
        return told
    return "no known error code"


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}"
