"""A file of the town's taken in by a command: all of it or nothing, noted in the audit trail, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from cli.auditing import note_import
from cli.file_report import tell_import

if TYPE_CHECKING:
    from config.settings import Settings
    from storage.database import Connection
    from storage.file_report import FileReport

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="CSV file; - reads standard input.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Look for faults and write nothing.")]


class Importer(Protocol):
    """Takes a file in, in the caller's transaction."""

    def __call__(
        self, connection: Connection, commune_insee: str, content: bytes, /, *, dry_run: bool = False
    ) -> FileReport:
        """Return what became of it."""
        ...


def take_in(
    settings: Settings, file: str, importer: Importer, *, noted: str, told: str, dry_run: bool, as_json: bool
) -> None:
    """Take a file in; the audit trail calls what it holds `noted`, the answer calls it `told`."""
    from cli.registry import content_of, desk

    content = content_of(file)
    with desk(settings) as at:
        report = importer(at.connection, at.insee, content, dry_run=dry_run)
        if not report.errors and not dry_run:
            counts = {"imported": report.imported, "updated": report.updated}
            note_import(at.connection, at.insee, noted, content, **counts)
        at.connection.commit()
    tell_import(report, told, dry_run=dry_run, as_json=as_json)
