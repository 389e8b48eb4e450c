"""From the channels of a Milesight frame to measurements and events: what all distance sensors of the make share.

A frame tells of one moment, the present, plus of stored moments with times of their own (`20 ce`). When it gives a
distance twice, plainly and with an alarm, the later one counts, as in the vendor's codec. An exception channel (EM410)
stands above the distance beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ingest.decoders.decoded import Decoded, Info, Measurement
from ingest.decoders.device_clock import device_time
from ingest.decoders.milesight_channels import Part, Walk, walk
from ingest.decoders.milesight_information import START_UP
from ingest.decoders.milesight_sensor import DISABLED, RAISED, RELEASED, Moment, Record, Sensor, measurement_of
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError, malformed


class Found(msgspec.Struct):
    """All that one frame, or one object, said, before it is told apart; nothing, to begin with."""

    moment: Moment
    stored: list[Measurement] = []
    stored_alarms: list[dict[str, Any]] = []
    stored_without_distance: list[dict[str, Any]] = []
    infos: list[Info] = []
    unreadable: list[RefusedError] = []
    information: dict[str, Any] = {}
    alarm: dict[str, Any] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing was said that is worth keeping without the rest of the frame."""
        moment = self.moment
        said = moment.distance is not None or moment.exception is not None or moment.fire is not None
        kept = self.stored or self.stored_without_distance or self.unreadable
        return not (said or kept or self.infos or self.information or self.alarm)


def decoder_of(sensor: Sensor) -> Callable[[Uplink], Decoded]:
    """Return the decoder of a model."""

    def decode(uplink: Uplink) -> Decoded:
        """Return what the frame says; RefusedError(MALFORMED_PAYLOAD) when nothing of it can be read."""
        if not uplink.payload:
            raise malformed("the frame is empty")
        walked = walk(uplink.payload, sensor.channels)
        found = Found(moment=Moment())
        for part in walked.parts:
            _take(part, found, sensor)
        _end(walked, uplink.payload, found)
        return told(found, sensor)

    return decode


def _take(part: Part, found: Found, sensor: Sensor) -> None:  # noqa: C901 - one case a role of a channel, no more
    moment, value, name = found.moment, part.value, part.channel.name
    match part.channel.role:
        case "battery":
            moment.battery_percent = value
        case "distance":
            moment.distance = value
        case "temperature":
            moment.temperature_c = value
        case "position":
            moment.tilted = value
        case "distance_alarm" | "mutation_alarm":
            moment.distance = value["distance"]
            found.alarm.update(value)
            found.alarm.pop("distance")
        case "temperature_alarm":
            moment.temperature_c, found.alarm[name] = value
            note_fire(moment, value[1], sensor)
        case "exception":
            moment.distance, found.alarm[name] = value
            note_exception(moment, value[1])
        case "history":
            store(found, value, sensor, part.raw)
        case "information":
            found.information[name] = value
        case "notice":
            found.infos.append(Info(kind=name, detail=value))
        case "diagnostics":
            found.infos.append(Info(kind=name, detail=value, transient=True))


def note_fire(moment: Moment, alarm: str, sensor: Sensor) -> None:
    """Note a fire, or its end, when that is what the model's temperature alarm means."""
    if sensor.fire_alarm:
        moment.fire = alarm == RAISED


def note_exception(moment: Moment, exception: str) -> None:
    """Note what kept the device from measuring, or that nothing does any more."""
    moment.exception = None if exception == RELEASED else exception


def store(found: Found, record: Record, sensor: Sensor, raw: bytes) -> None:
    """Add a stored moment: a measurement, an event when it measured no distance, or what makes it unreadable."""
    try:
        measured_at = device_time(record.unix_s)
    except RefusedError as refused:
        found.unreadable.append(RefusedError(refused.reason, f"stored record {raw.hex()}: {refused.detail}"))
        return
    said: dict[str, Any] = {"measured_at": measured_at.isoformat()}
    if sensor.radar and record.distance == DISABLED:
        found.stored_without_distance.append(said | {"temperature_c": record.temperature_c})
        return
    moment = Moment(
        distance=record.distance,
        exception=record.exception,
        temperature_c=record.temperature_c,
        tilted=record.tilted,
    )
    found.stored.append(measurement_of(moment, sensor, measured_at=measured_at, raw=raw))
    if record.notes:
        found.stored_alarms.append(said | {"events": list(record.notes)})


def _end(walked: Walk, payload: bytes, found: Found) -> None:
    """Tell of what the frame holds behind the last channel that could be read; refuse it when that is all it holds."""
    if walked.rest_at is None:
        return
    if found.empty:
        raise walked.refusal()
    if walked.unknown:
        # A newer firmware may add channels at the end: what stands before them is good.
        detail = {"at_byte": walked.rest_at, "bytes": payload[walked.rest_at :].hex()}
        found.infos.append(Info(kind="unknown_channel", detail=detail))
    else:
        found.unreadable.append(walked.refusal())


def told(found: Found, sensor: Sensor, raw: bytes | None = None) -> Decoded:
    """Return measurements and events. `raw`: what the present's measurement came from, None: the whole payload."""
    moment = found.moment
    infos: list[Info] = []
    if found.information:
        kind = "start_up" if START_UP & found.information.keys() else "configuration"
        infos.append(Info(kind=kind, detail=found.information))
    disabled = sensor.radar and moment.distance == DISABLED
    measured = (moment.distance is not None and not disabled) or moment.exception is not None
    if found.alarm:
        alone = {} if measured or moment.temperature_c is None else {"temperature_c": moment.temperature_c}
        infos.append(Info(kind="alarm", detail=found.alarm | alone))
    infos += found.infos
    for kind, moments in (
        ("stored_alarms", found.stored_alarms),
        ("stored_without_distance", found.stored_without_distance),
    ):
        if moments:
            infos.append(Info(kind=kind, detail={"moments": moments}))
    measurements: tuple[Measurement, ...] = ()
    # A fire is told by a reading even when the frame has no distance: it belongs to the place.
    if measured or moment.fire is not None:
        measurements = (measurement_of(moment, sensor, raw=raw),)
    elif not (infos or found.stored or found.unreadable):
        detail = {"battery_percent": moment.battery_percent, "tilted": moment.tilted}
        detail |= {} if moment.temperature_c is None else {"temperature_c": moment.temperature_c}
        infos.append(Info(kind="status", detail=detail))
    return Decoded(measurements=(*measurements, *found.stored), infos=tuple(infos), unreadable=tuple(found.unreadable))
