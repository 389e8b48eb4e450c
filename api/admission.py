"""Every request passes here: who asks, and whether the table of `api/access.py` lets them.

A person's cookie is sent by their browser whoever made it send; a request that changes something must therefore come
from our own pages (Sec-Fetch-Site, or Origin where a browser is old). A machine's key is sent on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote, unquote, urlsplit

import structlog
from fastapi import HTTPException, Request, Response

from api.access import ACCESS, PUBLIC
from api.errors import EnrolFirstError, LogInFirstError
from api.principal import EVERYBODY, VISITOR, Principal, Proof
from api.state import state_of
from storage import accounts, teams
from storage.model import Role

_PRINCIPAL = "voirie.principal"
_COOKIE = "voirie_session"
_HALF = "voirie_half"
_ATTEMPT = "voirie_attempt"
_DEVICE = "voirie_device"
_DEVICE_KEPT_S = 365 * 86400.0
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BEARER = {"WWW-Authenticate": "Bearer"}


def admit(request: Request) -> None:
    """Let the request through, or raise HTTPException 401 or 403; a page sends who has not logged in to do so."""
    route = request.scope["route"]
    access = ACCESS.get(route.name)
    needs_nobody = access is PUBLIC and not _has_cookie(request) and not state_of(request)["options"].open_to_all
    principal = VISITOR if needs_nobody else _counted(request)
    request.scope[_PRINCIPAL] = principal
    structlog.contextvars.bind_contextvars(proof=principal.proof.value)
    if access is None:
        raise HTTPException(403, "nobody was given this route")
    if principal.proof is Proof.SESSION and request.method not in _HARMLESS and not comes_from_our_pages(request):
        raise HTTPException(403, "this changes something and did not come from a page of this server")
    if access.public:
        return
    if not principal.is_known:
        if request.method == "GET" and not route.include_in_schema:
            raise LogInFirstError
        raise HTTPException(401, "log in, or send a key as `Authorization: Bearer …`", headers=_BEARER)
    if access.known:
        return
    if principal.must_enrol:
        if request.method == "GET" and not route.include_in_schema:
            raise EnrolFirstError
        raise HTTPException(403, "your role needs a second factor: set one up at /compte")
    commune_insee = request.path_params.get("commune_insee")
    if not access.lets(principal, commune_insee):
        where = "" if commune_insee is None else f" in commune {commune_insee}"
        needed = ", ".join(sorted(access.roles))
        raise HTTPException(403, f"this needs one of the roles {needed}{where}")


def principal_of(request: Request) -> Principal:
    """Return who asks; everybody who passed `admit` has one."""
    return cast("Principal", request.scope.get(_PRINCIPAL, VISITOR))


def comes_from_our_pages(request: Request) -> bool:
    """Whether the browser says that one of our own pages made it ask."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", " ")


def _counted(request: Request) -> Principal:
    """Return who asks, unless they ask too often: then raises RefusedRequestError 429."""
    principal = _who(request)
    if principal.counted_as is not None:
        state_of(request)["rates"].admit_account(principal.counted_as)
    return principal


def _who(request: Request) -> Principal:
    state = state_of(request)
    if state["options"].open_to_all:
        return EVERYBODY
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    token = session_token(request)
    if scheme.lower() != "bearer" and token is None:
        return VISITOR
    now = datetime.now(UTC)
    with state["pool"].identity() as connection:
        if scheme.lower() == "bearer":
            key = accounts.key_of(connection, secret.strip(), now=now)
            if key is None:
                raise HTTPException(401, "this key is unknown, over or revoked", headers=_BEARER)
            grants = {key.commune_insee: frozenset(key.roles)}
            return Principal(proof=Proof.KEY, name=key.name, grants=grants, key_prefix=key.prefix)
        who = accounts.session_of(connection, token or "", now=now)
        if who is None:
            return VISITOR
        granted: dict[str, frozenset[Role]] = {}
        for grant in accounts.held(connection, who.session.account_id):
            granted[grant.commune_insee] = granted.get(grant.commune_insee, frozenset()) | {grant.role}
    roles = frozenset[Role]().union(*granted.values())
    return Principal(
        proof=Proof.SESSION,
        name=who.display_name,
        grants=granted,
        account_id=who.session.account_id,
        session_id=who.session.session_id,
        # Who has no password here comes from the provider, which asks for what it asks for.
        must_enrol=(
            who.has_password and not who.has_second_factor and not roles.isdisjoint(state["options"].second_factor)
        ),
        has_password=who.has_password,
    )


# --- the cookie ------------------------------------------------------------------------------------------------------


def session_token(request: Request) -> str | None:
    """Return the session's token that the browser sent, if it did."""
    return request.cookies.get(_cookie_name(request, _COOKIE))


def give_session(request: Request, response: Response, token: str, *, lasts_s: float) -> None:
    """Have the browser keep `token`, out of the reach of scripts and of other sites.

    Only over TLS, except on the loopback, where nobody listens in between.
    """
    _give(request, response, _COOKIE, token, lasts_s=lasts_s)


def forget_session(request: Request, response: Response) -> None:
    """Have the browser forget its token."""
    _forget(request, response, _COOKIE)


def half_token(request: Request) -> str | None:
    """Return the token of a log-in that still owes its second factor, if the browser sent one."""
    return request.cookies.get(_cookie_name(request, _HALF))


def give_half(request: Request, response: Response, token: str, *, lasts_s: float) -> None:
    """Have the browser keep the token of a log-in that still owes its second factor, as `give_session` does."""
    _give(request, response, _HALF, token, lasts_s=lasts_s)


def forget_half(request: Request, response: Response) -> None:
    """Have the browser forget a log-in that owed its second factor."""
    _forget(request, response, _HALF)


def attempt_text(request: Request) -> str | None:
    """Return the record of a log-in under way at the provider, if the browser sent one."""
    return request.cookies.get(_cookie_name(request, _ATTEMPT))


def give_attempt(request: Request, response: Response, text: str, *, lasts_s: float) -> None:
    """Have the browser keep the record of a log-in at the provider, as `give_session` does."""
    _give(request, response, _ATTEMPT, text, lasts_s=lasts_s)


def forget_attempt(request: Request, response: Response) -> None:
    """Have the browser forget a log-in at the provider, whatever became of it."""
    _forget(request, response, _ATTEMPT)


def device_name(request: Request) -> str | None:
    """Return what the crew calls this device, as they once told its browser."""
    return teams.device_of(unquote(request.cookies.get(_cookie_name(request, _DEVICE), "")))


def give_device_name(request: Request, response: Response, name: str | None) -> None:
    """Have the browser remember what its device is called, for the next log-in; None forgets it."""
    if name is None:
        _forget(request, response, _DEVICE)
    else:
        _give(request, response, _DEVICE, quote(name, safe=""), lasts_s=_DEVICE_KEPT_S)


def _give(request: Request, response: Response, name: str, token: str, *, lasts_s: float) -> None:
    response.set_cookie(
        _cookie_name(request, name), token, max_age=int(lasts_s), path="/", secure=not _is_loopback(request),
        httponly=True, samesite="lax",
    )  # fmt: skip


def _forget(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(
        _cookie_name(request, name), path="/", secure=not _is_loopback(request), httponly=True, samesite="lax"
    )


def _has_cookie(request: Request) -> bool:
    return _cookie_name(request, _COOKIE) in request.cookies


def _cookie_name(request: Request, name: str) -> str:
    # Browsers take the prefix only with Secure, and then from no other host and over no plain line.
    return name if _is_loopback(request) else f"__Host-{name}"


def _is_loopback(request: Request) -> bool:
    return request.url.hostname in _LOOPBACK
