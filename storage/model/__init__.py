"""The domain's types: what the rooms say to each other. Imports nothing of ours.

Values are frozen, keyword-only and carry their unit in the name. Every time is time-zone aware UTC; people's local time
is made at the rim. Measured, predicted and declared fill are three different fields, never one.
"""

from storage.model.communes import Clock, Commune, Simulation
from storage.model.devices import (
    Catalogue,
    Device,
    DeviceChange,
    DeviceNow,
    Geometry,
    KnownModel,
    Mounting,
    RegisteredDevice,
)
from storage.model.forecasts import FillForecast, ForecastRun
from storage.model.intake import (
    DeviceEvent,
    Emptying,
    FillReading,
    IntakeBatch,
    IntakeResult,
    IntakeTally,
    OccupancyReading,
    RefusedMessage,
    ServiceEvent,
)
from storage.model.kinds import (
    AlertKind,
    BayState,
    BinShape,
    ClosedBy,
    DeviceChangeKind,
    DeviceStatus,
    EndedBy,
    Orientation,
    PlaceKind,
    Quality,
    RefusalReason,
    ServiceEventKind,
    Severity,
    StopKind,
    Verdict,
)
from storage.model.occupancy import OccupancyPresent, OccupancySession
from storage.model.places import Bin, DeliveryBay, DisposalSite, ParkingSpace, Place, Vehicle
from storage.model.plans import LeftOut, Plan, PlannedRoute, PlannedStop, Reason
from storage.model.present import SENSOR_SILENT_AFTER, BayNow, BinNow, SpaceNow
from storage.model.review import Alert, BinLevel, DeclaredCheck, DetectedEmptying, DeviceHealth

__all__ = [
    "SENSOR_SILENT_AFTER",
    "Alert",
    "AlertKind",
    "BayNow",
    "BayState",
    "Bin",
    "BinLevel",
    "BinNow",
    "BinShape",
    "Catalogue",
    "Clock",
    "ClosedBy",
    "Commune",
    "DeclaredCheck",
    "DeliveryBay",
    "DetectedEmptying",
    "Device",
    "DeviceChange",
    "DeviceChangeKind",
    "DeviceEvent",
    "DeviceHealth",
    "DeviceNow",
    "DeviceStatus",
    "DisposalSite",
    "Emptying",
    "EndedBy",
    "FillForecast",
    "FillReading",
    "ForecastRun",
    "Geometry",
    "IntakeBatch",
    "IntakeResult",
    "IntakeTally",
    "KnownModel",
    "LeftOut",
    "Mounting",
    "OccupancyPresent",
    "OccupancyReading",
    "OccupancySession",
    "Orientation",
    "ParkingSpace",
    "Place",
    "PlaceKind",
    "Plan",
    "PlannedRoute",
    "PlannedStop",
    "Quality",
    "Reason",
    "RefusalReason",
    "RefusedMessage",
    "RegisteredDevice",
    "ServiceEvent",
    "ServiceEventKind",
    "Severity",
    "Simulation",
    "SpaceNow",
    "StopKind",
    "Vehicle",
    "Verdict",
]
