"""A change of the registry before it is written: what was known of some devices, and what is told of them now.

Decides alone. Everything that changes the registry (a file, a command, a request) makes a draft; `device_changes` reads
what it needs before and writes it after, all in one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from storage import device_life
from storage.bin_geometry import checked
from storage.device_life import Span, Timeline
from storage.device_names import known_model
from storage.errors import ConflictError, InputError
from storage.model import (
    Catalogue,
    Device,
    DeviceChange,
    DeviceChangeKind,
    DeviceStatus,
    Geometry,
    Mounting,
    PlaceKind,
    RegisteredDevice,
)

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far the clock of whoever tells it may be ahead. What has not happened yet is not history."""


@dataclass(kw_only=True, slots=True)
class Entry:
    """One device in a draft: as it was (None: unknown so far), and as it will be."""

    before: RegisteredDevice | None
    device: Device
    timeline: Timeline
    changes: list[DeviceChange] = field(default_factory=list)

    @property
    def timeline_before(self) -> Timeline:
        """The mountings as they were, oldest first."""
        return () if self.before is None else tuple(reversed(self.before.mountings))

    @property
    def moved(self) -> Span | None:
        """The time in which the device was elsewhere than was thought, or mounted otherwise."""
        return device_life.difference(self.timeline_before, self.timeline)

    @property
    def touched(self) -> bool:
        """Whether there is anything to write."""
        return self.before is None or self.device != self.before.device or self.moved is not None


class Draft:
    """Devices of one commune and what is told of them. A method that raises (InputError) has changed nothing.

    `now` is the commune's present, `recorded_at` the wall clock's; `places` are the kinds of the places named.
    """

    def __init__(
        self,
        *,
        commune_insee: str,
        devices: Iterable[RegisteredDevice],
        places: Mapping[str, PlaceKind],
        catalogue: Catalogue,
        now: datetime,
        recorded_at: datetime,
        author: str | None,
    ) -> None:
        self.commune_insee = commune_insee
        self._places = places
        self._catalogue = catalogue
        self.now = now
        self._recorded_at = recorded_at
        self._author = author
        self._eui_of: dict[int, str] = {}
        self.entries: dict[str, Entry] = {}
        for known in devices:
            self._eui_of[known.device.device_id] = known.device.eui
            self.entries[known.device.eui] = Entry(
                before=known, device=known.device, timeline=tuple(reversed(known.mountings))
            )
        self._new = 0

    def register(self, eui: str, model: str, *, comment: str | None = None) -> Entry:
        """Make the device known, or correct its model; `eui` is as `checked_eui` returns it."""
        known_model(self._catalogue, model)
        entry = self.entries.get(eui)
        if entry is None:
            # A number of its own until the database gives it one.
            self._new -= 1
            device = Device(
                commune_insee=self.commune_insee,
                eui=eui,
                model=model,
                device_id=self._new,
                status=DeviceStatus.IN_STOCK,
                comment=comment,
            )
            entry = self.entries[eui] = Entry(before=None, device=device, timeline=())
            self._eui_of[self._new] = eui
            self._note(entry, DeviceChangeKind.REGISTERED, self.now, comment=comment, model=model)
            return entry
        if entry.device.model != model:
            for mounting in entry.timeline:
                if mounting.unmounted_at is None:
                    self._check_fit(model, mounting.place_id, mounting.place_kind)
            self._note(
                entry, DeviceChangeKind.MODEL_CHANGED, self.now, comment=comment, model=model, was=entry.device.model
            )
            entry.device = replace(entry.device, model=model)
        if comment is not None and comment != entry.device.comment:
            if not entry.changes:
                self._note(entry, DeviceChangeKind.COMMENTED, self.now, comment=comment)
            entry.device = replace(entry.device, comment=comment)
        return entry

    def mount(
        self,
        entry: Entry,
        place_id: str,
        *,
        at: datetime,
        until: datetime | None = None,
        geometry: Geometry | None = None,
        comment: str | None = None,
    ) -> None:
        """Put the device on the place since `at`. Without a geometry it keeps the one that it has, or had last, there.

        Whether another device is in the way is told by `conflicts`, since that one may move in the same draft.
        """
        self._check_time(at)
        kind = self._places.get(place_id)
        if kind is None:
            raise InputError(f"commune {self.commune_insee} has no place {place_id!r}")
        if entry.device.status is DeviceStatus.RETIRED:
            raise ConflictError(f"device {entry.device.eui} is retired: bring it back into stock first")
        self._check_fit(entry.device.model, place_id, kind)
        if until is not None and until <= at:
            raise InputError(f"expected an end after {at.isoformat()}, got {until.isoformat()}")
        whole = self._geometry_there(entry, place_id, at) if geometry is None else checked(geometry, kind)
        wanted = Mounting(
            commune_insee=self.commune_insee,
            device_id=entry.device.device_id,
            place_id=place_id,
            place_kind=kind,
            mounted_at=at,
            unmounted_at=until,
            **asdict(whole),
        )
        after = device_life.mounted(entry.timeline, wanted)
        if device_life.difference(entry.timeline, after) is None:
            return
        was = device_life.mounting_at(entry.timeline, at)
        stayed = was is not None and was.place_id == place_id
        self._note(
            entry,
            DeviceChangeKind.RECALIBRATED if stayed else DeviceChangeKind.MOUNTED,
            at,
            place_id=place_id,
            comment=comment,
            geometry=_told(whole),
            was_on=None if was is None or stayed else was.place_id,
            until=None if until is None else until.isoformat(),
        )
        entry.timeline = after
        self._settle(entry)

    def unmount(self, entry: Entry, *, at: datetime, comment: str | None = None, instead: str | None = None) -> None:
        """Take the device down at `at`, into stock; `instead`: the device that takes its place."""
        self._check_time(at)
        present = device_life.mounting_at(entry.timeline, at)
        if present is None:
            raise ConflictError(f"device {entry.device.eui} was on no place at {at.isoformat()}")
        entry.timeline = device_life.unmounted(entry.timeline, at)
        self._note(
            entry, DeviceChangeKind.UNMOUNTED, at, place_id=present.place_id, comment=comment, replaced_by=instead
        )
        self._settle(entry)

    def retire(self, entry: Entry, *, at: datetime, comment: str | None = None, instead: str | None = None) -> None:
        """Take the device out of service at `at`, from where it is or from stock. Retiring again changes nothing."""
        self._check_time(at)
        if entry.device.status is DeviceStatus.RETIRED:
            return
        later = [mounting for mounting in entry.timeline if mounting.mounted_at > at]
        if later:
            raise ConflictError(
                f"device {entry.device.eui} was mounted on {later[0].place_id} at {later[0].mounted_at.isoformat()}, "
                f"after {at.isoformat()}"
            )
        if device_life.mounting_at(entry.timeline, at) is not None:
            self.unmount(entry, at=at, comment=comment, instead=instead)
        entry.device = replace(entry.device, status=DeviceStatus.RETIRED)
        self._note(entry, DeviceChangeKind.RETIRED, at, comment=comment)

    def restock(self, entry: Entry, *, comment: str | None = None) -> None:
        """Bring a retired device back into stock; others stay as they are."""
        if entry.device.status is DeviceStatus.RETIRED:
            entry.device = replace(entry.device, status=DeviceStatus.IN_STOCK)
            self._note(entry, DeviceChangeKind.RESTOCKED, self.now, comment=comment)

    def occupant(self, place_id: str, at: datetime, *, but: Entry) -> tuple[Entry, Mounting] | None:
        """Return the other device that is on the place at `at`, with its mounting."""
        for entry in self.entries.values():
            present = device_life.mounting_at(entry.timeline, at)
            if entry is not but and present is not None and present.place_id == place_id:
                return entry, present
        return None

    def conflicts(self) -> list[tuple[Entry, Entry, str]]:
        """Return pairs of devices that would be on one place at once, of which this draft touches one at least.

        The first is the one that was there before the other; the sentence says so.
        """
        by_place: defaultdict[str, list[Mounting]] = defaultdict(list)
        for entry in self.entries.values():
            for mounting in entry.timeline:
                by_place[mounting.place_id].append(mounting)
        found = []
        for place_id, mountings in by_place.items():
            for earlier, later in device_life.overlaps(mountings):
                one, other = (self.entries[self._eui_of[item.device_id]] for item in (earlier, later))
                if one.touched or other.touched:
                    until = "" if earlier.unmounted_at is None else f" until {earlier.unmounted_at.isoformat()}"
                    sentence = (
                        f"{place_id} has device {one.device.eui} since {earlier.mounted_at.isoformat()}{until}, and "
                        f"{other.device.eui} since {later.mounted_at.isoformat()}"
                    )
                    found.append((one, other, sentence))
        return found

    def _geometry_there(self, entry: Entry, place_id: str, at: datetime) -> Geometry:
        present = device_life.mounting_at(entry.timeline, at)
        if present is not None and present.place_id == place_id:
            return present.geometry
        earlier = [item for item in entry.timeline if item.place_id == place_id]
        return earlier[-1].geometry if earlier else Geometry()

    def _check_fit(self, model: str, place_id: str, kind: PlaceKind) -> None:
        known = known_model(self._catalogue, model)
        if not known.fits(kind):
            measured = {"level": "a level", "occupancy": "a state"}.get(known.measures, "levels and states")
            raise InputError(f"{model} measures {measured}, and {place_id} is a {kind}")

    def _check_time(self, at: datetime) -> None:
        if at > self.now + FUTURE_TOLERANCE:
            raise InputError(f"{at.isoformat()} is in the future: now it is {self.now.isoformat(timespec='seconds')}")

    def _settle(self, entry: Entry) -> None:
        """Let the status follow from the timeline; what is retired stays so, whatever is told of its past."""
        if entry.device.status is DeviceStatus.RETIRED:
            return
        on_a_place = any(mounting.unmounted_at is None for mounting in entry.timeline)
        entry.device = replace(entry.device, status=DeviceStatus.MOUNTED if on_a_place else DeviceStatus.IN_STOCK)

    def _note(
        self,
        entry: Entry,
        kind: DeviceChangeKind,
        at: datetime,
        *,
        place_id: str | None = None,
        comment: str | None = None,
        **detail: Any,
    ) -> None:
        entry.changes.append(
            DeviceChange(
                kind=kind,
                happened_at=at,
                recorded_at=self._recorded_at,
                place_id=place_id,
                author=self._author,
                comment=comment,
                detail={name: value for name, value in detail.items() if value is not None},
            )
        )


def _told(geometry: Geometry) -> dict[str, Any] | None:
    """Return what of the geometry was told."""
    if geometry == Geometry():
        return None
    return {name: value for name, value in asdict(geometry).items() if value is not None}
