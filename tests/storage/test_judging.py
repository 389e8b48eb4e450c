"""A batch judged ahead of its transaction is stored by the registry as it is at its commit, never as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli.wiring import catalogue
from ingest.broker import Received
from ingest.intake import IntakeRules
from ingest.judging import Judge, halves
from ingest.knowledge import Knowledge
from storage import device_changes
from storage.database import Connection, connect
from storage.model import DeviceStatus, RefusalReason
from storage.registry_writing import Telling
from tests.acceptance.collecting import INSEE, START, Publication, Town, bin_eui


@pytest.fixture
def town(database_url: str) -> Town:
    town = Town(database_url=database_url, broker_url="mqtt://127.0.0.1")
    town.provision()
    return town


def judge_of(town: Town) -> Judge:
    return Judge(IntakeRules(networks=(town.network,)), Knowledge([INSEE]))


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
