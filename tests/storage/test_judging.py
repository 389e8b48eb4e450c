"""A batch judged ahead of its transaction is stored by the registry as it is at its commit, never as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli.wiring import catalogue
from ingest.broker import Received
from ingest.intake import IntakeRules
from ingest.judging import Judge, Judged, halves
from ingest.knowledge import Knowledge
from storage import device_changes
from storage.allowance import Allowances
from storage.database import Connection, connect
from storage.model import DeviceStatus, RefusalReason
from storage.registry_writing import Telling
from tests.acceptance.collecting import INSEE, START, Publication, Town, bin_eui


@pytest.fixture
def town(database_url: str) -> Town:
    town = Town(database_url=database_url, broker_url="mqtt://127.0.0.1")
    town.provision()
    return town


def judge_of(town: Town, allowances: Allowances | None = None) -> Judge:
    return Judge(IntakeRules(networks=(town.network,)), Knowledge([INSEE]), allowances, clock=lambda: 0.0)


def received(publications: list[Publication]) -> list[Received]:
    return [
        Received(topic, payload, number, 1, 1, 0.0) for number, (topic, payload) in enumerate(publications, start=1)
    ]


def test_before_anything_is_known_all_is_judged_again(town: Town, connection: Connection):
    judge = judge_of(town)
    ahead = judge.judge(received(town.stream(40)))
    assert all(one.refused for one in ahead.taken)
    confirmed = judge.confirm(ahead, connection)
    assert not any(one.refused for one in confirmed.taken)


def test_what_was_judged_ahead_stands_while_the_registry_does(town: Town, connection: Connection):
    judge = judge_of(town)
    judge.confirm(judge.judge([]), connection)
    connection.commit()
    ahead = judge.judge(received(town.stream(40)))
    assert judge.confirm(ahead, connection) is ahead


def test_a_device_that_moved_meanwhile_is_judged_where_it_is(town: Town, connection: Connection):
    judge = judge_of(town)
    judge.confirm(judge.judge([]), connection)
    connection.commit()
    ahead = judge.judge(received([town.level(0, at=START + timedelta(days=2)), town.level(1, at=START)]))
    assert [reading.place_id for one in ahead.taken for reading in one.fill_readings] == ["COR-0000", "COR-0001"]
    with connect(town.database_url) as registrar:
        telling = Telling(catalogue=catalogue())
        at = START + timedelta(days=1)
        device_changes.put_away(registrar, INSEE, bin_eui(0), status=DeviceStatus.IN_STOCK, at=at, telling=telling)
    confirmed = judge.confirm(ahead, connection)
    assert [one.refused[0].reason for one in confirmed.taken if one.refused] == [RefusalReason.NOT_MOUNTED]
    assert [reading.place_id for one in confirmed.taken for reading in one.fill_readings] == ["COR-0001"]


def test_halves_are_the_whole_in_its_order(town: Town):
    whole = judge_of(town).judge(received(town.stream(7)))
    first, second = halves(whole)
    assert [*first.received, *second.received] == whole.received
    assert [*first.messages, *second.messages] == whole.messages
    assert [*first.taken, *second.taken] == whole.taken
    assert (len(first.taken), len(second.taken)) == (3, 4)


def reasons(judged: Judged) -> list[RefusalReason | None]:
    return [one.refused[0].reason if one.refused else None for one in judged.taken]


def test_device_beyond_its_allowance_is_refused_and_no_other(town: Town, connection: Connection):
    judge = judge_of(town, Allowances(burst=3, per_s=0.001))
    judge.confirm(judge.judge([]), connection)
    connection.commit()
    flood = [town.level(0, at=START + timedelta(minutes=n)) for n in range(5)]
    ahead = judge.judge(received([*flood, town.level(1, at=START), town.uplink(bin_eui(0), b"?", at=START, port=85)]))
    many = RefusalReason.TOO_MANY
    expected = [None, None, None, many, many, None, RefusalReason.MALFORMED_PAYLOAD]
    assert reasons(ahead) == expected
    assert all(one.refused[0].payload for one in ahead.taken if one.refused)
    # Looked at again, whole or in halves, it is the same messages: nothing is counted twice.
    with connect(town.database_url) as registrar:
        telling = Telling(catalogue=catalogue())
        at = START + timedelta(days=9)
        device_changes.put_away(registrar, INSEE, bin_eui(2), status=DeviceStatus.IN_STOCK, at=at, telling=telling)
    again = judge.confirm(ahead, connection)
    assert again is not ahead
    assert reasons(again) == expected
    first, second = (judge.confirm(half, connection) for half in halves(again))
    assert reasons(first) + reasons(second) == expected


def test_unknown_devices_are_counted_by_their_topics(town: Town):
    judge = judge_of(town, Allowances(burst=2, per_s=0.001))
    strangers = [town.uplink(f"00000000000000f{n}", b"?", at=START, port=1) for n in range(3)]
    assert not judge.judge(received(strangers)).too_many
    judged = judge.judge(received([strangers[0], ("no/such/topic", b"?"), strangers[0]]))
    assert judged.too_many == {2}
    assert RefusalReason.TOO_MANY not in reasons(judged)  # what is refused already keeps its reason
