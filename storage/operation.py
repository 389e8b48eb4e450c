"""What whoever runs an installation looks at: jobs, processes, intake, devices, plans, versions and the disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from storage import audit
from storage.database import Connection, fetch, fetch_one, statement
from storage.model import AlertKind, DeviceStatus, RefusalReason
from storage.refusals import Selection

REPLAY_ASKED = "intake.replay_asked"
REPLAYED = "intake.replayed"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSummary:
    """What is known of one kind of job, of the last three days. `period_s` is learnt from its last two times."""

    task_name: str
    waiting: int
    under_way: int
    under_way_since: datetime | None
    succeeded_at: datetime | None
    succeeded_s: float | None
    failed: int
    failed_at: datetime | None
    failed_job_id: int | None
    periodic_at: datetime | None
    period_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessSummary:
    """The database connections of one kind of process, and since when the eldest stands."""

    name: str
    connections: int
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Bytes of a table with its indexes and chunks; of the whole database where the name is empty."""

    name: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectorActivity:
    """A collector that committed in the last three days."""

    collector: str
    last_committed_at: datetime
    messages_last_hour: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HourOfIntake:
    """What collectors committed in one hour, by the server's clock."""

    hour: datetime
    stored: int
    duplicates: int
    refused: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkActivity:
    """A network (None: not known) with the devices that it brings; `silent`: an alert says so."""

    network: str | None
    devices: int
    heard_at: datetime | None
    heard_in_a_day: int
    silent: bool


class Condition(StrEnum):
    """How a device is; the first that holds, in this order."""

    RETIRED = "retired"
    IN_STOCK = "in_stock"
    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    FAULTY = "faulty"
    BATTERY_LOW = "battery_low"
    RADIO_WEAK = "radio_weak"
    WELL = "well"


_FAULTS = frozenset(
    {
        AlertKind.SENSOR_FAULT,
        AlertKind.STUCK,
        AlertKind.BLOCKED,
        AlertKind.OUT_OF_CALIBRATION,
        AlertKind.CONTRADICTED,
        AlertKind.TILTED,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceCondition:
    """A device with what is known of its health. `overdue`: it is silent for longer than is its habit."""

    eui: str
    model: str
    status: DeviceStatus
    place_id: str | None
    network: str | None
    heard_at: datetime | None
    overdue: bool
    battery_percent: float | None
    battery_v: float | None
    rssi_dbm: float | None
    loss_fraction: float | None
    alarms: tuple[AlertKind, ...] | None

    @property
    def condition(self) -> Condition:
        """How it is."""
        alarms = frozenset(self.alarms or ())
        cases = (
            (self.status is DeviceStatus.RETIRED, Condition.RETIRED),
            (self.place_id is None, Condition.IN_STOCK),
            (self.heard_at is None, Condition.NEVER_HEARD),
            (self.overdue or AlertKind.SILENT in alarms, Condition.SILENT),
            (bool(alarms & _FAULTS), Condition.FAULTY),
            (AlertKind.BATTERY_LOW in alarms, Condition.BATTERY_LOW),
            (AlertKind.RADIO_WEAK in alarms, Condition.RADIO_WEAK),
        )
        return next((condition for holds, condition in cases if holds), Condition.WELL)


@dataclass(frozen=True, kw_only=True, slots=True)
class LastPlan:
    """The plan that was made last, drafts included."""

    plan_id: UUID
    service_date: date
    made_at: datetime
    engine: str
    solve_s: float
    travel_source: str
    distance_m: float
    status: str
    origin: str
    routes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """Of the database: our schema, the server, and its TimescaleDB where it has one."""

    schema_version: str
    postgresql: str
    timescaledb: str | None
    timescaledb_license: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A request to judge refused messages again, and what came of it (None: not yet)."""

    request_id: str
    asked_by: str
    asked_at: datetime
    selection: dict[str, Any]
    done_at: datetime | None
    result: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalKind:
    """The messages that are refused now for one reason on one network."""

    reason: RefusalReason
    network: str
    messages: int
    deliveries: int
    first_received_at: datetime
    last_received_at: datetime
    devices: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRefusal:
    """A refused message as it is looked at; `payload` are its first bytes."""

    refused_id: int
    reason: RefusalReason
    detail: str
    received_at: datetime
    last_received_at: datetime
    deliveries: int
    network: str
    topic: str
    device_eui: str | None
    payload_bytes: int
    payload: bytes
    is_registered: bool


def jobs(connection: Connection) -> list[JobSummary]:
    """Return what is known of the jobs of the communes that the transaction acts for, by name."""
    return fetch(connection, JobSummary, statement("operation", "jobs"), {})


def processes(connection: Connection) -> list[ProcessSummary]:
    """Return our processes that are connected, by name."""
    return fetch(connection, ProcessSummary, statement("operation", "processes"), {})


def disk(connection: Connection) -> list[Stored]:
    """Return the size of the database (first, without a name) and of its largest tables."""
    return fetch(connection, Stored, statement("operation", "disk"), {})


def collectors(connection: Connection, commune_insee: str) -> list[CollectorActivity]:
    """Return who committed lately, the last one first."""
    return fetch(
        connection, CollectorActivity, statement("operation", "collectors"), {"commune_insee": commune_insee}
    )  # fmt: skip


def hours(connection: Connection, commune_insee: str) -> list[HourOfIntake]:
    """Return the last 24 hours of intake, oldest first."""
    return fetch(connection, HourOfIntake, statement("operation", "hours"), {"commune_insee": commune_insee})


def networks(connection: Connection, commune_insee: str, *, now: datetime) -> list[NetworkActivity]:
    """Return the networks that brought something, by name."""
    parameters = {"commune_insee": commune_insee, "now": now}
    return fetch(connection, NetworkActivity, statement("operation", "networks"), parameters)


def devices(connection: Connection, commune_insee: str, *, now: datetime) -> list[DeviceCondition]:
    """Return every device with how it is, by `eui`."""
    parameters = {"commune_insee": commune_insee, "now": now}
    return fetch(connection, DeviceCondition, statement("operation", "devices"), parameters)


def last_plan(connection: Connection, commune_insee: str) -> LastPlan | None:
    """Return the plan that was made last."""
    return fetch_one(connection, LastPlan, statement("operation", "last_plan"), {"commune_insee": commune_insee})


def forgotten(connection: Connection, commune_insee: str) -> dict[str, datetime | None]:
    """Return before when nothing is kept any more, by kind of data."""
    return dict(connection.execute(statement("operation", "forgotten"), {"commune_insee": commune_insee}).fetchall())


def versions(connection: Connection) -> Versions:
    """Return the database's versions."""
    found = fetch_one(connection, Versions, statement("operation", "versions"), {})
    assert found is not None
    return found


# --- refused messages ------------------------------------------------------------------------------------------------


def refusal_kinds(connection: Connection, commune_insee: str) -> list[RefusalKind]:
    """Return what is refused now by reason and network, the most frequent first."""
    return fetch(connection, RefusalKind, statement("refusals", "kinds"), {"commune_insee": commune_insee})


def refusals(
    connection: Connection,
    commune_insee: str,
    *,
    reason: RefusalReason | None = None,
    device_eui: str | None = None,
    network: str | None = None,
    before: int | None = None,
    limit: int = 50,
    most_bytes: int = 600,
) -> list[ShownRefusal]:
    """Return what is refused now, the newest first, older than row `before`; payloads are cut after `most_bytes`."""
    parameters = {
        "commune_insee": commune_insee,
        "reason": None if reason is None else reason.value,
        "device_eui": device_eui,
        "network": network,
        "before": before,
        "limit": limit,
        "most_bytes": most_bytes,
    }
    # Bytes that are no text: msgspec would read them as base64.
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("refusals", "page"), parameters).fetchall()
    return [ShownRefusal(**row | {"reason": RefusalReason(row["reason"])}) for row in rows]


def ask_replay(connection: Connection, commune_insee: str, *, request_id: UUID, by: str, selection: Selection) -> None:
    """Note that somebody wants these refused messages judged again; the worker does it."""
    details = {
        "reasons": None if selection.reasons is None else [reason.value for reason in selection.reasons],
        "device_eui": selection.device_eui,
        "network": selection.network,
    }
    audit.record(connection, commune_insee, by, REPLAY_ASKED, str(request_id), details)


def replays(
    connection: Connection, commune_insee: str, *, request_id: UUID | None = None, most: int = 10
) -> list[Replay]:
    """Return the newest requests and what came of them, the newest first, or the one of this id."""
    wanted = None if request_id is None else str(request_id)
    parameters = {"commune_insee": commune_insee, "request_id": wanted, "most": most}
    return fetch(connection, Replay, statement("operation", "replays"), parameters)


def asked(connection: Connection, commune_insee: str, request_id: UUID) -> Selection | None:
    """Return what a replay that is not done yet was asked for; None when it is done, or nobody asked."""
    parameters = {"commune_insee": commune_insee, "request_id": str(request_id)}
    row = connection.execute(statement("operation", "asked"), parameters).fetchone()
    if row is None:
        return None
    told: dict[str, Any] = row[0]
    reasons = told["reasons"]
    return Selection(
        reasons=None if reasons is None else tuple(RefusalReason(reason) for reason in reasons),
        device_eui=told["device_eui"],
        network=told["network"],
    )


def replayed(connection: Connection, commune_insee: str, *, request_id: UUID, result: dict[str, Any]) -> None:
    """Note what came of a replay and tell the live listeners, in the caller's transaction."""
    audit.record(connection, commune_insee, "voirie", REPLAYED, str(request_id), result)
    notice = msgspec.json.encode({"kind": "intake", "commune_insee": commune_insee}).decode()
    connection.execute(statement("readings", "notify"), {"message": notice})
