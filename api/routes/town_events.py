"""Markets and events that the town tells of: days on which bins fill otherwise."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from api.errors import documented
from api.here import Reading, Writing
from api.models.town_events import EventsToldModel, TownEventModel, TownEventsIn, TownEventsModel
from api.noting import note, note_import
from storage import town_events

router = APIRouter(prefix="/communes/{commune_insee}/events", tags=["events"], responses=documented(404, 413, 422, 503))


@router.get("", summary="Markets and events")
def list_events(
    here: Reading,
    since: Annotated[AwareDatetime | None, Query(description="Only those that are on at this moment or later")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Only those that begin before this moment")] = None,
) -> TownEventsModel:
    """Return the markets and events that the town told of, by their first start."""
    found = town_events.every(here.connection, here.insee, since=since, until=until)
    return TownEventsModel(events=[TownEventModel.model_validate(event) for event in found])


@router.post("", summary="Tell markets and events")
def tell_events(here: Writing, body: TownEventsIn) -> EventsToldModel:
    """Store events, all or none; one of the same name and start is corrected. Repeating it changes nothing."""
    done = town_events.save(here.connection, here.insee, [event.told() for event in body.events])
    if done.imported or done.updated:
        content = body.model_dump_json().encode()
        note_import(here, "events", content, imported=done.imported, updated=done.updated)
    return EventsToldModel(imported=done.imported, updated=done.updated, unchanged=done.unchanged)


@router.delete("/{event_id}", summary="Forget an event", status_code=204)
def remove_event(here: Writing, event_id: Annotated[UUID, Path(description="Id of the event")]) -> None:
    """Forget an event that does not take place."""
    town_events.remove(here.connection, here.insee, event_id)
    note(here.connection, here.principal, "event.removed", f"event:{event_id}", commune_insee=here.insee)
