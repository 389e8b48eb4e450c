"""What a commune's bays are and what their sensors told, from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from optimise.occupancy.forecast.groups import Group, bays_of, stretches_of
from optimise.occupancy.forecast.history import History
from optimise.occupancy.forecast.questions import Bays
from optimise.occupancy.trial.feeds import find_dead
from optimise.occupancy.trial.table import Table
from storage import bay_forecasts, communes
from storage.database import Connection
from storage.kerb_now import KerbView, kerb_now
from storage.model import SENSOR_SILENT_AFTER, KerbNow, PlaceKind

SENSED_KINDS = (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Town:
    """A commune's bays and spaces at a moment: the rows of `bays` are those of `view.places`."""

    commune_insee: str
    view: KerbView
    zone: ZoneInfo
    stretches: tuple[Group, ...]
    bays: Bays

    @property
    def places(self) -> list[KerbNow]:
        """The bays and spaces, by id."""
        return self.view.places


def load_town(connection: Connection, commune_insee: str, *, now: datetime) -> Town:
    """Return the bays and spaces that live at `now`."""
    zone = ZoneInfo(communes.one(connection, commune_insee).time_zone)
    view = kerb_now(connection, commune_insee, now=now, zone=zone, kinds=SENSED_KINDS)
    stretches = tuple(stretches_of(view.places))
    return Town(
        commune_insee=commune_insee,
        view=view,
        zone=zone,
        stretches=stretches,
        bays=bays_of(view.places, stretches),
    )


def load_history(
    connection: Connection, town: Town, rows: Sequence[int], *, until: datetime, days: int
) -> tuple[History, list[str]]:
    """Return what the sensors of some places (rows) told in the days before `until`; and whose feeds stood still.

    What a frozen feed said is left out.
    """
    places = [town.places[row] for row in rows]
    row, at_s, occupied = bay_forecasts.history(
        connection,
        town.commune_insee,
        [place.place_id for place in places],
        since=until - timedelta(days=days),
        until=until,
    )
    table = Table(
        names=tuple(place.place_id for place in places),
        place_row=row,
        at_s=at_s,
        free=(~occupied).astype(np.float64),
        capacity=np.ones(len(row)),
        lon=np.array([place.longitude_deg for place in places]),
        lat=np.array([place.latitude_deg for place in places]),
        refused=0,
        refusals=(),
        columns={},
        capacity_guessed=False,
    )
    dead, stretches = find_dead(table, time_zone=town.zone.key)
    history = History(
        places=len(places),
        place_row=row[~dead],
        at_s=at_s[~dead],
        free=~occupied[~dead],
        silent_s=int(SENSOR_SILENT_AFTER.total_seconds()),
        time_zone=town.zone.key,
    )
    return history, sorted({table.names[each.place_row] for each in stretches if each.reason != "silent"})
