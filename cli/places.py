"""`voirie places`: bays, delivery areas, parking spaces, zones and street faces, with the rules of by-laws."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note_import
from cli.file_import import DryRunOption
from cli.file_report import EXIT_INPUT, lines_document, print_counts, print_faults, print_lines
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:  # what works on the registry is imported when it runs, so that `voirie --help` answers at once
    from storage.place_import import PlacesReport

_FORMS = "cerema, hauts-de-seine, antibes, csv or geojson"

places = typer.Typer(no_args_is_help=True, help="Take tables of places at the kerb in, and list them.")

CommuneOption = Annotated[
    str | None,
    typer.Option(
        help="INSEE code of the commune meant; otherwise the settings'. all: each line's own, made if not known.",
        show_default=False,
    ),
]


@places.command("import")
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The table; - reads standard input.")],
    form: Annotated[str, typer.Option("--format", metavar="FORM", help=f"{_FORMS}.")],
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    max_stay_min: Annotated[
        float | None, typer.Option(help="Limit of a stay where the table says none, minutes.", show_default=False)
    ] = None,
    grace_min: Annotated[float, typer.Option(help="Tolerance where the table says none, minutes.")] = 0,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a table of places in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from cli.registry import content_of
    from cli.wiring import database_url
    from storage.audit import INSTALLATION
    from storage.database import connect
    from storage.errors import InputError
    from storage.place_files.lines import MOST_BYTES, Defaults, PlaceForm
    from storage.place_import import import_places
    from storage.schema_version import require_schema

    if form not in list(PlaceForm):
        raise InputError(f"--format: expected {_FORMS}, got {form!r}")
    for option, minutes in (("--max-stay-min", max_stay_min), ("--grace-min", grace_min)):
        if minutes is not None and not 0 <= minutes <= 44_640:  # noqa: PLR2004 - minutes of a month
            raise InputError(f"{option}: expected 0 to 44640 minutes, got {minutes:g}")
    if max_stay_min == 0:
        raise InputError("--max-stay-min: expected more than 0 minutes; leave it out for no limit")
    defaults = Defaults(
        max_stay_s=None if max_stay_min is None else round(60 * max_stay_min), grace_s=round(60 * grace_min)
    )
    content = content_of(file, most=MOST_BYTES)
    meant = None if commune == "all" else commune or settings.commune.insee_code
    with connect(database_url(settings), application="voirie places") as connection:
        require_schema(connection)
        report = import_places(connection, meant, content, form=PlaceForm(form), defaults=defaults, dry_run=dry_run)
        if not report.errors and not dry_run:
            counts = {"imported": report.imported, "updated": report.updated}
            note_import(connection, meant or INSTALLATION, "places", content, **counts)
        connection.commit()
    if as_json:
        typer.echo(json.dumps(_document(report, dry_run=dry_run), ensure_ascii=False))
    else:
        _print(report, dry_run=dry_run)
    if report.errors:
        raise typer.Exit(EXIT_INPUT)


def _document(report: PlacesReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "imported": report.imported,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "skipped": report.skipped,
        "communes": list(report.communes),
        "errors": lines_document(report.errors),
        "warnings": lines_document(report.warnings),
        "dry_run": dry_run,
    }


def _print(report: PlacesReport, *, dry_run: bool) -> None:
    print_lines(report.warnings, kind="warning: ")
    if report.errors:
        print_faults(report.errors)
        return
    print_counts(
        "places",
        imported=report.imported,
        updated=report.updated,
        unchanged=report.unchanged,
        dry_run=dry_run,
    )
    if report.skipped:
        typer.echo(f"{report.skipped} lines are of other communes: --commune names one, --commune all takes all")
    if report.communes:
        would = "would be " if dry_run else ""
        typer.echo(f"{len(report.communes)} communes {would}made: {', '.join(report.communes)}")


@places.command("list")
def list_places(config: ConfigOption = None, commune: CommuneOption = None, *, as_json: JsonOption = False) -> None:
    """List places at the kerb with their rules in words."""
    settings = start(config)
    from cli.registry import desk
    from storage import communes, kerb_places
    from storage.kerb.rule_sets import rules_as_json
    from storage.kerb.words import rules_in_words

    with desk(settings) as at:
        insee = at.insee if commune is None else communes.one(at.connection, commune).commune_insee
        found = kerb_places.of_commune(at.connection, insee)
    if as_json:
        document = [
            {
                "place_id": place.place_id,
                "kind": place.kind,
                "longitude_deg": place.longitude_deg,
                "latitude_deg": place.latitude_deg,
                "street": place.street,
                "name": place.name,
                "part_of": place.part_of,
                "rules": rules_as_json(place.rules),
                "words": rules_in_words(place.rules),
            }
            for place in found
        ]
        typer.echo(json.dumps({"commune_insee": insee, "places": document}, ensure_ascii=False))
        return
    for place in found:
        typer.echo(f"{place.place_id}\t{place.kind}\t{place.street or place.name or ''}\t{rules_in_words(place.rules)}")
    if not found:
        typer.echo(f"commune {insee} has no places at the kerb: voirie places import FILE --format FORM", err=True)
