"""The devices' health: who is heard, how often, with which battery and radio."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import Reading
from api.models.device_health import DeviceHealthModel, DevicesHealthModel
from storage import health

router = APIRouter(
    prefix="/communes/{commune_insee}/device-health", tags=["devices"], responses=documented(404, 422, 503)
)


@router.get("", summary="The health of every device that is on a place")
def list_device_health(here: Reading) -> DevicesHealthModel:
    """Return when each was heard, what is usual for it, its battery and its radio."""
    devices = [
        DeviceHealthModel.of(device, now=here.now)
        for device in health.watched(here.connection, here.insee, at=here.now)
    ]
    return DevicesHealthModel(now=here.now, silent=sum(device.silent for device in devices), devices=devices)
