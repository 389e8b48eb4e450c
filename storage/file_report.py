"""What became of a file that was taken in whole, or was not: counts, or every fault with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from storage.database import Connection
from storage.device_file import LineError


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReport:
    """What became of a file. With errors nothing was written; `imported` counts new, `updated` corrected rows."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[LineError, ...] = ()

    @classmethod
    def of_rows(cls, stored: Iterable[tuple[bool] | None]) -> FileReport:
        """Count what upserts returned of rows: true for a new one, false for a corrected one, None for one known."""
        outcomes = [None if row is None else row[0] for row in stored]
        return cls(imported=outcomes.count(True), updated=outcomes.count(False), unchanged=outcomes.count(None))


def take_in(
    connection: Connection, save: Callable[[], FileReport], *, errors: tuple[LineError, ...], dry_run: bool
) -> FileReport:
    """Return what `save` reports in the caller's transaction, or the errors; with `dry_run` what it did is undone."""
    if errors:
        return FileReport(errors=errors)
    if not dry_run:
        return save()
    with connection.transaction(force_rollback=True):
        return save()
