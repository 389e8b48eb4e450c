"""One MQTT message with what the collector knows of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ingest.topics import Network


class Message(NamedTuple):
    """One MQTT message as it came; `received_at` is the commune's present, which also judges what is late or early."""

    network: Network
    topic: str
    payload: bytes
    received_at: datetime
