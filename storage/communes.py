"""Communes and, for simulated ones, how they were made and which clock they run on."""

from __future__ import annotations

from dataclasses import asdict

from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import Clock, Commune, Simulation


def save(connection: Connection, commune: Commune) -> None:
    """Insert the commune or update its name and zones."""
    connection.execute(statement("communes", "upsert"), asdict(commune))


def every(connection: Connection) -> list[Commune]:
    """Return all communes of this installation by INSEE code."""
    return fetch(connection, Commune, statement("communes", "every"), {})


def one(connection: Connection, commune_insee: str) -> Commune:
    """Return the commune; NotFoundError when this installation does not serve it."""
    found = fetch_one(connection, Commune, statement("communes", "one"), {"commune_insee": commune_insee})
    if found is None:
        raise NotFoundError(f"this installation serves no commune with INSEE code {commune_insee!r}")
    return found


def save_simulation(connection: Connection, simulation: Simulation) -> None:
    """Say that the commune is simulated, how, and on which clock."""
    connection.execute(
        statement("communes", "save_simulation"), asdict(simulation) | {"options": Jsonb(simulation.options)}
    )


def simulation(connection: Connection, commune_insee: str) -> Simulation | None:
    """Return how the commune is simulated, None for a real one."""
    return fetch_one(connection, Simulation, statement("communes", "simulation"), {"commune_insee": commune_insee})


def clock(connection: Connection, commune_insee: str) -> Clock:
    """Return the commune's clock: the wall clock, but for simulated communes."""
    simulated = simulation(connection, commune_insee)
    if simulated is None:
        return Clock()
    return Clock(wall_origin=simulated.wall_origin, simulated_origin=simulated.simulated_origin, rate=simulated.rate)
