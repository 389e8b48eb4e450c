"""`voirie replay`: refused messages, judged again with today's decoders, registry and rules."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, start


def replay(
    config: ConfigOption = None,
    *,
    reason: Annotated[
        list[str] | None,
        typer.Option(help="Only those refused for this reason; may be repeated.", show_default=False),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Only messages of this device.", show_default=False)] = None,
    network: Annotated[str | None, typer.Option(help="Only messages of this network.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="Only messages received since; local time without an offset.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only messages received before.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be, and keep nothing of it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge refused messages again. What is read now is stored; what is still refused keeps its row."""
    settings = start(config)
    from cli.registry import desk, replay_document
    from storage.device_names import likely_eui
    from storage.errors import InputError
    from storage.model import RefusalReason
    from storage.refusals import Selection

    known = {item.value: item for item in RefusalReason}
    for name in reason or ():
        if name not in known:
            raise InputError(f"--reason: expected one of {', '.join(known)}, got {name!r}")
    with desk(settings) as at:
        selection = Selection(
            reasons=tuple(known[name] for name in reason) if reason else None,
            device_eui=None if device is None else likely_eui(device),
            network=network,
            since=at.moment("--since", since),
            until=at.moment("--until", until),
        )
        document = replay_document(at.replay(selection, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(document | {"dry_run": dry_run}))
        return
    would = "would be " if dry_run else ""
    typer.echo(f"{document['messages']} messages judged again: {document['resolved']} {would}refused no more")
    typer.echo(f"{document['stored']} readings {would}stored, {document['duplicates']} were there already")
    for name, count in document["refused"].items():
        typer.echo(f"{count} still refused: {name}")
    if document["without_network"]:
        typer.echo(f"{document['without_network']} left: no network of their name in the settings")
