"""Envelopes: how networks wrap what a device sent. Each becomes the same `Uplink`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingest.envelopes.actility import open_actility
from ingest.envelopes.chirpstack import open_chirpstack
from ingest.envelopes.live_objects import open_live_objects
from ingest.envelopes.native import open_native
from ingest.envelopes.ttn import open_ttn
from ingest.envelopes.uplink import Uplink
from ingest.topics import EnvelopeKind

__all__ = ["Uplink", "open_envelope"]

_OPENERS: Mapping[str, Callable[[str | None, bytes], Uplink]] = {
    "native": open_native,
    "chirpstack": open_chirpstack,
    "actility": open_actility,
    "live_objects": open_live_objects,
}


def open_envelope(
    kind: EnvelopeKind, topic_device: str | None, payload: bytes, *, topic_name: str | None = None
) -> Uplink:
    """Free an uplink of its envelope; RefusedError when it is not of this kind, or carries no reading.

    `topic_device`: the device that the topic names (`ingest.topics.device_of`), None when it names none;
    `topic_name`: what the network calls it there (`network_name_of`). A payload that names another one is refused.
    """
    if kind == "ttn":
        return open_ttn(topic_device, payload, topic_name=topic_name)
    return _OPENERS[kind](topic_device, payload)
