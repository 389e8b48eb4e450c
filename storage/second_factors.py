"""Second factors of accounts (codes by the clock, `storage/one_time_codes.py`), and log-ins that still owe theirs.

The secret has to be kept as it is: codes are computed from it. Recovery codes and tokens are kept as hashes.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import dict_row

from storage import accounts, login_failures, one_time_codes
from storage.database import Connection, fetch_one, statement
from storage.errors import ConflictError, NotFoundError
from storage.login_failures import Refused

HALF_LASTS = timedelta(minutes=5)
"""How long after the right password the code may be given."""
_ENROLMENT_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFactor:
    """That an account has one, since when, and how many recovery codes are left."""

    enrolled_at: datetime
    recovery_codes: int


def of(connection: Connection, account_id: UUID) -> SecondFactor | None:
    """Return an account's second factor, None when it has none or has not confirmed it."""
    return fetch_one(connection, SecondFactor, statement("second_factors", "state"), {"account_id": account_id})


def begin(connection: Connection, account_id: UUID, *, now: datetime) -> str:
    """Return a new secret, which counts once `confirm` has seen a code of it. Raises ConflictError when one counts."""
    secret = one_time_codes.new_secret()
    begun = connection.execute(
        statement("second_factors", "begin"), {"account_id": account_id, "secret": secret, "now": now}
    ).fetchone()
    if begun is None:
        raise ConflictError("this account has a second factor already; an administrator can take it away")
    return secret


def confirm(
    connection: Connection, account_id: UUID, *, code: str, session_id: UUID, address: str, now: datetime
) -> tuple[str, ...] | str | Refused:
    """Return the recovery codes of a second factor that `code` confirms; from now on it is asked for.

    Every other session of the account ends: none was opened with it. Returns the secret when the code is not of it, and
    Refused while no try is looked at. Raises NotFoundError when nothing was begun within half an hour, ConflictError
    when one counts already.
    """
    kept = _locked(connection, account_id)
    if kept is None or (kept.enrolled_at is None and kept.begun_at < now - _ENROLMENT_LASTS):
        raise NotFoundError("no second factor was begun, or too long ago: begin again")
    if kept.enrolled_at is not None:
        raise ConflictError("this account has a second factor already; an administrator can take it away")
    subjects = _subjects(account_id, address)
    wait = login_failures.wait(connection, subjects, now=now)
    if wait > timedelta(0):
        return Refused(wait=wait, unlooked=True)
    step = one_time_codes.accepted_step(kept.secret, code, now=now, last_step=None)
    if step is None:
        login_failures.fail(connection, subjects, now=now)
        return kept.secret
    recovery = one_time_codes.new_recovery_codes()
    hashes = [one_time_codes.recovery_hash(one) for one in recovery]
    connection.execute(
        statement("second_factors", "enrol"),
        {"account_id": account_id, "now": now, "step": step, "recovery_hashes": hashes},
    )
    connection.execute(
        statement("second_factors", "end_other_sessions"), {"account_id": account_id, "session_id": session_id}
    )
    return recovery


def open_half(connection: Connection, account_id: UUID, *, now: datetime) -> str:
    """Return the token of a log-in that has proved the password alone; it is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    connection.execute(statement("second_factors", "forget_halves"), {"now": now})
    connection.execute(
        statement("second_factors", "open_half"),
        {"token_hash": _hash(token), "account_id": account_id, "ends_at": now + HALF_LASTS},
    )
    return token


def prove(connection: Connection, *, half: str, code: str, address: str, now: datetime) -> UUID | Refused | None:
    """Return whose log-in `half` is, once `code` is of their second factor or one of their recovery codes.

    None when there is no such log-in any more. A code counts once. Failures count by account and by address, apart
    from those of passwords: the right password does not forget them.
    """
    row = connection.execute(statement("second_factors", "half_of"), {"token_hash": _hash(half), "now": now}).fetchone()
    if row is None:
        return None
    account_id = UUID(str(row[0]))
    # The row's lock makes tries wait for each other, so that of many at once each is counted before the next.
    kept = _locked(connection, account_id)
    if kept is None or kept.enrolled_at is None:
        return None
    subjects = _subjects(account_id, address)
    wait = login_failures.wait(connection, subjects, now=now)
    if wait > timedelta(0):
        return Refused(wait=wait, unlooked=True)
    if not _use(connection, account_id, kept, code=code, now=now):
        login_failures.fail(connection, subjects, now=now)
        return Refused(wait=login_failures.wait(connection, subjects, now=now))
    login_failures.succeed(connection, _subject(account_id), now=now)
    connection.execute(statement("second_factors", "end_halves"), {"account_id": account_id})
    return account_id


def remove(connection: Connection, account_id: UUID) -> None:
    """Take an account's second factor away, with its recovery codes, and end its sessions. Harmless when repeated."""
    connection.execute(statement("second_factors", "remove"), {"account_id": account_id})
    accounts.end_sessions(connection, account_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    secret: str
    last_step: int | None
    enrolled_at: datetime | None
    recovery_hashes: list[bytes]
    begun_at: datetime


def _locked(connection: Connection, account_id: UUID) -> _Kept | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("second_factors", "locked"), {"account_id": account_id}).fetchone()
    return None if row is None else _Kept(**row)


def _use(connection: Connection, account_id: UUID, kept: _Kept, *, code: str, now: datetime) -> bool:
    step = one_time_codes.accepted_step(kept.secret, code, now=now, last_step=kept.last_step)
    if step is not None:
        connection.execute(statement("second_factors", "use_step"), {"account_id": account_id, "step": step})
        return True
    hashed = one_time_codes.recovery_hash(code)
    if hashed is None or hashed not in {bytes(one) for one in kept.recovery_hashes}:
        return False
    connection.execute(statement("second_factors", "use_recovery"), {"account_id": account_id, "recovery_hash": hashed})
    return True


def _subject(account_id: UUID) -> bytes:
    return login_failures.subject("second factor", str(account_id))


def _subjects(account_id: UUID, address: str) -> dict[bytes, int]:
    return {
        _subject(account_id): login_failures.FREE_TRIES,
        login_failures.subject("address", address): login_failures.FREE_TRIES_OF_ADDRESS,
    }


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
