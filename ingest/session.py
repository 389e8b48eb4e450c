"""Makes the broker know a collector's session before anything is published."""

from __future__ import annotations

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
