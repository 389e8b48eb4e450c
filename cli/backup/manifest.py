"""What stands beside a dump: what it is of, and what a restored database has to hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from storage.census import Extension, TableCensus
from storage.errors import InputError

FILE_NAME = "manifest.json"
DUMP_NAME = "database.dump"
_FORMAT = 1
MOST_BYTES = 16 * 1024 * 1024
_BLOCK_BYTES = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup's own description. `tables` are counted in the very snapshot that was dumped.

    `dumped_by` is the major version of the pg_dump that made it.
    """

    format: int = _FORMAT
    made_at: datetime
    voirie_version: str
    schema_version: str
    postgresql_major: int
    timescaledb: Extension | None
    dumped_by: int
    owners: list[str]
    dump_bytes: int
    dump_sha256: str
    tables: dict[str, TableCensus]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into the folder."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / FILE_NAME).write_bytes(text + b"\n")


def read(folder: Path) -> Manifest:
    """Return the folder's manifest. Raises InputError when the folder is no backup, or one of a later version."""
    file = folder / FILE_NAME
    try:
        with file.open("rb") as opened:
            manifest = msgspec.json.decode(opened.read(MOST_BYTES), type=Manifest)
    except OSError as error:
        raise InputError(f"{folder} is no backup: {file} cannot be read ({error.strerror})") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"{file} is no manifest of a backup: {error}") from error
    if manifest.format != _FORMAT:
        raise InputError(
            f"{file} has format {manifest.format}, this version of Voirie reads {_FORMAT}: use the one that wrote it"
        )
    return manifest


def check_dump(folder: Path, manifest: Manifest, progress: Callable[[float], None]) -> Path:
    """Return the dump's path when it is the one that was written. Raises InputError when it was cut or altered."""
    file = folder / DUMP_NAME
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputError(f"{folder} is no backup: {file} cannot be read ({error.strerror})") from error
    if size != manifest.dump_bytes:
        raise InputError(f"{file} was cut: expected {manifest.dump_bytes} bytes, got {size}")
    if sha256_of(file, progress) != manifest.dump_sha256:
        raise InputError(f"{file} was altered: its SHA-256 is not the manifest's")
    return file


def sha256_of(file: Path, progress: Callable[[float], None]) -> str:
    """Return the file's SHA-256 in hexadecimal; `progress` hears the share of it that was read."""
    digest = hashlib.sha256()
    size = max(1, file.stat().st_size)
    done = 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done / size)
    return digest.hexdigest()
