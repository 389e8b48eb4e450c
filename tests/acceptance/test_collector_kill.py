"""Nothing that the broker acknowledged is lost when the collector is killed, and nothing is stored twice.

On the embedded broker; the fault matrix (test_faults.py) says the same and more of Mosquitto and TimescaleDB.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.acceptance.collecting import Town, collecting, make_session, publisher, slices, start_process
from tests.tools import REPOSITORY, wait_until

MESSAGES, KILLS = 3000, 3


@pytest.fixture
def town(database_url: str, any_broker_url: str) -> Town:
    town = Town(database_url=database_url, broker_url=any_broker_url)
    town.provision()
    return town


@pytest.fixture
def town_of_the_demo(database_url: str, embedded_broker: str) -> Town:
    town = Town(database_url=database_url, broker_url=embedded_broker)
    town.provision()
    return town


def test_a_collector_killed_while_it_receives_loses_nothing(town_of_the_demo: Town):
    town = town_of_the_demo
    make_session(town)
    messages = town.stream(MESSAGES)
    sent = threading.Event()

    def send() -> None:
        with publisher(town) as sender:
            for part in slices(messages, 200):
                sender.publish(part)
        sent.set()

    sending = threading.Thread(target=send)
    sending.start()
    # Each life takes some messages in, and is ended by a signal that nothing can handle.
    for life in range(1, KILLS + 1):
        process = start_process(town)
        try:
            town.wait_for_rows(life * MESSAGES // (KILLS + 2))
        finally:
            process.kill()
            assert process.wait(10) == -signal.SIGKILL
    sending.join(60)
    assert sent.is_set()
    before_the_last = town.stored()

    with collecting(town.options()):
        town.wait_for_rows(MESSAGES)
    assert before_the_last < MESSAGES, "the last life had something to do"
    assert town.counters() == list(range(MESSAGES)), "every acknowledged publication once"
    messages_seen, stored, duplicates, refused = town.tally()
    assert (stored, refused) == (MESSAGES, 0)
    assert messages_seen == stored + duplicates


def test_a_collector_that_is_asked_to_stop_leaves_nothing_half_done(town: Town):
    make_session(town)
    messages = town.stream(3000)
    with publisher(town) as sender:
        sender.publish(messages)
    process = start_process(town)
    try:
        wait_until(lambda: town.stored() > 500, timeout_s=60, what="some readings")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    with collecting(town.options()):
        town.wait_for_rows(len(messages))
    # Had the last batch been committed without its acknowledgements, it would have come again.
    assert town.tally() == (len(messages), len(messages), 0, 0)


def test_a_broker_connection_cut_in_the_middle_loses_nothing(town_of_the_demo: Town):
    town = town_of_the_demo
    make_session(town)
    messages = town.stream(2000)
    with publisher(town) as sender:
        sender.publish(messages)
    with collecting(town.options()):
        for share in (4, 2):
            town.wait_for_rows(len(messages) // share)
            # The same name comes in again: the broker throws the collector out, as MQTT wants it.
            make_session(town)
        town.wait_for_rows(len(messages))
    assert town.counters() == list(range(len(messages)))


def test_a_collector_that_waits_for_its_database_ends_when_asked(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
    environment |= {"PYTHONPATH": str(REPOSITORY), "VOIRIE_DATABASE__URL": "postgresql://127.0.0.1:1/nowhere"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "collect"], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert "waiting_for_database" in process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        except BaseException:
            process.kill()
            raise
