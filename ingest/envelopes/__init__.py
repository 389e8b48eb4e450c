"""Envelopes: how networks wrap what a device sent. Each becomes the same `Uplink`."""

from __future__ import annotations

from ingest.envelopes.chirpstack import open_chirpstack
from ingest.envelopes.native import open_native
from ingest.envelopes.uplink import Uplink
from ingest.topics import EnvelopeKind

__all__ = ["Uplink", "open_envelope"]


def open_envelope(kind: EnvelopeKind, device_eui: str, payload: bytes) -> Uplink:
    """Free the uplink of `device_eui` (as its topic says) of its envelope; RefusedError when it is not of this kind."""
    match kind:
        case "native":
            return open_native(device_eui, payload)
        case "chirpstack":
            return open_chirpstack(device_eui, payload)
