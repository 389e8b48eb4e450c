"""The life of a device on a real database: what is told, also late, moves readings with it, in one transaction."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from storage import device_changes, devices, readings
from storage.database import Connection, connect
from storage.device_changes import Assignment, Telling
from storage.errors import ConflictError, InputError, NotFoundError
from storage.model import DeviceChangeKind, DeviceStatus, Geometry, Orientation, RegisteredDevice
from tests.storage.registry import CATALOGUE, TELLING, collect, count, level, levels, message, told
from tests.storage.town import INSEE, NOON, Town
from tests.tools import wait_until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
METRE = Geometry(empty_distance_mm=1000, full_distance_mm=0)
TWO_METRES = Geometry(empty_distance_mm=2000, full_distance_mm=0)


@pytest.fixture
def connection(town: Town) -> Connection:
    """The town's connection; COR-0002, COR-0003, ADL-02 and STA-0001 have no device."""
    return town.connection


def known(connection: Connection, eui: str) -> RegisteredDevice:
    return devices.one(connection, INSEE, eui)


def places_of(connection: Connection, eui: str) -> list[tuple[str, Any, Any]]:
    return [(item.place_id, item.mounted_at, item.unmounted_at) for item in reversed(known(connection, eui).mountings)]


def status(connection: Connection, eui: str) -> DeviceStatus:
    (found,) = devices.now(connection, INSEE, eui=eui)
    assert found.status == known(connection, eui).device.status, "what is told and what follows are one"
    return found.status


def test_a_life_from_stock_to_retirement_is_kept_with_who_told_it(connection: Connection):
    device_changes.register(connection, INSEE, eui="s", model="voirie-native", telling=TELLING)
    assert status(connection, "s") is DeviceStatus.IN_STOCK
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    assert status(connection, "s") is DeviceStatus.MOUNTED
    told(connection, "s", "COR-0003", NOON + DAY, geometry=METRE)
    device_changes.put_away(connection, INSEE, "s", at=NOON + 2 * DAY, status=DeviceStatus.IN_STOCK, telling=TELLING)
    assert status(connection, "s") is DeviceStatus.IN_STOCK
    device_changes.put_away(connection, INSEE, "s", at=NOON + 3 * DAY, status=DeviceStatus.RETIRED, telling=TELLING)
    assert status(connection, "s") is DeviceStatus.RETIRED
    connection.commit()
    assert places_of(connection, "s") == [
        ("COR-0002", NOON, NOON + DAY),
        ("COR-0003", NOON + DAY, NOON + 2 * DAY),
    ]
    journal = devices.changes(connection, known(connection, "s").device.device_id)
    assert [(change.kind, change.place_id) for change in journal] == [
        (DeviceChangeKind.REGISTERED, None),
        (DeviceChangeKind.MOUNTED, "COR-0002"),
        (DeviceChangeKind.MOUNTED, "COR-0003"),
        (DeviceChangeKind.UNMOUNTED, "COR-0003"),
        (DeviceChangeKind.RETIRED, None),
    ]
    assert {(change.author, change.comment) for change in journal} == {("Ada", "pose")}
    assert journal[2].detail["was_on"] == "COR-0002"
    assert journal[1].happened_at == NOON < journal[1].recorded_at


def test_repeating_changes_nothing(connection: Connection):
    for _ in range(2):
        told(connection, "s", "COR-0002", NOON, geometry=METRE)
    for _ in range(2):
        device_changes.put_away(connection, INSEE, "s", at=None, status=DeviceStatus.RETIRED, telling=TELLING)
    assert len(devices.changes(connection, known(connection, "s").device.device_id)) == 4
    version = devices.hold_registry(connection, [INSEE])[INSEE]
    connection.commit()
    device_changes.put_away(connection, INSEE, "s", at=None, status=DeviceStatus.RETIRED, telling=TELLING)
    assert devices.hold_registry(connection, [INSEE])[INSEE] == version


def test_a_move_told_late_takes_the_readings_along_and_judges_them_anew(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", *(level(NOON + n * HOUR, 500) for n in range(4)))])
    done = told(connection, "s", "COR-0003", NOON + 2 * HOUR, geometry=TWO_METRES)
    assert (done.readings.moved, done.readings.rejudged, done.readings.displaced) == (2, 2, 0)
    assert levels(connection) == {
        ("s", NOON): ("COR-0002", 0.5),
        ("s", NOON + HOUR): ("COR-0002", 0.5),
        ("s", NOON + 2 * HOUR): ("COR-0003", 0.75),
        ("s", NOON + 3 * HOUR): ("COR-0003", 0.75),
    }


def test_a_corrected_calibration_judges_what_was_thought_impossible(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    tilted = level(NOON + 2 * HOUR, 1500) | {"tilted": True}
    blind = level(NOON + 3 * HOUR, 5) | {"status": "blind_zone"}
    own = {"measured_at": (NOON + 4 * HOUR).isoformat(), "fill_percent": 30}
    collect(connection, [message("s", level(NOON, 500), level(NOON + HOUR, 1500), tilted, blind, own)])
    assert [fill for _, fill in levels(connection).values()] == [0.5, None, None, None, 0.3]
    told(connection, "s", "COR-0002", NOON, geometry=TWO_METRES)
    assert [fill for _, fill in levels(connection).values()] == [0.75, 0.25, None, None, 0.3]
    assert len(places_of(connection, "s")) == 1
    recalibrated = devices.changes(connection, known(connection, "s").device.device_id)[-1]
    assert recalibrated.kind is DeviceChangeKind.RECALIBRATED


def test_a_new_calibration_from_a_moment_on_leaves_the_past_alone(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", level(NOON, 500), level(NOON + HOUR, 500))])
    told(connection, "s", "COR-0002", NOON + HOUR, geometry=TWO_METRES)
    assert [fill for _, fill in levels(connection).values()] == [0.5, 0.75]
    assert places_of(connection, "s") == [("COR-0002", NOON, NOON + HOUR), ("COR-0002", NOON + HOUR, None)]


def test_readings_of_a_time_without_a_place_are_kept_aside_and_come_back(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", *(level(NOON + n * HOUR, 500) for n in range(4)))])
    whole = connection.execute("SELECT * FROM fill_reading ORDER BY measured_at").fetchall()
    done = device_changes.put_away(
        connection, INSEE, "s", at=NOON + HOUR, status=DeviceStatus.IN_STOCK, telling=TELLING
    )
    connection.commit()
    assert done.readings.displaced == 3
    assert set(levels(connection)) == {("s", NOON)}
    assert len(readings.reading_keys(connection, INSEE)) == 4, "nothing is lost"
    again = told(connection, "s", "COR-0002", NOON + HOUR, geometry=METRE)
    assert again.readings.restored == 3
    assert connection.execute("SELECT * FROM fill_reading ORDER BY measured_at").fetchall() == whole
    assert count(connection, "displaced_reading") == 0
    assert places_of(connection, "s") == [("COR-0002", NOON, None)], "and the mounting is one again"


def test_displaced_readings_are_judged_where_they_come_back(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", level(NOON, 500), level(NOON + HOUR, 1500))])
    device_changes.put_away(connection, INSEE, "s", at=NOON, status=DeviceStatus.IN_STOCK, telling=TELLING)
    told(connection, "s", "COR-0003", NOON, geometry=TWO_METRES)
    assert levels(connection) == {("s", NOON): ("COR-0003", 0.75), ("s", NOON + HOUR): ("COR-0003", 0.25)}


def test_states_and_levels_never_mix(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", level(NOON, 500))])
    told(connection, "s", "STA-0001", NOON)
    assert (count(connection, "fill_reading"), count(connection, "displaced_reading")) == (0, 1)
    collect(connection, [message("s", {"measured_at": (NOON + HOUR).isoformat(), "occupied": True})])
    told(connection, "s", "ADL-02", NOON)
    rows = connection.execute("SELECT place_id, occupied FROM occupancy_reading").fetchall()
    assert rows == [("ADL-02", True)]
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    assert levels(connection) == {("s", NOON): ("COR-0002", 0.5)}
    assert count(connection, "occupancy_reading") == 0


def test_what_follows_in_the_past_ends_at_what_is_known_of_later(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    told(connection, "s", "COR-0003", NOON + 2 * DAY, geometry=METRE)
    collect(connection, [message("s", *(level(NOON + n * DAY, 500) for n in range(4)))])
    told(connection, "s", "COR-0002", NOON + DAY, geometry=TWO_METRES)
    told(connection, "s", "COR-0003", NOON - DAY, geometry=METRE)
    assert places_of(connection, "s") == [
        ("COR-0003", NOON - DAY, NOON),
        ("COR-0002", NOON, NOON + DAY),
        ("COR-0002", NOON + DAY, NOON + 2 * DAY),
        ("COR-0003", NOON + 2 * DAY, None),
    ]
    assert [levels(connection)["s", NOON + n * DAY] for n in range(4)] == [
        ("COR-0002", 0.5), ("COR-0002", 0.75), ("COR-0003", 0.5), ("COR-0003", 0.5),
    ]  # fmt: skip


def test_a_place_takes_one_device_unless_it_is_replaced(connection: Connection):
    told(connection, "old", "COR-0002", NOON, geometry=METRE)
    with pytest.raises(ConflictError, match=r"COR-0002 has device old since 2026-03-10T12:00:00\+00:00, and new since"):
        told(connection, "new", "COR-0002", NOON + DAY)
    connection.rollback()
    with pytest.raises(NotFoundError):
        known(connection, "new")
    connection.rollback()
    collect(connection, [message("old", level(NOON, 500), level(NOON + DAY, 600))])
    done = told(connection, "new", "COR-0002", NOON + DAY, replace=DeviceStatus.RETIRED)
    assert done.replaced == "old"
    assert (status(connection, "old"), status(connection, "new")) == (DeviceStatus.RETIRED, DeviceStatus.MOUNTED)
    assert known(connection, "new").mountings[0].geometry == METRE, "what hangs in its place hangs the same way"
    assert set(levels(connection)) == {("old", NOON)}, "the old one measures nothing of the bin any more"
    journal = devices.changes(connection, known(connection, "old").device.device_id)
    assert (journal[-2].kind, journal[-2].detail) == (DeviceChangeKind.UNMOUNTED, {"replaced_by": "new"})
    assert told(connection, "new", "COR-0002", NOON + DAY, replace=DeviceStatus.RETIRED).touched == ()


def test_what_was_there_later_is_not_replaced_by_the_past(connection: Connection):
    told(connection, "later", "COR-0002", NOON, geometry=METRE)
    with pytest.raises(ConflictError, match="COR-0002 has device early since"):
        told(connection, "early", "COR-0002", NOON - DAY, replace=DeviceStatus.IN_STOCK)
    connection.rollback()
    told(connection, "early", "COR-0002", NOON - DAY, until=NOON)
    assert places_of(connection, "early") == [("COR-0002", NOON - DAY, NOON)]
    assert status(connection, "early") is DeviceStatus.IN_STOCK


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        pytest.param({"place_id": "COR-9999"}, InputError, "has no place 'COR-9999'", id="no such place"),
        pytest.param({"place_id": "DEPOT-1"}, InputError, "DEPOT-1 is a depot", id="nothing to measure"),
        pytest.param({"model": "milesight-em310-ud"}, InputError, "did you mean milesight-em310-udl", id="misspelt"),
        pytest.param({"model": "EM310"}, InputError, "did you mean milesight-em310-udl", id="its maker left out"),
        pytest.param(
            {"model": "bosch-tps110", "eui": "58a0cb0000200001"}, InputError, "measures a state, and COR-0002 is a bin",
            id="a bay's sensor on a bin",
        ),
        pytest.param(
            {"model": "milesight-em310-udl", "eui": "24e1"}, InputError, "16 hexadecimal digits", id="no DevEUI"
        ),
        pytest.param({"at": NOON + 9999 * DAY}, InputError, "is in the future", id="not yet"),
        pytest.param({"until": NOON - DAY}, InputError, "expected an end after", id="ends before it begins"),
        pytest.param(
            {"geometry": Geometry(empty_distance_mm=100, full_distance_mm=100)}, InputError, "full_distance_mm",
            id="no depth",
        ),
        pytest.param(
            {"place_id": "ADL-02", "geometry": METRE}, InputError, "place is a delivery_bay", id="a bay has no depth"
        ),
        pytest.param({"model": None}, NotFoundError, "give its model to register it", id="not registered"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_leaves_no_trace(
    connection: Connection, changes: dict[str, Any], error: type[Exception], sentence: str
):
    known = {"eui": "s", "place_id": "COR-0002", "at": NOON, "model": "voirie-native"} | changes
    with pytest.raises(error, match=sentence):
        device_changes.assign(connection, INSEE, Assignment(**known), telling=TELLING)
    connection.rollback()
    assert (count(connection, "device"), count(connection, "device_change")) == (2, 0)


def test_a_retired_device_stays_retired_until_it_is_brought_back(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    device_changes.put_away(connection, INSEE, "s", at=NOON + DAY, status=DeviceStatus.RETIRED, telling=TELLING)
    with pytest.raises(ConflictError, match="is retired: bring it back into stock first"):
        told(connection, "s", "COR-0003", NOON + 2 * DAY)
    device_changes.put_away(connection, INSEE, "s", at=NOON + HOUR, status=DeviceStatus.IN_STOCK, telling=TELLING)
    assert status(connection, "s") is DeviceStatus.RETIRED, "whatever is told of its past"
    device_changes.put_away(connection, INSEE, "s", status=DeviceStatus.IN_STOCK, telling=TELLING)
    told(connection, "s", "COR-0003", NOON + 2 * DAY)
    assert status(connection, "s") is DeviceStatus.MOUNTED


def test_a_model_that_does_not_fit_the_place_is_not_corrected(connection: Connection):
    told(connection, "24e124713b0000aa", "COR-0002", NOON, model="milesight-em310-udl")
    with pytest.raises(InputError, match="bosch-tps110 measures a state, and COR-0002 is a bin"):
        device_changes.register(connection, INSEE, eui="24E124713B0000AA", model="bosch-tps110", telling=TELLING)


def test_a_dev_eui_is_one_however_it_is_written(connection: Connection):
    told(connection, "24-E1-24-71-3B-00-00-AA", "COR-0002", NOON, model="milesight-em310-udl")
    told(connection, "24e124713b0000aa", "COR-0003", NOON + DAY, model=None)
    assert [place for place, *_ in places_of(connection, "24e124713b0000aa")] == ["COR-0002", "COR-0003"]


def test_the_geometry_is_kept_whole(connection: Connection):
    across = Geometry(
        empty_distance_mm=480, mounting_height_mm=700, full_height_mm=900, orientation=Orientation.ACROSS
    )  # fmt: skip
    told(connection, "s", "COR-0002", NOON, geometry=across)
    (mounting,) = known(connection, "s").mountings
    assert (mounting.full_distance_mm, mounting.orientation) == (240, Orientation.ACROSS)
    collect(connection, [message("s", level(NOON, 470), level(NOON + HOUR, 100))])
    assert [fill for _, fill in levels(connection).values()] == [None, pytest.approx(7 / 9, abs=1e-4)]


def test_collectors_and_changes_of_the_registry_wait_for_each_other(connection: Connection, any_database_url: str):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    with connect(any_database_url) as collector, connect(any_database_url) as operator:
        # A batch is judged by the registry as it is, and not committed yet.
        before = devices.hold_registry(collector, [INSEE])[INSEE]
        done = threading.Event()

        def move() -> None:
            told(operator, "s", "COR-0003", NOON, geometry=METRE)
            done.set()

        mover = threading.Thread(target=move)
        mover.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        with connect(any_database_url, autocommit=True) as watcher:
            wait_until(lambda: watcher.execute(waiting).fetchone() == (1,), what="the change to wait")
        assert not done.is_set()
        collect(collector, [message("s", level(NOON, 500))])
        mover.join(30)
        assert done.is_set()
        assert devices.hold_registry(collector, [INSEE])[INSEE] > before
    connection.commit()
    assert levels(connection) == {("s", NOON): ("COR-0003", 0.5)}, "what was stored meanwhile moved as well"


def test_devices_of_another_commune_are_not_found(connection: Connection):
    with pytest.raises(NotFoundError, match="75056"):
        device_changes.register(
            connection, "75056", eui="s", model="voirie-native", telling=Telling(catalogue=CATALOGUE)
        )
