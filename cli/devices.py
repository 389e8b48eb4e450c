"""`voirie devices`: the sensors of a commune, from stock to retirement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note_import
from cli.file_import import DryRunOption, FileArgument
from cli.file_report import EXIT_INPUT, lines_document, print_counts, print_faults
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:  # what works on the registry is imported when it runs, so that `voirie --help` answers at once
    from cli.registry import Desk
    from storage.device_changes import Told
    from storage.model import DeviceNow, Geometry


devices = typer.Typer(no_args_is_help=True, help="Register, mount, move, replace and retire sensors.")

Eui = Annotated[str, typer.Argument(metavar="EUI", help="The device's DevEUI or native identifier.")]
AtOption = Annotated[
    str | None, typer.Option(help="Since when; local time without an offset. Otherwise now.", show_default=False)
]
ByOption = Annotated[str | None, typer.Option(help="Who tells it; otherwise this machine's user.", show_default=False)]
CommentOption = Annotated[str | None, typer.Option(help="Why, in your words.", show_default=False)]


@devices.command("import")
def import_file(
    file: FileArgument,
    config: ConfigOption = None,
    by: ByOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a CSV file of devices in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from cli.registry import content_of, desk, replay_document, telling
    from storage.device_import import import_devices

    content = content_of(file)
    replayed = None
    with desk(settings) as at:
        report = import_devices(at.connection, at.insee, content, telling=telling(author=by), dry_run=dry_run)
        if not report.errors and not dry_run:
            note_import(at.connection, at.insee, "devices", content, imported=report.imported, updated=report.updated)
        at.connection.commit()
        if not report.errors and not dry_run:
            replayed = replay_document(at.replay_due())
    document: dict[str, Any] = {
        "imported": report.imported,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "errors": lines_document(report.errors),
        "dry_run": dry_run,
        "replayed": replayed,
    }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
    elif report.errors:
        print_faults(report.errors)
    else:
        print_counts(
            "devices",
            imported=report.imported,
            updated=report.updated,
            unchanged=report.unchanged,
            dry_run=dry_run,
        )
        _print_replayed(replayed)
    if report.errors:
        raise typer.Exit(EXIT_INPUT)


def _print_replayed(replayed: dict[str, Any] | None) -> None:
    if replayed and replayed["messages"]:
        typer.echo(f"{replayed['stored']} readings came of {replayed['messages']} messages that had been refused")


@devices.command("list")
def list_devices(
    config: ConfigOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only in_stock, mounted or retired ones.", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.", show_default=False)] = None,
    place: Annotated[str | None, typer.Option(help="Only the one on this place.", show_default=False)] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, as `devices import` reads it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List devices: where each is, when it was last heard, its battery."""
    settings = start(config)
    from cli.registry import desk
    from storage import devices as registry
    from storage.device_cells import write_devices
    from storage.device_file import COLUMNS, TOLD_BY_US
    from storage.errors import InputError
    from storage.model import DeviceStatus

    if as_csv and as_json:
        raise InputError("expected --csv or --json, got both")
    if status is not None and status not in set(DeviceStatus):
        raise InputError(f"--status: expected one of {', '.join(DeviceStatus)}, got {status!r}")
    with desk(settings) as at:
        found = registry.now(
            at.connection,
            at.insee,
            status=None if status is None else DeviceStatus(status),
            model=model,
            place_id=place,
        )
    if as_csv:
        typer.echo(write_devices(found, (*COLUMNS, *TOLD_BY_US)), nl=False)
    elif as_json:
        typer.echo(json.dumps({"devices": [_document(device) for device in found]}, ensure_ascii=False))
    else:
        _print_devices(found)


def _document(device: DeviceNow) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(device)
    return document


def _print_devices(found: list[DeviceNow]) -> None:
    rows = [("eui", "model", "status", "place", "last seen", "battery")]
    for device in found:
        battery = "" if device.battery_percent is None else f"{device.battery_percent:.0f} %"
        if not battery and device.battery_v is not None:
            battery = f"{device.battery_v:.2f} V"
        seen = "never" if device.last_seen_at is None else f"{device.last_seen_at:%Y-%m-%d %H:%M} UTC"
        rows.append((device.eui, device.model, device.status, device.place_id or "", seen, battery))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@devices.command()
def assign(
    eui: Eui,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Id of the bin, delivery bay or parking space.")],
    config: ConfigOption = None,
    *,
    at: AtOption = None,
    until: Annotated[str | None, typer.Option(help="Until when, to tell the past.", show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="Registers a device that is not known.", show_default=False)] = None,
    empty_distance_mm: Annotated[
        int | None, typer.Option(help="What the sensor reads when the bin is empty.", show_default=False)
    ] = None,
    full_distance_mm: Annotated[
        int | None, typer.Option(help="What it reads when the bin is full.", show_default=False)
    ] = None,
    mounting_height_mm: Annotated[
        int | None, typer.Option(help="The sensor's height over the bin's bottom.", show_default=False)
    ] = None,
    full_height_mm: Annotated[
        int | None, typer.Option(help="The full line's height over the bin's bottom.", show_default=False)
    ] = None,
    orientation: Annotated[str | None, typer.Option(help="down, up or across.", show_default=False)] = None,
    bin_shape: Annotated[
        str | None, typer.Option(help="straight, tapered or lying_cylinder.", show_default=False)
    ] = None,
    bottom_ratio: Annotated[
        float | None, typer.Option(help="A tapered bin's width at its bottom over that at its top.", show_default=False)
    ] = None,
    by: ByOption = None,
    comment: CommentOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the device that is there into stock.")] = False,
    retire_old: Annotated[bool, typer.Option("--retire-old", help="With --replace: out of service instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a device on a place; readings that were stored meanwhile follow."""
    settings = start(config)
    from cli.registry import desk, telling
    from storage import device_changes
    from storage.errors import InputError
    from storage.model import DeviceStatus

    if retire_old and not replace:
        raise InputError("--retire-old needs --replace: without it no device is replaced")
    geometry = _geometry(
        empty_distance_mm=empty_distance_mm,
        full_distance_mm=full_distance_mm,
        mounting_height_mm=mounting_height_mm,
        full_height_mm=full_height_mm,
        orientation=orientation,
        bin_shape=bin_shape,
        bottom_ratio=bottom_ratio,
    )
    with desk(settings) as open_desk:
        assignment = device_changes.Assignment(
            eui=eui,
            place_id=place,
            at=open_desk.moment("--at", at),
            until=open_desk.moment("--until", until),
            model=model,
            geometry=geometry,
            replace=(DeviceStatus.RETIRED if retire_old else DeviceStatus.IN_STOCK) if replace else None,
        )
        told = device_changes.assign(
            open_desk.connection, open_desk.insee, assignment, telling=telling(author=by, comment=comment)
        )
        _finish(open_desk, told, f"{told.eui} is on {place} since {told.at.isoformat()}", as_json=as_json)


def _geometry(**given: Any) -> Geometry | None:
    """Return the geometry that options tell, None when they tell nothing. Raises InputError."""
    from storage.errors import InputError
    from storage.model import BinShape, Geometry, Orientation

    told = {name: value for name, value in given.items() if value is not None}
    for name, kind in (("orientation", Orientation), ("bin_shape", BinShape)):
        if name in told:
            if told[name] not in set(kind):
                option = f"--{name.replace('_', '-')}"
                raise InputError(f"{option}: expected one of {', '.join(kind)}, got {told[name]!r}")
            told[name] = kind(told[name])
    return Geometry(**told) if told else None


@devices.command()
def unassign(
    eui: Eui,
    config: ConfigOption = None,
    at: AtOption = None,
    by: ByOption = None,
    comment: CommentOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a device from its place into stock, or bring a retired one back into stock."""
    settings = start(config)
    from cli.registry import desk, telling
    from storage import device_changes
    from storage.model import DeviceStatus

    with desk(settings) as open_desk:
        told = device_changes.put_away(
            open_desk.connection,
            open_desk.insee,
            eui,
            status=DeviceStatus.IN_STOCK,
            at=open_desk.moment("--at", at),
            telling=telling(author=by, comment=comment),
        )
        _finish(open_desk, told, f"{told.eui} is in stock since {told.at.isoformat()}", as_json=as_json)


@devices.command()
def retire(
    eui: Eui,
    config: ConfigOption = None,
    at: AtOption = None,
    by: ByOption = None,
    comment: CommentOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a device out of service for good; its readings and its history stay."""
    settings = start(config)
    from cli.registry import desk, telling
    from storage import device_changes
    from storage.model import DeviceStatus

    with desk(settings) as open_desk:
        told = device_changes.put_away(
            open_desk.connection,
            open_desk.insee,
            eui,
            status=DeviceStatus.RETIRED,
            at=open_desk.moment("--at", at),
            telling=telling(author=by, comment=comment),
        )
        _finish(open_desk, told, f"{told.eui} is retired since {told.at.isoformat()}", as_json=as_json)


def _finish(at: Desk, told: Told, sentence: str, *, as_json: bool) -> None:
    """Commit, judge again what was refused for it, and say what was done."""
    from dataclasses import asdict

    from cli.registry import replay_document

    at.connection.commit()
    replayed = replay_document(at.replay_due())
    if as_json:
        document = {
            "eui": told.eui,
            "at": told.at.isoformat(),
            "changed": list(told.touched),
            "replaced": told.replaced,
            "readings": asdict(told.readings),
            "replayed": replayed,
        }
        typer.echo(json.dumps(document))
        return
    typer.echo(sentence if told.touched else f"nothing to change: {sentence}")
    if told.replaced is not None:
        typer.echo(f"{told.replaced} was taken down for it")
    for count, what in (
        (told.readings.moved, "readings moved to where the device was"),
        (told.readings.displaced, "readings were set aside: the device was on no place that fits them"),
        (told.readings.restored, "readings that had been set aside came back"),
        (told.readings.rejudged, "levels were computed anew"),
    ):
        if count:
            typer.echo(f"{count} {what}")
    _print_replayed(replayed)
