"""What an operator sees of a running collector: metrics that agree with the ledger, its log, and silence noticed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.collector import Collector
from storage import broker_lines
from storage.database import connect
from tests.acceptance.collecting import INSEE, START, Town, bin_eui, collecting, make_session, publisher
from tests.tools import REPOSITORY, free_port, wait_until


@pytest.fixture
def town(database_url: str, any_broker_url: str) -> Town:
    town = Town(database_url=database_url, broker_url=any_broker_url)
    town.provision()
    return town


def served(port: int) -> dict[tuple[str, str], float]:
    """Every sample of the endpoint by name and value of its label, if it has one."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_metrics_of_a_real_run_agree_with_the_ledger(town: Town):
    port = free_port()
    make_session(town)
    good = town.stream(400)
    bad = [(town.topic(bin_eui(0)), bytes((n,))) for n in range(7)] + [
        town.uplink("00000000000000ff", b"\1", at=START, port=1)
    ]
    with publisher(town) as sender, collecting(town.options(metrics_port=port)):
        sender.publish([*good, *bad, *good[:30], *bad[:2]])
        town.wait_for_messages(440)
        wait_until(lambda: served(port)["voirie_messages_received_total", "lora"] == 440, what="the last batch")
        found = served(port)
        messages, stored, duplicates, refused = town.tally()
        assert (messages, stored, duplicates, refused) == (440, 400, 32, 8)
        assert found["voirie_messages_received_total", "lora"] == messages
        assert found["voirie_readings_stored_total", ""] == stored == town.stored()
        assert found["voirie_readings_duplicate_total", ""] == duplicates
        by_reason = dict(town.rows("SELECT reason, sum(deliveries)::int FROM refused_message GROUP BY reason"))
        assert by_reason == {"malformed_envelope": 9, "unknown_device": 1}
        told = {reason: count for (name, reason), count in found.items() if name == "voirie_messages_refused_total"}
        assert {reason: count for reason, count in told.items() if count} == by_reason
        ((batches, last),) = town.rows(
            "SELECT count(*)::int, extract(epoch FROM max(committed_at))::float8 FROM intake_batch"
        )
        assert found["voirie_batch_messages_count", ""] == found["voirie_commit_lag_seconds_count", ""] == batches
        assert found["voirie_batch_messages_sum", ""] == messages
        assert found["voirie_last_message_timestamp_seconds", "lora"] == pytest.approx(last, abs=5)
        wait_until(lambda: served(port)["voirie_messages_in_flight", ""] == 0, what="the acknowledgements")
        assert found["voirie_database_answers", ""] == found["voirie_broker_subscribed", ""] == 1
        assert found["voirie_broker_connections_total", "kept"] == 1
        assert found["voirie_event_lag_seconds", "lora"] > 15 * 86_400, "the stream began twenty days ago"


def value(collector: Collector, name: str, **labels: str) -> float:
    return collector.metrics.registry.get_sample_value(name, labels) or 0.0


def test_silence_is_noticed_and_the_subscriptions_are_asked_for_again(town: Town, capfd: pytest.CaptureFixture[str]):
    make_session(town)
    with publisher(town) as sender, collecting(town.options(silence_s=0.3)) as collector:
        wait_until(lambda: value(collector, "voirie_silence_seconds") > 1.2, what="a time without a message")
        sender.publish(town.stream(10))
        town.wait_for_rows(10)
        wait_until(lambda: value(collector, "voirie_silence_seconds") < 0.3, what="its end")
    told = capfd.readouterr().out
    assert told.count("nothing_heard") >= 2
    assert told.count("messages_come_again") >= 1


def test_a_subscription_that_the_broker_lost_comes_back_by_itself(town: Town):
    # As if somebody had ended it: a second client of the same name unsubscribes, and the collector comes back.
    from paho.mqtt.client import Client  # noqa: PLC0415 - this one question
    from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

    from ingest.address import BrokerAddress  # noqa: PLC0415

    address = BrokerAddress.parse(town.broker_url)
    make_session(town)
    with publisher(town) as sender, collecting(town.options()) as collector:
        sender.publish(town.stream(10))
        town.wait_for_rows(10)
        thief = Client(CallbackAPIVersion.VERSION2, client_id=town.options().client_id, clean_session=True)
        thief.connect(address.host, address.port)
        thief.loop_start()
        wait_until(lambda: not collector.metrics.registry.get_sample_value("voirie_broker_connected"), what="the theft")
        thief.disconnect()
        thief.loop_stop()
        wait_until(lambda: value(collector, "voirie_broker_subscribed") == 1, what="the subscription")
        assert value(collector, "voirie_broker_connections_total", session="new") == 1, "the broker had forgotten us"
        sender.publish(town.stream(30)[10:])
        town.wait_for_rows(30)


def test_the_database_is_told_how_the_line_to_the_broker_stands(town: Town):
    def lines() -> list[tuple[bool, bool, float]]:
        with connect(town.database_url) as connection:
            found = broker_lines.lines(connection, INSEE)
        assert all(line.since <= line.told_at for line in found)
        return [(line.connected, line.subscribed, line.messages_per_min) for line in found]

    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        wait_until(lambda: lines() == [(True, True, 0.0)], what="the connection")
        sender.publish(town.stream(10))
        town.wait_for_messages(10)
        assert lines() == [(True, True, 2.0)], "of the last five minutes"
    with collecting(town.options(broker_url=f"mqtt://127.0.0.1:{free_port()}")):
        wait_until(lambda: lines() == [(False, False, 2.0)], what="a broker that is not there")


def test_lines_of_the_log_are_json_with_what_an_operator_asks_for(town: Town, tmp_path: Path):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("VOIRIE_")}
    network = {"name": "lora", "envelope": "chirpstack", "topic_filter": town.network.topic_filter, "commune": INSEE}
    settings = {
        "VOIRIE_DATABASE__URL": town.database_url,
        "VOIRIE_MQTT__URL": town.broker_url,
        "VOIRIE_MQTT__CLIENT_ID": town.options().client_id,
        "VOIRIE_NETWORKS": json.dumps([network]),
        "VOIRIE_LOG__FORMAT": "json",
        "VOIRIE_INGEST__SUMMARY_S": "0.2",
    }
    make_session(town)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "collect"],
        env=environment | {"PYTHONPATH": str(REPOSITORY)} | settings,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with publisher(town) as sender:
            sender.publish([*town.stream(50), (town.topic(bin_eui(0)), b"")])
            town.wait_for_messages(51)
        process.send_signal(signal.SIGTERM)
        out, told = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait(10)
    assert (process.returncode, out) == (0, "")
    events = [json.loads(line) for line in told.splitlines()]
    for event in events:
        assert {"event", "level", "logger", "timestamp"} <= event.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", event["timestamp"])
    names = [event["event"] for event in events]
    assert names[0] == "collector_started"
    assert names[-1] == "collector_stopped"
    assert "batch_committed" not in names, "no line for each batch"
    summaries = [event for event in events if event["event"] == "intake_summary"]
    assert sum(event["messages"] for event in summaries) == 51
    assert sum(event["stored"] for event in summaries) == 50
    assert sum(event["refused"].get("malformed_envelope", 0) for event in summaries) == 1
    assert max(event["longest_commit_lag_s"] for event in summaries) > 0
