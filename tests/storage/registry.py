"""Devices that speak the native JSON, and collectors' and operators' acts on them, for tests of the registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ingest.decoders import built_in_models
from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.replay import ReplayOptions, ReplayReport, replay
from ingest.topics import Network
from storage import device_changes, devices, readings
from storage.database import Connection
from storage.device_changes import Assignment, Telling, Told
from storage.model import Catalogue, IntakeBatch, IntakeResult, KnownModel
from storage.refusals import Selection
from tests.storage.town import INSEE, NOON

CATALOGUE: Catalogue = {
    model.name: KnownModel(
        name=model.name, title=model.title, measures=model.measures, lorawan=not model.takes_records
    )
    for model in built_in_models().values()
}  # fmt: skip
TELLING = Telling(catalogue=CATALOGUE, author="Ada", comment="pose")
NATIVE = Network(name="natif", commune_insee=INSEE, envelope="native", topic_filter=f"voirie/v1/{INSEE}/+/readings")
RULES = IntakeRules(networks=(NATIVE,))
REPLAY = ReplayOptions(rules=RULES)


def told(connection: Connection, eui: str, place_id: str, at: datetime, **changes: Any) -> Told:
    """Assign a native device, registered on the way, and commit."""
    known = {"model": "voirie-native"} | changes
    done = device_changes.assign(
        connection, INSEE, Assignment(eui=eui, place_id=place_id, at=at, **known), telling=TELLING
    )
    connection.commit()
    return done


def message(eui: str, *records: Mapping[str, Any], received_at: datetime | None = None) -> Message:
    payload = json.dumps({"readings": records}).encode()
    return Message(
        network=NATIVE,
        topic=f"voirie/v1/{INSEE}/{eui}/readings",
        payload=payload,
        received_at=received_at or NOON + timedelta(days=30),
    )


def level(at: datetime, distance_mm: int) -> dict[str, Any]:
    return {"measured_at": at.isoformat(), "distance_mm": distance_mm}


def collect(connection: Connection, messages: Iterable[Message]) -> IntakeResult:
    """Do as a collector does with a batch, and commit."""
    devices.hold_registry(connection, [INSEE])
    registry = devices.registry(connection)
    taken = [take_in_message(one, registry, RULES) for one in messages]
    result = readings.take_in(
        connection,
        IntakeBatch(
            commune_insee=INSEE,
            collector="test",
            messages=len(taken),
            fill_readings=tuple(reading for one in taken for reading in one.fill_readings),
            occupancy_readings=tuple(reading for one in taken for reading in one.occupancy_readings),
            device_events=tuple(event for one in taken for event in one.device_events),
            refused=tuple(refused for one in taken for refused in one.refused),
        ),
    )
    connection.commit()
    return result


def replayed(connection: Connection, *, dry_run: bool = False, **selection: Any) -> ReplayReport:
    connection.commit()
    return replay(connection, INSEE, Selection(**selection), REPLAY, dry_run=dry_run)


def levels(connection: Connection) -> dict[tuple[str, datetime], tuple[str, float | None]]:
    """Every stored level: by device and event time, its place and its fill."""
    rows = connection.execute(
        "SELECT eui, measured_at, place_id, round(fill_fraction::numeric, 4)::float8, quality"
        " FROM fill_reading JOIN device USING (device_id) ORDER BY measured_at, eui"
    )
    return {(eui, at): (place, fill) for eui, at, place, fill, _ in rows}


def count(connection: Connection, query: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {query}").fetchone()  # type: ignore[arg-type] # constants of tests
    assert row is not None
    return int(row[0])
