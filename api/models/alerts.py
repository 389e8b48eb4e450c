"""Alerts: what somebody should look at."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import Alert, AlertKind, ClosedBy, Severity


class AlertModel(Model):
    """One alert. It opens once, closes itself and is kept; times are the events' own."""

    alert_id: int
    kind: AlertKind
    severity: Severity
    message: str = Field(description="A sentence for people, French", examples=["Corbeille pleine."])
    place_id: str | None = Field(description="The bin or the sensor's place; null for a network")
    device_id: int | None
    network: str | None = Field(description="Only of `network_silent`")
    opened_at: Moment
    noticed_at: Moment = Field(description="When Voirie noticed it, by the commune's clock")
    closed_at: Moment | None = Field(description="Null while it is open")
    closed_by: ClosedBy | None = Field(
        description="`recovered`: it ended; `withdrawn`: later data showed that there was none, or the device is gone"
    )
    evidence: dict[str, Any] = Field(description="The figures behind it, units in their names")

    @classmethod
    def of(cls, alert: Alert) -> AlertModel:
        """Return `alert` as the API says it."""
        return cls.model_validate({name: getattr(alert, name) for name in cls.model_fields})


class AlertsModel(Model):
    """Alerts, the open ones first, the newest first."""

    now: Moment = Field(description="The commune's present, UTC")
    open: int = Field(description="How many of these are open")
    alerts: list[AlertModel]
