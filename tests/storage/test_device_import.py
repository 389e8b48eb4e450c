"""A file of devices is taken in whole or not at all, and says of every bad line what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage import devices
from storage.database import Connection
from storage.device_cells import write_devices
from storage.device_file import COLUMNS, TOLD_BY_US
from storage.device_import import ImportReport, import_devices
from storage.errors import NotFoundError
from storage.model import DeviceStatus
from tests.storage.registry import TELLING, collect, count, level, levels, message, told
from tests.storage.town import INSEE, NOON, Town

DAY = timedelta(days=1)
HEADER = "eui,model,place_id,mounted_at,empty_distance_mm,full_distance_mm,status\n"
NOON_LOCAL = "10/03/2026 13:00"
GOOD = (
    HEADER
    + f"24e124713b0000aa,milesight-em310-udl,COR-0002,{NOON_LOCAL},1000,0,\n"
    + f"58a0cb0000200001,bosch-tps110,ADL-02,{NOON_LOCAL},,,\n"
    + "gateway-7,voirie-native,,,,,in_stock\n"
)


@pytest.fixture
def connection(town: Town) -> Connection:
    """The town's connection; COR-0001 and ADL-01 have devices of the model `any`, which no decoder reads."""
    return town.connection


def imported(connection: Connection, text: str, **options: Any) -> ImportReport:
    report = import_devices(connection, INSEE, text.encode(), telling=TELLING, **options)
    connection.commit()
    return report


def faults(connection: Connection, *lines: str) -> list[tuple[int, str | None, str]]:
    before = count(connection, "device")
    report = imported(connection, HEADER + "".join(f"{line}\n" for line in lines))
    assert (report.imported, report.updated, report.unchanged) == (0, 0, 0)
    assert (count(connection, "device"), count(connection, "device_change")) == (before, 0), "all or nothing"
    return [(error.line, error.column, error.reason) for error in report.errors]


def test_a_file_is_taken_in_and_repeating_it_is_harmless(connection: Connection):
    report = imported(connection, GOOD)
    assert (report.imported, report.updated, report.unchanged, report.errors) == (3, 0, 0, ())
    assert set(report.euis) == {"24e124713b0000aa", "58a0cb0000200001", "gateway-7"}
    (mounting,) = devices.one(connection, INSEE, "24e124713b0000aa").mountings
    assert (mounting.place_id, mounting.mounted_at, mounting.empty_distance_mm) == ("COR-0002", NOON, 1000)
    journal = count(connection, "device_change")
    again = imported(connection, GOOD)
    assert (again.imported, again.updated, again.unchanged) == (0, 0, 3)
    assert count(connection, "device_change") == journal


def test_a_dry_run_tells_what_would_be_and_writes_nothing(connection: Connection):
    report = imported(connection, GOOD, dry_run=True)
    assert report.imported == 3
    assert count(connection, "device") == 2


def test_the_export_is_a_file_that_changes_nothing(connection: Connection):
    connection.execute("UPDATE device SET model = 'voirie-native', comment = '=1+1'")
    imported(connection, GOOD)
    told(connection, "gateway-7", "COR-0003", NOON)
    text = write_devices(devices.now(connection, INSEE), (*COLUMNS, *TOLD_BY_US))
    assert ",'=1+1," in text
    report = imported(connection, text)
    assert (report.imported, report.updated, report.unchanged, report.errors) == (0, 0, 5, ())
    connection.execute("DELETE FROM device")
    assert imported(connection, text).imported == 5
    assert write_devices(devices.now(connection, INSEE), (*COLUMNS, *TOLD_BY_US)) == text


def test_known_devices_are_corrected_moved_taken_down_and_retired(connection: Connection):
    imported(connection, GOOD)
    collect(connection, [])
    report = imported(
        connection,
        HEADER
        + "24E124713B0000AA,milesight-em310-udl,COR-0003,11/03/2026 13:00,1200,0,\n"
        + "58a0cb0000200001,bosch-tps110,,,,,retired\n"
        + "gateway-7,voirie-native,COR-0002,11/03/2026 13:00,900,100,\n",
    )  # fmt: skip
    assert (report.imported, report.updated, report.errors) == (0, 3, ())
    now = {item.eui: (item.status, item.place_id) for item in devices.now(connection, INSEE)}
    assert now["24e124713b0000aa"] == (DeviceStatus.MOUNTED, "COR-0003")
    assert now["58a0cb0000200001"] == (DeviceStatus.RETIRED, None)
    assert now["gateway-7"] == (DeviceStatus.MOUNTED, "COR-0002")


def test_a_device_is_replaced_by_two_lines(connection: Connection):
    told(connection, "old", "COR-0002", NOON)
    moment = (NOON + DAY).isoformat()
    text = (
        "eui,model,place_id,mounted_at,unmounted_at,status\n"
        f"new,voirie-native,COR-0002,{moment},,\n"
        f"old,voirie-native,,,{moment},in_stock\n"
    )
    report = imported(connection, text)
    assert (report.imported, report.updated, report.errors) == (1, 1, ())
    assert imported(connection, text).unchanged == 2
    told(connection, "old", "COR-0003", NOON + 2 * DAY)
    assert imported(connection, text).unchanged == 2, "an old file tells nothing of what came after"


def test_devices_may_change_places_with_each_other(connection: Connection):
    told(connection, "one", "COR-0002", NOON)
    told(connection, "two", "COR-0003", NOON)
    moment = (NOON + DAY).isoformat()
    report = imported(
        connection,
        HEADER
        + f"one,voirie-native,COR-0003,{moment},,,\n"
        + f"two,voirie-native,COR-0002,{moment},,,\n",
    )  # fmt: skip
    assert (report.updated, report.errors) == (2, ())


def test_a_line_without_a_time_corrects_the_whole_mounting(connection: Connection):
    told(connection, "s", "COR-0002", NOON)
    collect(connection, [message("s", level(NOON, 400))])
    report = imported(connection, HEADER + "s,voirie-native,COR-0002,,1000,0,\n")
    assert (report.updated, report.readings.rejudged) == (1, 1)
    assert levels(connection) == {("s", NOON): ("COR-0002", 0.6)}
    report = imported(connection, HEADER + "s,voirie-native,COR-0002,,,,\n")
    assert report.unchanged == 1, "what a line does not tell stays"


def test_a_line_that_tells_nothing_of_the_place_leaves_it(connection: Connection):
    imported(connection, GOOD)
    assert imported(connection, "eui,model\n24e124713b0000aa,milesight-em310-udl\n").unchanged == 1


def test_every_bad_line_is_told(connection: Connection):
    found = faults(
        connection,
        "24e124713b0000aa,milesight-em310-ud,COR-0002,,1000,0,",
        "24e124713b0000ab,milesight-em310-udl,COR-9999,,1000,0,",
        "24e1,milesight-em310-udl,COR-0002,,1000,0,",
        "2.4E+15,milesight-em310-udl,COR-0002,,1000,0,",
        "24e124713b0000ac,milesight-em310-udl,COR-0002,,100,1000,",
        "24e124713b0000ad,milesight-em310-udl,ADL-02,,,,",
        "58a0cb0000200001,bosch-tps110,COR-0002,,,,",
        "58a0cb0000200002,bosch-tps110,ADL-02,,900,100,",
        "24e124713b0000ae,milesight-em310-udl,DEPOT-1,,,,",
        "24-E1-24-71-3B-00-00-AC,milesight-em310-udl,,,,,",
        f"24e124713b0000af,milesight-em310-udl,COR-0002,{(NOON + 9999 * DAY).isoformat()},,,",
        "24e124713b0000b0,milesight-em310-udl,COR-0002",
        "24e124713b0000b1,milesight-em310-udl,COR-0001,,,,",
    )
    assert [(line, column) for line, column, _ in found] == [
        (2, "model"), (3, "place_id"), (4, "eui"), (5, "eui"), (6, "full_distance_mm"), (7, "place_id"),
        (8, "place_id"), (9, "empty_distance_mm"), (10, "place_id"), (11, "eui"), (12, "place_id"), (13, None),
        (14, "place_id"),
    ]  # fmt: skip
    reasons = [reason for *_, reason in found]
    for reason, part in zip(
        reasons,
        (
            "did you mean milesight-em310-udl?", "no place 'COR-9999'", "16 hexadecimal digits", "format the column",
            "expected less than empty_distance_mm (100), got 1000", "measures a level, and ADL-02 is a delivery_bay",
            "measures a state, and COR-0002 is a bin", "only bins have a geometry", "DEPOT-1 is a depot",
            "24e124713b0000ac is on line 6 already", "is in the future", "expected 7 fields, got 3",
            "COR-0001 has device 24e124713b000001 since",
        ),
        strict=True,
    ):  # fmt: skip
        assert part in reason


def test_two_lines_for_one_place_name_each_other(connection: Connection):
    ((line, column, reason),) = faults(
        connection, "one,voirie-native,COR-0002,,,,", "x,voirie-native,,,,,", "two,voirie-native,COR-0002,,,,"
    )
    assert (line, column) == (4, "place_id")
    assert "COR-0002 has device one since" in reason
    assert reason.endswith("(lines 2 and 4)")


def test_a_retired_device_is_not_mounted_by_a_file(connection: Connection):
    imported(connection, HEADER + "s,voirie-native,,,,,retired\n")
    assert devices.now(connection, INSEE, eui="s")[0].status is DeviceStatus.RETIRED
    report = imported(connection, HEADER + "s,voirie-native,COR-0002,,,,\n")
    assert "is retired: tell status in_stock first" in report.errors[0].reason
    assert imported(connection, HEADER + "s,voirie-native,,,,,in_stock\n").updated == 1
    assert imported(connection, HEADER + "s,voirie-native,COR-0002,,,,\n").updated == 1


def test_a_commune_that_is_not_served_has_no_registry(connection: Connection):
    with pytest.raises(NotFoundError, match="75056"):
        import_devices(connection, "75056", GOOD.encode(), telling=TELLING)


def test_a_town_s_file_is_taken_in_at_once(connection: Connection):
    connection.execute(
        "INSERT INTO place SELECT commune_insee, 'NEW-' || n, kind, longitude_deg, latitude_deg, street"
        " FROM place, generate_series(1, 3000) AS n WHERE place_id = 'COR-0001'"
    )
    text = HEADER + "".join(f"d{n},voirie-native,NEW-{n},{NOON_LOCAL},900,100,\n" for n in range(1, 3001))
    assert imported(connection, text).imported == 3000
    assert imported(connection, text).unchanged == 3000
    page = devices.now(connection, INSEE, status=DeviceStatus.MOUNTED, model="voirie-native", limit=10)
    following = devices.now(connection, INSEE, model="voirie-native", after=page[-1].eui, limit=10)
    names = [item.eui for item in (*page, *following)]
    assert names == sorted(names)
    assert len(set(names)) == 20
    assert devices.counts_by_status(connection, INSEE) == {DeviceStatus.MOUNTED: 3002}
