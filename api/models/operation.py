"""What an operator looks at, and what is asked of the worker for them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import AlertKind, DeviceStatus, RefusalReason
from storage.operation import Condition, DeviceCondition, Replay, ShownRefusal


class JobModel(Model):
    """One kind of work of the worker, over the last three days. Jobs without a commune are done for all of them."""

    name: str = Field(examples=["forecast"])
    waiting: int
    under_way: int
    under_way_since: Moment | None
    succeeded_at: Moment | None = Field(description="When the last one that went well ended")
    succeeded_s: float | None = Field(description="Seconds that it took")
    failed: int
    failed_at: Moment | None
    failed_job_id: int | None = Field(description="The last one that failed: the worker's log says why, by `job_id`")
    next_at: Moment | None = Field(description="When it comes next by its rhythm; null: when something calls for it")


class ProcessModel(Model):
    """Processes of ours that are connected to the database."""

    name: str = Field(examples=["voirie collector"])
    connections: int
    since: Moment = Field(description="Since when the eldest connection stands")


class CollectorModel(Model):
    """A collector that committed in the last three days."""

    collector: str
    last_committed_at: Moment
    messages_last_hour: int


class BrokerLineModel(Model):
    """A collector's line to its broker, as the collector told it last; by the server's clock."""

    collector: str
    broker: str = Field(description="Host and port", examples=["courtier.ville.example:8883"])
    connected: bool
    subscribed: bool = Field(description="Whether the broker has confirmed the subscriptions")
    since: Moment = Field(description="When it came to be connected, or not")
    told_at: Moment = Field(description="When the collector said so; it does every 15 s")
    waiting: int = Field(description="Messages received and not committed")
    lag_s: float = Field(description="The age of the eldest of them, seconds")
    messages_per_min: float = Field(description="Messages of the commune a minute, over the last five")


class NetworkModel(Model):
    """A network by which devices are heard."""

    network: str | None = Field(description="null: readings of before networks were noted")
    devices: int
    heard_at: Moment | None = Field(description="When the last of its devices was heard, by the commune's clock")
    heard_in_a_day: int = Field(description="Devices heard in the last 24 hours")
    silent: bool = Field(description="Whether an alert says that the network as a whole is silent")


class HourModel(Model):
    """What collectors committed in an hour, by the server's clock."""

    hour: Moment
    stored: int
    duplicates: int
    refused: int


class LastPlanModel(Model):
    """The plan that was made last, drafts included."""

    plan_id: UUID
    service_date: date
    made_at: Moment
    engine: str
    solve_s: float
    travel_source: str
    distance_m: float
    status: str
    origin: str
    routes: int


class ServingModel(Model):
    """A model in service."""

    method: str
    as_of: Moment = Field(description="The commune's present when it was trained")
    status_since: Moment


class RetentionModel(Model):
    """How long one kind of data is kept."""

    kind: str
    days: int
    why: str
    forgotten_before: Moment | None = Field(description="Nothing older is kept; null: nothing was forgotten yet")


class StoredModel(Model):
    """A table's bytes, with its indexes and chunks."""

    table: str
    bytes: int


class VersionsModel(Model):
    """What runs here."""

    voirie: str
    schema_version: str = Field(description="Of the database; `voirie migrate` brings it up to date")
    python: str
    postgresql: str
    timescaledb: str | None = Field(description="null: the database has none")
    timescaledb_license: str | None
    libraries: dict[str, str] = Field(description="Of this server's environment, by package")


class OperationModel(Model):
    """The state of an installation as far as it concerns a commune."""

    now: Moment = Field(description="The commune's present")
    server_now: Moment = Field(description="The real clock, by which jobs and commits are told")
    devices: dict[Condition, int] = Field(description="Number of devices by how they are")
    networks: list[NetworkModel]
    collectors: list[CollectorModel]
    broker_lines: list[BrokerLineModel]
    intake: list[HourModel] = Field(description="The last 24 hours, oldest first")
    processes: list[ProcessModel]
    worker_seen_at: Moment | None = Field(description="The last sign of life of a worker; null: none runs")
    jobs: list[JobModel]
    last_plan: LastPlanModel | None
    last_forecast_at: Moment | None = Field(description="Of which moment the last fill forecast is")
    fill_model: ServingModel | None
    occupancy_model: ServingModel | None
    database_bytes: int
    tables: list[StoredModel] = Field(description="The largest")
    retention: list[RetentionModel]
    versions: VersionsModel


class DeviceConditionModel(Model):
    """A device and how it is."""

    eui: str
    model: str
    status: DeviceStatus
    condition: Condition
    place_id: str | None
    network: str | None
    heard_at: Moment | None
    battery_percent: float | None
    battery_v: float | None
    rssi_dbm: float | None
    loss_fraction: float | None
    alarms: list[AlertKind] = Field(description="Kinds of its open alerts")

    @classmethod
    def of(cls, device: DeviceCondition) -> Self:
        """Return the device as it is shown."""
        names = set(cls.model_fields) - {"condition", "alarms"}
        shown: dict[str, Any] = {name: getattr(device, name) for name in names}
        return cls(**shown, condition=device.condition, alarms=list(device.alarms or ()))


class DeviceConditionsModel(Model):
    """One page of devices, those first that need somebody."""

    now: Moment
    found: int = Field(description="Devices that fit, on all pages")
    devices: list[DeviceConditionModel]


class RefusalKindModel(Model):
    """The messages refused now for one reason on one network."""

    reason: RefusalReason
    network: str
    messages: int
    deliveries: int = Field(description="How often they came, repetitions included")
    first_received_at: Moment
    last_received_at: Moment
    devices: int = Field(description="Devices that they name")


class RefusedModel(Model):
    """A refused message with its reason. Its row stays until it is taken in or too old."""

    refused_id: int
    reason: RefusalReason
    detail: str = Field(description="What was wrong, with the value")
    received_at: Moment
    last_received_at: Moment
    deliveries: int
    network: str
    topic: str
    device_eui: str | None
    is_registered: bool = Field(description="Whether the registry knows the device")
    payload_bytes: int
    payload_form: Literal["text", "hex"]
    payload: str = Field(description="Its beginning: text where it is printable, hexadecimal digits elsewhere")

    @classmethod
    def of(cls, refused: ShownRefusal) -> Self:
        """Return the message as it is shown."""
        text = _printable(refused.payload)
        names = set(cls.model_fields) - {"payload", "payload_form"}
        shown: dict[str, Any] = {name: getattr(refused, name) for name in names}
        return cls(
            **shown,
            payload_form="hex" if text is None else "text",
            payload=refused.payload.hex() if text is None else text,
        )


class RefusalsModel(Model):
    """What is refused now."""

    kinds: list[RefusalKindModel] = Field(description="By reason and network, whatever the filter")
    refused: list[RefusedModel] = Field(description="The newest first")
    next: int | None = Field(description="Give it as `before` for older ones; null: there are none")


class ReplayIn(Model):
    """Which refused messages to judge again: those that are all of this. The client makes `request_id`."""

    request_id: UUID = Field(description="Made by the client, once per request: asking again does no harm")
    by: str = Field(
        default="operator", min_length=1, max_length=100, description="Who asks; an account's own name counts"
    )
    reasons: list[RefusalReason] | None = Field(default=None, min_length=1, description="null: whatever the reason")
    device_eui: str | None = Field(default=None, max_length=64)
    network: str | None = Field(default=None, max_length=100)


class ReplayModel(Model):
    """A replay that was asked for. `result` is what `voirie replay --json` prints; null: the worker is at it."""

    request_id: UUID
    asked_by: str
    asked_at: Moment
    selection: dict[str, Any]
    done_at: Moment | None
    result: dict[str, Any] | None

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """Return the replay as it is shown."""
        return cls.model_validate(replay)


class ReplaysModel(Model):
    """The newest replays that were asked for, the newest first."""

    replays: list[ReplayModel]


def _printable(payload: bytes) -> str | None:
    try:
        # A payload that was cut may end within a character.
        text = payload.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if error.start < len(payload) - 3:
            return None
        text = payload[: error.start].decode("utf-8")
    return text if all(character.isprintable() or character in "\r\n\t" for character in text) else None
