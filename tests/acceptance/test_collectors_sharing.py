"""Several collectors on one stream: each message once, whoever stops or dies; names that come again; leaving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.collector import Collector
from ingest.instance import Instance
from ingest.session import end_session
from storage.database import connect
from storage.errors import UnavailableError
from storage.schema_version import head_version
from tests.acceptance.collecting import Town, collecting, make_session, publisher, slices, start_process
from tests.tools import REPOSITORY, free_port, wait_until


@pytest.fixture
def town(database_url: str, mosquitto_broker: str) -> Town:
    """On Mosquitto: the embedded broker does not share (docs/mqtt.md)."""
    town = Town(database_url=database_url, broker_url=mosquitto_broker)
    town.provision()
    return town


def member(town: Town, number: int) -> dict[str, str]:
    return {"client_id": f"member-{town.name}-{number}", "shared_group": town.name}


def shares(town: Town) -> dict[str, int]:
    return dict(town.rows("SELECT collector, sum(messages)::int FROM intake_batch GROUP BY collector"))


def test_one_that_stops_and_one_that_is_killed_lose_nothing_and_repeat_nothing(town: Town):
    messages = town.stream(6000)
    for number in (1, 2, 3):
        make_session(town, **member(town, number))
    stays, stops, dies = (start_process(town, **member(town, number)) for number in (1, 2, 3))
    try:
        with publisher(town) as sender:
            parts = slices(messages, 500)
            sender.publish(next(parts))
            wait_until(lambda: len(shares(town)) == 3, what="a batch of each")
            sender.publish(next(parts))
            stops.send_signal(signal.SIGTERM)
            sender.publish(next(parts))
            dies.kill()
            assert stops.wait(30) == 0, "it ended by itself"
            assert dies.wait(10) == -signal.SIGKILL
            for part in parts:
                sender.publish(part)
        # What the broker dealt to the two waits for them; they come again under their names.
        with collecting(town.options(**member(town, 2))), collecting(town.options(**member(town, 3))):
            town.wait_for_rows(len(messages))
    finally:
        for process in (stays, stops, dies):
            process.kill()
            process.wait(10)
    assert town.counters() == list(range(len(messages))), "every acknowledged publication once"
    seen, stored, duplicates, refused = town.tally()
    assert (stored, refused, seen) == (len(messages), 0, len(messages) + duplicates)
    assert set(shares(town)) == {member(town, number)["client_id"] for number in (1, 2, 3)}


def test_one_that_stops_leaves_nothing_to_repeat(town: Town):
    messages = town.stream(3000)
    for number in (1, 2):
        make_session(town, **member(town, number))
    with publisher(town) as sender:
        sender.publish(messages)
    first = start_process(town, **member(town, 1))
    try:
        wait_until(lambda: bool(shares(town)), what="a batch")
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
    finally:
        first.kill()
        first.wait(10)
    with collecting(town.options(**member(town, 1))), collecting(town.options(**member(town, 2))):
        town.wait_for_rows(len(messages))
    assert town.tally() == (len(messages), len(messages), 0, 0), "nothing came twice"


# --- leaving ---


def test_one_that_leaves_takes_what_waits_and_its_session_is_gone(town: Town):
    for number in (1, 2):
        make_session(town, **member(town, number))
    messages = town.stream(2000)
    with publisher(town) as sender:
        sender.publish(messages[:1000])
        waiting = town.options(**member(town, 2), drained_s=1.0)
        assert Collector(waiting).run(threading.Event(), leaving=True)
        assert shares(town) == {waiting.client_id: 500}, "its share, and no more"
        sender.publish(messages[1000:])
        end_session(waiting)
        with collecting(town.options(**member(town, 1))):
            town.wait_for_rows(len(messages))
    assert town.counters() == list(range(len(messages)))
    assert shares(town)[member(town, 1)["client_id"]] == 1500, "the broker dealt nothing more to the one that left"
    with collecting(town.options(**member(town, 2))) as collector:
        wait_until(
            lambda: value(collector, "voirie_broker_connections_total", session="new") == 1, what="a new session"
        )


def test_one_that_leaves_while_the_database_is_away_waits_for_it(town: Town):
    make_session(town)
    with publisher(town) as sender:
        sender.publish(town.stream(700))
    with connect(town.database_url) as connection:
        connection.execute("UPDATE voirie_schema_version SET version_num = '0001'")
    collector = Collector(town.options(drained_s=0.5))
    left: list[bool] = []
    leaving = threading.Thread(target=lambda: left.append(collector.run(threading.Event(), leaving=True)))
    leaving.start()
    wait_until(lambda: value(collector, "voirie_database_wait_seconds_total") > 1.5, what="three times its patience")
    assert leaving.is_alive()
    with connect(town.database_url) as connection:
        connection.execute("UPDATE voirie_schema_version SET version_num = %s", [head_version()])
    leaving.join(60)
    assert left == [True]
    assert town.counters() == list(range(700))


def test_one_that_is_stopped_while_it_leaves_keeps_its_session(town: Town):
    make_session(town)
    with publisher(town) as sender:
        sender.publish(town.stream(10))
    stop = threading.Event()
    stop.set()
    assert not Collector(town.options()).run(stop, leaving=True)
    with collecting(town.options()):
        town.wait_for_rows(10)


def value(collector: Collector, name: str, **labels: str) -> float:
    return collector.metrics.registry.get_sample_value(name, labels) or 0.0


# --- names ---


@contextmanager
def instance(url: str, name: str) -> Iterator[Instance]:
    with Instance(url, name=name, on_lost=lambda: pytest.fail("lost"), every_s=0.05) as one:
        yield one


def test_each_instance_has_the_lowest_free_number(any_database_url: str):
    with instance(any_database_url, "a") as first:
        with instance(any_database_url, "a") as second, instance(any_database_url, "b") as other:
            assert (first.number, second.number, other.number) == (1, 2, 1)
        with instance(any_database_url, "a") as again:
            assert again.number == 2
    with instance(any_database_url, "a") as last:
        assert last.number == 1


def sessions(url: str) -> list[int]:
    with connect(url, autocommit=True) as connection:
        query = (
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'voirie instance'"
        )
        return [pid for (pid,) in connection.execute(query)]


def end(url: str, pids: list[int]) -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid", [pids])


def test_an_instance_keeps_its_number_when_the_database_was_away(database_url: str):
    with instance(database_url, "a") as first, instance(database_url, "a") as second:
        before = sessions(database_url)
        end(database_url, before)
        wait_until(lambda: len(set(sessions(database_url)) - set(before)) == 2, what="two new connections")
        with instance(database_url, "a") as third:
            assert (first.number, second.number, third.number) == (1, 2, 3)


def test_an_instance_whose_number_was_taken_says_so(database_url: str):
    lost = threading.Event()
    with (
        Instance(database_url, name="a", on_lost=lost.set, every_s=0.05),
        connect(database_url, autocommit=True) as usurper,
    ):
        # Who already waits for the lock has it before its owner is back.
        taking = threading.Thread(
            target=usurper.execute, args=["SELECT pg_advisory_lock(hashtext('voirie instance a'), 1)"]
        )
        taking.start()
        with connect(database_url, autocommit=True) as other:
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            wait_until(lambda: other.execute(waits).fetchone() == (1,), what="the usurper's wait")
        assert not lost.is_set()
        end(database_url, sessions(database_url))
        taking.join(30)
        assert lost.wait(30)


def test_there_are_not_endless_numbers(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("storage.instances.MOST_INSTANCES", 1)
    with instance(database_url, "a"), pytest.raises(UnavailableError, match="are taken"), instance(database_url, "a"):
        pass


# --- the command ---


def collect(town: Town, *arguments: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("VOIRIE_")}
    network = (
        f'[{{"name": "lora", "envelope": "chirpstack", "topic_filter": "{town.network.topic_filter}", '
        f'"commune": "{town.network.commune_insee}"}}]'
    )
    given = {
        "PYTHONPATH": str(REPOSITORY),
        "VOIRIE_DATABASE__URL": town.database_url,
        "VOIRIE_MQTT__URL": town.broker_url,
        "VOIRIE_NETWORKS": network,
        "VOIRIE_LOG__FORMAT": "json",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "collect", *arguments],
        env=environment | given | variables,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_copies_of_one_command_get_names_of_their_own(town: Town, tmp_path: Path):
    same = {"VOIRIE_MQTT__CLIENT_ID": f"{town.name}-{{instance}}", "VOIRIE_MQTT__SHARED_GROUP": town.name}
    for number in (1, 2):
        make_session(town, client_id=f"{town.name}-{number}", shared_group=town.name)
    copies = [collect(town, cwd=tmp_path, **same) for _ in range(2)]
    try:
        with publisher(town) as sender:
            sender.publish(town.stream(1000))
            town.wait_for_rows(1000)
        assert set(shares(town)) == {f"{town.name}-1", f"{town.name}-2"}
        for copy in copies:
            copy.send_signal(signal.SIGTERM)
        for copy in copies:
            assert copy.wait(30) == 0, copy.stderr
    finally:
        for copy in copies:
            copy.kill()
            copy.communicate()


def test_the_command_leaves(town: Town, tmp_path: Path):
    make_session(town, client_id=f"{town.name}-gone", shared_group=town.name)
    with publisher(town) as sender:
        sender.publish(town.stream(50))
    group = {"VOIRIE_MQTT__SHARED_GROUP": town.name}
    leaving = collect(town, "--client-id", f"{town.name}-gone", "--leave", cwd=tmp_path, **group)
    _, told = leaving.communicate(timeout=60)
    assert leaving.returncode == 0, told
    assert '"session_ended"' in told
    assert town.stored() == 50
    nameless = collect(town, "--client-id", "x-{instance}", "--leave", cwd=tmp_path, **group)
    _, told = nameless.communicate(timeout=60)
    assert nameless.returncode == 2
    assert "name the session with --client-id" in told


def test_a_port_that_is_another_s_is_told_in_a_sentence(town: Town, tmp_path: Path):
    port = free_port()
    with collecting(town.options(metrics_port=port)):
        second = collect(town, cwd=tmp_path, VOIRIE_INGEST__METRICS_PORT=str(port))
        _, told = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"voirie: metrics cannot be served on port {port}: Address already in use" in told
    assert "Traceback" not in told
