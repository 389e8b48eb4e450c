"""Voirie's own JSON: the topic names the device, the body lists readings and may name it too. See docs/mqtt.md."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ingest.envelopes.fields import Counter, malformed, read, without_reading
from ingest.envelopes.uplink import Uplink
from ingest.refusal import quoted

MOST_RECORDS = 1000


class _Body(msgspec.Struct, frozen=True):
    readings: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_RECORDS)]
    frame_counter: Counter | None = None
    device_id: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def open_native(topic_device: str | None, payload: bytes) -> Uplink:
    """Return the records, each still its own JSON text, so that a bad one does not spoil the others."""
    if topic_device is None:
        raise without_reading("native JSON is of the device that its topic names, and this one names none")
    body = read(_DECODER, payload, "native JSON")
    if body.device_id is not None and body.device_id != topic_device:
        raise malformed(f"the topic is device {topic_device}'s, the payload is {quoted(body.device_id)}'s")
    return Uplink(
        device_eui=topic_device,
        records=tuple(bytes(record) for record in body.readings),
        frame_counter=body.frame_counter,
    )
