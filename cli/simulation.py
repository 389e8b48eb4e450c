"""`voirie simulate`: provision a simulated commune, publish its history, then let it live on its accelerated clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from cli.demo.judge import Truth, write_truth
from cli.lives import Lives
from cli.provision import fleet, provision
from cli.scenario_file import read_scenario
from cli.services import wait_for_schema
from cli.stopping import stop_on_signals
from cli.wiring import database_url
from config.settings import Settings, SimulatorSettings
from simulators.streets import default_extract, read_streets
from simulators.world import World, build_world
from storage import bins, communes, readings
from storage.database import Connection, connect
from storage.errors import InputError
from storage.model import Commune, PlaceKind, Simulation

log = structlog.get_logger()

STANDING = 1e-9
"""The clock's rate while nothing lives: the table takes no 0, and a day at this rate is 86 microseconds."""
_HISTORY_ENDS_AT_H = 19
"""The local hour: the evening's plan is due, shops still get deliveries, and most bays' rules are in force."""
_JUDGED_H = 24


def simulate(settings: Settings, *, history_only: bool, ledger: Path | None, truth: Path | None) -> None:
    """Run the simulator until its history is published (`history_only`) or a stop signal."""
    stop = stop_on_signals()
    url = database_url(settings)
    wait_for_schema(url)
    with connect(url, application="voirie simulate", autocommit=True) as connection:
        world, simulation = _commune(connection, settings)
        lives = Lives(settings=settings, world=world, ledger=ledger, stop=stop)
        lives.let_in(connection)
        log.info(
            "commune_built",
            bins=len(world.bins),
            bins_with_sensor=sum(device.place_kind is PlaceKind.BIN for device in world.devices),
            bays=len(world.delivery_bays),
            spaces=len(world.parking_spaces),
            streets=world.streets.source,
            edges=len(world.streets.edges),
            publications=lives.publications_expected(),
        )
        if not simulation.history_published:
            if truth is not None:
                write_truth(truth, _truth_of(world))
            lives.publish_history(connection)
            if stop.is_set():
                return
            simulation = replace(simulation, history_published=True)
            communes.save_simulation(connection, simulation)
        if not history_only:
            _live(connection, lives, simulation, speed=settings.simulator.speed)


def _live(connection: Connection, lives: Lives, simulation: Simulation, *, speed: float) -> None:
    """Let the clock run until a stop signal, then stop it, so that the next start goes on from there."""
    commune_insee = simulation.commune_insee
    since = _resumes_at(connection, simulation)
    lives.remember(bins.emptyings(connection, commune_insee, since=simulation.history_until, until=since))
    running = replace(simulation, wall_origin=datetime.now(UTC), simulated_origin=since, rate=speed)
    communes.save_simulation(connection, running)
    try:
        lives.live(communes.clock(connection, commune_insee), since=since)
    finally:
        now = communes.clock(connection, commune_insee).now()
        standing = replace(running, wall_origin=datetime.now(UTC), simulated_origin=now, rate=STANDING)
        communes.save_simulation(connection, standing)


def _resumes_at(connection: Connection, simulation: Simulation) -> datetime:
    """Return the moment at which the commune goes on: where its clock stands, or just after what was last heard.

    The latter when the simulator was killed and could not stop its clock, which then ran on alone.
    """
    stands_at = communes.clock(connection, simulation.commune_insee).now()
    heard_at = readings.last_measured_at(connection, simulation.commune_insee)
    if heard_at is None:
        return simulation.history_until
    return max(simulation.history_until, min(stands_at, heard_at + timedelta(hours=1)))


def _commune(connection: Connection, settings: Settings) -> tuple[World, Simulation]:
    """Return the commune: the one that the database knows, rebuilt, or a new one, provisioned."""
    commune = Commune(
        commune_insee=settings.commune.insee_code,
        name=settings.commune.name,
        time_zone=settings.commune.time_zone,
        school_zone=settings.commune.school_zone,
    )
    extract = settings.streets.extract or default_extract()
    known = communes.simulation(connection, commune.commune_insee)
    if known is not None:
        options = SimulatorSettings.model_validate(known.options["simulator"])
        world = _build(commune, extract, options, start=known.started_at)
        if world.streets.source != known.streets_source:
            raise InputError(
                f"the commune of this database was simulated on {known.streets_source}, not on "
                f"{world.streets.source}: use those streets, or another database (`--folder` of the demo)"
            )
        if options.seed != settings.simulator.seed or options.bins != settings.simulator.bins:
            log.warning("simulated_commune_kept", seed=options.seed, bins=options.bins)
        return world, known
    options = settings.simulator
    until = _history_until(commune)
    start = until - timedelta(days=options.days)
    world = _build(commune, extract, options, start=start)
    simulation = Simulation(
        commune_insee=commune.commune_insee,
        seed=options.seed,
        streets_source=world.streets.source,
        started_at=world.start,
        history_until=world.history_until,
        wall_origin=datetime.now(UTC),
        simulated_origin=world.history_until,
        rate=STANDING,
        options={"simulator": options.model_dump(mode="json"), "edges": len(world.streets.edges)},
    )
    with connection.transaction():
        if any(item.commune_insee == commune.commune_insee for item in communes.every(connection)):
            raise InputError(f"commune {commune.commune_insee} is a real one in this database: simulate another")
        communes.save(connection, commune)
        communes.save_simulation(connection, simulation)
        vehicles = fleet(commune.commune_insee, world.depot.place_id)
        provision(connection, world, extract=extract, vehicles=vehicles)
    return world, simulation


def _build(commune: Commune, extract: Path, options: SimulatorSettings, *, start: datetime) -> World:
    try:
        return build_world(
            read_streets(extract),
            seed=options.seed,
            start=start,
            days=options.days,
            bins=options.bins,
            sensor_share=options.sensor_share,
            bays=options.bays,
            spaces=options.spaces,
            commune_insee=commune.commune_insee,
            time_zone=commune.time_zone,
            scenario=None if options.scenario is None else read_scenario(options.scenario),
        )
    except ValueError as error:
        raise InputError(f"this commune cannot be simulated: {error}") from error


def _history_until(commune: Commune) -> datetime:
    """Return the last evening at which a history may end, UTC."""
    local = datetime.now(ZoneInfo(commune.time_zone))
    evening = local.replace(hour=_HISTORY_ENDS_AT_H, minute=0, second=0, microsecond=0)
    if evening > local:
        evening -= timedelta(days=1)
    return evening.astimezone(UTC)


def _truth_of(world: World) -> Truth:
    """Return the fill of the next hours, if nobody empties a bin: what a forecast made now is judged by."""
    moments = [world.history_until + timedelta(hours=hour) for hour in range(1, _JUDGED_H + 1)]
    sensed = {device.place_id for device in world.devices}
    return Truth(
        as_of_s=int(world.history_until.timestamp()),
        place_id=np.array([item.place_id for item in world.bins]),
        has_sensor=np.array([item.place_id in sensed for item in world.bins]),
        at_s=np.array([int(moment.timestamp()) for moment in moments], dtype=np.int64),
        fill_fraction=np.stack([world.fill_if_not_emptied(world.history_until, moment) for moment in moments], axis=1),
    )
