"""Logging in and out, and a person's own account."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import comes_from_our_pages, forget_session, give_session, principal_of
from api.options import ApiOptions
from api.pages.rendering import page
from api.pages.screens import ROLE_NAMES
from api.principal import Principal
from api.state import state_of
from storage import accounts, passwords
from storage.database import Connection
from storage.errors import UnavailableError
from storage.model import Role

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

_AT_ONCE = threading.BoundedSemaphore(2)
"""Argon2id takes 64 MiB and some tenths of a second for each try, by design."""
_WAITING = threading.BoundedSemaphore(8)
"""Who waits holds one of the threads that serve all requests: of a flood most are sent away."""
_WITHIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z/_.-]{0,200}")
"""A page of ours, relative to the root: no scheme, no host, no way up."""
_SHIFTS = frozenset({Role.DRIVER, Role.OFFICER})
_MOST_FIELDS = 20


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form (`application/x-www-form-urlencoded`); of a repeated one the last."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "expected application/x-www-form-urlencoded")
    try:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "expected a form in UTF-8 with few fields") from error
    return {name: values[-1] for name, values in fields.items()}


@contextmanager
def _proving(request: Request) -> Iterator[Connection]:
    """Yield a transaction in which a password may be looked at. Raises UnavailableError in a flood of log-ins."""
    if not _WAITING.acquire(blocking=False):
        raise UnavailableError("too many log-ins at once; try again in a moment")
    try:
        with _AT_ONCE, state_of(request)["pool"].identity() as connection:
            yield connection
    finally:
        _WAITING.release()


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


Form = Annotated[dict[str, str], Depends(_form)]


@router.get("/connexion")
def sign_in_page(request: Request, after: str = "") -> HTMLResponse:
    """Return the page to log in; `after` is where to go then, relative to the root."""
    return page(request, "sign_in.html", after=_within(after), name="", refused=None)


@router.post("/connexion")
def sign_in(request: Request, form: Form) -> Response:
    """Log in by name and password."""
    if not comes_from_our_pages(request):
        raise HTTPException(403, "this did not come from a page of this server")
    state = state_of(request)
    now = datetime.now(UTC)
    name, after = form.get("name", ""), _within(form.get("after", ""))
    with _proving(request) as connection:
        proved = accounts.prove(
            connection, name=name, password=form.get("password", ""), address=_address(request), now=now
        )
        if isinstance(proved, accounts.Refused):
            token, lasts_s = "", 0.0
        else:
            options = state["options"]
            roles = frozenset(grant.role for grant in accounts.grants(connection, proved))
            lasts_s, idle_s = _lasts(options, roles)
            token = accounts.open_session(
                connection, proved, lasts=timedelta(seconds=lasts_s), idle=timedelta(seconds=idle_s),
                user_agent=request.headers.get("user-agent", ""), now=now,
            )  # fmt: skip
    if isinstance(proved, accounts.Refused):
        log.warning("login_refused", wait_s=int(proved.wait.total_seconds()))
        answer = page(request, "sign_in.html", status=403, after=after, name=name, refused=proved)
        if proved.wait:
            answer.headers["Retry-After"] = str(int(proved.wait.total_seconds()) + 1)
        return answer
    log.info("logged_in", account_id=str(proved))
    response = RedirectResponse(f"{root_of(request)}{after}" or "./", status_code=303)
    give_session(request, response, token, lasts_s=lasts_s)
    return response


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
    with _proving(request) as connection:
        account = accounts.one(connection, who.account_id)
        proved = accounts.prove(
            connection, name=account.name, password=form.get("password", ""), address=_address(request),
            now=datetime.now(UTC),
        )  # fmt: skip
        if proved != who.account_id:
            refused = "wrong"
        elif not passwords.is_admitted(new, name=account.name):
            refused = "weak"
        else:
            accounts.set_password(connection, account, new)
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
    open_sessions = []
    if who.account_id is not None:
        with state_of(request)["pool"].identity() as connection:
            open_sessions = accounts.sessions(connection, who.account_id, now=datetime.now(UTC))
    return page(
        request, "account.html", status=status, who=who, sessions=open_sessions, refused=refused, role_names=ROLE_NAMES,
        shortest=passwords.SHORTEST,
    )  # fmt: skip


def _within(after: str) -> str:
    return after if _WITHIN.fullmatch(after) and ".." not in after and "//" not in after else ""


def _lasts(options: ApiOptions, roles: frozenset[Role]) -> tuple[float, float]:
    """Return how long a session lasts, and how long without a request, seconds.

    On a round and on patrol there are dead spots: such a session lasts a shift, used or not. Who has another role too
    has the shorter times.
    """
    if roles and roles <= _SHIFTS:
        return options.shift_s, options.shift_s
    return options.session_s, options.session_idle_s
