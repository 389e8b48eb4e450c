"""`voirie audit`: whether what was done is still told as it was, and the trail for those who answer for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note
from cli.json_file import read_json
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:
    from config.settings import Settings
    from storage.audit_chain import Verdict
    from storage.database import Connection

audit = typer.Typer(no_args_is_help=True, help="Check that the audit trail is whole, and write it out.")

CommuneOption = Annotated[
    str | None,
    typer.Option(help="INSEE code, or * for the installation's own trail; otherwise all.", show_default=False),
]
AnchorOption = Annotated[
    Path | None,
    typer.Option(
        help="What an earlier `voirie audit export` wrote: its heads must still be in the chain.",
        exists=True, dir_okay=False, show_default=False,
    ),
]  # fmt: skip
HeadOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="INSEE:SEQUENCE:DIGEST", help="A head that the worker's log told; may be repeated.", show_default=False
    ),
]


@audit.command("verify")
def verify(
    config: ConfigOption = None,
    commune: CommuneOption = None,
    anchor: AnchorOption = None,
    head: HeadOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Recompute the chains; name the first entry of each that was altered, taken away, moved or cut off (exit 1)."""
    settings = start(config)
    from storage import audit as trail

    anchors = _anchors(anchor, head or [])
    with _snapshot(settings) as connection:
        found = {
            code: trail.examine(connection, code, anchors=anchors.get(code))
            for code in _meant(connection, commune, anchors)
        }
    if as_json:
        typer.echo(json.dumps({"chains": [_verdict(code, verdict) for code, verdict in found.items()]}))
    else:
        for code, verdict in found.items():
            typer.echo(_sentence(code, verdict))
        if not found:
            typer.echo("nothing was done yet that is audited", err=True)
    if any(verdict.broken is not None for verdict in found.values()):
        raise typer.Exit(1)


@audit.command("export")
def export(
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    heads: Annotated[bool, typer.Option("--heads", help="The heads alone, to keep elsewhere as anchors.")] = False,
    as_json: JsonOption = False,  # noqa: ARG001 - it always is
) -> None:
    """Write the chains with what they seal as one JSON document; keep it elsewhere as the anchor of a later look.

    The export itself is noted in the trail, after what it wrote.
    """
    settings = start(config)

    with _snapshot(settings) as connection:
        chains = [_chain(connection, code, heads=heads) for code in _meant(connection, commune, {})]
    typer.echo(json.dumps({"form": "voirie audit 1", "chains": chains}, ensure_ascii=False))
    if not heads:
        with _connection(settings) as connection:
            for chain in chains:
                details = {"entries": chain["head"]["sequence"], "digest": chain["head"]["digest"]}
                note(connection, chain["commune_insee"], "audit.exported", **details)
            connection.commit()


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection]:
    from cli.wiring import database_url
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie audit") as connection:
        require_schema(connection)
        yield connection


@contextmanager
def _snapshot(settings: Settings) -> Iterator[Connection]:
    """Yield one moment of the database: what is written meanwhile is neither missing nor new."""
    import psycopg

    with _connection(settings) as connection:
        connection.rollback()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def _meant(connection: Connection, commune: str | None, anchors: dict[str, dict[int, bytes]]) -> list[str]:
    from storage import audit as trail

    known = set(trail.communes(connection)) | set(anchors)
    return sorted(known) if commune is None else [commune.strip().upper()]


def _anchors(file: Path | None, heads: list[str]) -> dict[str, dict[int, bytes]]:
    from storage.audit import Head
    from storage.errors import InputError

    anchors: dict[str, dict[int, bytes]] = {}
    try:
        chains = [] if file is None else read_json(file, option="--anchor")["chains"]
        for chain in chains:
            anchors[chain["commune_insee"]] = {int(chain["head"]["sequence"]): bytes.fromhex(chain["head"]["digest"])}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not what `voirie audit export` writes: {error}") from error
    for text in heads:
        try:
            told = Head.read(text)
        except ValueError as error:
            raise InputError(f"--head: expected INSEE:SEQUENCE:DIGEST, got {text!r}") from error
        anchors.setdefault(told.commune_insee, {})[told.sequence] = told.digest
    return anchors


def _chain(connection: Connection, code: str, *, heads: bool) -> dict[str, Any]:
    from storage import audit as trail

    head = trail.head(connection, code)
    document: dict[str, Any] = {
        "commune_insee": code,
        "head": {
            "sequence": 0 if head is None else head.sequence,
            "digest": "" if head is None else head.digest.hex(),
        },
    }
    if heads:
        return document
    entries = [
        {
            "sequence": link.sequence,
            "chained_at": link.chained_at.isoformat(),
            "told_at": link.told_at.isoformat(),
            "act": link.act,
            "source": link.source,
            "source_key": link.source_key,
            "seal": link.seal.hex(),
            "previous": link.previous.hex(),
            "digest": link.digest.hex(),
            "salt": None if link.salt is None else link.salt.hex(),
            "content": link.content,
        }
        for link in trail.links(connection, code)
    ]
    return document | {"entries": entries}


def _verdict(code: str, verdict: Verdict) -> dict[str, Any]:
    broken = verdict.broken
    return {
        "commune_insee": code,
        "entries": verdict.entries,
        "head": verdict.head.hex(),
        "forgotten": verdict.forgotten,
        "resealed": verdict.resealed,
        "whole": broken is None,
        "broken": None if broken is None else {"sequence": broken.sequence, "why": broken.why},
    }


def _sentence(code: str, verdict: Verdict) -> str:
    if verdict.broken is not None:
        return f"{code}: BROKEN: entry {verdict.broken.sequence} {verdict.broken.why}"
    beside = f", {verdict.forgotten} forgotten in time, {verdict.resealed} with an erased name"
    return f"{code}: whole, {verdict.entries} entries{beside}; head {verdict.head.hex()}"
