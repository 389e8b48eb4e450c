"""Alerts: those that are open, and those that were."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from api.errors import documented
from api.here import Reading
from api.models.alerts import AlertModel, AlertsModel
from storage import alerts
from storage.model import AlertKind

router = APIRouter(prefix="/communes/{commune_insee}/alerts", tags=["alerts"], responses=documented(404, 422, 503))


@router.get("", summary="Alerts")
def list_alerts(
    here: Reading,
    since: Annotated[
        AwareDatetime | None,
        Query(description="Also those that closed at this moment or later; otherwise the open ones"),
    ] = None,
    kind: Annotated[list[AlertKind] | None, Query(description="Only these kinds; may be given several times")] = None,
    place_id: Annotated[str | None, Query(min_length=1, max_length=100, description="Only about this place")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="At most so many")] = 1000,
) -> AlertsModel:
    """Return the open alerts, or all that were open at any time since a moment."""
    found = alerts.since(here.connection, here.insee, since or here.now, place_id=place_id, kinds=kind, most=limit)
    if since is None:
        found = [alert for alert in found if alert.closed_at is None]
    return AlertsModel(
        now=here.now,
        open=sum(alert.closed_at is None for alert in found),
        alerts=[AlertModel.of(alert) for alert in found],
    )
