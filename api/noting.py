"""What people do through pages and routes that has no journal of its own, noted in the audit trail."""

from __future__ import annotations

import hashlib
from typing import Any

from api.here import Here
from api.principal import Principal, Proof
from storage import audit
from storage.database import Connection


def note(
    connection: Connection,
    who: Principal,
    act: str,
    subject: str,
    *,
    commune_insee: str = audit.INSTALLATION,
    **details: Any,
) -> None:
    """Note in the caller's transaction that `who` did `act` to `subject`, in the trail of a commune or of all."""
    if who.account_id is not None:
        actor = f"account:{who.account_id}"
    else:
        actor = f"key:{who.name}" if who.proof is Proof.KEY else who.proof.value
    audit.record(connection, commune_insee, actor, act, subject, details)


def note_import(here: Here, what: str, content: bytes, **counts: int) -> None:
    """Note in the request's transaction that a table of `what` ("places") was taken in: its SHA-256, what it did."""
    told = {"sha256": hashlib.sha256(content).hexdigest(), **counts}
    note(here.connection, here.principal, f"{what}.imported", "", commune_insee=here.insee, **told)
