"""The key of the device that a session is on: told once, and newer challenges answered by it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Connection, statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Binding:
    """How a session is bound to its device, which proves itself every `proof_s`.

    `secret` is what the server makes challenges and proofs of; `device_key` is the device's public key (JWK), None
    before it told it, at `bound_at`.
    """

    proof_s: int
    secret: bytes
    device_key: Mapping[str, Any] | None
    bound_at: datetime | None


def tell(
    connection: Connection, session_id: UUID, device_key: Mapping[str, Any], *, challenged_at: datetime, now: datetime
) -> bool:
    """Bind a session to its device's key; False when it has one already, and for good."""
    told = {"session_id": session_id, "device_key": Jsonb(dict(device_key)), "challenged_at": challenged_at, "now": now}
    return connection.execute(statement("device_keys", "tell"), told).rowcount == 1


def answer(connection: Connection, session_id: UUID, *, challenged_at: datetime) -> bool:
    """Note that a challenge was answered; False when it, or a newer one, was answered before."""
    told = {"session_id": session_id, "challenged_at": challenged_at}
    return connection.execute(statement("device_keys", "answer"), told).rowcount == 1
