"""What rounds came to, planned and done, beside what the town drove before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta

from storage import communes
from storage.database import Connection, fetch, statement, typed_row
from storage.errors import InputError
from storage.model import FormerRound, Kpi, KpiBy

LONGEST_DAYS = 1100
"""Three years: a year, and those that it is compared with."""
_CONFIDENCE = 0.8
_NAMED = 5


def figures(
    connection: Connection, commune_insee: str, *, first: date, last: date, by: KpiBy, co2_kg_per_km: float
) -> list[Kpi]:
    """Return the figures of the local days from `first` to `last`, both included, by day, sector or month.

    Raises InputError for days out of order or too many, NotFoundError when there is no such commune.
    """
    if first > last:
        raise InputError(f"expected the first day not to be after the last, got {first} and {last}")
    if last - first > timedelta(days=LONGEST_DAYS):
        raise InputError(f"expected at most {LONGEST_DAYS} days, got {(last - first).days + 1}")
    commune = communes.one(connection, commune_insee)
    parameters = {
        "commune_insee": commune_insee,
        "first": first,
        "last": last,
        "by": by.value,
        "time_zone": commune.time_zone,
        "confidence": _CONFIDENCE,
        "co2_kg_per_km": co2_kg_per_km,
    }
    with connection.cursor(row_factory=typed_row(Kpi)) as cursor:
        # Never prepared: a plan for any days takes minutes where one for these takes a second.
        return cursor.execute(statement("kpi", "figures"), parameters, prepare=False).fetchall()


def former_rounds(connection: Connection, commune_insee: str) -> list[FormerRound]:
    """Return what is known of the town's former rounds, by sector and weekday."""
    return fetch(connection, FormerRound, statement("kpi", "former"), {"commune_insee": commune_insee})


def save_former(connection: Connection, commune_insee: str, rounds: Sequence[FormerRound]) -> None:
    """Replace the former rounds in the caller's transaction: a calendar is one whole."""
    key = {"commune_insee": commune_insee}
    connection.execute(statement("kpi", "forget_former"), key)
    if rounds:
        with connection.cursor() as cursor:
            cursor.executemany(statement("kpi", "save_former"), [asdict(item) | key for item in rounds])


def save_sectors(connection: Connection, commune_insee: str, sector_of: dict[str, str | None]) -> None:
    """Say which sector bins belong to, in the caller's transaction. Raises InputError for bins that are not known."""
    strangers = []
    for place_id, sector in sector_of.items():
        parameters = {"commune_insee": commune_insee, "place_id": place_id, "sector": sector}
        if not connection.execute(statement("kpi", "save_sector"), parameters).rowcount:
            strangers.append(place_id)
    if strangers:
        more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
        raise InputError(f"commune {commune_insee} has no bin {', '.join(map(repr, strangers[:_NAMED]))}{more}")
