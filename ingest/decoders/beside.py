"""What stands beside a level or a state in many frames, and is only told when it can be true."""

from __future__ import annotations

import math

from ingest.decoders.decoded import Info

# Street furniture in France stays well inside.
_COLDEST_C, _HOTTEST_C = -40, 85


def temperature(said_c: float | None) -> tuple[float | None, tuple[Info, ...]]:
    """Return the temperature (degrees Celsius); when it is impossible on a street, None and why."""
    if said_c is None:
        return None, ()
    if _COLDEST_C <= said_c <= _HOTTEST_C:
        return round(said_c, 2), ()
    detail = {"implausible_temperature_c": said_c if math.isfinite(said_c) else None}
    return None, (Info(kind="implausible_temperature", detail=detail, transient=True),)


def location(*, latitude_deg: float, longitude_deg: float) -> tuple[Info, ...]:
    """Return where the device says it is; nothing for no place on Earth, and for 0, 0, which is a receiver's "none"."""
    somewhere = abs(latitude_deg) <= 90 and abs(longitude_deg) <= 180  # noqa: PLR2004 - degrees; false for NaN, too
    if not somewhere or (latitude_deg == 0 and longitude_deg == 0):
        return ()
    detail = {"latitude_deg": round(latitude_deg, 6), "longitude_deg": round(longitude_deg, 6)}
    return (Info(kind="location", detail=detail),)


def diagnostics(**values: bool | float | str | None) -> tuple[Info, ...]:
    """Return what helps to look into a device, without what it did not say."""
    detail = {name: value for name, value in values.items() if value is not None}
    return (Info(kind="diagnostics", detail=detail, transient=True),) if detail else ()


def battery_low(*, battery_v: float | None = None, level: str | None = None) -> Info:
    """Return the alarm that a device raises for its own battery."""
    said = {"battery_low": True, "battery_v": battery_v, "battery_level": level}
    return Info(kind="battery_low", detail={name: value for name, value in said.items() if value is not None})
