"""The administrator's pages: accounts of the communes that they administer, and keys for machines there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import principal_of
from api.forms import Form
from api.noting import note
from api.pages.rendering import page
from api.pages.screens import ROLE_NAMES
from api.principal import Principal
from api.state import state_of
from storage import accounts, administered, communes, passwords, second_factors
from storage.administered import Administered
from storage.database import Connection
from storage.errors import ConflictError, InputError, NotFoundError
from storage.model import Commune, Grant, Role

router = APIRouter(include_in_schema=False)

_DAYS = 90
_MOST_DAYS = 730


@dataclass(frozen=True, kw_only=True, slots=True)
class _Administering:
    """Who administers which communes, in a transaction that may change who may do what there."""

    who: Principal
    connection: Connection
    communes: tuple[Commune, ...]
    now: datetime

    @property
    def codes(self) -> list[str]:
        return [commune.commune_insee for commune in self.communes]

    def commune(self, told: str) -> str:
        """Return a commune that a form names. Raises HTTPException 403 when it is none of theirs."""
        if told not in self.codes:
            raise HTTPException(403, "you do not administer this commune")
        return told

    def account(self, account_id: UUID, *, whole: bool = False) -> Administered:
        """Return an account that they see; `whole`: to do what counts in every commune in which it has a role."""
        found = administered.one(self.connection, self.codes, account_id, now=self.now)
        if whole and not found.is_theirs(self.codes):
            raise HTTPException(403, "this account has roles in communes that you do not administer")
        return found

    def note(self, account_id: UUID, act: str) -> None:
        note(self.connection, self.who, act, f"account:{account_id}")

    def note_there(self, account_id: UUID, act: str, grant: Grant) -> None:
        note(
            self.connection, self.who, act, f"account:{account_id}", commune_insee=grant.commune_insee,
            role=grant.role.value,
        )  # fmt: skip


@contextmanager
def _administering(request: Request) -> Iterator[_Administering]:
    who, pool = principal_of(request), state_of(request)["pool"]
    with pool.transaction([]) as connection:
        served = communes.served(connection)
    theirs = tuple(one for one in served if Role.ADMINISTRATOR in who.roles_in(one.commune_insee))
    with pool.identity([one.commune_insee for one in theirs]) as connection:
        yield _Administering(who=who, connection=connection, communes=theirs, now=datetime.now(UTC))


# --- accounts --------------------------------------------------------------------------------------------------------


@router.get("/comptes")
def accounts_page(request: Request) -> HTMLResponse:
    """Return the accounts that have a role in one's communes, and those that have none yet."""
    return _list(request)


@router.post("/comptes")
def add_account(request: Request, form: Form) -> Response:
    """Make an account with a role; its password is shown once."""
    password = passwords.made()
    try:
        with _administering(request) as here:
            given = Grant(commune_insee=here.commune(form.get("commune", "")), role=_role(form))
            name = form.get("name", "")
            made = accounts.add(
                here.connection, name=name, display_name=form.get("display_name", "").strip() or name, password=password
            )
            here.note(made.account_id, "account.added")
            accounts.grant(here.connection, made.account_id, given)
            here.note_there(made.account_id, "account.granted", given)
    except InputError as error:
        return _list(request, status=422, refused="taken" if isinstance(error, ConflictError) else "invalid")
    return _one(request, made.account_id, password=password)


@router.get("/comptes/{account_id}")
def one_account(request: Request, account_id: UUID) -> HTMLResponse:
    """Return what an account may do in one's communes, and how it logs in."""
    return _one(request, account_id)


@router.post("/comptes/{account_id}/roles")
def grant_role(request: Request, account_id: UUID, form: Form) -> Response:
    """Grant a role in one of one's communes."""
    with _administering(request) as here:
        account = here.account(account_id)
        given = Grant(commune_insee=here.commune(form.get("commune", "")), role=_role(form))
        accounts.grant(here.connection, account.account_id, given)
        here.note_there(account_id, "account.granted", given)
    return _back(request, account_id)


@router.post("/comptes/{account_id}/roles/retrait")
def withdraw_role(request: Request, account_id: UUID, form: Form) -> Response:
    """Take a role back; it counts from the account's next request."""
    with _administering(request) as here:
        account = here.account(account_id)
        taken = Grant(commune_insee=here.commune(form.get("commune", "")), role=_role(form))
        if account_id == here.who.account_id and taken.role is Role.ADMINISTRATOR:
            raise HTTPException(409, "nobody takes their own administrator's role: another administrator does")
        accounts.withdraw(here.connection, account.account_id, taken)
        here.note_there(account_id, "account.withdrawn", taken)
    return _back(request, account_id)


@router.post("/comptes/{account_id}/mot-de-passe")
def reset_account(request: Request, account_id: UUID) -> Response:
    """Give an account another password, shown once; its sessions end."""
    password = passwords.made()
    with _administering(request) as here:
        if not here.account(account_id, whole=True).has_password:
            raise HTTPException(409, "this account logs in at the identity provider: it has no password here")
        accounts.set_password(here.connection, accounts.one(here.connection, account_id), password)
        here.note(account_id, "account.reset")
    if account_id == principal_of(request).account_id:
        return RedirectResponse(f"{root_of(request)}connexion", status_code=303)
    return _one(request, account_id, password=password)


@router.post("/comptes/{account_id}/second-facteur/retrait")
def remove_second_factor(request: Request, account_id: UUID) -> Response:
    """Take an account's second factor away: a lost phone; its sessions end."""
    with _administering(request) as here:
        here.account(account_id, whole=True)
        if account_id == here.who.account_id:
            raise HTTPException(409, "nobody takes their own second factor away: another administrator does")
        second_factors.remove(here.connection, account_id)
        here.note(account_id, "account.second_factor_removed")
    return _back(request, account_id)


@router.post("/comptes/{account_id}/sessions/fin")
def end_account_sessions(request: Request, account_id: UUID) -> Response:
    """Log an account out everywhere, at once."""
    with _administering(request) as here:
        here.account(account_id)
        accounts.end_sessions(here.connection, account_id)
        here.note(account_id, "account.sessions_ended")
    return _back(request, account_id)


@router.post("/comptes/{account_id}/etat")
def disable_account(request: Request, account_id: UUID, form: Form) -> Response:
    """Keep an account from logging in and its sessions from going on, or let it in again."""
    disabled = form.get("disabled") == "yes"
    with _administering(request) as here:
        here.account(account_id, whole=True)
        if account_id == here.who.account_id:
            raise HTTPException(409, "nobody disables their own account: another administrator does")
        accounts.disable(here.connection, account_id, disabled=disabled)
        here.note(account_id, "account.disabled" if disabled else "account.enabled")
    return _back(request, account_id)


# --- keys ------------------------------------------------------------------------------------------------------------


@router.get("/cles")
def keys_page(request: Request) -> HTMLResponse:
    """Return the keys of one's communes, never the keys themselves."""
    return _keys(request)


@router.post("/cles")
def add_key(request: Request, form: Form) -> Response:
    """Make a key for a machine: a commune, a role, an end; it is shown once."""
    try:
        days = int(form.get("days", ""))
    except ValueError:
        days = 0
    if not 1 <= days <= _MOST_DAYS:
        return _keys(request, status=422, refused=True)
    try:
        with _administering(request) as here:
            made, secret = accounts.add_key(
                here.connection, name=form.get("name", "").strip(), commune_insee=here.commune(form.get("commune", "")),
                roles=[_role(form)], expires_at=here.now + timedelta(days=days),
            )  # fmt: skip
            note(
                here.connection, here.who, "key.added", f"key:{made.prefix}", commune_insee=made.commune_insee,
                roles=[role.value for role in made.roles],
            )  # fmt: skip
    except InputError:
        return _keys(request, status=422, refused=True)
    return _keys(request, secret=secret)


@router.post("/cles/{prefix}/fin")
def revoke_key(request: Request, prefix: str) -> Response:
    """End a key at once."""
    with _administering(request) as here:
        theirs = {key.prefix for insee in here.codes for key in accounts.keys(here.connection, insee)}
        if prefix not in theirs:
            raise NotFoundError("there is no such key in the communes that you administer")
        revoked = accounts.revoke_key(here.connection, prefix)
        note(here.connection, here.who, "key.revoked", f"key:{prefix}", commune_insee=revoked.commune_insee)
    return RedirectResponse(f"{root_of(request)}cles", status_code=303)


# --- pages -----------------------------------------------------------------------------------------------------------


def _list(request: Request, *, status: int = 200, refused: str | None = None) -> HTMLResponse:
    with _administering(request) as here:
        found = administered.seen(here.connection, here.codes, now=here.now)
    return page(
        request, "accounts.html", status=status, accounts=found, communes=here.communes, codes=here.codes,
        role_names=ROLE_NAMES, refused=refused,
    )  # fmt: skip


def _one(request: Request, account_id: UUID, *, password: str | None = None) -> HTMLResponse:
    with _administering(request) as here:
        account = here.account(account_id)
    return page(
        request, "one_account.html", account=account, communes=here.communes, codes=here.codes, role_names=ROLE_NAMES,
        password=password, is_theirs=account.is_theirs(here.codes),
    )  # fmt: skip


def _keys(request: Request, *, status: int = 200, refused: bool = False, secret: str | None = None) -> HTMLResponse:
    with _administering(request) as here:
        found = [key for insee in here.codes for key in accounts.keys(here.connection, insee)]
    return page(
        request, "keys.html", status=status, keys=found, communes=here.communes, role_names=ROLE_NAMES, refused=refused,
        secret=secret, now=here.now, days=_DAYS, most_days=_MOST_DAYS,
    )  # fmt: skip


def _back(request: Request, account_id: UUID) -> Response:
    return RedirectResponse(f"{root_of(request)}comptes/{account_id}", status_code=303)


def _role(form: dict[str, str]) -> Role:
    try:
        return Role(form.get("role", ""))
    except ValueError as error:
        raise HTTPException(422, f"role: expected one of {', '.join(Role)}") from error
