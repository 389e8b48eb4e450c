"""Communes served here, and each one's present."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import ReadConnection, Reading
from api.models.communes import CommuneModel, CommuneNowModel, CommunesModel
from storage import communes, places

router = APIRouter(tags=["communes"])


@router.get("/communes", summary="Communes of this installation", responses=documented(503))
def list_communes(connection: ReadConnection) -> CommunesModel:
    """Return every commune by INSEE code."""
    return CommunesModel(
        communes=[
            CommuneModel(commune_insee=item.commune_insee, name=item.name, time_zone=item.time_zone)
            for item in communes.served(connection)
        ]
    )


@router.get(
    "/communes/{commune_insee}",  # noqa: FAST003 - `Reading` takes it
    summary="A commune and its present",
    responses=documented(404, 422, 503),
)
def commune_now(here: Reading) -> CommuneNowModel:
    """Return the commune with its clock: a simulated commune's time runs faster than ours."""
    counts = places.counts_by_kind(here.connection, here.insee)
    return CommuneNowModel(
        commune_insee=here.insee,
        name=here.commune.name,
        time_zone=here.commune.time_zone,
        now=here.now,
        simulated=here.clock.wall_origin is not None,
        clock_rate=here.clock.rate,
        places={kind.value: number for kind, number in counts.items()},
    )
