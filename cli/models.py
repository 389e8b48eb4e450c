"""`voirie train` and `voirie models`: the fill model of a commune, trained on demand and looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:  # what works on the registry is imported when it runs, so that `voirie --help` answers at once
    from storage.model import TrainedModel

models = typer.Typer(no_args_is_help=True, help="Look at the fill models of a commune.")

CommuneOption = Annotated[
    str | None, typer.Option(metavar="INSEE", help="Otherwise the settings' commune.", show_default=False)
]

_STAGES = {
    "loaded": "Reading what is known",
    "fitting": "Learning the bins' rates",
    "held_out_bins": "Holding bins out",
    "held_out_times": "Holding times out",
    "compared": "Trying it beside the one in service",
}


def train(
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Train the next fill model now; it serves from then on unless it is worse than the one that does."""
    settings = start(config, _of_commune(commune))
    from cli.demo.screen import open_screen
    from cli.jobs import Jobs, present
    from cli.wiring import database_url
    from storage import communes
    from storage.errors import InputError
    from storage.schema_version import require_schema

    url, insee = database_url(settings), settings.commune.insee_code
    jobs = Jobs(settings=settings, database_url=url)
    with jobs.connect() as connection, open_screen() as screen:
        require_schema(connection)
        communes.one(connection, insee)
        now = present(connection, insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        screen.step("Training", total=1.0)

        def tell(stage: str, share: float) -> None:
            screen.update(f"{_STAGES.get(stage, stage)} {share:.0%}", done=share)

        model = jobs.train(connection, insee, as_of=now, progress=tell)
    if as_json:
        typer.echo(json.dumps(_document(model), ensure_ascii=False))
    else:
        _print_model(model)


@models.command("list")
def list_models(
    config: ConfigOption = None,
    commune: CommuneOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """List fill models, the newest first: how good they are, which one serves, and why."""
    settings = start(config, _of_commune(commune))
    from cli.registry import desk
    from storage import fill_models

    with desk(settings) as at:
        found = fill_models.every(at.connection, at.insee, most=limit)
    if as_json:
        typer.echo(json.dumps({"models": [_document(model) for model in found]}, ensure_ascii=False))
        return
    if not found:
        typer.echo("no model was trained yet: `voirie train` trains one, and so does the first forecast")
    for model in found:
        _print_model(model)


def _of_commune(commune: str | None) -> dict[str, dict[str, Any]] | None:
    return {"commune": {"insee_code": commune}} if commune else None


def _document(model: TrainedModel) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(model)
    return document


def _print_model(model: TrainedModel) -> None:
    typer.echo(f"{model.model_id}  {model.status.value}: {model.reason}")
    typer.echo(
        f"  trained {model.as_of:%Y-%m-%d %H:%M} UTC in {model.training_s:.1f} s on {model.saw.get('bins')} bins "
        f"({model.saw.get('bins_with_sensor')} with a sensor), {model.trained_from:%Y-%m-%d} to "
        f"{model.trained_until:%Y-%m-%d}"
    )
    for name, title in (("unsensored", "without a sensor"), ("sensored", "with a sensor")):
        score = model.scores.get(name)
        if score:
            typer.echo(
                f"  {title}: {score['mae']:.1f} points of error, best simple method {score['best_baseline_mae']:.1f}; "
                f"80 % interval covers {score['coverage_80']:.0%}"
            )
