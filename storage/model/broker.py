"""Who may speak to the MQTT broker, as the registry tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerCredential:
    """One user of the broker: a device that publishes itself (`eui`), or a network server (`network`, its `topics`).

    It may come in until it is revoked or has expired. The secret is not here: nobody keeps it.
    """

    credential_id: int
    commune_insee: str
    eui: str | None
    network: str | None
    topics: tuple[str, ...] | None
    user_name: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerLogin:
    """What the broker has to know of a user: the proof of its secret (`storage.broker_secrets`), and its topics."""

    user_name: str
    salt: str
    iterations: int
    digest: bytes
    topics: tuple[str, ...]
