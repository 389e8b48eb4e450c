"""The sensors of a commune: where they are and were, and what is told of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from api.errors import InvalidFileError, documented
from api.here import Reading, Writing
from api.models.devices import (
    AssignmentIn,
    DeviceChangeModel,
    DeviceHistoryModel,
    DeviceIn,
    DeviceModel,
    DevicesModel,
    FollowedModel,
    ImportedModel,
    MountingModel,
    StatusIn,
    ToldModel,
)
from api.noting import note_import
from api.state import state_of
from storage import device_changes, devices, refusals
from storage.device_cells import write_devices
from storage.device_changes import Assignment, Away, Telling, Told
from storage.device_file import COLUMNS, TOLD_BY_US
from storage.device_import import import_devices
from storage.device_names import likely_eui
from storage.model import DeviceStatus

router = APIRouter(prefix="/communes/{commune_insee}", tags=["devices"], responses=documented(404, 413, 422, 503))

_CSV = "text/csv"

Eui = Annotated[
    str,
    Path(
        pattern="^[A-Za-z0-9._:-]{1,64}$",
        description="DevEUI (hyphens and colons between its digits are passed over) or native identifier",
        examples=["24e124713b000001"],
    ),
]


@router.get("/devices", summary="Devices, page by page")
def list_devices(
    here: Reading,
    *,
    status: Annotated[DeviceStatus | None, Query(description="Only devices of this status")] = None,
    model: Annotated[str | None, Query(max_length=100, description="Only devices of this model")] = None,
    place_id: Annotated[str | None, Query(max_length=100, description="Only the device on this place")] = None,
    after: Annotated[str | None, Query(max_length=64, description="The last page's `next`")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Devices a page")] = 100,
) -> DevicesModel:
    """Return devices by `eui` with where each is, when it was last heard, and its battery then."""
    found = devices.now(
        here.connection,
        here.insee,
        status=status,
        model=model,
        place_id=place_id,
        after=after,
        limit=limit + 1,
    )
    page = found[:limit]
    return DevicesModel(
        now=here.now,
        counts=devices.counts_by_status(here.connection, here.insee),
        devices=[DeviceModel.of(device) for device in page],
        next=page[-1].eui if len(found) > limit else None,
    )


@router.get(
    "/devices.csv",
    summary="Devices as a file",
    response_class=Response,
    responses={200: {"description": "CSV", "content": {_CSV: {"schema": {"type": "string"}}}}},
)
def export_devices(here: Reading) -> Response:
    """Return all devices as CSV, as `POST` takes it; cells are safe for spreadsheets."""
    text = write_devices(devices.now(here.connection, here.insee), (*COLUMNS, *TOLD_BY_US))
    headers = {"Content-Disposition": f'attachment; filename="devices-{here.insee}.csv"'}
    return Response(text, media_type=f"{_CSV}; charset=utf-8", headers=headers)


@router.post("/devices.csv", summary="Take a file of devices in")
def import_file(
    here: Writing,
    request: Request,
    body: Annotated[bytes, Body(media_type=_CSV, description="CSV, UTF-8")],
    dry_run: Annotated[bool, Query(description="Look for faults and write nothing")] = False,  # noqa: FBT002 - a query
    author: Annotated[str | None, Query(max_length=100, description="Who tells it")] = None,
) -> ImportedModel:
    """Take all devices of a CSV file in, or none and every fault: `errors` name `body`, `line`, number and column."""
    report = import_devices(
        here.connection, here.insee, body, telling=_telling(request, author=author), dry_run=dry_run
    )
    if report.errors:
        raise InvalidFileError(report.errors)
    if not dry_run:
        note_import(here, "devices", body, imported=report.imported, updated=report.updated)
    return ImportedModel(
        imported=report.imported, updated=report.updated, unchanged=report.unchanged, dry_run=dry_run
    )  # fmt: skip


@router.get("/devices/{eui}", summary="One device with its history")
def one_device(here: Reading, eui: Eui) -> DeviceHistoryModel:
    """Return a device, where it was, and everything that was ever told of it."""
    known = devices.one(here.connection, here.insee, likely_eui(eui))
    (device,) = devices.now(here.connection, here.insee, eui=known.device.eui)
    refused = refusals.of_devices(here.connection, here.insee, [known.device.eui]).get(known.device.eui)
    return DeviceHistoryModel.with_history(
        device,
        mountings=[MountingModel.of(mounting) for mounting in known.mountings],
        changes=[
            DeviceChangeModel.model_validate(change)
            for change in devices.changes(here.connection, known.device.device_id)
        ],
        refused_messages=0 if refused is None else refused.messages,
    )


@router.put("/devices/{eui}", summary="Register a device", responses=documented(409))
def register_device(here: Writing, request: Request, eui: Eui, body: DeviceIn) -> ToldModel:
    """Make a device known, in stock, or correct the model of a known one. Repeating it changes nothing."""
    telling = _telling(request, author=body.author, comment=body.comment)
    return _told(device_changes.register(here.connection, here.insee, eui=eui, model=body.model, telling=telling))


@router.put("/devices/{eui}/mounting", summary="Put a device on a place", responses=documented(409))
def assign_device(here: Writing, request: Request, eui: Eui, body: AssignmentIn) -> ToldModel:
    """Say where a device is, since when; stored readings follow. Repeating it changes nothing."""
    assignment = Assignment(
        eui=eui,
        place_id=body.place_id,
        at=body.at,
        until=body.until,
        geometry=None if body.geometry is None else body.geometry.told(),
        replace=None if body.replace is None else DeviceStatus(body.replace),
    )
    telling = _telling(request, author=body.author, comment=body.comment)
    return _told(device_changes.assign(here.connection, here.insee, assignment, telling=telling))


@router.put("/devices/{eui}/status", summary="Put a device away", responses=documented(409))
def put_device_away(here: Writing, request: Request, eui: Eui, body: StatusIn) -> ToldModel:
    """Take a device into stock (from its place, or back from retirement) or out of service."""
    telling = _telling(request, author=body.author, comment=body.comment)
    status: Away = DeviceStatus.RETIRED if body.status == "retired" else DeviceStatus.IN_STOCK
    return _told(
        device_changes.put_away(here.connection, here.insee, eui, status=status, at=body.at, telling=telling)
    )  # fmt: skip


def _telling(request: Request, *, author: str | None, comment: str | None = None) -> Telling:
    return Telling(catalogue=state_of(request)["options"].catalogue, author=author, comment=comment)


def _told(told: Told) -> ToldModel:
    return ToldModel(
        eui=told.eui,
        at=told.at,
        changed=list(told.touched),
        replaced=told.replaced,
        readings=FollowedModel.model_validate(told.readings),
    )
