"""What agents declare: emptied, blocked, overflowing, damaged."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, BackgroundTasks, Request

from api.errors import ProblemError, UnknownPlacesError, documented
from api.here import Writing
from api.models.service_events import ServiceEventsIn, ServiceEventsOut, WithdrawalsIn, WithdrawalsOut
from api.repairs import ask_for_repair
from storage import bins, withdrawals
from storage.errors import InputError
from storage.model import ServiceEvent, ServiceWithdrawal

router = APIRouter(
    prefix="/communes/{commune_insee}/service-events", tags=["service events"], responses=documented(404, 413, 422, 503)
)

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far a tablet's clock may be ahead. A declaration from further ahead would hide every true one until then."""

WITHDRAWN_WITHIN = timedelta(days=1)
"""A slip of a finger is noticed on the same round; what is older is part of what the month is told by."""


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


@router.post("/withdrawals", summary="Take declarations back")
def withdraw(here: Writing, body: WithdrawalsIn) -> WithdrawalsOut:
    """Store that declarations were taken back, all or none. Taking one back again changes nothing and is accepted."""
    known = withdrawals.declared(here.connection, here.insee, {item.event_id for item in body.withdrawals})
    for index, item in enumerate(body.withdrawals):
        event = known.get(item.event_id)
        if event is None:
            raise InputError(f"withdrawal {index}: commune {here.insee} has no declaration {item.event_id}")
        if item.withdrawn_at > here.now + FUTURE_TOLERANCE:
            raise InputError(f"withdrawal {index} happens in the future: {item.withdrawn_at.isoformat()}")
        if not event.happened_at <= item.withdrawn_at <= event.happened_at + WITHDRAWN_WITHIN:
            raise InputError(
                f"withdrawal {index}: a declaration is taken back within a day; "
                f"this one is of {event.happened_at.isoformat()}"
            )
    new = withdrawals.withdraw(
        here.connection,
        here.insee,
        [ServiceWithdrawal(event_id=item.event_id, withdrawn_at=item.withdrawn_at) for item in body.withdrawals],
    )
    return WithdrawalsOut(accepted=len(body.withdrawals), new=new)
