"""Logging in and out, and a person's own account."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import comes_from_our_pages, forget_session, give_half, principal_of
from api.forms import Form
from api.letting_in import Opened, address_of, let_in, open_session, say_when, within
from api.noting import note
from api.pages.rendering import page
from api.pages.screens import ROLE_NAMES
from api.principal import Principal
from api.proving import proving
from api.state import state_of
from storage import accounts, passwords, second_factors
from storage.login_failures import Refused

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)


@router.get("/connexion")
def sign_in_page(request: Request, after: str = "") -> HTMLResponse:
    """Return the page to log in; `after` is where to go then, relative to the root."""
    return page(request, "sign_in.html", after=within(after), name="", refused=None)


@router.post("/connexion")
def sign_in(request: Request, form: Form) -> Response:
    """Log in by name and password."""
    if not comes_from_our_pages(request):
        raise HTTPException(403, "this did not come from a page of this server")
    now = datetime.now(UTC)
    name, after = form.get("name", ""), within(form.get("after", ""))
    opened: Opened | str = ""
    with proving(request) as connection:
        proved = accounts.prove(
            connection, name=name, password=form.get("password", ""), address=address_of(request), now=now
        )
        if not isinstance(proved, Refused):
            if second_factors.of(connection, proved) is None:
                opened = open_session(request, connection, proved, now=now)
            else:
                opened = second_factors.open_half(connection, proved, now=now)
    if isinstance(proved, Refused):
        log.warning("login_refused", wait_s=int(proved.wait.total_seconds()))
        answer = page(request, "sign_in.html", status=403, after=after, name=name, refused=proved)
        say_when(answer, proved)
        return answer
    if isinstance(opened, str):
        response = RedirectResponse(f"connexion/code?after={quote(after, safe='/')}", status_code=303)
        give_half(request, response, opened, lasts_s=second_factors.HALF_LASTS.total_seconds())
        return response
    log.info("logged_in", account_id=str(proved))
    return let_in(request, opened, after=after)


@router.post("/deconnexion")
def sign_out(request: Request) -> Response:
    """End the session."""
    who = principal_of(request)
    if who.account_id is not None and who.session_id is not None:
        with state_of(request)["pool"].identity() as connection:
            accounts.end_session(connection, who.account_id, who.session_id)
    response = RedirectResponse(f"{root_of(request)}connexion", status_code=303)
    forget_session(request, response)
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
    forget_session(request, response)
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
        shortest=passwords.SHORTEST, second_factor=second_factor,
    )  # fmt: skip
