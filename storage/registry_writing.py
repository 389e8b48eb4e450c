"""How a draft of the registry is read and written: the journal, the mountings, and the readings that follow.

Collectors wait while readings move, and judge with the new registry afterwards: what is stored is always at the place
where its device was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from storage import communes, devices
from storage.bin_geometry import LevelRules
from storage.database import Connection, statement
from storage.errors import ConflictError, UnavailableError
from storage.model import Catalogue, PlaceKind
from storage.reading_places import Followed, follow
from storage.registry_draft import Draft, Entry

_LONGEST_WAIT = "60s"
_ONE_AT_A_TIME = "public.mounting_device_is_on_one_place, public.mounting_place_has_one_device"
"""Constraints broken on the way. Audit entries stay for the commit, when all locks are held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """Who tells a change, why, and what they know: the models of sensors, and what a level may be."""

    catalogue: Catalogue
    author: str | None = None
    comment: str | None = None
    rules: LevelRules = field(default_factory=LevelRules)


@contextmanager
def waiting() -> Iterator[None]:
    """Say in a sentence that somebody else holds the registry."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise UnavailableError(
            f"the registry was held by others for {_LONGEST_WAIT}: try again when they are done"
        ) from error


def open_draft(
    connection: Connection,
    commune_insee: str,
    *,
    euis: Sequence[str] | None,
    place_ids: Sequence[str],
    kinds: Mapping[str, PlaceKind],
    telling: Telling,
) -> Draft:
    """Return a draft of these devices and of those on these places, or of all of the commune's (`euis` None).

    Whoever else changes the commune's registry waits until this transaction ends. NotFoundError: there is no commune.
    """
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [_LONGEST_WAIT])
    if connection.execute(statement("devices", "lock_registry"), {"commune_insee": commune_insee}).fetchone() is None:
        communes.one(connection, commune_insee)
    if euis is None:
        known = devices.of_commune(connection, commune_insee)
    else:
        known = devices.some(connection, commune_insee, euis=euis, place_ids=place_ids)
    return Draft(
        commune_insee=commune_insee,
        devices=known,
        places=kinds,
        catalogue=telling.catalogue,
        now=communes.clock(connection, commune_insee).now(),
        recorded_at=datetime.now(UTC),
        author=telling.author,
    )


def write_draft(connection: Connection, draft: Draft, rules: LevelRules) -> Followed:
    """Write what the draft changed in the caller's transaction; return what readings did. Raises ConflictError."""
    touched = [entry for entry in draft.entries.values() if entry.touched]
    if not touched:
        return Followed()
    # Devices may change places with each other: only the end of it has to be without overlap.
    connection.execute(f"SET CONSTRAINTS {_ONE_AT_A_TIME} DEFERRED")
    _write_devices(connection, touched)
    _write_mountings(connection, touched)
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("devices", "note"),
            [
                asdict(change)
                | {"commune_insee": entry.device.commune_insee, "device_id": entry.device.device_id}
                | {"detail": Jsonb(msgspec.to_builtins(change.detail))}
                for entry in touched
                for change in entry.changes
            ],
        )
    try:
        connection.execute(f"SET CONSTRAINTS {_ONE_AT_A_TIME} IMMEDIATE")
    except psycopg.errors.ExclusionViolation as error:
        raise ConflictError(
            f"a device or a place would have two mountings at once: {error.diag.message_detail}"
        ) from error
    # From here on no collector judges until we have committed.
    device_ids = [entry.device.device_id for entry in touched]
    parameters = {"commune_insee": draft.commune_insee, "device_ids": device_ids}
    connection.execute(statement("devices", "changed"), parameters)
    total = Followed()
    for entry in touched:
        span = entry.moved
        if entry.before is not None and span is not None:
            total += follow(
                connection, entry.device, before=entry.timeline_before, after=entry.timeline, span=span, rules=rules
            )
    if total != Followed():
        notice = {"kind": "readings", "commune_insee": draft.commune_insee, "stored": total.moved + total.restored}
        connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})
    return total


def _write_devices(connection: Connection, touched: Sequence[Entry]) -> None:
    new = [entry for entry in touched if entry.before is None]
    known = [entry for entry in touched if entry.before is not None and entry.before.device != entry.device]
    with connection.cursor() as cursor:
        cursor.executemany(statement("devices", "insert_device"), [asdict(entry.device) for entry in new])
        cursor.executemany(statement("devices", "update_device"), [asdict(entry.device) for entry in known])
    if not new:
        return
    parameters = {"commune_insee": new[0].device.commune_insee, "euis": [entry.device.eui for entry in new]}
    ids: dict[str, int] = dict(connection.execute(statement("devices", "ids"), parameters).fetchall())
    for entry in new:
        device_id = ids[entry.device.eui]
        entry.device = replace(entry.device, device_id=device_id)
        entry.timeline = tuple(replace(mounting, device_id=device_id) for mounting in entry.timeline)


def _write_mountings(connection: Connection, touched: Sequence[Entry]) -> None:
    gone, written = [], []
    for entry in touched:
        before = {mounting.mounted_at: mounting for mounting in entry.timeline_before}
        after = {mounting.mounted_at: mounting for mounting in entry.timeline}
        gone += [asdict(mounting) for at, mounting in before.items() if at not in after]
        written += [asdict(mounting) for at, mounting in after.items() if before.get(at) != mounting]
    with connection.cursor() as cursor:
        cursor.executemany(statement("devices", "forget_mounting"), gone)
        cursor.executemany(statement("devices", "save_mounting"), written)
