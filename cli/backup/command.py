"""The commands `voirie backup` and `voirie restore`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, start


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the backup's own folder is made.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Back up the whole database: one moment of it, with what a restored one will be compared with."""
    settings = start(config)
    from cli.backup.dump import back_up
    from cli.demo.screen import open_screen
    from cli.wiring import database_url

    with open_screen() as screen:
        made = back_up(database_url(settings), folder, tools_folder=settings.database.tools_folder, screen=screen)
    document = {
        "folder": str(made.folder),
        "schema_version": made.manifest.schema_version,
        "tables": len(made.manifest.tables),
        "rows": made.manifest.rows,
        "bytes": made.manifest.dump_bytes,
        "sha256": made.manifest.dump_sha256,
    }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        typer.echo(
            f"{made.folder}: {document['rows']} rows of {document['tables']} tables, "
            f"{made.manifest.dump_bytes / 1e6:.1f} MB, schema {made.manifest.schema_version}"
        )


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A backup: the folder that `voirie backup` made.")],
    config: ConfigOption = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The empty database to restore into, as a user who may; otherwise the settings' database. A password "
            "comes from PGPASSWORD or a .pgpass file.",
            show_default=False,
        ),
    ] = None,
    *,
    no_owner: Annotated[
        bool, typer.Option("--no-owner", help="Let everything belong to the user who restores.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into an empty database, and compare it with what was dumped."""
    settings = start(config)
    from cli.backup.restore import restore as run_restore
    from cli.demo.screen import open_screen
    from cli.wiring import database_url
    from storage.schema_version import head_version

    url = to or database_url(settings)
    with open_screen() as screen:
        manifest = run_restore(
            url, folder, tools_folder=settings.database.tools_folder, without_owners=no_owner, screen=screen
        )
    document = {
        "restored": True,
        "made_at": manifest.made_at.isoformat(),
        "schema_version": manifest.schema_version,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "migrate": manifest.schema_version != head_version(),
    }
    if as_json:
        typer.echo(json.dumps(document))
    else:
        typer.echo(
            f"restored and compared: {manifest.rows} rows of {len(manifest.tables)} tables, "
            f"as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, schema {manifest.schema_version}"
        )
        typer.echo("run `voirie migrate` before anything else starts: it brings schema and time series up to date")
