"""The occupancy forecast in the database: what it learns from, and what it says of bays and of groups of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import BayChance, BayForecast, BayForecastRun, BayGroupForecast, BayScope, BayUse, PlaceKind

_BAY_TYPES = ("text", "text", "text", "text", "bool", "float4[]", "float4[]", "float4[]", "float4[]")
_GROUP_TYPES = (
    "text", "text", "text", "text", "text", "float8", "float8", "text[]", "int4", "int2[]", "float4[]", "int2[]",
    "int2[]", "float4[]",
)  # fmt: skip


def lock(connection: Connection, commune_insee: str) -> bool:
    """Hold the commune's forecast until the transaction ends; False when another one holds it."""
    row = connection.execute(statement("bay_forecasts", "lock"), {"commune_insee": commune_insee}).fetchone()
    return bool(row and row[0])


def history(
    connection: Connection, commune_insee: str, place_ids: Sequence[str], *, since: datetime, until: datetime
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return what sensors told in [since, until), in order: place's index, Unix seconds, occupied; (n,) each.

    Of what did not change one reading an hour is told.
    """
    parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids), "since": since, "until": until}
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(statement("bay_forecasts", "history"), parameters).fetchall()
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.bool_)


def above(connection: Connection, commune_insee: str) -> dict[str, tuple[PlaceKind, str | None, str | None]]:
    """Return the kind, the name and what it is part of, of each place that bays may be part of, by its id."""
    rows = connection.execute(statement("bay_forecasts", "groups"), {"commune_insee": commune_insee})
    return {place_id: (PlaceKind(kind), name, part_of) for place_id, kind, name, part_of in rows}


def save_usual(connection: Connection, commune_insee: str, *, as_of: datetime, content: bytes) -> None:
    """Store what is usual in the week that begins at `as_of`, in place of what was."""
    parameters = {"commune_insee": commune_insee, "as_of": as_of, "content": content}
    connection.execute(statement("bay_forecasts", "save_usual"), parameters)


def usual(connection: Connection, commune_insee: str) -> bytes | None:
    """Return what `save_usual` stored last."""
    row = connection.execute(statement("bay_forecasts", "usual"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else bytes(row[0])


def save(
    connection: Connection,
    commune_insee: str,
    run: BayForecastRun,
    *,
    bays: Iterable[BayForecast],
    groups: Iterable[BayGroupForecast],
) -> None:
    """Store a forecast in place of the one before it; it is part of the caller's transaction."""
    parameters: dict[str, Any] = {
        "commune_insee": commune_insee,
        "as_of": run.as_of,
        "made_at": run.made_at,
        "model_id": run.model_id,
        "method": run.method,
        "ahead_min": list(run.ahead_min),
        "places": run.places,
        "sensed": run.sensed,
    }
    connection.execute(statement("bay_forecasts", "save_run"), parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement("bay_forecasts", "stage_bays"))
        with cursor.copy(statement("bay_forecasts", "copy_bays").removesuffix(";")) as copy:
            copy.set_types(_BAY_TYPES)
            for one in bays:
                copy.write_row((commune_insee, *_bay_values(one)))
        cursor.execute(statement("bay_forecasts", "take_bays"))
        cursor.execute(statement("bay_forecasts", "forget_other_bays"), {"commune_insee": commune_insee})
        cursor.execute(statement("bay_forecasts", "unstage_bays"))
        cursor.execute(statement("bay_forecasts", "forget_groups"), {"commune_insee": commune_insee})
        with cursor.copy(statement("bay_forecasts", "copy_groups").removesuffix(";")) as copy:
            copy.set_types(_GROUP_TYPES)
            for group in groups:
                copy.write_row((commune_insee, *_group_values(group)))


def _bay_values(one: BayForecast) -> tuple[Any, ...]:
    arrays = (one.chance, one.if_changed, one.chance_low, one.chance_high)
    listed = [None if each is None else list(each) for each in arrays]
    return (one.place_id, one.use.value, one.evidence.value, one.occupied, *listed)


def _group_values(one: BayGroupForecast) -> tuple[Any, ...]:
    arrays = (one.known, one.expected, one.low, one.high, one.chance)
    return (
        one.group_id, one.scope.value, one.use.value, one.name, one.longitude_deg, one.latitude_deg,
        list(one.place_ids), one.sensed, *map(list, arrays),
    )  # fmt: skip


def latest_run(connection: Connection, commune_insee: str) -> BayForecastRun | None:
    """Return the newest forecast's head."""
    return fetch_one(connection, BayForecastRun, statement("bay_forecasts", "run"), {"commune_insee": commune_insee})


def of_places(connection: Connection, commune_insee: str, place_ids: Collection[str]) -> list[BayForecast]:
    """Return what is foretold of these bays, by id."""
    parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids)}
    return fetch(connection, BayForecast, statement("bay_forecasts", "bays"), parameters)


def at_step(
    connection: Connection, commune_insee: str, place_ids: Collection[str], *, before: int, share: float
) -> dict[str, BayChance]:
    """Return what is foretold of these bays at a moment: `share` of the way from the run's step `before` to the next.

    Steps are counted from 0.
    """
    parameters = {
        "commune_insee": commune_insee, "place_ids": list(place_ids), "before": before + 1, "share": share,
    }  # fmt: skip
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(statement("bay_forecasts", "bays_at"), parameters, prepare=False)
        return {place_id: BayChance(*values) for place_id, *values in rows}


def of_groups(
    connection: Connection,
    commune_insee: str,
    *,
    scope: BayScope,
    uses: Collection[BayUse],
    bounds: tuple[float, float, float, float],
) -> list[BayGroupForecast]:
    """Return what is foretold of the groups of a scope within bounds (west, south, east, north), by id."""
    west, south, east, north = bounds
    parameters = {
        "commune_insee": commune_insee, "scope": scope.value, "uses": [use.value for use in uses],
        "west": west, "south": south, "east": east, "north": north,
    }  # fmt: skip
    return fetch(connection, BayGroupForecast, statement("bay_forecasts", "groups_of"), parameters)


def of_group(connection: Connection, commune_insee: str, group_id: str) -> BayGroupForecast:
    """Return what is foretold of one group; NotFoundError when there is none of this id."""
    parameters = {"commune_insee": commune_insee, "group_id": group_id}
    found = fetch_one(connection, BayGroupForecast, statement("bay_forecasts", "one_group"), parameters)
    if found is None:
        raise NotFoundError(f"commune {commune_insee} has no group of bays {group_id!r} with a forecast")
    return found
