"""A file of devices taken into the registry: all of it, or nothing and every fault with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from storage import communes, places
from storage.bin_geometry import complaints, completed
from storage.database import Connection
from storage.device_file import DeviceLine, LineError, read_devices
from storage.device_life import mounting_at
from storage.device_names import checked_eui, known_model
from storage.errors import InputError
from storage.model import Catalogue, DeviceStatus, Geometry, PlaceKind
from storage.reading_places import Followed
from storage.registry_draft import Draft, Entry
from storage.registry_writing import Telling, open_draft, waiting, write_draft


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What became of a file. With errors nothing was written; `imported` counts new devices, `updated` known ones.

    `euis`: the devices that are new or changed. `readings`: what stored readings did.
    """

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[LineError, ...] = ()
    euis: tuple[str, ...] = ()
    readings: Followed = field(default_factory=Followed)


def import_devices(
    connection: Connection, commune_insee: str, content: bytes, *, telling: Telling, dry_run: bool = False
) -> ImportReport:
    """Take a CSV file of devices in, in the caller's transaction; with `dry_run` write nothing.

    Times without an offset are the commune's. Raises NotFoundError when there is no such commune.
    """
    commune = communes.one(connection, commune_insee)
    file = read_devices(content, zone=ZoneInfo(commune.time_zone))
    kinds = places.kinds(connection, commune_insee)
    with waiting():
        draft = open_draft(connection, commune_insee, euis=None, place_ids=(), kinds=kinds, telling=telling)
        telling_lines = _Lines(draft, telling.catalogue, kinds)
        for line in file.lines:
            telling_lines.tell(line)
        errors = sorted(
            [*file.errors, *telling_lines.errors, *telling_lines.conflicts()],
            key=lambda error: (error.line, error.column or ""),
        )
        if errors:
            return ImportReport(errors=tuple(errors))
        told = list(telling_lines.entries.values())
        touched = [entry for entry in told if entry.touched]
        report = ImportReport(
            imported=sum(entry.before is None for entry in touched),
            updated=sum(entry.before is not None for entry in touched),
            unchanged=len(told) - len(touched),
            euis=tuple(entry.device.eui for entry in touched),
        )
        if dry_run:
            return report
        return replace(report, readings=write_draft(connection, draft, telling.rules))


class _Lines:
    """Tells a draft what the lines of a file say, and remembers which line told what."""

    def __init__(self, draft: Draft, catalogue: Catalogue, kinds: dict[str, PlaceKind]) -> None:
        self._draft = draft
        self._catalogue = catalogue
        self._kinds = kinds
        self._line_of: dict[str, int] = {}
        self.entries: dict[int, Entry] = {}
        self.errors: list[LineError] = []

    def tell(self, line: DeviceLine) -> None:
        """Tell what one line says; every fault of it is remembered."""
        faults = [*self._faults_of_names(line), *_faults_of_geometry(line, self._kinds)]
        if line.place_id is not None and line.place_id not in self._kinds:
            faults.append(("place_id", f"there is no place {line.place_id!r}"))
        if not faults:
            try:
                self.entries[line.line] = self._apply(line)
            except InputError as error:
                faults.append(("place_id" if line.place_id else "status" if line.status else "model", str(error)))
        self.errors += [LineError(line=line.line, column=column, reason=reason) for column, reason in faults]

    def _faults_of_names(self, line: DeviceLine) -> Iterator[tuple[str, str]]:
        try:
            model = known_model(self._catalogue, line.model)
        except InputError as error:
            yield "model", str(error)
            return
        try:
            eui = checked_eui(line.eui, model)
        except InputError as error:
            yield "eui", str(error)
            return
        first = self._line_of.setdefault(eui, line.line)
        if first != line.line:
            yield "eui", f"{eui} is on line {first} already"

    def _apply(self, line: DeviceLine) -> Entry:
        draft = self._draft
        eui = checked_eui(line.eui, known_model(self._catalogue, line.model))
        known = draft.entries.get(eui)
        if known is not None and line.place_id is not None and known.device.status is DeviceStatus.RETIRED:
            raise InputError(f"device {eui} is retired: tell status in_stock first, and its place in another file")
        entry = draft.register(eui, line.model, comment=line.comment)
        if line.status is DeviceStatus.RETIRED:
            draft.retire(entry, at=line.unmounted_at or draft.now)
        elif line.status is DeviceStatus.IN_STOCK:
            draft.restock(entry)
            at = line.unmounted_at or draft.now
            if mounting_at(entry.timeline, at) is not None:
                draft.unmount(entry, at=at)
        elif line.place_id is not None:
            at = self._mounted_at(line, entry)
            draft.mount(entry, line.place_id, at=at, geometry=line.geometry)
        return entry

    def _mounted_at(self, line: DeviceLine, entry: Entry) -> datetime:
        """Return since when: without a time the line corrects what is known of where the device is, or tells of now."""
        if line.mounted_at is not None:
            return line.mounted_at
        last = entry.timeline[-1] if entry.timeline else None
        if last is not None and last.unmounted_at is None and last.place_id == line.place_id:
            return last.mounted_at
        return self._draft.now

    def conflicts(self) -> list[LineError]:
        """Return where two devices would be on one place, on the line of the one that the file puts there."""
        found = []
        for earlier, later, sentence in self._draft.conflicts():
            lines = [self._line_of[entry.device.eui] for entry in (earlier, later) if entry.device.eui in self._line_of]
            others = f" (lines {min(lines)} and {max(lines)})" if len(lines) > 1 else ""
            found.append(LineError(line=max(lines), column="place_id", reason=sentence + others))
        return found


def _faults_of_geometry(line: DeviceLine, kinds: dict[str, PlaceKind]) -> Sequence[tuple[str, str]]:
    if line.geometry is None:
        return []
    kind = kinds.get(line.place_id or "")
    if kind is not None and kind is not PlaceKind.BIN:
        told = next(name for name, default in _defaults() if getattr(line.geometry, name) != default)
        return [(told, f"expected none: {line.place_id} is a {kind}, and only bins have a geometry")]
    return list(complaints(completed(line.geometry)))


def _defaults() -> list[tuple[str, object]]:
    bare = Geometry()
    return [(name, getattr(bare, name)) for name in Geometry.__dataclass_fields__]
