"""`voirie report kerb`: the observatory and the last advice on delivery areas as one HTML page, in French."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError, UnavailableError


def kerb(
    config: ConfigOption = None,
    since: Annotated[str | None, typer.Option("--from", help="First local day; otherwise 28 days back.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last local day; otherwise the last known.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the page; otherwise rapport-livraisons-INSEE.html.", show_default=False),
    ] = None,
    streets: Annotated[
        Path | None,
        typer.Option(help="OpenStreetMap extract under the map; otherwise the settings'.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say how delivery areas are used and what could change: one HTML page, in French, with plots and a map."""
    settings = start(config)
    from cli.registry import desk
    from cli.report.kerb_page import render
    from cli.report.kerb_source import read_kerb
    from cli.report.sources import extract_of
    from storage import observatory_answers as answers

    if streets is not None and not streets.is_file():
        raise InputError(f"--streets: there is no file {streets}")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}")
    with desk(settings) as at:
        first, end = answers.period(
            at.connection, at.insee, since=answers.day_of("--from", since), until=answers.day_of("--to", until)
        )
        extract = streets or extract_of(settings, at.connection, at.insee)
        source = read_kerb(at.connection, at.insee, at.commune.name, first=first, end=end, extract=extract)
        insee = at.insee
    try:
        page = render(source)
    except (OSError, RuntimeError) as error:
        raise InputError(f"the streets of {extract} cannot be read: {error}") from error
    out = out or Path(f"rapport-livraisons-{insee}.html")
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"{out} cannot be written: {error.strerror}") from error
    document = answers.document(insee, source.whole) | {
        "file": str(out),
        "advice_id": None if source.advice is None else source.advice["advice_id"],
    }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    usage = source.whole.lines[0].usage
    none = "" if usage.refused_share is None else f", {usage.refused_share:.0%} who come find no place"
    typer.echo(f"{out}: delivery bays {usage.occupied_share or 0:.0%} occupied{none}")
