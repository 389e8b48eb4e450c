"""Which column of a file holds what: the names of the format first, then names that other towns use. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from optimise.csv_columns import Column, Known, match_columns
from optimise.csv_columns import parse_mapping as parse_any_mapping

BIN, FILL, LON, LAT, KIND, VOLUME = "bin_id", "fill_percent", "lon", "lat", "kind", "volume_l"
MEASURED_AT, EMPTIED_AT = "measured_at", "emptied_at"
PLACE = (LON, LAT, KIND, VOLUME)

# The first name of each row is the format's own. A factor brings other units to percent of fill.
_KNOWN: Known = {
    BIN: tuple((name, 1.0) for name in ("bin_id", "bin", "container", "container_id", "serialnumber", "sensor_id")),
    MEASURED_AT: tuple((name, 1.0) for name in ("measured_at", "time", "timestamp", "datetime", "date")),
    EMPTIED_AT: tuple((name, 1.0) for name in ("emptied_at", "collected_at", "time", "timestamp", "datetime", "date")),
    FILL: (
        ("fill_percent", 1.0),
        ("fill_pct", 1.0),
        ("filling_percent", 1.0),
        ("fill_level", 1.0),
        ("fill_fraction", 100.0),
        ("latestfullness", 10.0),
    ),
    LON: tuple((name, 1.0) for name in ("lon", "longitude", "lng")),
    LAT: tuple((name, 1.0) for name in ("lat", "latitude")),
    KIND: tuple((name, 1.0) for name in ("kind", "stream", "waste_type")),
    VOLUME: tuple((name, 1.0) for name in ("volume_l", "capacity_l")),
}


def parse_mapping(text: str | None) -> dict[str, tuple[str, float]]:
    """Return what `bin_id=container,fill_percent=level*10` says: our name -> (name in the file, factor).

    Raises InputError when it says nothing sensible.
    """
    return parse_any_mapping(text, _KNOWN)


def find_columns(
    header: Sequence[str], *, emptyings: bool, mapping: dict[str, tuple[str, float]] | None = None
) -> dict[str, Column]:
    """Return our name -> column. Raises InputError when the bin, the time or the fill has none."""
    needed = (BIN, EMPTIED_AT if emptyings else MEASURED_AT, FILL)
    return match_columns(
        header, _KNOWN, needed=needed, optional=PLACE, mapping=mapping, example="bin_id=container,fill_percent=level"
    )
