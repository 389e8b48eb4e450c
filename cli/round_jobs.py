"""The work on rounds behind the worker's jobs and commands: plan, edit, repair, and streets kept warm for it."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from cli.job_basis import present
from config.settings import Settings
from storage import communes, plan_requests, plans, vehicle_events
from storage.database import Connection
from storage.errors import InputError, PlanRefusedError
from storage.model import Commune, Plan, RequestState, StopKind

if TYPE_CHECKING:
    from optimise.rounds.warm_streets import WarmStreets

log = structlog.get_logger()

_TOO_FAST_TO_BE_LATE = 30
"""Where a simulated hour lasts two minutes, a second between two looks is no lateness of anybody's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOrders:
    """What somebody told for one plan: bins to serve and to leave, OpenStreetMap's ids of ways that are closed."""

    serve: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    close: frozenset[int] = frozenset()


class RoundJobs:
    """Plans, edits and repairs of the rounds of any commune; streets and travel times stay in memory between them."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings
        self._streets: WarmStreets | None = None

    def forget_positions(self, connection: Connection, commune_insee: str) -> None:
        """Forget where vehicles were whose shift is over, by the commune's clock."""
        now = present(connection, commune_insee)
        if now is None:
            return
        with connection.transaction():
            forgotten = vehicle_events.forget_positions(connection, commune_insee, now=now)
        if forgotten:
            log.info("positions_forgotten", commune=commune_insee, vehicles=forgotten)

    def plan(
        self,
        connection: Connection,
        commune_insee: str,
        *,
        service_date: date,
        as_of: datetime,
        orders: DayOrders | None = None,
    ) -> Plan:
        """Plan the rounds of a day; stored when the call returns, and only if the checker accepts them."""
        told = orders or DayOrders()
        from cli.wiring import planner_options
        from optimise.rounds.planner import plan_day

        plan = plan_day(
            connection,
            commune_insee,
            service_date=service_date,
            as_of=as_of,
            options=replace(
                planner_options(self._settings),
                must_serve=told.serve,
                must_not_serve=told.leave,
                closed_ways=told.close,
            ),
            opener=self._warm().open,
            progress=lambda event: log.info(
                "plan_progress", commune=commune_insee, text=f"{event.phase}: {event.detail}", cost_eur=event.cost_eur
            ),
        )
        log.info(
            "plan_made",
            commune=commune_insee,
            service_date=plan.service_date,
            plan=str(plan.plan_id),
            routes=len(plan.routes),
            stops=sum(stop.kind is StopKind.BIN for route in plan.routes for stop in route.stops),
            left_out=len(plan.left_out),
            distance_m=round(plan.distance_m),
        )
        return plan

    def edit(self, connection: Connection, commune_insee: str, request_id: UUID) -> None:
        """Answer a request for edits of a plan: with a draft, with why not, or with our failure."""
        from cli.wiring import editor_options
        from optimise.rounds.editing.editor import edit_plan

        asked = plan_requests.one(connection, commune_insee, request_id)
        if asked.state is not RequestState.WAITING:
            return
        answer: dict[str, Any]
        try:
            draft = edit_plan(
                connection,
                commune_insee,
                asked.plan_id,
                asked.content["edits"],
                by=asked.asked_by,
                options=editor_options(self._settings, self._warm()),
            )
            answer = {"state": RequestState.DONE, "made_plan_id": draft.plan_id}
        except (InputError, PlanRefusedError) as error:
            answer = {"state": RequestState.REFUSED, "detail": str(error)}
        except Exception:
            # Whoever waits is told at once; the log has the rest.
            plan_requests.answer(
                connection,
                commune_insee,
                request_id,
                state=RequestState.FAILED,
                detail="Voirie failed on this request.",
            )
            raise
        plan_requests.answer(connection, commune_insee, request_id, **answer)

    def repair(self, connection: Connection, commune_insee: str) -> Plan | None:
        """Repair the rounds under way if something new calls for it; published when the call returns."""
        from cli.wiring import repair_options
        from optimise.rounds.repair.repairing import repair_rounds

        if not self._settings.rounds.repair:
            return None
        options = repair_options(self._settings, self._warm())
        simulation = communes.simulation(connection, commune_insee)
        if simulation is not None and simulation.rate > _TOO_FAST_TO_BE_LATE:
            options = replace(options, late_min=math.inf)
        try:
            return repair_rounds(connection, commune_insee, options=options)
        except (InputError, PlanRefusedError) as error:
            # The round goes on as it was planned; people are told in the log, and the next event is another chance.
            log.warning("repair_refused", commune=commune_insee, reason=str(error))
            return None

    @staticmethod
    def requests_waiting(connection: Connection, commune_insee: str) -> list[UUID]:
        """Return the requests for edits without an answer."""
        return plan_requests.waiting(connection, commune_insee)

    def warm(self, connection: Connection, commune: Commune) -> None:
        """Take the streets and travel times of the commune's newest plan into memory."""
        from cli.wiring import editor_options
        from optimise.rounds.editing.editor import warm_up

        plan = plans.latest(connection, commune.commune_insee)
        if plan is not None:
            with contextlib.suppress(InputError):
                warm_up(connection, plan, options=editor_options(self._settings, self._warm()))

    def _warm(self) -> WarmStreets:
        if self._streets is None:
            from optimise.rounds.warm_streets import WarmStreets

            self._streets = WarmStreets()
        return self._streets
