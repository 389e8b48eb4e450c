"""The demo's plot: a history is published and taken in, fill is learnt, rounds are planned, and the town lives on."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import typer

from cli.demo.acts import live_on, plan_rounds, publish_history
from cli.demo.children import running
from cli.demo.result import demo_result
from cli.demo.screen import open_screen
from cli.demo.stage import open_stage
from cli.stopping import stop_signals_interrupt
from config.settings import Settings
from simulators.streets import default_extract
from storage.errors import InputError


def play(settings: Settings, *, folder: Path) -> None:
    """Play at the terminal until Ctrl-C. Data stays in `folder`, and the next play goes on from there."""
    settings = _on_real_streets(settings)
    with stop_signals_interrupt(), open_screen() as screen:
        try:
            with open_stage(settings, folder=folder, screen=screen) as stage:
                screen.say(f"[bold]Pages[/bold]        {stage.api_url}/")
                screen.say(f"[bold]HTTP routes[/bold]  {stage.api_url}/api/v1/openapi.json")
                screen.say(f"[dim]Database     {stage.database_url}\nLogs         {stage.folder / 'logs'}[/dim]")
                publish_history(stage, screen=screen)
                with running(stage.start("worker", "worker")) as worker:
                    plan_rounds(stage, worker, screen=screen)
                    screen.say(f"Everything runs. Open {stage.api_url}/ and stop with Ctrl-C.")
                    live_on(stage, worker, screen=screen)
        except KeyboardInterrupt:
            screen.say("Stopped. `voirie demo` goes on from here.")


def play_once(settings: Settings, *, folder: Path, as_json: bool) -> None:
    """Play headless on data of its own up to the plan, print the result, and forget the data."""
    began = time.monotonic()
    settings = _on_real_streets(settings)
    folder.mkdir(parents=True, exist_ok=True)
    # Kept apart from the data of `play`, but the built street network is the same.
    scratch = Path(tempfile.mkdtemp(prefix="once-", dir=folder))
    try:
        with (
            stop_signals_interrupt(),
            open_screen() as screen,
            open_stage(settings, folder=scratch, screen=screen) as stage,
        ):
            ledger, truth = scratch / "ledger", scratch / "truth.npz"
            publish_history(stage, screen=screen, ledger=ledger, truth=truth)
            with running(stage.start("worker", "worker")) as worker:
                plan_rounds(stage, worker, screen=screen)
            screen.step("Comparing with the truth")
            result = demo_result(stage, ledger=ledger, truth=truth)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    result["seconds"] = round(time.monotonic() - began, 1)
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else _as_text(result))
    if result["lost"]:
        raise typer.Exit(1)


def _on_real_streets(settings: Settings) -> Settings:
    """Return the settings with the streets' extract: the one asked for, or the demo's own."""
    extract = settings.streets.extract or default_extract()
    if not extract.is_file():
        raise InputError(f"--streets: there is no file {extract}")
    streets = settings.streets.model_copy(
        update={"extract": extract.resolve(), "cache_folder": settings.streets.cache_folder.resolve()}
    )
    return settings.model_copy(update={"streets": streets})


def _as_text(result: dict[str, Any]) -> str:
    """Return the result for people."""
    forecast, plan = result["forecast"], result["plan"]
    lines = {
        "messages": f"{result['published']:,} published, {result['stored']:,} readings stored, "
        f"{result['rejected']:,} refused, {result['duplicates']:,} duplicates, {result['lost']} lost",
        "forecast": f"{forecast['bins']} bins; without a sensor {forecast['mae_percent_unsensored']} points of error, "
        f"best simple method {forecast['mae_percent_baseline']}; 80 % interval covers {forecast['coverage_80']:.0%}",
        "plan": f"{plan['routes']} routes, {plan['stops']} bins served, {plan['left_out']} left out, "
        f"{plan['distance_m'] / 1000:.1f} km, {plan['checker']} by the checker",
        "bays": "{bays} delivery bays, {occupied} occupied, {overstays} over their limit".format(
            **result["delivery_bays"]
        ),
        "parking": "{spaces} spaces, {free} free".format(**result["parking"]),
        "streets": "{source}, {edges} edges".format(**result["streets"]),
        "seconds": f"{result['seconds']}",
    }
    return "\n".join(f"{name:<10} {text}" for name, text in lines.items())
