"""What agents declare: emptied, blocked, overflowing, damaged."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, BackgroundTasks, Request

from api.errors import ProblemError, UnknownPlacesError, documented
from api.here import Writing
from api.models.service_events import ServiceEventsIn, ServiceEventsOut
from api.repairs import ask_for_repair
from storage import bins
from storage.errors import InputError
from storage.model import ServiceEvent

router = APIRouter(
    prefix="/communes/{commune_insee}/service-events", tags=["service events"], responses=documented(404, 413, 422, 503)
)

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far a tablet's clock may be ahead. A declaration from further ahead would hide every true one until then."""


@router.post("", summary="Declare what happened at bins")
def declare(request: Request, here: Writing, body: ServiceEventsIn, later: BackgroundTasks) -> ServiceEventsOut:
    """Store a batch of declarations, all or none. Sending an `event_id` again changes nothing and is accepted."""
    known = bins.known_ids(here.connection, here.insee, {event.place_id for event in body.events})
    unknown = [
        ProblemError(
            location=["body", "events", index, "place_id"],
            detail=f"commune {here.insee} has no bin {event.place_id!r}",
        )
        for index, event in enumerate(body.events)
        if event.place_id not in known
    ]
    if unknown:
        raise UnknownPlacesError(unknown)
    for index, event in enumerate(body.events):
        if event.happened_at > here.now + FUTURE_TOLERANCE:
            raise InputError(
                f"event {index} happens in the future: {event.happened_at.isoformat()}, "
                f"and now it is {here.now.isoformat(timespec='seconds')}"
            )
    new = bins.declare(
        here.connection,
        [
            ServiceEvent(
                commune_insee=here.insee,
                event_id=event.event_id,
                place_id=event.place_id,
                kind=event.kind,
                happened_at=event.happened_at,
                found_fraction=event.found_fraction,
                plan_id=event.plan_id,
                comment=event.comment,
            )
            for event in body.events
        ],
    )
    if new:
        ask_for_repair(request, here.insee, later)
    return ServiceEventsOut(accepted=len(body.events), new=new)
