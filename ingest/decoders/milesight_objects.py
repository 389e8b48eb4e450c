"""What the codecs that Milesight publishes make of its devices' frames (SensorDecoders, and what was copied from it).

Field names are the codecs': `distance` in mm, `battery` in percent, `position` "normal" or "tilt" (once called `tilt`),
alarms as words (once as `..._alarming` and `..._abnormal` with true and false), stored moments under `history`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest.decoders.codec_object import number, whole
from ingest.decoders.codec_records import as_raw, distance_mm, records
from ingest.decoders.decoded import Decoded, Info
from ingest.decoders.milesight_readings import Found, note_exception, note_fire, store, told
from ingest.decoders.milesight_sensor import (
    DISABLED,
    EXCEPTIONS,
    FAILED,
    NO_TARGET,
    RAISED,
    RELEASED,
    THRESHOLD_ALARMS,
    Moment,
    Record,
    Sensor,
)
from ingest.refusal import RefusedError, malformed, quoted

_TELEMETRY = frozenset(
    {
        "battery",
        "distance",
        "distance_alarm",
        "distance_alarming",
        "distance_mutation",
        "event",
        "history",
        "position",
        "radar_signal_rssi",
        "temperature",
        "temperature_abnormal",
        "temperature_alarm",
        "tilt",
    }
)
_START_UP = frozenset({"device_status", "reset_event"})
_INFORMATION = _START_UP | {
    "ipso_version",
    "hardware_version",
    "firmware_version",
    "tsl_version",
    "sn",
    "lorawan_class",
    "alarm_counts",
    "alarm_release_enable",
    "alarm_report_counts",
    "bin_mode_alarm_config",
    "blind_detection_enable",
    "clear_history",
    "collection_interval",
    "distance_alarm_config",
    "distance_calibration_settings",
    "distance_mode",
    "distance_mutation_alarm_config",
    "distance_range",
    "history_enable",
    "install_height",
    "install_height_enable",
    "people_existing_height",
    "query_device_status",
    "reboot",
    "recollection_config",
    "report_interval",
    "report_status",
    "resend_interval",
    "retransmit_enable",
    "retransmit_interval",
    "standard_mode_alarm_config",
    "sync_time",
    "tilt_distance_link",
    "tilt_linkage_distance_enable",
    "time_sync_enable",
    "time_zone",
    "tof_detection_enable",
    "working_mode",
}
_CODES = {"no target": NO_TARGET, "sensor exception": FAILED, "disabled": DISABLED}
_LATEST_UNIX_S = 0xFFFFFFFF
_MOST_NEGATIVE_MM = -0x8000


def object_reader_of(
    sensor: Sensor, *, read_distance: Callable[[Mapping[str, Any]], int | None] | None = None
) -> Callable[[Mapping[str, Any]], Decoded]:
    """Return the reader of a model's codec objects. `read_distance`: what its `distance` is, where that is peculiar."""

    def read(decoded: Mapping[str, Any]) -> Decoded:
        """Return what the object says; RefusedError(MALFORMED_PAYLOAD) when it is of no codec of the model."""
        if not decoded.keys() & (_TELEMETRY | _INFORMATION):
            raise malformed(f"no field of the model's codec, but {quoted(sorted(map(str, decoded)))}")
        found = Found(moment=Moment())
        found.information = {name: decoded[name] for name in sorted(_INFORMATION & decoded.keys())}
        moment = found.moment
        moment.distance = read_distance(decoded) if read_distance else _distance(decoded, sensor)
        moment.battery_percent = _percent(decoded)
        moment.temperature_c = number(decoded, "temperature")
        moment.tilted = _tilted(decoded)
        _read_alarms(decoded, found, sensor)
        for event in records(decoded, "event"):
            _read_event(event, found, sensor)
        for index, record in enumerate(records(decoded, "history")):
            _read_stored(record, index, found, sensor)
        signal = number(decoded, "radar_signal_rssi")
        if signal is not None:
            found.infos.append(Info(kind="radar_signal", detail={"rssi": signal}, transient=True))
        if found.information.keys() & _START_UP:
            found.information["reset"] = True
        return told(found, sensor, as_raw(decoded))

    return read


def _distance(decoded: Mapping[str, Any], sensor: Sensor) -> int | None:
    value = whole(decoded, "distance", unit="mm")
    if sensor.radar and value is not None and _MOST_NEGATIVE_MM <= value < 0:
        # The codec writes the device's codes as the negative numbers that they would be.
        return value & 0xFFFF
    return distance_mm(decoded, "distance")


def _percent(decoded: Mapping[str, Any]) -> float | None:
    value = number(decoded, "battery")
    return value if value is not None and 0 <= value <= 100 else None  # noqa: PLR2004 - a percentage


def _tilted(decoded: Mapping[str, Any]) -> bool | None:
    position = decoded.get("position", decoded.get("tilt"))
    return {"tilt": True, "normal": False}.get(position) if isinstance(position, str) else None


def _word(found: object) -> str:
    """Return a codec's word as we write it: the radar's codec has spaces, and calls the blind zone a spot."""
    return str(found).replace(" ", "_").replace("blind_spot", "blind_zone")


def _alarm(decoded: Mapping[str, Any], name: str, older: str) -> str | None:
    if name in decoded:
        return _word(decoded[name])
    if isinstance(decoded.get(older), bool):
        return RAISED if decoded[older] else THRESHOLD_ALARMS[0]
    return None


def _read_alarms(decoded: Mapping[str, Any], found: Found, sensor: Sensor) -> None:
    temperature = _alarm(decoded, "temperature_alarm", "temperature_abnormal")
    if temperature is not None:
        found.alarm["temperature_alarm"] = temperature
        note_fire(found.moment, temperature, sensor)
    distance = _alarm(decoded, "distance_alarm", "distance_alarming")
    if distance is not None:
        found.alarm["distance_alarm"] = distance


def _read_event(event: Mapping[str, Any], found: Found, sensor: Sensor) -> None:
    if "distance_alarm" in event:
        found.alarm["distance_alarm"] = _word(event["distance_alarm"])
    mutation = whole(event, "distance_mutation")
    if mutation is not None:
        found.alarm["distance_mutation_mm"] = mutation
    if "distance_exception" in event:
        exception = _word(event["distance_exception"])
        found.alarm["distance_exception"] = exception
        note_exception(found.moment, exception)
        if "distance" in event:
            found.moment.distance = _distance(event, sensor)
        elif exception != RELEASED:
            # The codec leaves out the codes: the exception says it all.
            found.moment.distance = None


def _read_stored(record: Mapping[str, Any], index: int, found: Found, sensor: Sensor) -> None:
    try:
        unix_s = whole(record, "timestamp")
        if unix_s is None or not 0 <= unix_s <= _LATEST_UNIX_S:
            raise malformed(f"expected a timestamp in seconds, got {quoted(record.get('timestamp'))}")
        events = record.get("event", [])
        words = tuple(_word(event) for event in events) if isinstance(events, list) else ()
        store(found, _stored(record, unix_s, words, sensor), sensor, as_raw(record))
    except RefusedError as refused:
        found.unreadable.append(RefusedError(refused.reason, f"history {index}: {refused.detail}"))


def _stored(record: Mapping[str, Any], unix_s: int, words: tuple[str, ...], sensor: Sensor) -> Record:
    code = record.get("distance_sensor_status")
    distance = _CODES.get(code) if isinstance(code, str) else _distance(record, sensor)
    if distance is None:
        raise malformed("neither a distance nor a reason why there is none")
    return Record(
        unix_s=unix_s,
        distance=distance,
        temperature_c=number(record, "temperature"),
        tilted=("tilt_alarm" in words) if sensor.radar else None,
        exception=EXCEPTIONS[1] if EXCEPTIONS[1] in words else None,
        notes=tuple(word for word in words if word != "tilt_alarm"),
    )
