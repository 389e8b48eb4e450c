"""One MQTT message with what the collector knows of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ingest.topics import Network
from storage.refusals import digest_of


class Message(NamedTuple):
    """One MQTT message as it came; `received_at` is the commune's present, which also judges what is late or early."""

    network: Network
    topic: str
    payload: bytes
    received_at: datetime

    @property
    def message_id(self) -> str:
        """What logs call the message by, 16 hexadecimal digits: equal for every delivery of it.

        It is how the `digest` of the message begins when it is kept as refused.
        """
        return digest_of(self.network.name, self.topic, self.payload).hex()[:16]
