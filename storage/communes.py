"""Communes and, for simulated ones, how they were made and which clock they run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

from psycopg.types.json import Jsonb

from storage import commune_rules
from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import InputError, NotFoundError
from storage.isolation import CommunePool
from storage.model import Clock, Commune, Simulation

_LONGEST_NAME = 100


def save(connection: Connection, commune: Commune) -> None:
    """Insert the commune or update its name and zones."""
    connection.execute(statement("communes", "upsert"), asdict(commune))


@dataclass(frozen=True, kw_only=True, slots=True)
class Entered:
    """A commune as it is known now, and what that changed."""

    commune: Commune
    change: Literal["added", "updated", "unchanged"]


def enter(
    connection: Connection,
    *,
    commune_insee: str,
    name: str,
    time_zone: str | None = None,
    school_zone: str | None = None,
    without_school_zone: bool = False,
) -> Entered:
    """Enter a commune or correct what is known of it, in the caller's transaction; harmless when repeated.

    What is not told stays as it is known, and is the département's for a new commune. Raises InputError for a code, a
    name or a zone that cannot be.
    """
    commune_rules.departement(commune_insee)
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InputError(f"name: expected 1 to {_LONGEST_NAME} characters on one line, got {name[:40]!r}")
    if time_zone is not None:
        commune_rules.check_time_zone(time_zone)
    if not without_school_zone:
        commune_rules.check_school_zone(commune_insee, school_zone)
    known = fetch_one(connection, Commune, statement("communes", "one"), {"commune_insee": commune_insee})
    before = known or Commune(
        commune_insee=commune_insee,
        name=name,
        time_zone=commune_rules.time_zone(commune_insee),
        school_zone=commune_rules.school_zone(commune_insee),
    )
    commune = Commune(
        commune_insee=commune_insee,
        name=name,
        time_zone=time_zone or before.time_zone,
        school_zone=None if without_school_zone else school_zone or before.school_zone,
    )
    if known == commune:
        return Entered(commune=commune, change="unchanged")
    save(connection, commune)
    return Entered(commune=commune, change="added" if known is None else "updated")


def every(connection: Connection) -> list[Commune]:
    """Return all communes of this installation by INSEE code."""
    return fetch(connection, Commune, statement("communes", "every"), {})


def served(connection: Connection) -> list[Commune]:
    """Return the communes of this installation by INSEE code, also to a transaction that acts for none of them."""
    return fetch(connection, Commune, statement("communes", "served"), {})


def one(connection: Connection, commune_insee: str) -> Commune:
    """Return the commune; NotFoundError when this installation does not serve it."""
    found = fetch_one(connection, Commune, statement("communes", "one"), {"commune_insee": commune_insee})
    if found is None:
        raise _unknown(commune_insee)
    return found


def _unknown(commune_insee: str) -> NotFoundError:
    return NotFoundError(
        f"this installation serves no commune with INSEE code {commune_insee!r}: "
        "`voirie communes add INSEE NAME` enters it, `voirie communes list` tells which are known"
    )


def save_simulation(connection: Connection, simulation: Simulation) -> None:
    """Say that the commune is simulated, how, and on which clock."""
    connection.execute(
        statement("communes", "save_simulation"), asdict(simulation) | {"options": Jsonb(simulation.options)}
    )


def simulation(connection: Connection, commune_insee: str) -> Simulation | None:
    """Return how the commune is simulated, None for a real one."""
    return fetch_one(connection, Simulation, statement("communes", "simulation"), {"commune_insee": commune_insee})


@contextmanager
def within(pool: CommunePool, commune_insee: str, *, read_only: bool) -> Iterator[tuple[Connection, Commune, Clock]]:
    """Yield a transaction for a commune, with the commune and its clock; both come with the transaction's beginning.

    Raises NotFoundError when this installation does not serve it, and what `CommunePool.transaction` does.
    """
    parameters = {"commune_insee": commune_insee}
    with pool.answered([commune_insee], statement("communes", "here"), parameters, read_only=read_only) as (
        connection,
        row,
    ):
        if row is None:
            raise _unknown(commune_insee)
        of_clock = {name: row.pop(name) for name in ("wall_origin", "simulated_origin", "rate")}
        yield connection, Commune(**row), Clock() if of_clock["rate"] is None else Clock(**of_clock)


def clock(connection: Connection, commune_insee: str) -> Clock:
    """Return the commune's clock: the wall clock, but for simulated communes."""
    simulated = simulation(connection, commune_insee)
    if simulated is None:
        return Clock()
    return Clock(wall_origin=simulated.wall_origin, simulated_origin=simulated.simulated_origin, rate=simulated.rate)
