"""The crews: they declare the history's emptyings, then drive the published plans and declare each stop."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import structlog

from simulators.fixed_rounds import in_quarters
from simulators.randomness import Stream, stream
from simulators.world import World
from storage.errors import InputError, UnavailableError
from storage.model import Clock, ServiceEvent, ServiceEventKind

_BATCH = 1000
_POLL_S = 1.0
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "stops.voirie.example")

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class CrewOptions:
    """Where the crews declare, with which key (none where accounts are open), and how often a bin is out of reach."""

    api_url: str
    api_key: str = ""
    blocked_rate: float = 0.015
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.api_url.startswith(("http://", "https://")):
            raise ValueError(f"expected api_url of the form http://host:port, got {self.api_url!r}")
        if not 0.0 <= self.blocked_rate <= 1.0:
            raise ValueError(f"expected blocked_rate within 0..1, got {self.blocked_rate}")

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}


def declare_history(world: World, options: CrewOptions, *, stop: threading.Event) -> int:
    """Declare the emptyings of the world's history; return how many. Doing it again does no harm.

    UnavailableError when the service does not answer for `patience_s`; InputError when it refuses them.
    """
    declared = 0
    with httpx.Client(base_url=options.api_url, headers=options.headers, timeout=30.0) as http:
        for first in range(0, len(world.declarations), _BATCH):
            if stop.is_set():
                break
            events = world.declarations[first : first + _BATCH]
            _declare(http, world.commune_insee, events, patience_s=options.patience_s, stop=stop)
            declared += len(events)
    log.info("history_declared", events=declared)
    return declared


class Crews:
    """Drive the latest plan as the clock passes its stops: empty the bins in the world and declare it."""

    def __init__(self, world: World, options: CrewOptions, clock: Clock) -> None:
        self._world = world
        self._options = options
        self._clock = clock
        self._index = {item.place_id: index for index, item in enumerate(world.bins)}
        self._done: set[tuple[str, str]] = set()

    def run(self, stop: threading.Event) -> None:
        """Drive until `stop` is set. A service that does not answer is asked again; nothing is declared twice."""
        with httpx.Client(base_url=self._options.api_url, headers=self._options.headers, timeout=10.0) as http:
            while not stop.is_set():
                try:
                    self.drive_due_stops(http, stop=stop)
                except UnavailableError as error:
                    log.warning("crews_wait", error=str(error))
                stop.wait(_POLL_S)

    def drive_due_stops(self, http: httpx.Client, *, stop: threading.Event) -> int:
        """Do every stop of the latest plan that the clock has passed; return how many events were declared."""
        plan = self._latest_plan(http)
        if plan is None:
            return 0
        now = self._clock.now()
        events: list[ServiceEvent] = []
        for route in plan["routes"]:
            for place_id, depart_at in _bin_stops(route):
                # A plan that is repaired on the road has another id and the same stops: each is done once a day.
                key = (str(plan["service_date"]), place_id)
                if depart_at > now or key in self._done or place_id not in self._index:
                    continue
                self._done.add(key)
                events.append(self._serve(plan, place_id, depart_at))
        events.sort(key=lambda event: event.happened_at)
        for first in range(0, len(events), _BATCH):
            part = events[first : first + _BATCH]
            _declare(http, self._world.commune_insee, part, patience_s=self._options.patience_s, stop=stop)
        if events:
            log.info("stops_driven", events=len(events), plan_id=str(plan["plan_id"]))
        return len(events)

    def _serve(self, plan: dict[str, Any], place_id: str, depart_at: datetime) -> ServiceEvent:
        index = self._index[place_id]
        event_id = uuid.uuid5(_NAMESPACE, f"{plan['service_date']} {place_id}")
        # The stop's luck follows from its name, so that a restart tells the same story.
        generator = stream(self._world.seed, Stream.LIVE_CREWS, event_id.int % 2**32)
        blocked = generator.random() < self._options.blocked_rate
        misjudged = generator.normal(0.04, 0.12)
        found = None if blocked else self._world.empty(index, depart_at)
        return ServiceEvent(
            commune_insee=self._world.commune_insee,
            event_id=event_id,
            place_id=place_id,
            kind=ServiceEventKind.BLOCKED if blocked else ServiceEventKind.EMPTIED,
            happened_at=depart_at,
            found_fraction=None if found is None else in_quarters(found + misjudged),
            plan_id=uuid.UUID(plan["plan_id"]),
        )

    def _latest_plan(self, http: httpx.Client) -> dict[str, Any] | None:
        try:
            answer = http.get(f"/api/v1/communes/{self._world.commune_insee}/plans/latest")
        except httpx.TransportError as error:
            raise UnavailableError(f"the service does not answer: {error}") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise UnavailableError(f"the service gave no plan: status {answer.status_code}")
        plan: dict[str, Any] = answer.json()
        return plan


def relive(world: World, emptyings: Sequence[tuple[str, datetime]]) -> None:
    """Empty bins again that were emptied in an earlier life of the simulation: (place_id, moment) of each.

    Places that the world does not know are passed over.
    """
    index = {item.place_id: number for number, item in enumerate(world.bins)}
    known = [(index[place_id], int(at.timestamp())) for place_id, at in emptyings if place_id in index]
    if known:
        table = np.array(known, dtype=np.int64)
        world.fill.empty(table[:, 0], table[:, 1])


def _bin_stops(route: dict[str, Any]) -> list[tuple[str, datetime]]:
    return [
        (stop["place_id"], datetime.fromisoformat(stop["depart_at"]))
        for stop in route["stops"]
        if stop["kind"] == "bin" and stop["place_id"] is not None
    ]


def _declare(
    http: httpx.Client,
    commune_insee: str,
    events: Sequence[ServiceEvent],
    *,
    patience_s: float,
    stop: threading.Event,
) -> None:
    """Post events; try again while the service does not answer. Each carries its id, so repeats do no harm."""
    body = {"events": [_as_json(event) for event in events]}
    deadline = time.monotonic() + patience_s
    while True:
        problem = _post(http, f"/api/v1/communes/{commune_insee}/service-events", body)
        if problem is None:
            return
        if time.monotonic() > deadline or stop.is_set():
            raise UnavailableError(f"the service takes no declarations: {problem}")
        stop.wait(0.5)


def _post(http: httpx.Client, path: str, body: dict[str, Any]) -> str | None:
    """Post once; return None when it was taken, or why it is worth trying again. InputError when it never will be."""
    try:
        answer = http.post(path, json=body)
    except httpx.TransportError as error:
        return str(error)
    if answer.is_success:
        return None
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return f"status {answer.status_code}"
    raise InputError(f"the service refused the declarations with status {answer.status_code}: {answer.text[:500]}")


def _as_json(event: ServiceEvent) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "place_id": event.place_id,
        "kind": event.kind.value,
        "happened_at": event.happened_at.isoformat(),
        "found_fraction": event.found_fraction,
        "plan_id": None if event.plan_id is None else str(event.plan_id),
        "comment": event.comment,
    }
