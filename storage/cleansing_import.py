"""Bins, depots, disposal sites and vehicles of a town, from its own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from storage import bins, communes, places
from storage.cleansing_file import Cleansing, read_places, read_vehicles
from storage.database import Connection
from storage.device_file import LineError
from storage.file_report import FileReport, take_in
from storage.model import PlaceKind


def import_bins(connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False) -> FileReport:
    """Take a CSV file of bins, depots and disposal sites in, all of it or nothing, in the caller's transaction.

    A known place is corrected; what was read around a bin stays. With `dry_run` nothing is written. Raises
    NotFoundError when there is no such commune.
    """
    communes.one(connection, commune_insee)
    read, errors = read_places(content, commune_insee)
    if not errors:
        errors = _kind_faults(connection, commune_insee, read)
    return take_in(connection, lambda: _save_places(connection, commune_insee, read), errors=errors, dry_run=dry_run)


def import_vehicles(connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False) -> FileReport:
    """Take a CSV file of vehicles in, as `import_bins` does; their depots must be known."""
    communes.one(connection, commune_insee)
    depots = frozenset(one.place_id for one in places.of_kind(connection, commune_insee, PlaceKind.DEPOT))
    read, errors = read_vehicles(content, commune_insee, depots=depots)

    def save() -> FileReport:
        known = {one.vehicle_id: one for one in places.vehicles(connection, commune_insee)}
        places.save_vehicles(connection, read)
        return _compared({one.vehicle_id: one for one in read}, known)

    return take_in(connection, save, errors=errors, dry_run=dry_run)


def _kind_faults(connection: Connection, commune_insee: str, read: Cleansing) -> tuple[LineError, ...]:
    """Return a fault for each place that is known as something else: its readings and plans would lose their sense."""
    told = {one.place_id: PlaceKind.BIN for one in read.bins}
    told |= {one.place_id: PlaceKind.DEPOT for one in read.depots}
    told |= {one.place_id: PlaceKind.DISPOSAL_SITE for one in read.sites}
    known = places.kinds(connection, commune_insee, place_ids=list(told))
    return tuple(
        LineError(line=1, column="kind", reason=f"{place_id!r} is known as a {known[place_id]}, not as a {kind}")
        for place_id, kind in told.items()
        if known.get(place_id, kind) != kind
    )


def _save_places(connection: Connection, commune_insee: str, read: Cleansing) -> FileReport:
    known_bins = {one.place_id: one for one in bins.every(connection, commune_insee)}
    told = [
        replace(one, surroundings=known_bins[one.place_id].surroundings) if one.place_id in known_bins else one
        for one in read.bins
    ]
    known_depots = {one.place_id: one for one in places.of_kind(connection, commune_insee, PlaceKind.DEPOT)}
    known_sites = {one.place_id: one for one in places.disposal_sites(connection, commune_insee)}
    reports = (
        _compared({one.place_id: one for one in told}, known_bins),
        _compared({one.place_id: one for one in read.depots}, known_depots),
        _compared({one.place_id: one for one in read.sites}, known_sites),
    )
    bins.save(connection, told)
    places.save_places(connection, read.depots)
    places.save_disposal_sites(connection, read.sites)
    return FileReport(
        imported=sum(one.imported for one in reports),
        updated=sum(one.updated for one in reports),
        unchanged=sum(one.unchanged for one in reports),
    )


def _compared(told: Mapping[str, object], known: Mapping[str, object]) -> FileReport:
    new = [name for name in told if name not in known]
    same = [name for name in told if name in known and told[name] == known[name]]
    return FileReport(imported=len(new), updated=len(told) - len(new) - len(same), unchanged=len(same))
