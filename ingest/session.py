"""A collector's session on the broker while no collector runs: made before anything is published, or ended for good."""

from __future__ import annotations

import threading
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.address import refusal_told
from ingest.broker import BrokerSession
from ingest.options import CollectorOptions
from storage.errors import UnavailableError


def establish_session(options: CollectorOptions, *, timeout_s: float = 30.0) -> None:
    """Subscribe once as the collector will, and leave: from now on the broker keeps messages for it.

    A broker queues for sessions that it knows; what is published before the first subscription is acknowledged and
    gone. Do not call it while the collector runs: the broker would throw that one out. Raises UnavailableError when the
    broker does not answer or refuses.
    """
    address = options.broker_address
    session = BrokerSession(address=address, client_id=options.client_id, filters=options.filters, capacity=1)
    with session as broker:
        if not broker.wait_until_subscribed(timeout_s):
            raise UnavailableError(f"the broker at {address.host}:{address.port} did not accept the subscription")


def end_session(options: CollectorOptions, *, timeout_s: float = 30.0) -> None:
    """Let the broker forget the collector's session, with all that waits in it.

    Raises UnavailableError when the broker does not answer or refuses.
    """
    address = options.broker_address
    # MQTT has no word for it: a session that is asked to be clean forgets what was before, and is gone at its end.
    client = Client(CallbackAPIVersion.VERSION2, client_id=options.client_id, clean_session=True)
    client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set_context(address.tls_context())
    accepted = threading.Event()

    def on_connect(_client: Client, _userdata: Any, _flags: Any, reason_code: Any, _properties: Any) -> None:
        if not reason_code.is_failure:
            accepted.set()

    client.on_connect = on_connect
    try:
        client.connect(address.host, address.port)
    except OSError as error:
        why = refusal_told(error, address.host)
        raise UnavailableError(f"the broker at {address.host}:{address.port} does not answer: {why}") from error
    client.loop_start()
    try:
        if not accepted.wait(timeout_s):
            raise UnavailableError(f"the broker at {address.host}:{address.port} did not accept the client")
    finally:
        client.disconnect()
        client.loop_stop()
