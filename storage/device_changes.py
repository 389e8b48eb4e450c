"""Changes of the registry: a device is registered, mounted, moved, replaced, taken down, retired.

Each is one transaction of the caller's: who was where, the journal of who told it, and the readings that were stored by
what was thought before (`registry_writing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from storage import places
from storage.bin_geometry import LevelRules
from storage.database import Connection
from storage.device_names import checked_eui, known_model, likely_eui
from storage.errors import ConflictError, NotFoundError
from storage.model import DeviceStatus, Geometry
from storage.reading_places import Followed
from storage.registry_draft import Draft, Entry
from storage.registry_writing import Telling, open_draft, waiting, write_draft

__all__ = ["Assignment", "Away", "Telling", "Told", "assign", "put_away", "register"]


type Away = Literal[DeviceStatus.IN_STOCK, DeviceStatus.RETIRED]


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """A device and the place where it is since `at` (None: now), until `until` (None: until it is told otherwise).

    `model` registers a device that is not known yet, or corrects it. Without a `geometry` the device keeps the one that
    it has or had on that place, or takes over that of the device it replaces. `replace`: what becomes of a device that
    is in the way (None: it is refused).
    """

    eui: str
    place_id: str
    at: datetime | None = None
    until: datetime | None = None
    model: str | None = None
    geometry: Geometry | None = None
    replace: DeviceStatus | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of a change: the devices that it touched, the one that was replaced, and what their readings did."""

    eui: str
    at: datetime
    touched: tuple[str, ...] = ()
    replaced: str | None = None
    readings: Followed = field(default_factory=Followed)


def register(connection: Connection, commune_insee: str, *, eui: str, model: str, telling: Telling) -> Told:
    """Make a device known, in stock, or correct the model of a known one. Raises InputError."""
    name = checked_eui(eui, known_model(telling.catalogue, model))
    with waiting():
        draft = _draft(connection, commune_insee, euis=[name], place_ids=[], telling=telling)
        draft.register(name, model, comment=telling.comment)
        return _save(connection, draft, eui=name, at=draft.now, rules=telling.rules)


def assign(connection: Connection, commune_insee: str, assignment: Assignment, *, telling: Telling) -> Told:
    """Put a device on a place. Raises InputError, NotFoundError (no such device), ConflictError (it is taken)."""
    if assignment.model is None:
        name = likely_eui(assignment.eui)
    else:
        name = checked_eui(assignment.eui, known_model(telling.catalogue, assignment.model))
    with waiting():
        draft = _draft(connection, commune_insee, euis=[name], place_ids=[assignment.place_id], telling=telling)
        if assignment.model is not None:
            draft.register(name, assignment.model)
        entry = _entry(draft, commune_insee, name)
        at = assignment.at or draft.now
        geometry = assignment.geometry
        replaced = draft.occupant(assignment.place_id, at, but=entry)
        if replaced is not None and assignment.replace is not None:
            other, there = replaced
            take_down = draft.retire if assignment.replace is DeviceStatus.RETIRED else draft.unmount
            take_down(other, at=at, comment=telling.comment, instead=name)
            geometry = there.geometry if geometry is None else geometry
        draft.mount(
            entry,
            assignment.place_id,
            at=at,
            until=assignment.until,
            geometry=geometry,
            comment=telling.comment,
        )
        for _, _, sentence in draft.conflicts():
            raise ConflictError(sentence)
        told = _save(connection, draft, eui=name, at=at, rules=telling.rules)
    return replace(told, replaced=None if replaced is None else replaced[0].device.eui)


def put_away(
    connection: Connection,
    commune_insee: str,
    eui: str,
    *,
    status: Away,
    at: datetime | None = None,
    telling: Telling,
) -> Told:
    """Take a device from its place into stock, or out of service; a retired one comes back into stock.

    Repeating it changes nothing. Raises NotFoundError (no such device), ConflictError (it was on no place at `at`, or
    was mounted after it was retired).
    """
    name = likely_eui(eui)
    with waiting():
        draft = _draft(connection, commune_insee, euis=[name], place_ids=[], telling=telling)
        entry = _entry(draft, commune_insee, name)
        moment = at or draft.now
        if status is DeviceStatus.RETIRED:
            draft.retire(entry, at=moment, comment=telling.comment)
        elif at is not None or entry.device.status is DeviceStatus.MOUNTED:
            draft.unmount(entry, at=moment, comment=telling.comment)
        else:
            draft.restock(entry, comment=telling.comment)
        return _save(connection, draft, eui=name, at=moment, rules=telling.rules)


def _draft(
    connection: Connection, commune_insee: str, *, euis: Sequence[str], place_ids: Sequence[str], telling: Telling
) -> Draft:
    kinds = places.kinds(connection, commune_insee, place_ids=place_ids)
    return open_draft(connection, commune_insee, euis=euis, place_ids=place_ids, kinds=kinds, telling=telling)


def _entry(draft: Draft, commune_insee: str, eui: str) -> Entry:
    entry = draft.entries.get(eui)
    if entry is None:
        raise NotFoundError(f"commune {commune_insee} has no device {eui!r}: give its model to register it")
    return entry


def _save(connection: Connection, draft: Draft, *, eui: str, at: datetime, rules: LevelRules) -> Told:
    touched = tuple(sorted(name for name, entry in draft.entries.items() if entry.touched))
    return Told(eui=eui, at=at, touched=touched, readings=write_draft(connection, draft, rules))
