"""The `voirie` command. Each command imports its room when it runs, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accounts import accounts
from cli.advise import advise
from cli.audit import audit
from cli.backup.command import backup, restore
from cli.bench import bench
from cli.broker.command import broker
from cli.cleansing import bins, vehicles
from cli.communes import communes
from cli.decode import decode
from cli.devices import devices
from cli.evaluate import evaluate
from cli.events import events
from cli.faults import faults
from cli.former import former, sectors
from cli.keys import keys
from cli.kpi import kpi
from cli.models import models, train
from cli.observatory import observatory
from cli.one_line import one_line
from cli.options import ConfigOption, JsonOption, start
from cli.people import people
from cli.places import places
from cli.plans import plan
from cli.privacy import privacy
from cli.replay import replay
from cli.report.command import report
from cli.rounds import rounds
from cli.rules import rules
from cli.solve import solve
from cli.weather import weather

if TYPE_CHECKING:
    from config.settings import Settings

EXIT_FAILURE = 1
EXIT_USAGE = 2

app = typer.Typer(
    name="voirie",
    help="From a sensor's message to a driver's round: street bins, delivery areas and parking of French communes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def run() -> None:
    """Run the command line; errors become one sentence and an exit code (2: bad usage or input, 1: otherwise)."""
    from storage.errors import InputError, SettingsError, VoirieError

    try:
        app()
    except (InputError, SettingsError) as error:
        _say_and_exit(str(error), EXIT_USAGE)
    except VoirieError as error:
        _say_and_exit(str(error), EXIT_FAILURE)
    except UnicodeEncodeError as error:
        # Bytes on the command line that are no UTF-8 come as halves of characters, which no database and no file takes.
        _say_and_exit(f"expected text in UTF-8, got {error.object[:100]!r}", EXIT_USAGE)
    except KeyboardInterrupt:
        _say_and_exit("interrupted", 130)


def _say_and_exit(sentence: str, code: int) -> None:
    typer.echo(f"voirie: {one_line(sentence)}", err=True)
    sys.exit(code)


app.command()(backup)
app.command()(restore)
app.command()(decode)
app.command()(replay)
app.command()(solve)
app.add_typer(broker, name="broker")
app.add_typer(audit, name="audit")
app.add_typer(communes, name="communes")
app.add_typer(accounts, name="accounts")
app.add_typer(keys, name="keys")
app.add_typer(people, name="people")
app.command()(privacy)
app.add_typer(devices, name="devices")
app.add_typer(places, name="places")
app.add_typer(bins, name="bins")
app.add_typer(vehicles, name="vehicles")
app.command()(faults)
app.add_typer(bench, name="bench")
app.add_typer(evaluate, name="evaluate")
app.command()(train)
app.command()(observatory)
app.add_typer(advise, name="advise")
app.add_typer(models, name="models")
app.add_typer(report, name="report")
app.add_typer(events, name="events")
app.add_typer(weather, name="weather")
app.add_typer(rules, name="rules")
app.add_typer(rounds, name="round")
app.command()(kpi)
app.add_typer(former, name="former")
app.add_typer(sectors, name="sectors")
app.add_typer(plan, name="plan")


@app.command()
def migrate(config: ConfigOption = None) -> None:
    """Bring the database to this version's schema. Harmless when repeated."""
    settings = start(config)
    from cli.wiring import database_url, time_series_options
    from storage.schema import migrate as migrate_schema

    version = migrate_schema(database_url(settings), time_series_options(settings))
    typer.echo(f"the database has schema {version}")


@app.command()
def collect(
    config: ConfigOption = None,
    client_id: Annotated[str | None, typer.Option(help="The session's name.", show_default=False)] = None,
    *,
    leave: Annotated[
        bool, typer.Option("--leave", help="Take only what waits for this session, end it for good, and exit.")
    ] = False,
) -> None:
    """Take messages in from the broker until stopped: nothing is acknowledged before it is committed."""
    settings = start(config, {"mqtt": {"client_id": client_id}} if client_id else None)
    from cli.services import collect as run_collector

    run_collector(settings, leave=leave)


@app.command()
def api(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default=False)] = None,
) -> None:
    """Serve the HTTP routes and the map."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = start(config, {"api": given})
    from cli.services import serve

    serve(settings)


@app.command()
def worker(
    config: ConfigOption = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Run none; fail unless one gave a sign of life.")] = False,
) -> None:
    """Run jobs until stopped: reviews of readings; forecasts and rounds when each commune's clock says so."""
    settings = start(config)
    from cli.services import check_worker, work

    (check_worker if check else work)(settings)


@app.command()
def forecast(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Forecast the fill of every bin of the commune now."""
    settings = start(config)
    from cli.services import forecast_now

    forecast_now(settings, as_json=as_json)


StreetsOption = Annotated[
    Path | None, typer.Option(help="OpenStreetMap extract (.osm.pbf); otherwise the demo's own.", show_default=False)
]
BinsOption = Annotated[int | None, typer.Option(help="Number of bins.", show_default=False)]
DaysOption = Annotated[int | None, typer.Option(help="Days of history published first.", show_default=False)]
ScenarioOption = Annotated[
    Path | None,
    typer.Option(
        help="TOML file with the story of a day (docs/simulator.md).", exists=True, dir_okay=False, show_default=False
    ),
]
SeedOption = Annotated[int | None, typer.Option(help="The same seed gives the same commune.", show_default=False)]


def _check_scenario(settings: Settings) -> None:
    """Raise InputError when the scenario cannot be read, before anything is started for it."""
    if settings.simulator.scenario is not None:
        from cli.scenario_file import read_scenario

        read_scenario(settings.simulator.scenario)


def _simulator_overrides(
    *,
    streets: Path | None,
    bins: int | None,
    days: int | None,
    seed: int | None,
    speed: float | None,
    scenario: Path | None,
) -> dict[str, dict[str, Any]]:
    simulator = {"bins": bins, "days": days, "seed": seed, "speed": speed, "scenario": scenario and scenario.resolve()}
    return {
        "simulator": {name: value for name, value in simulator.items() if value is not None},
        "streets": {} if streets is None else {"extract": streets},
    }


@app.command()
def simulate(
    config: ConfigOption = None,
    streets: StreetsOption = None,
    bins: BinsOption = None,
    days: DaysOption = None,
    seed: SeedOption = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds in a real one.", show_default=False)] = None,
    scenario: ScenarioOption = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Write every acknowledged publication here.", show_default=False)
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write the fill that only the simulator knows here.", show_default=False)
    ] = None,
    *,
    history_only: Annotated[bool, typer.Option(help="Stop when the history is published.")] = False,
) -> None:
    """Stand in for the devices and crews of a commune: provision it, publish its history, then live on."""
    overrides = _simulator_overrides(streets=streets, bins=bins, days=days, seed=seed, speed=speed, scenario=scenario)
    settings = start(config, overrides)
    _check_scenario(settings)
    from cli.simulation import simulate as run_simulation

    run_simulation(settings, history_only=history_only, ledger=ledger, truth=truth)


@app.command()
def demo(
    config: ConfigOption = None,
    streets: StreetsOption = None,
    bins: BinsOption = None,
    days: DaysOption = None,
    seed: SeedOption = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds in a real one.", show_default=False)] = None,
    scenario: ScenarioOption = None,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(".voirie"),
    *,
    once: Annotated[bool, typer.Option("--once", help="Headless, with data of its own; end after the plan.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the whole product on a simulated commune, with a broker and a database of its own."""
    if as_json and not once:
        raise typer.BadParameter("--json needs --once: a demo that goes on has no result to print")
    overrides = _simulator_overrides(streets=streets, bins=bins, days=days, seed=seed, speed=speed, scenario=scenario)
    # The screen tells the story; the processes' own logs are files.
    overrides["log"] = {"level": "warning"}
    settings = start(config, overrides)
    from cli.demo.play import play, play_once

    _check_scenario(settings)
    if once:
        play_once(settings, folder=folder, as_json=as_json)
    else:
        play(settings, folder=folder)
