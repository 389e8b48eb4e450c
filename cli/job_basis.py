"""What every job asks: a commune's own present, and how far along it is, told in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from storage import communes, readings
from storage.database import Connection

log = structlog.get_logger()


def logged_progress(commune_insee: str) -> Callable[[str, float], None]:
    """Return what tells a stage and its share in the log."""

    def tell(stage: str, share: float) -> None:
        log.info("forecast_progress", commune=commune_insee, text=f"{stage} {share:.0%}")

    return tell


def lived_until(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the commune's now for what must not be lost by mistake.

    The clock of a simulated commune runs on alone after its simulator was killed, by months in an hour: nothing is old
    by it that is not older than the last thing heard.
    """
    now = present(connection, commune_insee)
    if now is None or communes.simulation(connection, commune_insee) is None:
        return now
    heard_at = readings.last_measured_at(connection, commune_insee)
    return None if heard_at is None else min(now, heard_at)


def present(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the commune's now, None while a simulated commune's history is still being published."""
    simulation = communes.simulation(connection, commune_insee)
    if simulation is not None and not simulation.history_published:
        return None
    return communes.clock(connection, commune_insee).now().replace(microsecond=0)
