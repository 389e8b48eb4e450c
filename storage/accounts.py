"""Accounts, what they were granted, their log-ins and keys. Secrets are kept as hashes alone.

Of tokens and keys, which are random and long, SHA-256 is kept: there is nothing to guess, and each request asks.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from storage import login_failures, passwords
from storage.database import Connection, fetch, fetch_one, statement
from storage.device_keys import Binding
from storage.errors import ConflictError, InputError, NotFoundError
from storage.isolation import CommunePool
from storage.login_failures import Refused
from storage.model import Account, ApiKey, Grant, LoginSession, Role

LONGEST_NAME = 100
_KEY_MARK = "voirie"
_SEEN_EVERY = timedelta(minutes=1)
_USER_AGENT_KEPT = 200


# --- people ----------------------------------------------------------------------------------------------------------


def add(connection: Connection, *, name: str, display_name: str, password: str | None) -> Account:
    """Enter an account. Raises InputError for a name or a password that cannot be, ConflictError for a known name."""
    name, display_name = _name(name), display_name.strip()
    if not 0 < len(display_name) <= LONGEST_NAME or not display_name.isprintable():
        raise InputError(
            f"display name: expected 1 to {LONGEST_NAME} characters on one line, got {display_name[:40]!r}"
        )
    if password is not None:
        passwords.check(password, name=name)
    kept = None if password is None else passwords.hashed(password)
    added = fetch_one(
        connection,
        Account,
        statement("accounts", "add"),
        {"name": name, "display_name": display_name, "password_hash": kept},
    )
    if added is None:
        raise ConflictError(f"there is an account {name!r} already")
    return added


def by_name(connection: Connection, name: str) -> Account:
    """Return the account of `name`. Raises NotFoundError."""
    found = fetch_one(connection, Account, statement("accounts", "by_name"), {"name": _name(name)})
    if found is None:
        raise NotFoundError(f"there is no account {name!r}: `voirie accounts list` tells which there are")
    return found


def one(connection: Connection, account_id: UUID) -> Account:
    """Return an account. Raises NotFoundError."""
    found = fetch_one(connection, Account, statement("accounts", "one"), {"account_id": account_id})
    if found is None:
        raise NotFoundError(f"there is no account {account_id}")
    return found


def every(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    return fetch(connection, Account, statement("accounts", "every"), {})


def grants(connection: Connection, account_id: UUID) -> list[Grant]:
    """Return what an account was granted, by commune and role."""
    return fetch(connection, Grant, statement("accounts", "grants"), {"account_id": account_id})


def held(connection: Connection, account_id: UUID) -> list[Grant]:
    """Return what an account may do: its `grants`, and what follows in each commune of a territory granted to it."""
    return fetch(connection, Grant, statement("accounts", "held"), {"account_id": account_id})


def grant(connection: Connection, account_id: UUID, given: Grant) -> None:
    """Grant a role in a commune; harmless when repeated. Needs the commune to be known."""
    connection.execute(statement("accounts", "grant"), {"account_id": account_id} | msgspec.to_builtins(given))


def withdraw(connection: Connection, account_id: UUID, taken: Grant) -> None:
    """Take a role back; it counts from the account's next request. Harmless when repeated."""
    connection.execute(statement("accounts", "withdraw"), {"account_id": account_id} | msgspec.to_builtins(taken))


def set_password(connection: Connection, account: Account, password: str) -> None:
    """Give an account another password and end its sessions. Raises InputError for one that is not to have."""
    passwords.check(password, name=account.name)
    connection.execute(
        statement("accounts", "set_password"),
        {"account_id": account.account_id, "password_hash": passwords.hashed(password)},
    )
    end_sessions(connection, account.account_id)


def disable(connection: Connection, account_id: UUID, *, disabled: bool) -> None:
    """Keep an account from logging in, at once and until it is enabled again."""
    connection.execute(statement("accounts", "disable"), {"account_id": account_id, "disabled": disabled})


def remove(connection: Connection, account_id: UUID) -> None:
    """Delete an account with its roles, sessions and failed log-ins, for good. Raises NotFoundError."""
    account = one(connection, account_id)
    connection.execute(
        statement("accounts", "remove"),
        {"account_id": account_id, "subject": login_failures.subject("name", account.name)},
    )


# --- log-in ----------------------------------------------------------------------------------------------------------


def prove(connection: Connection, *, name: str, password: str, address: str, now: datetime) -> UUID | Refused:
    """Return whose name and password these are.

    Failures count by name and by address, whether the name is known or not.
    """
    name = name.strip().lower()[:LONGEST_NAME]
    of_name = login_failures.subject("name", name)
    subjects = {
        of_name: login_failures.FREE_TRIES,
        login_failures.subject("address", address): login_failures.FREE_TRIES_OF_ADDRESS,
    }
    wait = login_failures.wait(connection, subjects, now=now)
    if wait > timedelta(0):
        return Refused(wait=wait, unlooked=True)
    row = connection.execute(statement("accounts", "secret"), {"name": name}).fetchone()
    account_id, kept = row or (None, None)
    if not passwords.matches(password, kept) or account_id is None or kept is None:
        login_failures.fail(connection, subjects, now=now)
        return Refused(wait=login_failures.wait(connection, subjects, now=now))
    login_failures.succeed(connection, of_name, now=now)
    if passwords.is_outdated(kept):
        connection.execute(
            statement("accounts", "set_password"),
            {"account_id": account_id, "password_hash": passwords.hashed(password)},
        )
    return UUID(str(account_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Whose session it is, and what they may do (`held`)."""

    session: LoginSession
    name: str
    display_name: str
    has_second_factor: bool = False
    has_password: bool = True
    held: tuple[Grant, ...] = ()
    binding: Binding | None = None


def open_session(
    connection: Connection,
    account_id: UUID,
    *,
    lasts: timedelta,
    idle: timedelta,
    user_agent: str,
    now: datetime,
    id_token: str | None = None,
    device: str | None = None,
    proof: timedelta | None = None,
) -> str:
    """Open a session and return its token, which is kept nowhere else.

    It is never renewed past `lasts`. With `id_token` it was the provider's log-in; `device` is what a crew calls its
    tablet. With `proof` it is bound to its device, which tells its key within that time and proves itself as often.
    """
    token = secrets.token_urlsafe(32)
    connection.execute(statement("accounts", "forget_sessions"), {"now": now})
    connection.execute(
        statement("accounts", "open_session"),
        {
            "token_hash": _hash(token),
            "account_id": account_id,
            "now": now,
            "ends_at": now + lasts,
            "idle_s": int(idle.total_seconds()),
            "user_agent": "".join(part for part in user_agent if part.isprintable())[:_USER_AGENT_KEPT],
            "id_token": id_token,
            "device": device,
            "proof_s": None if proof is None else max(1, int(proof.total_seconds())),
            "proof_key": None if proof is None else secrets.token_bytes(32),
        },
    )
    return token


def session_of(pool: CommunePool, token: str, *, now: datetime) -> Who | None:
    """Return whose session `token` is, and remember that it was used; None when it is over, ended or nobody's."""
    row = pool.identified(statement("accounts", "session_of"), {"token_hash": _hash(token), "now": now})
    if row is None:
        return None
    held = tuple(Grant(commune_insee=insee, role=Role(role)) for insee, role in row.pop("held"))
    of_account = {key: row.pop(key) for key in ("name", "display_name", "has_second_factor", "has_password")}
    of_device = {key: row.pop(key) for key in ("proof_s", "device_key", "bound_at")}
    secret = row.pop("proof_key")
    binding = None if secret is None else Binding(secret=secret, **of_device)
    session = LoginSession(**row)
    if now - session.seen_at > _SEEN_EVERY:
        with pool.identity() as connection:
            connection.execute(statement("accounts", "seen"), {"session_id": session.session_id, "now": now})
    return Who(session=session, held=held, binding=binding, **of_account)


def sessions(connection: Connection, account_id: UUID, *, now: datetime) -> list[LoginSession]:
    """Return an account's sessions that have not ended, the newest first."""
    return fetch(connection, LoginSession, statement("accounts", "sessions"), {"account_id": account_id, "now": now})


def end_session(connection: Connection, account_id: UUID, session_id: UUID) -> None:
    """End one session of an account, at once."""
    connection.execute(statement("accounts", "end_session"), {"account_id": account_id, "session_id": session_id})


def end_token(connection: Connection, token: str) -> None:
    """End the session of a token, whoever's it is: its browser opens another."""
    connection.execute(statement("accounts", "end_token"), {"token_hash": _hash(token)})


def name_device(connection: Connection, account_id: UUID, session_id: UUID, device: str | None) -> None:
    """Say on which device a session is, None: on nobody's in particular."""
    connection.execute(
        statement("accounts", "name_device"), {"account_id": account_id, "session_id": session_id, "device": device}
    )


def end_sessions(connection: Connection, account_id: UUID) -> int:
    """End every session of an account, at once, and return how many there were; log-ins under way end too."""
    connection.execute(statement("second_factors", "end_halves"), {"account_id": account_id})
    return connection.execute(statement("accounts", "end_sessions"), {"account_id": account_id}).rowcount


# --- keys ------------------------------------------------------------------------------------------------------------


def add_key(
    connection: Connection, *, name: str, commune_insee: str, roles: Sequence[Role], expires_at: datetime
) -> tuple[ApiKey, str]:
    """Make a key for a machine; returns it and its secret, which is kept nowhere. Raises InputError without a role."""
    if not roles:
        raise InputError("roles: expected at least one")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InputError(f"name: expected 1 to {LONGEST_NAME} characters on one line, got {name[:40]!r}")
    prefix = f"{_KEY_MARK}_{secrets.token_hex(4)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    added = fetch_one(
        connection,
        ApiKey,
        statement("accounts", "add_key"),
        {
            "prefix": prefix,
            "key_hash": _hash(secret),
            "name": name,
            "commune_insee": commune_insee,
            "roles": sorted({role.value for role in roles}),
            "expires_at": expires_at,
        },
    )
    assert added is not None
    return added, secret


def key_of(pool: CommunePool, secret: str, *, now: datetime) -> ApiKey | None:
    """Return the key whose secret this is, and remember that it was used; None when it is over, revoked or nobody's."""
    row = pool.identified(statement("accounts", "key_of"), {"key_hash": _hash(secret), "now": now})
    if row is None:
        return None
    found = msgspec.convert(row, ApiKey, strict=False)
    if found.last_used_at is None or now - found.last_used_at > _SEEN_EVERY:
        with pool.identity() as connection:
            connection.execute(statement("accounts", "key_used"), {"key_id": found.key_id, "now": now})
    return found


def keys(connection: Connection, commune_insee: str | None = None) -> list[ApiKey]:
    """Return the keys of a commune, or all, the newest first; revoked ones too."""
    return fetch(connection, ApiKey, statement("accounts", "keys"), {"commune_insee": commune_insee})


def revoke_key(connection: Connection, prefix: str) -> ApiKey:
    """End a key at once and return it. Raises NotFoundError."""
    revoked = fetch_one(connection, ApiKey, statement("accounts", "revoke_key"), {"prefix": prefix})
    if revoked is None:
        raise NotFoundError(f"there is no key that begins with {prefix!r}: `voirie keys list` tells which there are")
    return revoked


def _name(name: str) -> str:
    name = name.strip().lower()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or " " in name:
        raise InputError(f"name: expected 1 to {LONGEST_NAME} characters without spaces, got {name[:40]!r}")
    return name


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
