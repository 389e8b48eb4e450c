"""Voirie's own JSON: the topic names the device, the body lists readings. See docs/mqtt.md."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ingest.envelopes.uplink import Uplink
from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason

MOST_RECORDS = 1000


class _Body(msgspec.Struct, frozen=True):
    readings: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_RECORDS)]
    frame_counter: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | None = None


_DECODER = msgspec.json.Decoder(_Body)


def open_native(device_eui: str, payload: bytes) -> Uplink:
    """Return the records, each still its own JSON text, so that a bad one does not spoil the others."""
    try:
        body = _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        raise RefusedError(RefusalReason.MALFORMED_ENVELOPE, f"not native JSON: {quoted(str(error))}") from error
    return Uplink(
        device_eui=device_eui,
        records=tuple(bytes(record) for record in body.readings),
        frame_counter=body.frame_counter,
    )
