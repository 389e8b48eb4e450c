"""Which column of a file holds what: the names of the format first, then names that other towns use. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import InputError

BIN, FILL, LON, LAT, KIND, VOLUME = "bin_id", "fill_percent", "lon", "lat", "kind", "volume_l"
MEASURED_AT, EMPTIED_AT = "measured_at", "emptied_at"
PLACE = (LON, LAT, KIND, VOLUME)

# The first name of each row is the format's own. A factor brings other units to percent of fill.
_KNOWN: dict[str, tuple[tuple[str, float], ...]] = {
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


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file: its `index`, its `name` there, and the `factor` that brings its numbers to our unit."""

    index: int
    name: str
    factor: float = 1.0


def parse_mapping(text: str | None) -> dict[str, tuple[str, float]]:
    """Return what `bin_id=container,fill_percent=level*10` says: our name -> (name in the file, factor).

    Raises InputError when it says nothing sensible.
    """
    mapping: dict[str, tuple[str, float]] = {}
    for part in filter(None, (piece.strip() for piece in (text or "").split(","))):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not equals or ours not in _KNOWN:
            raise InputError(f"expected NAME=COLUMN with NAME among {', '.join(_KNOWN)}, got {part!r}")
        name, times, factor = (piece.strip() for piece in theirs.partition("*"))
        try:
            mapping[ours] = (name, float(factor) if times else 1.0)
        except ValueError:
            raise InputError(f"expected a number after '*', got {factor!r} in {part!r}") from None
        if not name or not mapping[ours][1] > 0:
            raise InputError(f"expected a column's name and a factor > 0, got {part!r}")
    return mapping


def find_columns(
    header: Sequence[str], *, emptyings: bool, mapping: dict[str, tuple[str, float]] | None = None
) -> dict[str, Column]:
    """Return our name -> column. Raises InputError when the bin, the time or the fill has none."""
    position = {name.strip().lower(): index for index, name in reversed(list(enumerate(header)))}
    wanted = (BIN, EMPTIED_AT if emptyings else MEASURED_AT, FILL, *PLACE)
    found: dict[str, Column] = {}
    for ours in wanted:
        if mapping and ours in mapping:
            name, factor = mapping[ours]
            if name.lower() not in position:
                raise InputError(f"there is no column {name!r}: the file has {', '.join(header)}")
            found[ours] = Column(index=position[name.lower()], name=name, factor=factor)
            continue
        for name, factor in _KNOWN[ours]:
            if name in position:
                found[ours] = Column(index=position[name], name=header[position[name]].strip(), factor=factor)
                break
    missing = [ours for ours in wanted[:3] if ours not in found]
    if missing:
        advice = "name it with --columns, as in --columns bin_id=container,fill_percent=level"
        raise InputError(f"no column {' and no column '.join(missing)} in {', '.join(header)}: {advice}")
    return found
