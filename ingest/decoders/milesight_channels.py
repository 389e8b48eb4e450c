"""Milesight's frames: a chain of channel, type and value, whose lengths only the model's table knows.

The port is not looked at: it is a setting of the device (Milesight-IoT/SensorDecoders, em-series, one README a model).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from ingest.refusal import RefusedError, malformed

Role = Literal[
    "battery",
    "distance",
    "temperature",
    "position",
    "distance_alarm",
    "temperature_alarm",
    "mutation_alarm",
    "exception",
    "history",
    "information",
    "notice",
    "diagnostics",
]
"""What a channel's value is for. `information`: device information and answers to downlinks; `notice`: an event;
`diagnostics`: what comes with every frame and is no measurement."""


_HEAD_LENGTH = 2


class Channel(msgspec.Struct, frozen=True):
    """A channel of a model: `length` bytes follow channel and type; `read` makes a value of them."""

    role: Role
    name: str
    length: int
    read: Callable[[bytes], Any]


class Part(msgspec.Struct, frozen=True):
    """One channel's value in a frame, and the bytes that said it."""

    channel: Channel
    value: Any
    raw: bytes


class Walk(msgspec.Struct, frozen=True):
    """What was found of a frame. `rest_at`: the byte where the reading ended before the frame did, and `why`."""

    parts: list[Part]
    rest_at: int | None = None
    why: str | None = None
    unknown: bool = False

    def refusal(self) -> RefusedError:
        """Return why the frame could not be read to its end."""
        return malformed(self.why or "the frame is empty")


def walk(payload: bytes, channels: Mapping[bytes, Channel]) -> Walk:
    """Return the frame's values up to its end, its cut, or a channel that the table does not know."""
    parts: list[Part] = []
    at = 0
    while at < len(payload):
        head = payload[at : at + _HEAD_LENGTH]
        if len(head) < _HEAD_LENGTH:
            return Walk(parts, at, f"the frame is cut in a channel's head at byte {at}")
        channel = channels.get(head)
        if channel is None:
            return Walk(parts, at, f"unknown channel {head.hex(' ')} at byte {at}", unknown=True)
        end = at + _HEAD_LENGTH + channel.length
        if end > len(payload):
            return Walk(parts, at, f"the frame is cut in channel {head.hex(' ')} at byte {at}")
        parts.append(Part(channel, channel.read(payload[at + _HEAD_LENGTH : end]), payload[at:end]))
        at = end
    return Walk(parts)


def unsigned(value: bytes) -> int:
    """Return a little-endian whole number."""
    return int.from_bytes(value, "little")


def signed(value: bytes) -> int:
    """Return a little-endian whole number that may be negative."""
    return int.from_bytes(value, "little", signed=True)


def tenths(value: bytes) -> float:
    """Return a signed number of tenths, such as a temperature."""
    return signed(value) / 10


def percent(value: bytes) -> int | None:
    """Return a percentage, None when it is none (255 stands for unknown)."""
    return value[0] if value[0] <= 100 else None  # noqa: PLR2004 - a percentage


def named(names: Mapping[int, str], value: int) -> str:
    """Return the name of a code, or the code itself when a newer firmware has added one."""
    return names.get(value, f"unknown ({value})")


def not_zero(value: bytes) -> bool:
    """Return a flag: 0 is no, whatever else is yes."""
    return value[0] != 0
