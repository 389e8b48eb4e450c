"""Which column of a file of free or taken places holds what. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from optimise.csv_columns import Column, Known, match_columns
from storage.errors import InputError

PLACE, OBSERVED_AT, FREE, OCCUPIED, CAPACITY = "place_id", "observed_at", "free", "occupied", "capacity"
LON, LAT = "lon", "lat"


def _plain(*names: str) -> tuple[tuple[str, float], ...]:
    return tuple((name, 1.0) for name in names)


KNOWN: Known = {
    PLACE: _plain(
        "place_id",
        "place",
        "car_park",
        "carpark",
        "parking",
        "bay_id",
        "space_id",
        "sensor_id",
        "systemcodenumber",
        "id",
    ),
    OBSERVED_AT: _plain(
        "observed_at", "measured_at", "snapshot", "timestamp", "time", "datetime", "lastupdated", "updated_at", "date"
    ),
    FREE: _plain("free", "available", "free_places", "free_spaces", "available_spaces", "vacant"),
    OCCUPIED: _plain("occupied", "occupancy", "occupied_places", "occupied_spaces", "taken"),
    CAPACITY: _plain("capacity", "total_capacity", "total_spaces", "total_places"),
    LON: _plain("lon", "longitude", "lng"),
    LAT: _plain("lat", "latitude"),
}
_EXAMPLE = "place_id=car_park,observed_at=snapshot,free=places"


def find_columns(header: Sequence[str], mapping: dict[str, tuple[str, float]] | None = None) -> dict[str, Column]:
    """Return our name -> column of a file of readings. Raises InputError when place, time or count has none."""
    found = match_columns(
        header,
        KNOWN,
        needed=(PLACE, OBSERVED_AT),
        optional=(FREE, OCCUPIED, CAPACITY, LON, LAT),
        mapping=mapping,
        example=_EXAMPLE,
    )
    if FREE not in found and OCCUPIED not in found:
        raise InputError(
            f"no column {FREE} and no column {OCCUPIED} in {', '.join(header)}: name it with --columns, as in"
            f" --columns {_EXAMPLE}"
        )
    return found
