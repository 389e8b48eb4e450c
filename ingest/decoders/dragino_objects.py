"""What published codecs make of the frames of Dragino's ultrasonic sensors.

The vendor's write `Bat`, `Distance`, `TempC_DS18B20`, `Sensor_flag`, as numbers or as text with units, and words in
place of a distance; the device repository of The Things Network has `battery`, `distance`, `temperature_pro`,
`sensor_flag` for the newer products.

Three of them are traps. The repository's codec of the old LDDS75 firmware writes the distance as `value` and the
battery, in millivolts, as `distance`. Its codec called DDS75-LB is the one of the DDS75-3, which puts one device's
flags where the other's distance is: its objects are refused. And the vendor's two codecs of the DDS75-LB differ by ten
in the temperature, so that one that is not 0 is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest.decoders.codec_object import number, whole
from ingest.decoders.codec_records import as_raw, distance_mm
from ingest.decoders.decoded import Decoded, Info, Measurement
from ingest.decoders.dragino_frames import Product, interrupt, no_sensor
from ingest.refusal import malformed, quoted
from storage.model import Quality

_NO_SENSOR, _INVALID = "no sensor", "invalid reading"
_COLDEST_C, _HOTTEST_C = -55, 125  # DS18B20
_FLAGS = 0xFF
_THREE_SENSORS = ("distance1", "distance2", "distance3")
_INFORMATION = {
    "SENSOR_MODEL": "product",
    "FIRMWARE_VERSION": "firmware_version",
    "FREQUENCY_BAND": "frequency_band",
    "SUB_BAND": "sub_band",
}


def object_reader_of(product: Product, *, temperature_known: bool = True) -> Callable[[Mapping[str, Any]], Decoded]:
    """Return the reader of a product's codec objects. `temperature_known`: whether its codecs agree on the unit."""

    def read(decoded: Mapping[str, Any]) -> Decoded:
        """Return what the object says; RefusedError(MALFORMED_PAYLOAD) when it is of no codec of the product."""
        if decoded.keys() & set(_THREE_SENSORS):
            raise malformed("the network's codec is of a device with three sensors, whose frames are others")
        if "DATALOG" in decoded:
            raise malformed("the times of a decoded data log have no zone: have the network send the bytes")
        if "FIRMWARE_VERSION" in decoded:
            return Decoded(infos=(_information(decoded),))
        for name in ("Detect_Mode_Data", "Additional_Distance_Data"):
            if name in decoded:
                return Decoded(infos=(Info(kind="many_distances", detail={name: decoded[name]}),))
        return _measured(decoded, product, temperature_known=temperature_known)

    return read


def _measured(decoded: Mapping[str, Any], product: Product, *, temperature_known: bool) -> Decoded:
    if "value" in decoded and "Distance" not in decoded:
        millivolts = number(decoded, "distance") if not isinstance(decoded.get("distance"), str) else None
        distance, voltage = distance_mm(decoded, "value"), None if millivolts is None else millivolts / 1000
        word = None
    else:
        name = "Distance" if "Distance" in decoded else "distance"
        word = decoded[name].strip().lower() if isinstance(decoded.get(name), str) else None
        distance = None if word in (_NO_SENSOR, _INVALID) else distance_mm(decoded, name)
        voltage = number(decoded, "Bat" if "Bat" in decoded else "battery", unit="V")
    temperature = _temperature(decoded)
    if not temperature_known and temperature != 0:
        temperature = None
    flag = whole(decoded, "Sensor_flag" if "Sensor_flag" in decoded else "sensor_flag")
    raw = as_raw(decoded)
    if word == _NO_SENSOR or flag == 0:
        measurement = no_sensor(voltage, temperature_c=temperature, distance_mm=distance, raw=raw)
    elif word == _INVALID:
        measurement = Measurement(quality=Quality.BLIND_ZONE, battery_v=voltage, temperature_c=temperature, raw=raw)
    elif distance is None:
        raise malformed(f"no distance, but {quoted(sorted(map(str, decoded)))}")
    else:
        measurement = product.measurement(distance, battery_v=voltage, temperature_c=temperature, raw=raw)
    return Decoded(measurements=(measurement,), infos=_interrupt(decoded))


def _temperature(decoded: Mapping[str, Any]) -> float | None:
    name = "TempC_DS18B20" if "TempC_DS18B20" in decoded else "temperature_pro"
    value = number(decoded, name, unit="°C")
    return value if value is not None and _COLDEST_C <= value <= _HOTTEST_C else None


def _interrupt(decoded: Mapping[str, Any]) -> tuple[Info, ...]:
    for name in ("Interrupt_flag", "Interrupt_status", "interrupt_flag"):
        flag = whole(decoded, name)
        if flag is not None:
            return interrupt(flag & _FLAGS)
    return ()


def _information(decoded: Mapping[str, Any]) -> Info:
    detail: dict[str, Any] = {ours: decoded.get(theirs) for theirs, ours in _INFORMATION.items()}
    if detail["sub_band"] == "NULL":
        detail["sub_band"] = None
    detail["battery_v"] = number(decoded, "BAT" if "BAT" in decoded else "battery", unit="V")
    return Info(kind="device_information", detail=detail)
