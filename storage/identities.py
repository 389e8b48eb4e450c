"""People whom the town's identity provider knows: an account for each, and what the provider's claims grant it.

Issuer and subject together are the person, and nothing else: an address may be somebody else's tomorrow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage import audit
from storage.accounts import LONGEST_NAME
from storage.database import Connection, statement
from storage.errors import ConflictError
from storage.model import Grant


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a provider says of somebody who logged in there."""

    issuer: str
    subject: str
    display_name: str
    email: str | None
    grants: Collection[Grant]


def log_in(connection: Connection, told: Told, *, now: datetime) -> UUID | None:
    """Return the account of who came back, made at the first log-in; None when it is disabled.

    Its grants by claims become those of `told`, whatever they were; grants by hand stay. Both are noted in the audit
    trail when they change.
    """
    account_id = _account(connection, told, now=now)
    row = connection.execute(
        statement("identities", "rename"), {"account_id": account_id, "display_name": told.display_name[:LONGEST_NAME]}
    ).fetchone()
    if row is None or row[0]:
        return None
    given = sorted(told.grants, key=lambda grant: (grant.commune_insee, grant.role))
    parameters = {
        "account_id": account_id,
        "communes": [grant.commune_insee for grant in given],
        "roles": [grant.role.value for grant in given],
    }
    withdrawn = connection.execute(statement("identities", "withdraw_claims"), parameters).fetchall()
    granted = connection.execute(statement("identities", "grant_claims"), parameters).fetchall()
    if withdrawn or granted:
        changed = {"granted": sorted(map(list, granted)), "withdrawn": sorted(map(list, withdrawn))}
        _note(connection, account_id, "account.claims_changed", **changed)
    return account_id


def id_token(connection: Connection, account_id: UUID, session_id: UUID) -> str | None:
    """Return the token by which a session was opened at the provider, None when it was opened by a password."""
    row = connection.execute(
        statement("identities", "id_token"), {"account_id": account_id, "session_id": session_id}
    ).fetchone()
    return None if row is None else row[0]


def _account(connection: Connection, told: Told, *, now: datetime) -> UUID:
    person = {"issuer": told.issuer, "subject": told.subject}
    seen = person | {"email": told.email, "now": now}
    found = connection.execute(statement("identities", "seen"), seen).fetchone()
    if found is not None:
        return UUID(str(found[0]))
    # A name that nobody types and that tells nothing: people without a password are found by what they are called.
    name = f"oidc:{hashlib.sha256(f'{told.issuer}\n{told.subject}'.encode()).hexdigest()[:20]}"
    added = connection.execute(
        statement("identities", "add_account"), {"name": name, "display_name": told.display_name[:LONGEST_NAME]}
    ).fetchone()
    if added is None:
        found = connection.execute(statement("identities", "seen"), seen).fetchone()
        if found is None:
            raise ConflictError(f"there is an account {name!r} already, and it is not the provider's")
        return UUID(str(found[0]))
    account_id = UUID(str(added[0]))
    connection.execute(statement("identities", "link"), seen | {"account_id": account_id})
    _note(connection, account_id, "account.added", issuer=told.issuer)
    return account_id


def _note(connection: Connection, account_id: UUID, act: str, **details: object) -> None:
    audit.record(connection, audit.INSTALLATION, "provider", act, f"account:{account_id}", details)
