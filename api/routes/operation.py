"""What an operator looks at: devices, refused messages, jobs, versions; and the replay that they ask for."""

from __future__ import annotations

import platform
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.errors import documented
from api.here import CommuneInsee, Here, Reading, within
from api.models.operation import (
    BrokerLineModel,
    CollectorModel,
    DeviceConditionModel,
    DeviceConditionsModel,
    HourModel,
    JobModel,
    LastPlanModel,
    NetworkModel,
    OperationModel,
    ProcessModel,
    RefusalKindModel,
    RefusalsModel,
    RefusedModel,
    ReplayIn,
    ReplayModel,
    ReplaysModel,
    RetentionModel,
    ServingModel,
    StoredModel,
    VersionsModel,
)
from api.options import ApiOptions
from api.rhythm import Rhythm, next_of
from api.state import state_of
from storage import bay_models, broker_lines, fill_models, forecasts, operation
from storage.errors import UnavailableError
from storage.jobs import last_heartbeat
from storage.model import RefusalReason, TrainedModel
from storage.operation import Condition, JobSummary
from storage.refusals import Selection
from storage.retention_kinds import KINDS

router = APIRouter(prefix="/communes/{commune_insee}", tags=["operation"], responses=documented(404, 422, 503))

_LIBRARIES = (
    "fastapi", "uvicorn", "starlette", "pydantic", "psycopg", "procrastinate", "paho-mqtt", "msgspec", "numpy",
    "scikit-learn", "ortools", "pyvrp", "osrm-bindings", "osmium", "jinja2", "xstatic-leaflet",
)  # fmt: skip
_URGENCY = {condition: place for place, condition in enumerate(
    (
        Condition.SILENT, Condition.NEVER_HEARD, Condition.FAULTY, Condition.BATTERY_LOW, Condition.RADIO_WEAK,
        Condition.WELL, Condition.IN_STOCK, Condition.RETIRED,
    )
)}  # fmt: skip


@router.get("/operation", summary="The state of the installation")
def operation_state(here: Reading, request: Request) -> OperationModel:
    """Return everything that an operator looks at first, in one answer: who is connected, what waits, what runs.

    Jobs and commits are told by the real clock (`server_now`), devices by the commune's (`now`).
    """
    options = state_of(request)["options"]
    connection, insee = here.connection, here.insee
    run = forecasts.latest_run(connection, insee, at=here.now)
    as_of = None if run is None else run.as_of
    plan = operation.last_plan(connection, insee)
    whole, *tables = operation.disk(connection)
    return OperationModel(
        now=here.now,
        server_now=datetime.now(UTC),
        devices=Counter(one.condition for one in operation.devices(connection, insee, now=here.now)),
        networks=[NetworkModel.model_validate(one) for one in operation.networks(connection, insee, now=here.now)],
        collectors=[CollectorModel.model_validate(one) for one in operation.collectors(connection, insee)],
        broker_lines=[BrokerLineModel.model_validate(one) for one in broker_lines.lines(connection, insee)],
        intake=[HourModel.model_validate(one) for one in operation.hours(connection, insee)],
        processes=[ProcessModel.model_validate(one) for one in operation.processes(connection)],
        worker_seen_at=last_heartbeat(connection),
        jobs=[_job(one, here, options.rhythm, as_of) for one in operation.jobs(connection)],
        last_plan=None if plan is None else LastPlanModel.model_validate(plan),
        last_forecast_at=as_of,
        fill_model=_serving(fill_models.serving(connection, insee)),
        occupancy_model=_serving(bay_models.serving(connection, insee)),
        database_bytes=whole.bytes,
        tables=[StoredModel(table=one.name, bytes=one.bytes) for one in tables],
        retention=_retention(here, options),
        versions=_versions(here),
    )


@router.get("/operation/devices", summary="Devices by how they are")
def list_device_conditions(
    here: Reading,
    *,
    condition: Annotated[Condition | None, Query(description="Only devices that are so")] = None,
    search: Annotated[str, Query(max_length=100, description="Part of an EUI, a place or a model")] = "",
    skip: Annotated[int, Query(ge=0, description="Devices of the pages before")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Devices a page")] = 50,
) -> DeviceConditionsModel:
    """Return devices with their health and open alarms, those first that need somebody, then by `eui`."""
    wanted = search.strip().lower()
    found = [
        device
        for device in operation.devices(here.connection, here.insee, now=here.now)
        if (condition is None or device.condition is condition)
        and wanted in f"{device.eui} {device.place_id or ''} {device.model}".lower()
    ]
    found.sort(key=lambda device: (_URGENCY[device.condition], device.eui))
    return DeviceConditionsModel(
        now=here.now,
        found=len(found),
        devices=[DeviceConditionModel.of(device) for device in found[skip : skip + limit]],
    )


@router.get("/intake/refusals", summary="Refused messages and why")
def list_refusals(
    here: Reading,
    *,
    reason: Annotated[RefusalReason | None, Query(description="Only those refused for this reason")] = None,
    device_eui: Annotated[str | None, Query(max_length=64, description="Only those of this device")] = None,
    network: Annotated[str | None, Query(max_length=100, description="Only those of this network")] = None,
    before: Annotated[int | None, Query(ge=1, description="The last page's `next`")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Messages a page")] = 30,
) -> RefusalsModel:
    """Return what is refused now, by reason and network, and single messages with what was wrong and how they begin."""
    found = operation.refusals(
        here.connection, here.insee, reason=reason, device_eui=device_eui, network=network, before=before,
        limit=limit + 1,
    )  # fmt: skip
    page = found[:limit]
    return RefusalsModel(
        kinds=[RefusalKindModel.model_validate(one) for one in operation.refusal_kinds(here.connection, here.insee)],
        refused=[RefusedModel.of(one) for one in page],
        next=page[-1].refused_id if len(found) > limit else None,
    )


@router.post(
    "/intake/replays", summary="Have refused messages judged again", status_code=202, response_model=ReplayModel
)
def ask_replay(request: Request, commune_insee: CommuneInsee, body: ReplayIn) -> ReplayModel:
    """Have the worker judge refused messages again with today's decoders, registry and rules, as `voirie replay` does.

    What is read now is stored, once; what is still refused keeps its row. The answer comes at once; ask for the list
    of replays, or listen for the live event `intake`, to hear what came of it. Who asked is kept in the audit trail.
    """
    port = state_of(request)["ports"].at_once
    if port is None:
        raise UnavailableError("this server has no worker to ask")
    selection = Selection(
        reasons=None if body.reasons is None else tuple(body.reasons), device_eui=body.device_eui, network=body.network
    )
    with within(request, commune_insee) as here:
        known = _replay(here, body)
        if known is None:
            operation.ask_replay(
                here.connection, here.insee, request_id=body.request_id, by=here.by(body.by), selection=selection
            )
            known = _replay(here, body)
    assert known is not None  # it was noted just now
    if known.done_at is None:
        port.replay(commune_insee, body.request_id)
    return known


@router.get("/intake/replays", summary="Replays that were asked for")
def list_replays(here: Reading) -> ReplaysModel:
    """Return the last ten replays, who asked for them and what came of them."""
    return ReplaysModel(replays=[ReplayModel.of(one) for one in operation.replays(here.connection, here.insee)])


def _replay(here: Here, body: ReplayIn) -> ReplayModel | None:
    found = operation.replays(here.connection, here.insee, request_id=body.request_id, most=1)
    return ReplayModel.of(found[0]) if found else None


def _job(job: JobSummary, here: Here, rhythm: Rhythm, forecast_as_of: datetime | None) -> JobModel:
    known = {name: getattr(job, name) for name in set(JobModel.model_fields) - {"name", "next_at"}}
    next_at = next_of(job, rhythm=rhythm, now=here.now, zone=here.zone, forecast_as_of=forecast_as_of)
    return JobModel(name=job.task_name, next_at=next_at, **known)


def _serving(model: TrainedModel | None) -> ServingModel | None:
    return None if model is None else ServingModel.model_validate(model)


def _retention(here: Here, options: ApiOptions) -> list[RetentionModel]:
    forgotten = operation.forgotten(here.connection, here.insee)
    return [
        RetentionModel(
            kind=kind.name,
            days=getattr(options.retention, kind.days),
            why=kind.why,
            forgotten_before=forgotten.get(kind.name),
        )
        for kind in KINDS
    ]


def _versions(here: Here) -> VersionsModel:
    found = operation.versions(here.connection)
    return VersionsModel(
        voirie=_installed("voirie") or "unknown",
        schema_version=found.schema_version,
        python=platform.python_version(),
        postgresql=found.postgresql,
        timescaledb=found.timescaledb,
        timescaledb_license=found.timescaledb_license,
        libraries={name: known for name in _LIBRARIES if (known := _installed(name)) is not None},
    )


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
