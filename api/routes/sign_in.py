"""Logging in and out, and a person's own account."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import comes_from_our_pages, principal_of
from api.cookies import HALF, PROOF, SESSION, device_name, give_device_name
from api.forms import Form
from api.letting_in import Opened, address_of, count, let_in, open_session, say_when, sign_in_form, within
from api.metrics import LogIn
from api.noting import note
from api.oidc import LoginRefusedError
from api.pages.rendering import page
from api.pages.screens import ROLE_NAMES
from api.principal import VISITOR, Principal
from api.proving import proving
from api.state import state_of
from storage import accounts, identities, passwords, second_factors
from storage.errors import SettingsError, UnavailableError
from storage.login_failures import Refused
from storage.model import Role
from storage.teams import device_of

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

_NOTHING_KEPT = '"cache", "storage"'
"""An officer's phone keeps nothing of the shift, whatever a page or the browser put by."""


@router.get("/connexion")
def sign_in_page(request: Request, after: str = "") -> HTMLResponse:
    """Return the page to log in; `after` is where to go then, relative to the root."""
    return sign_in_form(request, after=within(after))


@router.post("/connexion")
def sign_in(request: Request, form: Form) -> Response:
    """Log in by name and password."""
    if not comes_from_our_pages(request):
        raise HTTPException(403, "this did not come from a page of this server")
    now = datetime.now(UTC)
    name, after = form.get("name", ""), within(form.get("after", ""))
    device = device_of(form.get("device", ""))
    opened: Opened | str = ""
    with proving(request) as connection:
        proved = accounts.prove(
            connection, name=name, password=form.get("password", ""), address=address_of(request), now=now
        )
        if not isinstance(proved, Refused):
            if second_factors.of(connection, proved) is None:
                opened = open_session(request, connection, proved, now=now, device=device)
            else:
                opened = second_factors.open_half(connection, proved, now=now)
    if isinstance(proved, Refused):
        count(request, proved)
        log.warning("login_refused", wait_s=int(proved.wait.total_seconds()))
        answer = sign_in_form(request, status=403, after=after, name=name, refused=proved, device=device)
        say_when(answer, proved)
        return answer
    response: Response
    if isinstance(opened, str):
        count(request, LogIn.HALF)
        response = RedirectResponse(f"connexion/code?after={quote(after, safe='/')}", status_code=303)
        HALF.give(request, response, opened, lasts_s=second_factors.HALF_LASTS.total_seconds())
    else:
        count(request, LogIn.ADMITTED)
        log.info("logged_in", account_id=str(proved))
        response = let_in(request, opened, after=after)
    if "device" in form:
        give_device_name(request, response, device)
    return response


@router.post("/deconnexion")
def sign_out(request: Request) -> Response:
    """End the session; who came from the provider is led there, to end the one there too."""
    who = principal_of(request)
    id_token = None
    if who.account_id is not None and who.session_id is not None:
        with state_of(request)["pool"].identity() as connection:
            id_token = identities.id_token(connection, who.account_id, who.session_id)
            accounts.end_session(connection, who.account_id, who.session_id)
    there = None if id_token is None else _end_at_provider(request, id_token)
    response: Response
    if there is None:
        response = RedirectResponse(f"{root_of(request)}connexion", status_code=303)
    else:
        # A page, since browsers let no form lead to another site, not even by a redirect (form-action).
        response = page(request, "signed_out.html", there=there, who=VISITOR)
    for cookie in (SESSION, PROOF):
        cookie.forget(request, response)
    if Role.OFFICER in who.roles:
        response.headers["Clear-Site-Data"] = _NOTHING_KEPT
    return response


@router.get("/compte")
def account_page(request: Request) -> HTMLResponse:
    """Return what an account may do, and where it is logged in."""
    return _account(request, principal_of(request))


@router.post("/compte/mot-de-passe")
def change_password(request: Request, form: Form) -> Response:
    """Take another password; every session of the account ends, this one too."""
    who = principal_of(request)
    if who.account_id is None:
        raise HTTPException(403, "only a person has a password")
    new = form.get("new_password", "")
    refused = None
    with proving(request) as connection:
        account = accounts.one(connection, who.account_id)
        proved = accounts.prove(
            connection, name=account.name, password=form.get("password", ""), address=address_of(request),
            now=datetime.now(UTC),
        )  # fmt: skip
        if proved != who.account_id:
            refused = "wrong"
        elif not passwords.is_admitted(new, name=account.name):
            refused = "weak"
        else:
            accounts.set_password(connection, account, new)
            note(connection, who, "account.password_changed", f"account:{who.account_id}")
    if refused is not None:
        return _account(request, who, status=403 if refused == "wrong" else 422, refused=refused)
    response = RedirectResponse(f"{root_of(request)}connexion", status_code=303)
    for cookie in (SESSION, PROOF):
        cookie.forget(request, response)
    return response


@router.post("/compte/appareil")
def name_device(request: Request, form: Form) -> Response:
    """Say what this device is called, for this session and the next ones here."""
    who, device = principal_of(request), device_of(form.get("device", ""))
    if who.account_id is not None and who.session_id is not None:
        with state_of(request)["pool"].identity() as connection:
            accounts.name_device(connection, who.account_id, who.session_id, device)
    response = RedirectResponse(f"{root_of(request)}compte", status_code=303)
    give_device_name(request, response, device)
    return response


@router.post("/compte/sessions/{session_id}/fin")
def end_own_session(request: Request, session_id: UUID) -> Response:
    """End one session of the account that asks."""
    who = principal_of(request)
    if who.account_id is not None:
        with state_of(request)["pool"].identity() as connection:
            accounts.end_session(connection, who.account_id, session_id)
    return RedirectResponse(f"{root_of(request)}compte", status_code=303)


def _account(request: Request, who: Principal, *, status: int = 200, refused: str | None = None) -> HTMLResponse:
    open_sessions, second_factor = [], None
    if who.account_id is not None:
        with state_of(request)["pool"].identity() as connection:
            open_sessions = accounts.sessions(connection, who.account_id, now=datetime.now(UTC))
            second_factor = second_factors.of(connection, who.account_id)
    return page(
        request, "account.html", status=status, who=who, sessions=open_sessions, refused=refused, role_names=ROLE_NAMES,
        shortest=passwords.SHORTEST, second_factor=second_factor, device=device_name(request),
    )  # fmt: skip


def _end_at_provider(request: Request, id_token: str) -> str | None:
    """Return where the provider ends its own session, None when it has no such place or is away."""
    provider = state_of(request)["provider"]
    if provider is None:
        return None
    try:
        return provider.logout_url(id_token=id_token, state=secrets.token_urlsafe(32))
    except (UnavailableError, SettingsError, LoginRefusedError) as error:
        log.warning("provider_unavailable", error=str(error))
        return None
