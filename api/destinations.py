"""Looks up in the commune's own names where somebody goes: nobody else is told."""

from __future__ import annotations

from fastapi import Request

from api.gazetteer.names import Box, Named, NameKind, Names
from api.here import Here
from api.state import state_of
from api.streets import with_margin
from storage import places


def find(here: Here, request: Request, typed: str, *, limit: int) -> list[Named]:
    """Return what `typed` may mean in the commune, the likeliest first."""

    def box() -> Box | None:
        extent = places.extent(here.connection, here.insee)
        return None if extent is None else with_margin(extent)

    def streets() -> Names:
        named = [
            Named(name=name, kind=NameKind.STREET, longitude_deg=round(lon, 5), latitude_deg=round(lat, 5))
            for name, lon, lat in places.streets(here.connection, here.insee)
        ]
        return Names(named=named, numbers={})

    index = state_of(request)["gazetteers"].index(here.insee, box=box, streets=streets)
    return index.find(typed, limit=limit)
