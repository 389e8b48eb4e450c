"""Logging in by the town's identity provider: the way there, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.cookies import ATTEMPT
from api.letting_in import count, let_in, open_session, sign_in_form, within
from api.metrics import LogIn
from api.oidc import Attempt, Identity, LoginRefusedError, OidcClient
from api.state import state_of
from storage import identities
from storage.errors import NotFoundError, SettingsError, UnavailableError
from storage.model import Grant, Role

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)


@router.get("/connexion/fournisseur")
def begin_at_provider(request: Request, after: str = "") -> Response:
    """Lead to the provider's log-in; `after` is where to go then, relative to the root."""
    provider = _provider(request)
    now = datetime.now(UTC)
    attempt = Attempt.begin(now=now, return_path=f"/{within(after)}")
    try:
        url = provider.authorization_url(attempt)
    except (UnavailableError, SettingsError) as error:
        log.warning("provider_unavailable", error=str(error))
        return _refused(request, "away", status=503)
    response = RedirectResponse(url, status_code=303)
    ATTEMPT.give(request, response, attempt.to_text(), lasts_s=provider.patience_s)
    return response


@router.get("/connexion/retour")
def come_back_from_provider(request: Request) -> Response:
    """Let in who the provider says has come back, with what its claims grant."""
    provider = _provider(request)
    try:
        found = _identity(request, provider)
    except LoginRefusedError as error:
        log.warning("provider_log_in_refused", reason=str(error))
        return _refused(request, "refused", status=403)
    except (UnavailableError, SettingsError) as error:
        log.warning("provider_unavailable", error=str(error))
        return _refused(request, "away", status=503)
    identity, after = found
    told = identities.Told(
        issuer=identity.issuer,
        subject=identity.subject,
        display_name=identity.display_name,
        email=identity.email,
        grants={Grant(commune_insee=one.commune_insee, role=Role(one.role)) for one in identity.grants},
    )
    now = datetime.now(UTC)
    with state_of(request)["pool"].identity() as connection:
        account_id = identities.log_in(connection, told, now=now)
        opened = None
        if account_id is not None:
            opened = open_session(request, connection, account_id, now=now, id_token=identity.id_token)
    if opened is None:
        log.warning("provider_log_in_refused", reason="the account is disabled")
        return _refused(request, "disabled", status=403)
    count(request, LogIn.ADMITTED)
    log.info("logged_in", account_id=str(account_id), provider=True)
    response = let_in(request, opened, after=after)
    ATTEMPT.forget(request, response)
    return response


def _provider(request: Request) -> OidcClient:
    provider = state_of(request)["provider"]
    if provider is None:
        raise NotFoundError("this server has no identity provider: log in at /connexion")
    return provider


def _identity(request: Request, provider: OidcClient) -> tuple[Identity, str]:
    kept = ATTEMPT.of(request)
    if kept is None:
        raise LoginRefusedError("the browser has no record of having begun")
    attempt = Attempt.from_text(kept)
    identity = provider.complete(dict(request.query_params), attempt, now=datetime.now(UTC))
    return identity, within(attempt.return_path.removeprefix("/"))


def _refused(request: Request, why: str, *, status: int) -> Response:
    count(request, LogIn.AWAY if why == "away" else LogIn.REFUSED)
    answer = sign_in_form(request, status=status, provider_refused=why)
    ATTEMPT.forget(request, answer)
    return answer
