"""Devices that publish JSON themselves, on `voirie/v1/{insee}/{device_id}/readings`."""

from __future__ import annotations

MODEL = "voirie-native"


def topic(*, commune_insee: str, device_id: str) -> str:
    """Return the device's topic."""
    return f"voirie/v1/{commune_insee}/{device_id}/readings"


def fill(*, measured_at: str, distance_mm: int, battery_percent: int, temperature_c: float, tilted: bool) -> bytes:
    """Return a bin sensor's message; `measured_at` is ISO 8601."""
    return (
        f'{{"readings":[{{"measured_at":"{measured_at}","distance_mm":{distance_mm},'
        f'"battery_percent":{battery_percent},"temperature_c":{temperature_c:.1f},'
        f'"tilted":{"true" if tilted else "false"}}}]}}'
    ).encode()


def occupancy(*, measured_at: str, occupied: bool, battery_percent: int, temperature_c: float) -> bytes:
    """Return a bay or space sensor's message."""
    return (
        f'{{"readings":[{{"measured_at":"{measured_at}","occupied":{"true" if occupied else "false"},'
        f'"battery_percent":{battery_percent},"temperature_c":{temperature_c:.1f}}}]}}'
    ).encode()
