"""`voirie bins` and `voirie vehicles`: what the cleansing of a town works with, from its own files."""

from __future__ import annotations

import json

import typer

from cli.file_import import DryRunOption, FileArgument, take_in
from cli.options import ConfigOption, JsonOption, start

bins = typer.Typer(no_args_is_help=True, help="Tell which bins, depots and disposal sites a town has.")
vehicles = typer.Typer(no_args_is_help=True, help="Tell which vehicles a town has.")


@bins.command("import")
def import_bins(
    file: FileArgument, config: ConfigOption = None, *, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Take a CSV file of bins, depots and disposal sites in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from storage import cleansing_import

    importer = cleansing_import.import_bins
    take_in(settings, file, importer, noted="bins", told="places", dry_run=dry_run, as_json=as_json)


@bins.command("list")
def list_bins(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the bins that are known."""
    settings = start(config)
    import msgspec

    from cli.registry import desk
    from storage import bins as known

    with desk(settings) as at:
        found = known.every(at.connection, at.insee)
    if as_json:
        typer.echo(json.dumps({"bins": [msgspec.to_builtins(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.place_id}  {one.bin_kind}, {one.volume_l:g} l  {one.street or ''}".rstrip())


@vehicles.command("import")
def import_vehicles(
    file: FileArgument, config: ConfigOption = None, *, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Take a CSV file of vehicles in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from storage import cleansing_import

    importer = cleansing_import.import_vehicles
    take_in(settings, file, importer, noted="vehicles", told="vehicles", dry_run=dry_run, as_json=as_json)


@vehicles.command("list")
def list_vehicles(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the vehicles that are known."""
    settings = start(config)
    import msgspec

    from cli.registry import desk
    from storage import places

    with desk(settings) as at:
        found = places.vehicles(at.connection, at.insee)
    if as_json:
        typer.echo(json.dumps({"vehicles": [msgspec.to_builtins(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"{one.vehicle_id}  {one.name}, {one.capacity_l:g} l, {one.shift_from:%H:%M} to {one.shift_until:%H:%M}"
        )
