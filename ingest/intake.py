"""One message in, readings, events or refusals out. Decides alone: it knows neither the broker nor the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from ingest.decoders import DeviceModel, built_in_models, decode_uplink
from ingest.envelopes import Uplink, open_envelope
from ingest.message import Message
from ingest.placing import (
    PlacedMeasurement,
    device_event,
    events_once,
    fill_reading,
    moment_of,
    mounting_of,
    occupancy_reading,
)
from ingest.quality import QualityRules, check_time
from ingest.refusal import RefusedError, quoted
from ingest.topics import LONGEST_REMEMBERED, TOPICS_REMEMBERED, Network, device_of, network_name_of, network_of
from storage.json_depth import MOST_LEVELS, is_too_deep
from storage.model import (
    DeviceEvent,
    FillReading,
    OccupancyReading,
    PlaceKind,
    RefusalReason,
    RefusedMessage,
    RegisteredDevice,
)

log = structlog.get_logger()

_DETAILS_TOLD = 5

type Registry = Mapping[tuple[str, str], RegisteredDevice]
"""Every registered device by (commune_insee, eui)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeRules:
    """What is needed to judge a message, whatever the message."""

    networks: tuple[Network, ...]
    models: Mapping[str, DeviceModel] = field(default_factory=built_in_models)
    quality: QualityRules = field(default_factory=QualityRules)
    max_payload_bytes: int = 65536
    _known: dict[str, Network] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.networks:
            raise ValueError("expected at least one network, got none")
        if self.max_payload_bytes <= 0:
            raise ValueError(f"expected max_payload_bytes > 0, got {self.max_payload_bytes}")

    def network_of(self, topic: str) -> Network:
        """Return the topic's network; the first one when a broker delivers what nobody subscribed to."""
        # Devices speak again and again: a town's topics are few, and trying every filter took a tenth of the time.
        network = self._known.get(topic)
        if network is None:
            network = network_of(self.networks, topic) or self.networks[0]
            if len(self._known) >= TOPICS_REMEMBERED:
                self._known.clear()
            if len(topic) <= LONGEST_REMEMBERED:
                self._known[topic] = network
        return network


@dataclass(kw_only=True, slots=True)
class Taken:
    """What became of one message. A message with many records may be stored in part and refused in part.

    `device_eui`: who sent it, None when neither topic nor payload says.
    """

    fill_readings: Sequence[FillReading] = ()
    occupancy_readings: Sequence[OccupancyReading] = ()
    device_events: Sequence[DeviceEvent] = ()
    refused: Sequence[RefusedMessage] = ()
    device_eui: str | None = None


def take_in_message(message: Message, registry: Registry, rules: IntakeRules) -> Taken:
    """Turn one message into what is to be stored. Never raises: what goes wrong is a refusal with its reason."""
    eui: str | None = None
    try:
        eui = device_of(message.network, message.topic)
        if len(message.payload) > rules.max_payload_bytes:
            return refuse(
                message,
                RefusalReason.TOO_LARGE,
                f"expected at most {rules.max_payload_bytes} bytes, got {len(message.payload)}",
                eui=eui,
            )
        if is_too_deep(message.payload):
            return refuse(
                message, RefusalReason.TOO_DEEP, f"expected JSON of at most {MOST_LEVELS} levels, got more", eui=eui
            )
        name = network_name_of(message.network, message.topic)
        uplink = open_envelope(message.network.envelope, eui, message.payload, topic_name=name)
        # Not every topic names a device; the refusals to come are of the payload's.
        eui = uplink.device_eui
        return _take_in_uplink(message, uplink, registry, rules)
    except RefusedError as refused:
        return refuse(message, refused.reason, refused.detail, eui=eui)
    except Exception as error:
        # One message that our code cannot bear must not stop the others; it is kept, so that the fault can be found.
        log.exception(
            "message_broke_intake",
            message_id=message.message_id,
            topic=quoted(message.topic),
            payload_bytes=len(message.payload),
        )
        return refuse(message, RefusalReason.INTERNAL_ERROR, f"{type(error).__name__}: {quoted(str(error))}", eui=eui)


def _take_in_uplink(message: Message, uplink: Uplink, registry: Registry, rules: IntakeRules) -> Taken:
    commune_insee = message.network.commune_insee
    registered = registry.get((commune_insee, uplink.device_eui))
    if registered is None:
        raise RefusedError(
            RefusalReason.UNKNOWN_DEVICE, f"commune {commune_insee} has no device {quoted(uplink.device_eui)}"
        )
    model = rules.models.get(registered.device.model)
    if model is None:
        raise RefusedError(RefusalReason.UNKNOWN_MODEL, f"no decoder for model {quoted(registered.device.model)}")
    if uplink.network_time is not None:
        check_time(uplink.network_time, now=message.received_at, rules=rules.quality)
    decoded = decode_uplink(model, uplink)

    refusals = list(decoded.unreadable)
    fill_readings: list[FillReading] = []
    occupancy_readings: list[OccupancyReading] = []
    # Records of one moment are told apart by their rank among each other, not in the message: a device that sends its
    # history again, cut elsewhere, repeats the same keys.
    moments: dict[datetime, int] = {}
    for measurement in decoded.measurements:
        try:
            measured_at = moment_of(measurement, uplink, now=message.received_at, rules=rules.quality)
            record_index = moments.get(measured_at, 0)
            moments[measured_at] = record_index + 1
            mounting = mounting_of(registered, measurement, measured_at)
        except RefusedError as refused:
            refusals.append(refused)
            continue
        placed = PlacedMeasurement(measurement, mounting, measured_at, record_index)
        if mounting.place_kind is PlaceKind.BIN:
            fill_readings.append(fill_reading(message, uplink, placed, rules.quality))
        else:
            occupancy_readings.append(occupancy_reading(message, uplink, placed))
    return Taken(
        fill_readings=fill_readings,
        occupancy_readings=occupancy_readings,
        device_events=[device_event(message, uplink, registered, info) for info in events_once(decoded.infos)]
        if decoded.infos
        else (),
        refused=_joined(message, refusals, eui=uplink.device_eui) if refusals else (),
        device_eui=uplink.device_eui,
    )


def _joined(message: Message, refusals: Sequence[RefusedError], *, eui: str) -> Sequence[RefusedMessage]:
    """Return one refusal for each reason: the message is kept whole in each, so once a record would be too often."""
    details: dict[RefusalReason, list[str]] = {}
    for refused in refusals:
        details.setdefault(refused.reason, []).append(refused.detail)
    return [_refused(message, reason, _summary(found), eui) for reason, found in details.items()]


def _summary(details: Sequence[str]) -> str:
    told = "; ".join(details[:_DETAILS_TOLD])
    return told if len(details) <= _DETAILS_TOLD else f"{told}; and {len(details) - _DETAILS_TOLD} more"


def refuse(message: Message, reason: RefusalReason, detail: str, *, eui: str | None = None) -> Taken:
    """Refuse the whole message."""
    return Taken(refused=(_refused(message, reason, detail, eui),), device_eui=eui)


def _refused(message: Message, reason: RefusalReason, detail: str, eui: str | None) -> RefusedMessage:
    return RefusedMessage(
        commune_insee=message.network.commune_insee,
        received_at=message.received_at,
        network=message.network.name,
        topic=message.topic,
        payload=message.payload,
        reason=reason,
        detail=detail,
        device_eui=eui,
    )
