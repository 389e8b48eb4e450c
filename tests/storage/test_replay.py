"""Refused messages are kept once, and judged again when what they were refused for is gone."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from ingest import replay as replaying
from ingest.decoders import Decoded, built_in_models
from ingest.envelopes import Uplink
from ingest.intake import IntakeRules
from ingest.quality import QualityRules
from ingest.replay import ReplayOptions, replay
from storage import readings, refusals
from storage.database import Connection, connect
from storage.model import Geometry, RefusalReason
from storage.refusals import Selection
from tests.storage.registry import NATIVE, REPLAY, RULES, collect, count, level, levels, message, replayed, told
from tests.storage.town import INSEE, NOON, Town

HOUR = timedelta(hours=1)
METRE = Geometry(empty_distance_mm=1000, full_distance_mm=0)


@pytest.fixture
def connection(town: Town) -> Connection:
    return town.connection


def rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Each kept refusal: its reason, whether it is resolved, how often it came, and how many readings it gave."""
    query = (
        "SELECT reason, resolved_at IS NOT NULL, deliveries, stored FROM refused_message ORDER BY reason, deliveries"
    )
    return connection.execute(query).fetchall()


def test_an_unknown_device_s_messages_are_readings_once_it_is_registered(connection: Connection):
    result = collect(connection, [message("s", level(NOON + n * HOUR, 400)) for n in range(3)])
    assert (result.stored, result.refused) == (0, 3)
    assert not refusals.any_due(connection, INSEE)
    told(connection, "s", "COR-0002", NOON + HOUR, geometry=METRE)
    assert refusals.any_due(connection, INSEE)
    report = replayed(connection, due=True)
    assert (report.messages, report.resolved, report.stored) == (3, 2, 2)
    assert report.refused == {RefusalReason.NOT_MOUNTED: 1}
    assert levels(connection) == {("s", NOON + n * HOUR): ("COR-0002", 0.6) for n in (1, 2)}
    assert rows(connection) == [
        ("not_mounted", False, 1, None), ("unknown_device", True, 1, 1), ("unknown_device", True, 1, 1),
    ]  # fmt: skip
    assert not refusals.any_due(connection, INSEE), "judged by the registry as it is"
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    assert replayed(connection, due=True).stored == 1
    assert [count.reason for count in readings.refusals_by_reason(connection, INSEE)] == []
    tally = readings.tally(connection, INSEE)
    assert (tally.messages, tally.stored, tally.refused) == (3, 3, 3), "the ledger counts each message once"


def test_replaying_again_changes_nothing(connection: Connection):
    collect(connection, [message("s", level(NOON, 400))])
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    assert replayed(connection).stored == 1
    before = connection.execute("SELECT * FROM refused_message").fetchall()
    assert replayed(connection).messages == 0
    assert connection.execute("SELECT * FROM refused_message").fetchall() == before


def test_a_dry_run_tells_and_keeps_nothing(connection: Connection):
    collect(connection, [message("s", level(NOON, 400))])
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    before = connection.execute("SELECT * FROM refused_message").fetchall()
    assert replayed(connection, dry_run=True).stored == 1
    assert connection.execute("SELECT * FROM refused_message").fetchall() == before
    assert levels(connection) == {}


def test_a_message_refused_in_part_gives_its_other_part_and_the_good_one_once(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    early, late = level(NOON - HOUR, 300), level(NOON + 99 * 24 * HOUR, 300)
    result = collect(connection, [message("s", early, level(NOON, 400), {"measured_at": "x"}, late)])
    assert (result.stored, result.refused) == (1, 3)
    told(connection, "s", "COR-0002", NOON - HOUR, geometry=METRE)
    report = replayed(connection)
    assert (report.messages, report.stored, report.duplicates, report.resolved) == (1, 1, 1, 0)
    assert levels(connection) == {("s", NOON - HOUR): ("COR-0002", 0.7), ("s", NOON): ("COR-0002", 0.6)}
    assert rows(connection) == [
        ("in_the_future", False, 1, None), ("malformed_payload", False, 1, None), ("not_mounted", True, 1, 2),
    ]  # fmt: skip


def test_a_message_is_judged_as_of_the_time_at_which_it_came(connection: Connection):
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", level(NOON + HOUR, 400), received_at=NOON)])
    assert replayed(connection).refused == {RefusalReason.IN_THE_FUTURE: 1}
    lenient = ReplayOptions(rules=IntakeRules(networks=(NATIVE,), quality=QualityRules(max_future_s=3600)))
    connection.commit()
    assert replay(connection, INSEE, Selection(), lenient).stored == 1
    received = connection.execute("SELECT received_at FROM fill_reading").fetchone()
    assert received == (NOON,)


def test_a_corrected_decoder_reads_what_it_could_not(connection: Connection):
    def broken(uplink: Uplink, /) -> Decoded:
        raise ZeroDivisionError

    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    collect(connection, [message("s", level(NOON, 400))])
    connection.execute("DELETE FROM fill_reading")
    model = msgspec.structs.replace(built_in_models()["voirie-native"], decode=broken)
    worse = ReplayOptions(rules=replace(RULES, models={model.name: model}))
    told(connection, "t", "COR-0003", NOON)
    kept = readings.refused_digests(connection, INSEE)
    assert not kept
    bad = message("t", level(NOON, 1), {"measured_at": "x"})
    collect(connection, [bad])
    connection.commit()
    report = replay(connection, INSEE, Selection(), worse)
    assert report.refused == {RefusalReason.INTERNAL_ERROR: 1}
    assert rows(connection) == [("internal_error", False, 1, None)], "the row of the message, with today's reason"
    assert replayed(connection, reasons=(RefusalReason.MALFORMED_PAYLOAD,)).messages == 0
    assert replayed(connection, reasons=(RefusalReason.INTERNAL_ERROR,)).refused == {RefusalReason.MALFORMED_PAYLOAD: 1}


def test_what_the_database_will_not_have_does_not_stop_the_others(connection: Connection):
    collect(connection, [message("s", level(NOON + n * HOUR, 100 + n)) for n in range(9)])
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    connection.execute("ALTER TABLE fill_reading ADD CHECK (distance_mm NOT IN (103, 107))")
    report = replayed(connection)
    assert (report.stored, report.resolved, report.refused) == (7, 7, {RefusalReason.INTERNAL_ERROR: 2})
    (detail,) = connection.execute("SELECT DISTINCT detail FROM refused_message WHERE resolved_at IS NULL").fetchall()
    assert "fill_reading" in detail[0]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        pytest.param({}, {"a", "b", "c"}, id="all"),
        pytest.param({"device_eui": "b"}, {"b"}, id="of a device"),
        pytest.param({"network": "natif"}, {"a", "b", "c"}, id="of a network"),
        pytest.param({"network": "autre"}, set(), id="of no network"),
        pytest.param({"since": NOON + HOUR}, {"b", "c"}, id="since"),
        pytest.param({"until": NOON + HOUR}, {"a"}, id="until"),
        pytest.param({"reasons": (RefusalReason.UNKNOWN_DEVICE,)}, {"a", "b", "c"}, id="for a reason"),
        pytest.param({"reasons": (RefusalReason.TOO_OLD,)}, set(), id="for another reason"),
        pytest.param({"due": True}, {"a", "b"}, id="whose device changed"),
    ],
)
def test_a_replay_can_be_of_some(connection: Connection, selection: dict[str, Any], expected: set[str]):
    for hour, eui in enumerate("abc"):
        collect(connection, [message(eui, level(NOON, 400), received_at=NOON + hour * HOUR)])
    told(connection, "a", "COR-0002", NOON - HOUR)
    told(connection, "b", "COR-0003", NOON - HOUR)
    report = replayed(connection, **selection)
    assert report.messages == len(expected)
    assert {eui for eui, _ in levels(connection)} == expected - {"c"}


@pytest.mark.parametrize("options", [{"batch_messages": 7}, {"batch_bytes": 1}], ids=str)
def test_batches_are_bounded_and_all_is_done(connection: Connection, options: dict[str, int]):
    collect(connection, [message("s", level(NOON + n * HOUR, 400)) for n in range(40)])
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    heard: list[int] = []
    connection.commit()
    report = replay(
        connection,
        INSEE,
        Selection(),
        replace(REPLAY, **options),
        progress=lambda sums: heard.append(sums.messages),
    )
    assert (report.messages, report.stored) == (40, 40)
    step = options.get("batch_messages", 1)
    assert heard == [*range(step, 40, step), 40]


def test_two_replays_share_the_work_and_the_collector_goes_on(
    connection: Connection, any_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    sent = [message("s", level(NOON + n * HOUR, 400), {"measured_at": "x"}) for n in range(60)]
    collect(connection, sent)
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    take_in = readings.take_in
    together, met = threading.Barrier(2), threading.local()

    def meeting(*given: Any) -> Any:
        """Let each replay hold its first batch until the other holds one too."""
        if not hasattr(met, "once"):
            met.once = True
            together.wait(30)
        return take_in(*given)

    monkeypatch.setattr(replaying.readings, "take_in", meeting)
    reports = []

    def work() -> None:
        with connect(any_database_url) as own:
            reports.append(replay(own, INSEE, Selection(), replace(REPLAY, batch_messages=10)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    monkeypatch.undo()
    assert len(reports) == 2
    assert min(report.messages for report in reports) > 0, "each got some"
    assert sum(report.stored for report in reports) == 60
    assert len(levels(connection)) == 60
    collect(connection, sent)
    assert count(connection, "fill_reading") == 60
    assert rows(connection) == [("malformed_payload", False, 2, None)] * 60


def test_a_redelivered_refusal_is_counted_in_its_row(connection: Connection):
    garbage = [message("s", {"n": n}, received_at=NOON + n * HOUR) for n in range(3)]
    assert collect(connection, garbage).refused == 3
    again = [one._replace(received_at=NOON + 9 * HOUR) for one in (*garbage, garbage[0])]
    result = collect(connection, again)
    assert (result.refused, result.duplicates) == (0, 4)
    found = connection.execute(
        "SELECT deliveries, received_at, last_received_at FROM refused_message ORDER BY received_at"
    ).fetchall()
    assert found == [
        (3, NOON, NOON + 9 * HOUR), (2, NOON + HOUR, NOON + 9 * HOUR), (2, NOON + 2 * HOUR, NOON + 9 * HOUR),
    ]  # fmt: skip
    assert sorted(readings.refused_digests(connection, INSEE).values()) == [2, 2, 3]


def test_what_was_taken_in_and_is_refused_again_is_open_again(connection: Connection):
    sent = message("s", level(NOON, 400))
    collect(connection, [sent])
    told(connection, "s", "COR-0002", NOON, geometry=METRE)
    replayed(connection)
    connection.execute("UPDATE device SET model = 'of-yesterday'")
    connection.commit()
    collect(connection, [sent])
    assert rows(connection) == [("unknown_device", True, 1, 1), ("unknown_model", False, 1, None)]


def test_a_network_that_is_gone_leaves_its_messages(connection: Connection):
    collect(connection, [message("s", level(NOON, 400))])
    told(connection, "s", "COR-0002", NOON)
    other = ReplayOptions(rules=IntakeRules(networks=(replace(NATIVE, name="autre"),)))
    connection.commit()
    report = replay(connection, INSEE, Selection(due=True), other)
    assert (report.messages, report.without_network) == (0, 1)
    assert rows(connection) == [("unknown_device", False, 1, None)]
    assert not refusals.any_due(connection, INSEE), "it is not tried each minute"
    assert replayed(connection).stored == 1


def test_time_received_is_the_first(connection: Connection):
    first, then = NOON, NOON + 200 * 24 * HOUR
    old = json.loads(message("s", level(NOON - HOUR, 400)).payload)
    for received_at in (first, then):
        collect(connection, [message("s", *old["readings"], received_at=received_at)])
    told(connection, "s", "COR-0002", NOON - HOUR)
    assert replayed(connection).stored == 1
    received: datetime = connection.execute("SELECT received_at FROM fill_reading").fetchall()[0][0]
    assert received == first
