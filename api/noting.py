"""What people do to accounts through pages, noted in the audit trail."""

from __future__ import annotations

from typing import Any

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
