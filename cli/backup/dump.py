"""Making a backup: one moment of the database, dumped by PostgreSQL's own program and counted beside it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cli.backup import manifest as manifests
from cli.backup.manifest import DUMP_NAME, Manifest
from cli.backup.tools import find_tool, run_tool
from cli.demo.screen import Screen
from storage import census
from storage.database import connect
from storage.errors import InputError, SchemaError
from storage.schema_version import current_version

_DUMPING = re.compile(r"dumping contents of table \"(.+)\"")


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """A finished backup."""

    folder: Path
    manifest: Manifest


def back_up(url: str, folder: Path, *, tools_folder: Path | None, screen: Screen) -> Backup:
    """Write a backup of the database at `url` into a new folder inside `folder`.

    It appears under its name only when it is whole. Raises InputError when the folder cannot be written, SchemaError
    without a schema, UnavailableError when the database or PostgreSQL's programs are not there.
    """
    found = current_version(url)
    if found is None:
        raise SchemaError
    made_at = datetime.now(UTC)
    final = folder / f"voirie-{made_at:%Y%m%dT%H%M%SZ}"
    partial = folder / f".{final.name}.partial"
    try:
        # Everything that a town knows: for its owner alone.
        partial.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise InputError(f"{partial} cannot be made: {error.strerror}") from error
    try:
        manifest = _dump(url, partial, made_at=made_at, schema=found, tools_folder=tools_folder, screen=screen)
        manifests.write(partial, manifest)
        partial.rename(final)
    except OSError as error:
        raise InputError(f"{partial} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Backup(folder=final, manifest=manifest)


def _dump(
    url: str, folder: Path, *, made_at: datetime, schema: str, tools_folder: Path | None, screen: Screen
) -> Manifest:
    with connect(url, application="voirie backup") as connection:
        major = connection.info.server_version // 10_000
        tool = find_tool("pg_dump", at_least=major, why=f"the server is of version {major}", folder=tools_folder)
        census.hold_still(connection)
        names = census.tables(connection)
        screen.step(f"Dumping with {tool}")

        def tell(line: str) -> None:
            if match := _DUMPING.search(line):
                screen.update(match[1])

        dump = folder / DUMP_NAME
        snapshot = census.export_snapshot(connection)
        arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={dump}"]
        run_tool(tool, url, arguments, progress=tell)
        # The hash of every row, in the snapshot that was dumped.
        screen.step("Counting", total=float(len(names)))
        counted = census.count(connection, names, progress=lambda name, done: screen.update(name, done=float(done)))
        extension, owners = census.timescaledb(connection), census.owners(connection)
    screen.step("Reading it back", total=1.0)
    return Manifest(
        made_at=made_at,
        voirie_version=version("voirie"),
        schema_version=schema,
        postgresql_major=major,
        timescaledb=extension,
        dumped_by=tool.major,
        owners=owners,
        dump_bytes=dump.stat().st_size,
        dump_sha256=manifests.sha256_of(dump, lambda share: screen.update(f"{share:.0%}", done=share)),
        tables=dict(counted),
    )
