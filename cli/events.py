"""`voirie events`: markets and events that the town tells of, on which bins fill otherwise."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.auditing import note
from cli.file_import import DryRunOption, FileArgument, take_in
from cli.options import ConfigOption, JsonOption, start

events = typer.Typer(no_args_is_help=True, help="Tell the forecast of markets and events.")


@events.command("import")
def import_file(
    file: FileArgument,
    config: ConfigOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a CSV file of markets and events in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from storage import town_events

    take_in(settings, file, town_events.import_events, noted="events", told="events", dry_run=dry_run, as_json=as_json)


@events.command("list")
def list_events(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the markets and events that are known, by their first start."""
    settings = start(config)
    import msgspec

    from cli.registry import desk
    from storage import town_events

    with desk(settings) as at:
        found = town_events.every(at.connection, at.insee)
    if as_json:
        typer.echo(json.dumps({"events": [msgspec.to_builtins(event) for event in found]}, ensure_ascii=False))
        return
    for event in found:
        weekly = "" if event.weekly_until is None else f", each week until {event.weekly_until}"
        where = "the whole town" if event.radius_m is None else f"within {event.radius_m:.0f} m"
        typer.echo(
            f"{event.event_id}  {event.kind.value}  {event.starts_at:%Y-%m-%d %H:%M} to "
            f"{event.ends_at:%Y-%m-%d %H:%M} UTC{weekly}  {event.name} ({where})"
        )


@events.command("remove")
def remove_event(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id, as `voirie events list` tells it.")],
    config: ConfigOption = None,
) -> None:
    """Forget an event that does not take place."""
    settings = start(config)
    from uuid import UUID

    from cli.registry import desk
    from storage import town_events
    from storage.errors import InputError

    try:
        known = UUID(event_id)
    except ValueError as error:
        raise InputError(f"expected the id of an event, got {event_id[:100]!r}") from error
    with desk(settings) as at:
        town_events.remove(at.connection, at.insee, known)
        note(at.connection, at.insee, "event.removed", f"event:{known}")
        at.connection.commit()
    typer.echo(f"{known} is forgotten")
