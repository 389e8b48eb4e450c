"""Who has proved who they are gets a session, and goes where they wanted to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.cookies import SESSION, device_name
from api.metrics import LogIn
from api.options import ApiOptions
from api.pages.rendering import page
from api.state import state_of
from storage import accounts
from storage.database import Connection
from storage.login_failures import Refused
from storage.model import Role
from storage.teams import SHIFTS

_WITHIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z/_.-]{0,200}")
"""A page of ours, relative to the root: no scheme, no host, no way up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A session that was opened: its token, and how long the browser is to keep it."""

    token: str
    lasts_s: float


def open_session(
    request: Request,
    connection: Connection,
    account_id: UUID,
    *,
    now: datetime,
    id_token: str | None = None,
    device: str | None = None,
) -> Opened:
    """Open a session for who asks, in the place of the one that their browser had.

    With `id_token` they come from the provider. `device` is what they call the device now, otherwise it is what they
    called it the last time.
    """
    before = SESSION.of(request)
    if before is not None:
        accounts.end_token(connection, before)
    roles = frozenset(grant.role for grant in accounts.held(connection, account_id))
    options = state_of(request)["options"]
    lasts_s, idle_s = _lasts(options, roles)
    proof = timedelta(seconds=options.proof_s) if _works_in_shifts(roles) and options.proof_s else None
    token = accounts.open_session(
        connection, account_id, lasts=timedelta(seconds=lasts_s), idle=timedelta(seconds=idle_s),
        user_agent=request.headers.get("user-agent", ""), now=now, id_token=id_token,
        device=device or device_name(request), proof=proof,
    )  # fmt: skip
    return Opened(token=token, lasts_s=lasts_s)


def let_in(request: Request, opened: Opened, *, after: str) -> Response:
    """Return the answer that has the browser keep the session and go to `after`, relative to the root."""
    response = RedirectResponse(f"{root_of(request)}{after}" or "./", status_code=303)
    SESSION.give(request, response, opened.token, lasts_s=opened.lasts_s)
    return response


def sign_in_form(
    request: Request,
    *,
    status: int = 200,
    after: str = "",
    name: str = "",
    refused: Refused | None = None,
    provider_refused: str | None = None,
    device: str | None = None,
) -> HTMLResponse:
    """Return the page to log in, and why it did not work before."""
    return page(
        request, "sign_in.html", status=status, after=after, name=name, refused=refused,
        provider_refused=provider_refused, device=device or device_name(request) or "",
    )  # fmt: skip


def within(after: str) -> str:
    """Return `after` when it is a page of ours, relative to the root; otherwise the root itself."""
    return after if _WITHIN.fullmatch(after) and ".." not in after and "//" not in after else ""


def count(request: Request, outcome: LogIn | Refused) -> None:
    """Count what came of a try to log in."""
    if isinstance(outcome, Refused):
        outcome = LogIn.TOO_SOON if outcome.unlooked else LogIn.WRONG
    state_of(request)["metrics"].count_log_in(outcome)


def say_when(response: Response, refused: Refused) -> None:
    """Tell a client when the next try is looked at."""
    if refused.wait:
        response.headers["Retry-After"] = str(int(refused.wait.total_seconds()) + 1)


def address_of(request: Request) -> str:
    """Return the address that asks, as far as the proxies that are believed tell it."""
    return "" if request.client is None else request.client.host


def _lasts(options: ApiOptions, roles: frozenset[Role]) -> tuple[float, float]:
    """Return how long a session lasts, and how long without a request, seconds.

    On a round and on patrol there are dead spots: such a session lasts a shift, used or not. Who has another role too
    has the shorter times.
    """
    if _works_in_shifts(roles):
        return options.shift_s, options.shift_s
    return options.session_s, options.session_idle_s


def _works_in_shifts(roles: frozenset[Role]) -> bool:
    return bool(roles) and roles <= SHIFTS
