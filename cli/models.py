"""`voirie train` and `voirie models`: the models of a commune, trained on demand and looked at."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:  # what works on the registry is imported when it runs, so that `voirie --help` answers at once
    from storage.model import BayForecastScore, TrainedModel

models = typer.Typer(no_args_is_help=True, help="Look at the models of a commune.")


class Kind(StrEnum):
    """Which models."""

    FILL = "fill"
    OCCUPANCY = "occupancy"


CommuneOption = Annotated[
    str | None, typer.Option(metavar="INSEE", help="Otherwise the settings' commune.", show_default=False)
]

_STAGES = {
    "loaded": "Reading what is known",
    "fitting": "Learning the bins' rates",
    "held_out_bins": "Holding bins out",
    "held_out_times": "Holding times out",
    "usual": "Learning what is usual at each bay",
    "fitted": "Learning how bays fill",
    "compared": "Trying it beside the one in service",
}


def train(
    what: Annotated[Kind, typer.Argument(help="Of bins' fill, or of how bays and spaces are taken.")] = Kind.FILL,
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Train the next model now; it serves from then on unless it is worse than the one that does."""
    settings = start(config, _of_commune(commune))
    from cli.demo.screen import open_screen
    from cli.job_basis import present
    from cli.jobs import Jobs
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

        work = jobs.train if what is Kind.FILL else jobs.kerb.train_bays
        model = work(connection, insee, as_of=now, progress=tell)
    if as_json:
        typer.echo(json.dumps(_document(model), ensure_ascii=False))
    else:
        _print_model(model)


@models.command("list")
def list_models(
    what: Annotated[Kind, typer.Argument(help="Of bins' fill, or of how bays and spaces are taken.")] = Kind.FILL,
    config: ConfigOption = None,
    commune: CommuneOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """List models, the newest first: how good they are, which one serves, and why."""
    settings = start(config, _of_commune(commune))
    from cli.registry import desk
    from storage import bay_models, bay_scores, fill_models

    every = fill_models.every if what is Kind.FILL else bay_models.every
    with desk(settings) as at:
        found = every(at.connection, at.insee, most=limit)
        last_day = bay_scores.of_latest_day(at.connection, at.insee) if what is Kind.OCCUPANCY else None
    if as_json:
        document: dict[str, Any] = {"models": [_document(model) for model in found]}
        if last_day is not None:
            document["last_day"] = [_document(score) for score in last_day]
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    if not found:
        typer.echo(f"no model was trained yet: `voirie train {what.value}` trains one, and so does the worker")
    for model in found:
        _print_model(model)
    for score in last_day or ():
        _print_score(score)


def _of_commune(commune: str | None) -> dict[str, dict[str, Any]] | None:
    return {"commune": {"insee_code": commune}} if commune else None


def _document(told: TrainedModel | BayForecastScore) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(told)
    return document


def _print_score(score: BayForecastScore) -> None:
    if score.bay_group == "all" and score.brier is not None:
        simple = "" if score.brier_persistence is None else f", persistence {score.brier_persistence:.3f}"
        typer.echo(
            f"{score.day} in service, {score.ahead_min} min ahead: Brier score {score.brier:.3f}{simple}; foretold "
            f"free {score.mean_chance:.0%}, came {score.free_share:.0%}; calibration error "
            f"{score.calibration_error:.3f} ({score.answers} answers of {score.bays} bays)"
        )


def _print_model(model: TrainedModel) -> None:
    typer.echo(f"{model.model_id}  {model.status.value}: {model.reason}")
    if "bays" in model.saw:
        _print_bays(model)
        return
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


def _print_bays(model: TrainedModel) -> None:
    typer.echo(
        f"  trained {model.as_of:%Y-%m-%d %H:%M} UTC in {model.training_s:.1f} s on "
        f"{model.saw.get('bays_with_sensor')} bays, {model.trained_from:%Y-%m-%d} to {model.trained_until:%Y-%m-%d}"
    )
    for minutes, score in model.scores.get("bays", {}).get("by_minutes", {}).items():
        name, simple = min(score["brier_baselines"].items(), key=lambda item: item[1])
        typer.echo(
            f"  {minutes:>2} min ahead: Brier score {score['brier']:.3f}, best simple method {simple:.3f} ({name}); "
            f"calibration error {score['calibration_error']:.3f}"
        )
    for part, title in (("streets", "streets"), ("hidden", "bays hidden on purpose")):
        score = model.scores.get(part) or {}
        if score.get("n"):
            typer.echo(
                f"  {title}: {score['mae_places']:.2f} places of error; 80 % interval covers {score['coverage_80']:.0%}"
            )
