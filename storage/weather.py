"""The weather of a commune's days, measured or foretold, as the town tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from storage import communes
from storage.database import Connection, fetch, statement
from storage.device_file import LineError
from storage.model import DayWeather
from storage.weather_file import read_weather


@dataclass(frozen=True, kw_only=True, slots=True)
class WeatherReport:
    """What became of a file. With errors nothing was written; `imported` counts new, `updated` corrected days."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[LineError, ...] = ()


def import_weather(
    connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False
) -> WeatherReport:
    """Take a CSV file of days in, all of it or nothing, in the caller's transaction; with `dry_run` write nothing.

    Raises NotFoundError when there is no such commune.
    """
    communes.one(connection, commune_insee)
    days, errors = read_weather(content)
    if errors:
        return WeatherReport(errors=errors)
    if not dry_run:
        return save(connection, commune_insee, days)
    with connection.transaction(force_rollback=True):
        return save(connection, commune_insee, days)


def save(connection: Connection, commune_insee: str, days: Iterable[DayWeather]) -> WeatherReport:
    """Store days in the caller's transaction; what was foretold of a day is corrected by what was measured."""
    imported = updated = unchanged = 0
    for day in days:
        parameters = asdict(day) | {"commune_insee": commune_insee}
        row = connection.execute(statement("weather", "save"), parameters).fetchone()
        if row is None:
            unchanged += 1
        elif row[0]:
            imported += 1
        else:
            updated += 1
    return WeatherReport(imported=imported, updated=updated, unchanged=unchanged)


def every(connection: Connection, commune_insee: str, *, since: date = date.min) -> list[DayWeather]:
    """Return the days from `since` on, in order."""
    parameters = {"commune_insee": commune_insee, "since": since}
    return fetch(connection, DayWeather, statement("weather", "every"), parameters)
