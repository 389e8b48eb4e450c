"""`voirie round`: rounds taken along, as files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from cli.registry import Desk

rounds = typer.Typer(no_args_is_help=True, help="Rounds of plans as files.")


@rounds.callback()
def _group() -> None:
    """Keep `export` a command of its own, though it is the only one."""


@rounds.command("export")
def export(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan, or `latest`.")],
    config: ConfigOption = None,
    *,
    form: Annotated[str, typer.Option("--format", help="gpx, geojson or sheet (HTML to print).")] = "gpx",
    route: Annotated[int | None, typer.Option(min=0, help="Only this round.", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write this file; otherwise standard output.", show_default=False)
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of what people read: fr or en.")] = "fr",
    as_json: JsonOption = False,
) -> None:
    """Write the rounds of a plan as GPX, as GeoJSON or as a sheet to print."""
    if as_json and output is None:
        raise typer.BadParameter("--json needs --output: standard output holds either the file or what is told of it")
    settings = start(config)
    from api.exports import Form, rounds_file, written
    from api.phrases import Language, catalogue
    from cli.registry import desk

    chosen, language = _one_of(Form, "--format", form), _one_of(Language, "--lang", lang)
    with desk(settings) as at:
        content = rounds_file(at.connection, at.insee, _plan_id(at, plan), route_index=route)
        streets = _streets(at) if chosen is Form.SHEET else []
    body = written(chosen, content, phrases=catalogue(language), streets=streets)
    if output is None:
        sys.stdout.buffer.write(body)
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise InputError(f"--output: {output} cannot be written: {error.strerror}") from error
    if as_json:
        told = {"plan_id": str(content.plan.plan_id), "format": chosen.value, "rounds": len(content.routes)}
        typer.echo(json.dumps(told | {"file": str(output), "bytes": len(body)}))
    else:
        typer.echo(f"{output}: {len(content.routes)} rounds of {content.plan.service_date}, {len(body)} bytes")


def _one_of[E](kind: type[E], option: str, value: str) -> E:
    try:
        return kind(value)  # type: ignore[call-arg]  # an enum of words
    except ValueError as error:
        known = ", ".join(str(member) for member in kind)  # type: ignore[attr-defined]  # idem
        raise InputError(f"{option}: expected one of {known}, got {value!r}") from error


def _plan_id(at: Desk, plan: str) -> UUID:
    from storage import plans

    if plan == "latest":
        found = plans.latest(at.connection, at.insee)
        if found is None:
            raise NotFoundError(f"commune {at.insee} has no plan")
        return found.plan_id
    try:
        return UUID(plan)
    except ValueError as error:
        raise InputError(f"expected the id of a plan or `latest`, got {plan!r}") from error


def _streets(at: Desk) -> list[dict[str, Any]]:
    from api.streets import read_streets, with_margin
    from storage import places

    extract = at.settings.streets.extract
    if extract is None:
        return []
    extent = places.extent(at.connection, at.insee)
    features: list[dict[str, Any]] = read_streets(extract, None if extent is None else with_margin(extent))["features"]
    return features
