"""What crews tell of their vehicle: broken, back in service, where it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Request

from api.errors import documented
from api.here import Here, Writing
from api.models.vehicle_events import PositionIn, PositionOut, VehicleEventsIn, VehicleEventsOut
from api.repairs import ask_for_repair
from api.routes.service_events import FUTURE_TOLERANCE
from storage import places, vehicle_events
from storage.errors import InputError
from storage.model import VehicleEvent, VehiclePosition

router = APIRouter(prefix="/communes/{commune_insee}", tags=["vehicles"], responses=documented(404, 413, 422, 503))


@router.post("/vehicle-events", summary="Declare what happened to vehicles")
def declare_vehicle_events(
    request: Request, here: Writing, body: VehicleEventsIn, later: BackgroundTasks
) -> VehicleEventsOut:
    """Store a batch of declarations, all or none. Sending an `event_id` again changes nothing and is accepted."""
    _require_known(here, {event.vehicle_id for event in body.vehicle_events})
    for event in body.vehicle_events:
        if event.happened_at > here.now + FUTURE_TOLERANCE:
            raise InputError(f"event {event.event_id} happens in the future: {event.happened_at.isoformat()}")
    new = vehicle_events.declare(
        here.connection,
        [
            VehicleEvent(
                commune_insee=here.insee,
                event_id=event.event_id,
                vehicle_id=event.vehicle_id,
                kind=event.kind,
                happened_at=event.happened_at,
                comment=event.comment,
            )
            for event in body.vehicle_events
        ],
    )
    if new:
        ask_for_repair(request, here.insee, later)
    return VehicleEventsOut(accepted=len(body.vehicle_events), new=new)


@router.put("/vehicles/{vehicle_id}/position", summary="Tell where a vehicle is")
def tell_position(
    here: Writing,
    vehicle_id: Annotated[str, Path(max_length=100, description="Id of the vehicle")],
    body: PositionIn,
) -> PositionOut:
    """Keep the last position alone, in the place of the one before: no trace of a crew is kept."""
    _require_known(here, {vehicle_id})
    if body.told_at > here.now + FUTURE_TOLERANCE:
        raise InputError(f"the position is from the future: {body.told_at.isoformat()}")
    kept = vehicle_events.place(
        here.connection,
        VehiclePosition(
            commune_insee=here.insee,
            vehicle_id=vehicle_id,
            told_at=body.told_at,
            longitude_deg=body.longitude_deg,
            latitude_deg=body.latitude_deg,
            next_place_id=body.next_place_id,
        ),
    )
    return PositionOut(kept=kept)


def _require_known(here: Here, vehicle_ids: set[str]) -> None:
    known = {vehicle.vehicle_id for vehicle in places.vehicles(here.connection, here.insee)}
    for vehicle_id in sorted(vehicle_ids - known):
        raise InputError(f"commune {here.insee} has no vehicle {vehicle_id!r}")
