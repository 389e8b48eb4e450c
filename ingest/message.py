"""One MQTT message with what the collector knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest.topics import Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One MQTT message as it came; `received_at` is the commune's present, which also judges what is late or early."""

    network: Network
    topic: str
    payload: bytes
    received_at: datetime
