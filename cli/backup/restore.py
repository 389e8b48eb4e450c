"""Restoring a backup: into an empty database only, and compared with what was dumped before it counts as restored.

TimescaleDB wants its own procedure: the same version of the extension, created first; `timescaledb_pre_restore` and
`timescaledb_post_restore` around the restore; one process, since parallel ones restore its catalogue wrongly.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from cli.backup import manifest as manifests
from cli.backup.manifest import Manifest
from cli.backup.tools import find_tool, run_tool
from cli.demo.screen import Screen
from storage import census, isolation
from storage.census import Extension, TableCensus
from storage.database import Connection, connect
from storage.errors import InputError, VoirieError
from storage.schema_version import current_version

_RESTORING = re.compile(r"processing data for table \"(.+)\"|creating (INDEX|CONSTRAINT|FK CONSTRAINT) \"(.+)\"")


class RestoreDiffersError(VoirieError):
    """The restored database does not hold what was dumped."""


def restore(url: str, folder: Path, *, tools_folder: Path | None, without_owners: bool, screen: Screen) -> Manifest:
    """Restore the backup in `folder` into the empty database at `url`, compare, and return the backup's manifest.

    Raises InputError for what is no whole backup or no fitting database, UnavailableError when the database or
    PostgreSQL's programs are not there, RestoreDiffersError when the result is not what was dumped. Whatever fails
    leaves the database without tables, but for the last: what differs is left to be looked at.
    """
    manifest = manifests.read(folder)
    screen.step("Reading the backup", total=1.0)
    dump = manifests.check_dump(folder, manifest, lambda share: screen.update(f"{share:.0%}", done=share))
    with connect(url, application="voirie restore", autocommit=True) as connection:
        _check_target(connection, manifest, without_owners=without_owners)
        why = f"the backup was made by pg_dump {manifest.dumped_by}"
        tool = find_tool("pg_restore", at_least=manifest.dumped_by, why=why, folder=tools_folder)

        def tell(line: str) -> None:
            if match := _RESTORING.search(line):
                screen.update(match[1] or match[3])

        _have_roles(connection, [] if without_owners else manifest.owners)
        screen.step(f"Restoring with {tool}")
        arguments = ["--exit-on-error", "--single-transaction", *(["--no-owner"] if without_owners else []), str(dump)]
        extension = manifest.timescaledb
        with nullcontext() if extension is None else census.restoring(connection, extension.version):
            run_tool(tool, url, arguments, progress=tell)
        screen.step("Gathering statistics")
        connection.execute("ANALYZE")
    _compare(url, manifest, screen)
    return manifest


def _check_target(connection: Connection, manifest: Manifest, *, without_owners: bool) -> None:
    """Raise InputError, with what to do, unless this database can become what was dumped."""
    if found := census.strangers(connection):
        raise InputError(
            f"the database is not empty ({', '.join(found)}, …): restore into a new one, made with CREATE DATABASE"
        )
    major = connection.info.server_version // 10_000
    if major < manifest.postgresql_major:
        raise InputError(
            f"the backup is of PostgreSQL {manifest.postgresql_major}, and the server is of version {major}: "
            "restore into the same version or a newer one"
        )
    if not without_owners and (missing := census.missing_roles(connection, manifest.owners)):
        raise InputError(
            f"the backup's tables belong to {', '.join(missing)}, and the server has no such role: create it, or give "
            "--no-owner to have them belong to the user who restores"
        )
    if manifest.timescaledb is not None:
        _check_extension(connection, manifest.timescaledb)


def _have_roles(connection: Connection, owners: Sequence[str]) -> None:
    """Have the role that the API works as, since roles are the server's and no dump has them; let the owners act as it.

    Raises SchemaError with what an administrator has to run.
    """
    isolation.have_role(connection)
    for owner in owners:
        # Who may not grant it need not: `voirie migrate` says what to do where it is missing.
        with contextlib.suppress(InsufficientPrivilege):
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(isolation.ROLE), sql.Identifier(owner)))


def _check_extension(connection: Connection, needed: Extension) -> None:
    present = census.timescaledb(connection)
    available = census.timescaledb_versions(connection)
    if not available:
        raise InputError(
            f"the backup is of TimescaleDB {needed.version}, and the server has no TimescaleDB: install it"
        )
    if needed.version not in available or (present is not None and present.version != needed.version):
        has = present.version if present is not None else ", ".join(sorted(available))
        raise InputError(
            f"the backup is of TimescaleDB {needed.version}, and the database has {has}: a backup is restored with the "
            "version that it was made with, and the extension updated afterwards (ALTER EXTENSION timescaledb UPDATE)"
        )
    if needed.license == "timescale" and census.offered_license(connection) == "apache":
        raise InputError(
            "the backup is of TimescaleDB's Community edition, and the server is of the Apache edition, which has "
            "neither columnstore nor continuous aggregates: restore on a Community server (timescaledb.license)"
        )
    if not census.is_superuser(connection):
        raise InputError(
            "restoring TimescaleDB takes a superuser (timescaledb_pre_restore): name one with --to, as in "
            "--to postgresql://postgres@HOST/DATABASE; the tables will still belong to the roles that owned them"
        )


def _compare(url: str, manifest: Manifest, screen: Screen) -> None:
    """Raise RestoreDiffersError unless version, tables, rows and digests are those that were dumped."""
    found = current_version(url)
    if found != manifest.schema_version:
        raise RestoreDiffersError(f"the restored database has schema {found}, the backup {manifest.schema_version}")
    with connect(url, application="voirie restore") as connection:
        census.hold_still(connection)
        names = census.tables(connection)
        screen.step("Comparing", total=float(len(names)))
        counted = census.count(connection, names, progress=lambda name, done: screen.update(name, done=float(done)))
    if differing := differences(manifest.tables, counted):
        raise RestoreDiffersError(f"the restored database does not hold what was dumped: {'; '.join(differing)}")


def differences(expected: Mapping[str, TableCensus], found: Mapping[str, TableCensus]) -> list[str]:
    """Return in words what is not as it was, by table."""
    told = []
    for name in sorted({*expected, *found}):
        before, after = expected.get(name), found.get(name)
        if before is None or after is None:
            told.append(f"{name} {'appeared' if before is None else 'is missing'}")
        elif before.rows != after.rows:
            told.append(f"{name} has {after.rows} rows instead of {before.rows}")
        elif before.digest != after.digest:
            told.append(f"{name} has other contents")
    return told
