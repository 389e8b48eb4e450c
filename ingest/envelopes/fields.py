"""What the networks' envelopes have in common: the types of their fields, and how foreign JSON is read.

Whatever is wrong with a message ends as a RefusedError: the payload comes from outside, and may be made to harm.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason

# `\Z`, because `$` lets a newline follow.
Eui = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{16}\Z")]
Port = Annotated[int, Meta(ge=0, le=255)]
Counter = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
# A zone is required: a time without one could be anybody's. Nanoseconds are rounded to microseconds.
Instant = Annotated[datetime, Meta(tz=True)]
# Beyond this it is no radio signal. NaN and infinity, which some networks may write as text, are neither.
Decibels = Annotated[float, Meta(ge=-1000, le=1000)]

NOTHING = msgspec.Raw()
_OBJECT = msgspec.json.Decoder(dict[str, Any] | None)
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Reception(Protocol):
    """How one gateway heard the frame."""

    @property
    def rssi(self) -> float | None:
        """Signal strength in dBm, None when the gateway does not say."""
        ...

    @property
    def snr(self) -> float | None:
        """Signal over noise in dB."""
        ...


def malformed(sentence: str) -> RefusedError:
    """Return the refusal of a message that is not what its network sends."""
    return RefusedError(RefusalReason.MALFORMED_ENVELOPE, sentence)


def without_reading(sentence: str) -> RefusedError:
    """Return the refusal of a message that is good, and no uplink: a join, an acknowledgement, a downlink."""
    return RefusedError(RefusalReason.UNKNOWN_TOPIC, sentence)


def read[Body](decoder: msgspec.json.Decoder[Body], text: bytes | msgspec.Raw, what: str) -> Body:
    """Return the JSON `text` as the decoder's type; RefusedError when it is not `what`."""
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed(f"not {what}: {quoted(str(error))}") from error


def instant(text: str, what: str) -> datetime:
    """Return an RFC 3339 time that a lenient decoder let pass as text, in UTC."""
    try:
        moment = msgspec.convert(text, Instant)
    except (msgspec.MsgspecError, ValueError) as error:
        raise malformed(f"not {what}: {quoted(str(error))}") from error
    return in_utc(moment, what)


def in_utc(moment: datetime, what: str) -> datetime:
    """Return the moment in UTC; RefusedError when it has none, as year 1 with a positive offset."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise malformed(f"not {what}: {quoted(str(error))}") from error


def from_hex(text: str, what: str) -> bytes:
    """Return the bytes of hexadecimal text without anything else in it (`bytes.fromhex` would pass over spaces)."""
    try:
        return binascii.unhexlify(text)
    except ValueError as error:
        raise malformed(f"not {what}: the payload is not hexadecimal, {quoted(str(error))}") from error


def agreed_eui(topic_eui: str | None, announced_eui: str) -> str:
    """Return the payload's DevEUI in lower case; RefusedError when the topic names another device."""
    eui = announced_eui.lower()
    if topic_eui is not None and topic_eui != eui:
        raise malformed(f"the topic is of device {topic_eui}, the payload of {eui}")
    return eui


def network_object(text: msgspec.Raw, what: str) -> dict[str, Any] | None:
    """Return what the network's own codec made of the frame; None when there is nothing in it."""
    if not bytes(text):
        return None
    return read(_OBJECT, text, what) or None


def names_in(payload: bytes, what: str) -> set[str]:
    """Return the names at the top of a JSON object."""
    top = read(_NAMES, payload, what)
    return set(top)


def best(receptions: Iterable[Reception]) -> tuple[float | None, float | None]:
    """Return (rssi, snr) of the gateway that heard the frame best; (None, None) when none says."""
    rssi: float | None = None
    snr: float | None = None
    for reception in receptions:
        if reception.rssi is not None and (rssi is None or reception.rssi > rssi):
            rssi, snr = reception.rssi, reception.snr
    return rssi, snr
