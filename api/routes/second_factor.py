"""The second factor: asked for after the password, and set up by its account."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import segno
import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import comes_from_our_pages, principal_of
from api.cookies import HALF
from api.forms import Form
from api.letting_in import Opened, address_of, count, let_in, open_session, say_when, within
from api.metrics import LogIn
from api.noting import note
from api.pages.rendering import page
from api.proving import proving
from api.state import state_of
from storage import accounts, one_time_codes, second_factors
from storage.errors import NotFoundError
from storage.login_failures import Refused

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)


@router.get("/connexion/code")
def second_step_page(request: Request, after: str = "") -> Response:
    """Return the page that asks for the code; without a log-in under way, lead to its beginning."""
    if HALF.of(request) is None:
        return _begin_again(request, within(after))
    return page(request, "second_step.html", after=within(after), refused=None)


@router.post("/connexion/code")
def second_step(request: Request, form: Form) -> Response:
    """Complete a log-in by a code or a recovery code."""
    if not comes_from_our_pages(request):
        raise HTTPException(403, "this did not come from a page of this server")
    after, half, now = within(form.get("after", "")), HALF.of(request), datetime.now(UTC)
    if half is None:
        return _begin_again(request, after)
    opened: Opened | None = None
    with state_of(request)["pool"].identity() as connection:
        proved = second_factors.prove(
            connection, half=half, code=form.get("code", ""), address=address_of(request), now=now
        )
        if proved is not None and not isinstance(proved, Refused):
            opened = open_session(request, connection, proved, now=now)
    if isinstance(proved, Refused):
        count(request, proved)
        log.warning("second_factor_refused", wait_s=int(proved.wait.total_seconds()))
        answer = page(request, "second_step.html", status=403, after=after, refused=proved)
        say_when(answer, proved)
        return answer
    if opened is None:
        return _begin_again(request, after)
    count(request, LogIn.ADMITTED)
    log.info("logged_in", account_id=str(proved), second_factor=True)
    response = let_in(request, opened, after=after)
    HALF.forget(request, response)
    return response


@router.post("/compte/second-facteur")
def begin_second_factor(request: Request, form: Form) -> Response:
    """Show a new secret to who gives their password again; it counts once a code of it was given."""
    who = principal_of(request)
    if who.account_id is None:
        raise HTTPException(403, "only a person has a second factor")
    now = datetime.now(UTC)
    with proving(request) as connection:
        account = accounts.one(connection, who.account_id)
        proved = accounts.prove(
            connection, name=account.name, password=form.get("password", ""), address=address_of(request), now=now
        )
        secret = second_factors.begin(connection, who.account_id, now=now) if proved == who.account_id else None
    if secret is None:
        answer = page(request, "second_factor.html", status=403, refused="password", secret=None, qr=None, codes=None)
        if isinstance(proved, Refused):
            say_when(answer, proved)
        return answer
    return _secret(request, secret, account.name)


@router.post("/compte/second-facteur/confirmation")
def confirm_second_factor(request: Request, form: Form) -> Response:
    """Have the second factor count from now on, and show the recovery codes, this once."""
    who = principal_of(request)
    if who.account_id is None or who.session_id is None:
        raise HTTPException(403, "only a person has a second factor")
    now = datetime.now(UTC)
    try:
        with state_of(request)["pool"].identity() as connection:
            account = accounts.one(connection, who.account_id)
            told = second_factors.confirm(
                connection, who.account_id, code=form.get("code", ""), session_id=who.session_id,
                address=address_of(request), now=now,
            )  # fmt: skip
            if isinstance(told, tuple):
                note(connection, who, "account.second_factor_set", f"account:{who.account_id}")
    except NotFoundError:
        return RedirectResponse(f"{root_of(request)}compte", status_code=303)
    if isinstance(told, Refused):
        answer = page(request, "second_factor.html", status=403, refused="wait", secret=None, qr=None, codes=None)
        say_when(answer, told)
        return answer
    if isinstance(told, str):
        return _secret(request, told, account.name, status=422, refused="code")
    log.info("second_factor_enrolled", account_id=str(who.account_id))
    return page(request, "second_factor.html", refused=None, secret=None, qr=None, codes=told)


def _secret(request: Request, secret: str, name: str, *, status: int = 200, refused: str | None = None) -> HTMLResponse:
    uri = one_time_codes.enrolment_uri(secret, account=name, issuer=f"Voirie {request.url.hostname or ''}".strip())
    drawn = segno.make(uri, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff")
    return page(request, "second_factor.html", status=status, refused=refused, secret=secret, qr=drawn, codes=None)


def _begin_again(request: Request, after: str) -> Response:
    response = RedirectResponse(f"{root_of(request)}connexion?after={quote(after, safe='/')}", status_code=303)
    HALF.forget(request, response)
    return response
