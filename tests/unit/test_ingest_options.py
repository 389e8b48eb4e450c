from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ingest.address import BrokerAddress
from ingest.collector import CollectorOptions
from ingest.failures import is_fault_of_data
from ingest.topics import Network
from storage.errors import SchemaError, UnavailableError

NETWORK = Network(name="n", commune_insee="93051", envelope="native", topic_filter="voirie/v1/93051/+/readings")
GOOD = {
    "database_url": "postgresql:///voirie",
    "broker_url": "mqtt://localhost",
    "client_id": "voirie-collector",
    "networks": (NETWORK,),
}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://localhost", ("localhost", 1883, None, None, False)),
        ("mqtt://10.0.0.1:1884/", ("10.0.0.1", 1884, None, None, False)),
        ("mqtts://broker.example", ("broker.example", 8883, None, None, True)),
        ("mqtt://user:p%40ss%2Fw@host:1", ("host", 1, "user", "p@ss/w", False)),
        ("mqtt://[::1]:1883", ("::1", 1883, None, None, False)),
    ],
)
def test_broker_addresses(url: str, address: tuple[Any, ...]):
    found = BrokerAddress.parse(url)
    assert (found.host, found.port, found.user, found.password, found.tls) == address


@pytest.mark.parametrize("url", ["localhost:1883", "http://host", "mqtt://", "mqtt://user:secret@/x", "mqtt://h/topic"])
def test_what_is_no_broker_is_refused_without_the_password(url: str):
    with pytest.raises(ValueError, match="expected a broker like mqtt://host:1883") as refusal:
        BrokerAddress.parse(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"networks": ()}, "expected at least one network"),
        ({"client_id": ""}, "expected a client_id"),
        ({"batch_messages": 0}, r"expected batch_messages in 1\.\.65535, got 0"),
        ({"batch_messages": 70_000}, r"expected batch_messages in 1\.\.65535, got 70000"),
        ({"batch_wait_s": 0}, "expected batch_wait_s > 0, got 0"),
        ({"shared_group": "a/b"}, "expected a shared_group without"),
        ({"broker_url": "amqp://host"}, "expected a broker like"),
    ],
)
def test_options_refuse_nonsense(changes: dict[str, Any], rule: str):
    with pytest.raises(ValueError, match=rule):
        CollectorOptions(**(GOOD | changes))


def test_filters_are_subscribed_once_and_shared_in_a_group():
    twice = GOOD | {"networks": (NETWORK, NETWORK)}
    assert CollectorOptions(**twice).filters == ("voirie/v1/93051/+/readings",)
    shared = CollectorOptions(**(GOOD | {"shared_group": "collecte"}))
    assert shared.filters == ("$share/collecte/voirie/v1/93051/+/readings",)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        pytest.param(psycopg.errors.NumericValueOutOfRange(), True, id="a number too large"),
        pytest.param(psycopg.errors.CheckViolation(), True, id="a rule of the table"),
        pytest.param(psycopg.errors.RaiseException(), True, id="a trigger's refusal"),
        pytest.param(psycopg.errors.ProgramLimitExceeded(), True, id="a row too large for an index"),
        pytest.param(psycopg.DataError("NUL in a text"), True, id="what psycopg cannot write"),
        pytest.param(OverflowError("int too large"), True, id="what a struct cannot hold"),
        pytest.param(psycopg.OperationalError("connection is lost"), False, id="a cut line"),
        pytest.param(psycopg.errors.AdminShutdown(), False, id="a restart"),
        pytest.param(psycopg.errors.DiskFull(), False, id="no room"),
        pytest.param(psycopg.errors.DeadlockDetected(), False, id="a deadlock"),
        pytest.param(psycopg.errors.UndefinedTable(), False, id="a schema to come"),
        pytest.param(psycopg.errors.InsufficientPrivilege(), False, id="a right to be given"),
        pytest.param(psycopg.InterfaceError("the connection is closed"), False, id="a closed connection"),
        pytest.param(UnavailableError(), False, id="no server"),
        pytest.param(SchemaError(), False, id="no schema"),
    ],
)
def test_failures_are_sorted_into_later_and_never(error: Exception, fault: bool):  # noqa: FBT001 - a row's value
    assert is_fault_of_data(error) is fault
