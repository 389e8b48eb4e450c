"""Plans, and a driver's round."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.errors import documented
from api.here import Here, Reading, Writing
from api.models.plan_versions import ByModel, PlanDayModel, PlanDeedModel, PlanVersionModel
from api.models.plans import LeftOutModel, LeftOutsModel, PlanModel, ReasonModel, RouteModel
from api.phrases import Language, catalogue
from storage import places, plan_versions, plans
from storage.errors import NotFoundError

router = APIRouter(prefix="/communes/{commune_insee}/plans", tags=["plans"], responses=documented(404, 413, 422, 503))

PlanId = Annotated[UUID, Path(description="Id of the plan")]


def vehicle_names(here: Here) -> dict[str, str]:
    """Return the names of the commune's vehicles by id."""
    return {vehicle.vehicle_id: vehicle.name for vehicle in places.vehicles(here.connection, here.insee)}


@router.get("/latest", summary="The newest plan")
def latest_plan(
    here: Reading,
    service_date: Annotated[
        date | None, Query(description="Local day of service; without it the newest day that has a plan")
    ] = None,
) -> PlanModel:
    """Return the published plan with all its rounds. 404 before the first one is made."""
    plan = plans.latest(here.connection, here.insee, service_date=service_date)
    if plan is None:
        on_that_day = f" on {service_date}" if service_date else ""
        raise NotFoundError(f"commune {here.insee} has no plan{on_that_day}")
    return PlanModel.of(plan, vehicle_names(here))


@router.get("/days/{service_date}", summary="Versions of a day's plan")
def plan_day(here: Reading, service_date: Annotated[date, Path(description="Local day of service")]) -> PlanDayModel:
    """Return what was published of a day, its drafts, and who did what to them and when."""
    return PlanDayModel(
        service_date=service_date,
        versions=[
            PlanVersionModel.model_validate(version)
            for version in plan_versions.of_day(here.connection, here.insee, service_date=service_date)
        ],
        audit=[
            PlanDeedModel.model_validate(deed)
            for deed in plan_versions.audit(here.connection, here.insee, service_date=service_date)
        ],
    )


@router.get("/{plan_id}", summary="One plan")
def one_plan(here: Reading, plan_id: PlanId) -> PlanModel:
    """Return a plan with all its rounds. A plan never changes: another one takes its place."""
    return PlanModel.of(plans.one(here.connection, here.insee, plan_id), vehicle_names(here))


@router.get("/{plan_id}/version", summary="What became of a plan")
def plan_version(here: Reading, plan_id: PlanId) -> PlanVersionModel:
    """Return whether a plan is a draft, published or superseded, by whom, and what its edits change."""
    return PlanVersionModel.model_validate(plan_versions.one(here.connection, here.insee, plan_id))


@router.post("/{plan_id}/publish", summary="Publish a draft", responses=documented(409))
def publish_plan(here: Writing, plan_id: PlanId, body: ByModel) -> PlanVersionModel:
    """Make a draft the plan of its day; doing it again changes nothing.

    409 when another plan was published since the draft was made, as its difference would no longer be true, and when a
    crew on the road has come to what the draft changes.
    """
    found = plan_versions.publish(here.connection, here.insee, plan_id, by=here.by(body.by), at=here.now)
    return PlanVersionModel.model_validate(found)


@router.post("/{plan_id}/discard", summary="Discard a draft", responses=documented(409))
def discard_plan(here: Writing, plan_id: PlanId, body: ByModel) -> PlanVersionModel:
    """Give a draft up; doing it again changes nothing."""
    found = plan_versions.discard(here.connection, here.insee, plan_id, by=here.by(body.by), at=here.now)
    return PlanVersionModel.model_validate(found)


@router.get("/{plan_id}/left-out", summary="Bins left out, and why")
def left_out(here: Reading, plan_id: PlanId) -> LeftOutsModel:
    """Return every bin that the plan leaves for another day, with the reason why that is safe."""
    plan = plans.one(here.connection, here.insee, plan_id)
    return LeftOutsModel(
        plan_id=plan_id,
        left_out=[
            LeftOutModel(place_id=item.place_id, reason=ReasonModel.model_validate(item.reason))
            for item in plan.left_out
        ],
    )


@router.get("/{plan_id}/routes/{route_index}", summary="A driver's whole round")
def one_route(
    here: Reading,
    plan_id: PlanId,
    route_index: Annotated[int, Path(ge=0, description="Index of the round")],
    lang: Annotated[Language, Query(description="Language of the steps' sentences")] = Language.FRENCH,
) -> RouteModel:
    """Return everything that a driver needs in one answer, turn by turn, to keep for places without network."""
    plan = plans.one(here.connection, here.insee, plan_id)
    for route in plan.routes:
        if route.route_index == route_index:
            return RouteModel.of(plan, route, vehicle_names(here), phrases=catalogue(lang))
    raise NotFoundError(f"plan {plan_id} has no round {route_index}")
