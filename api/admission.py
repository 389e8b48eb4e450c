"""Every request passes here: who asks, and whether the table of `api/access.py` lets them.

A person's cookie is sent by their browser whoever made it send; a request that changes something must therefore come
from our own pages (Sec-Fetch-Site, or Origin where a browser is old). A machine's key is sent on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import structlog
from fastapi import HTTPException, Request

from api.access import ACCESS, PROVED_FIRST, PUBLIC, WITHOUT_PROOF, Access
from api.cookies import PROOF, SESSION
from api.device_proof import Marks
from api.errors import EnrolFirstError, LogInFirstError, ProveFirstError
from api.principal import EVERYBODY, VISITOR, Principal, Proof
from api.state import state_of
from storage import accounts
from storage.model import Role

_PRINCIPAL = "voirie.principal"
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNDER_WAY = timedelta(seconds=20)
"""What a page asked for before its device was bound may still be on its way, without the proof."""
_BEARER = {"WWW-Authenticate": "Bearer"}


def admit(request: Request) -> None:
    """Let the request through, or raise HTTPException 401 or 403; a page sends who has not logged in to do so."""
    route = request.scope["route"]
    access = ACCESS.get(route.name)
    needs_nobody = access is PUBLIC and SESSION.of(request) is None and not state_of(request)["options"].open_to_all
    principal = VISITOR if needs_nobody else _on_its_device(request, _counted(request), access)
    request.scope[_PRINCIPAL] = principal
    structlog.contextvars.bind_contextvars(proof=principal.proof.value)
    if access is None:
        raise HTTPException(403, "nobody was given this route")
    if principal.proof is Proof.SESSION and request.method not in _HARMLESS and not comes_from_our_pages(request):
        raise HTTPException(403, "this changes something and did not come from a page of this server")
    if access.public:
        return
    if not principal.is_known:
        if _is_page(request):
            raise LogInFirstError
        raise HTTPException(401, "log in, or send a key as `Authorization: Bearer …`", headers=_BEARER)
    if not access.known:
        _require_role(request, principal, access)


def _on_its_device(request: Request, principal: Principal, access: Access | None) -> Principal:
    """Return who asks; while the session's device has to prove itself, a visitor. Raises ProveFirstError."""
    name = request.scope["route"].name
    if not principal.must_prove or name in WITHOUT_PROOF:
        return principal
    if access is not PUBLIC or name in PROVED_FIRST:
        raise ProveFirstError(is_page=_is_page(request))
    return VISITOR


def _require_role(request: Request, principal: Principal, access: Access) -> None:
    if principal.must_enrol:
        if _is_page(request):
            raise EnrolFirstError
        raise HTTPException(403, "your role needs a second factor: set one up at /compte")
    commune_insee = request.path_params.get("commune_insee")
    if not access.lets(principal, commune_insee):
        where = "" if commune_insee is None else f" in commune {commune_insee}"
        needed = ", ".join(sorted(access.roles))
        raise HTTPException(403, f"this needs one of the roles {needed}{where}")


def _is_page(request: Request) -> bool:
    return request.method == "GET" and not request.scope["route"].include_in_schema


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
    token = SESSION.of(request)
    if scheme.lower() != "bearer" and token is None:
        return VISITOR
    now = datetime.now(UTC)
    if scheme.lower() == "bearer":
        key = accounts.key_of(state["pool"], secret.strip(), now=now)
        if key is None:
            raise HTTPException(401, "this key is unknown, over or revoked", headers=_BEARER)
        grants = {key.commune_insee: frozenset(key.roles)}
        return Principal(proof=Proof.KEY, name=key.name, grants=grants, key_prefix=key.prefix)
    who = accounts.session_of(state["pool"], token or "", now=now)
    if who is None:
        return VISITOR
    must_prove = False
    if (binding := who.binding) is not None and not Marks(binding.secret).is_proved(PROOF.of(request), now=now):
        if binding.bound_at is None and now > who.session.opened_at + timedelta(seconds=binding.proof_s):
            return VISITOR  # its device never told a key: it is over
        must_prove = binding.bound_at is not None and now > binding.bound_at + _UNDER_WAY
    granted: dict[str, frozenset[Role]] = {}
    for grant in who.held:
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
        binding=who.binding,
        must_prove=must_prove,
    )
