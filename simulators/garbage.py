"""Messages that no collector should take for a reading. Each carries a nonce, so that each can be found again.

The kinds: what faulty gateways, misconfigured applications and curious neighbours publish.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.devices import native
from simulators.envelopes import Application

_OVERSIZED_BYTES = 70_000
_FUTURE = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a garbage message is made up from: real names, a moment and a nonce of 16 hex digits."""

    commune_insee: str
    application: Application
    known_eui: str
    at: datetime
    nonce: str

    def chirpstack_topic(self, eui: str) -> str:
        """Return the topic of a device's uplinks."""
        return f"application/{self.application.application_id}/device/{eui}/event/up"

    def native_topic(self, device_id: str) -> str:
        """Return the topic of a native device."""
        return native.topic(commune_insee=self.commune_insee, device_id=device_id)

    def uplink(self, *, eui: str, at: datetime, data: object) -> dict[str, object]:
        """Return a whole uplink event."""
        return {
            "deduplicationId": self.nonce,
            "time": at.isoformat(timespec="microseconds"),
            "deviceInfo": {"applicationId": self.application.application_id, "devEui": eui, "deviceName": eui},
            "devAddr": "00000000",
            "fCnt": 7,
            "fPort": 85,
            "data": data,
        }


Message = tuple[str, bytes]
_READING = "AXVcA4JEAwQAAA=="  # an EM310-UDL's frame: 92 %, 836 mm, upright


def malformed_json(scene: Scene) -> Message:
    """Cut an event in the middle."""
    whole = json.dumps(scene.uplink(eui=scene.known_eui, at=scene.at, data=_READING))
    return scene.chirpstack_topic(scene.known_eui), whole[: len(whole) // 2].encode()


def truncated_base64(scene: Scene) -> Message:
    """Cut the device's bytes in the middle of a base64 quantum."""
    event = scene.uplink(eui=scene.known_eui, at=scene.at, data="AXVcA")
    return scene.chirpstack_topic(scene.known_eui), json.dumps(event).encode()


def truncated_frame(scene: Scene) -> Message:
    """Cut the device's frame in the middle of a channel: good base64 of bytes that say nothing."""
    event = scene.uplink(eui=scene.known_eui, at=scene.at, data="AXVcA4I=")
    return scene.chirpstack_topic(scene.known_eui), json.dumps(event).encode()


def wrong_types(scene: Scene) -> Message:
    """Put a number where a list belongs."""
    return scene.native_topic(f"inconnu-{scene.nonce}"), json.dumps({"readings": 812, "nonce": scene.nonce}).encode()


def unknown_device(scene: Scene) -> Message:
    """Send a good reading from a device that nobody registered."""
    event = scene.uplink(eui=scene.nonce, at=scene.at, data=_READING)
    return scene.chirpstack_topic(scene.nonce), json.dumps(event).encode()


def oversized(scene: Scene) -> Message:
    """Send a message that no sensor could send."""
    event = scene.uplink(eui=scene.known_eui, at=scene.at, data="A" * _OVERSIZED_BYTES)
    return scene.chirpstack_topic(scene.known_eui), json.dumps(event).encode()


def future_time(scene: Scene) -> Message:
    """Date a good reading ten years ahead, as a device does whose clock lost its date."""
    event = scene.uplink(eui=scene.known_eui, at=scene.at + _FUTURE, data=_READING)
    return scene.chirpstack_topic(scene.known_eui), json.dumps(event).encode()


def empty(scene: Scene) -> Message:
    """Send nothing at all; the nonce is in the topic."""
    return scene.native_topic(f"inconnu-{scene.nonce}"), b""


KINDS: tuple[Callable[[Scene], Message], ...] = (
    malformed_json,
    truncated_base64,
    truncated_frame,
    wrong_types,
    unknown_device,
    oversized,
    future_time,
    empty,
)
