"""A bare subscriber, as a user of paho would write it: it acknowledges, and does nothing else. A process of its own.

`python -m cli.ingest_bench.bare` reads its task as JSON from standard input. With `messages` 0 it only makes its
session known to the broker; otherwise it reads so many. It prints one line of JSON.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cli.ingest_bench.certificates import Certificates


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Where and what the subscriber reads."""

    url: str
    tls: Certificates = Certificates()
    client_id: str
    filters: list[str]
    messages: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Messages after the first, and the seconds that they took."""

    messages: int
    seconds: float
    processor_s: float


def main() -> None:
    """Subscribe, count, and tell."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    address = task.tls.address(task.url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=task.client_id, clean_session=False)
    client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set_context(address.tls_context())
    count, began_s, began_processor_s = 0, 0.0, 0.0

    def on_connect(client: Client, *_: Any) -> None:
        client.subscribe([(name, 1) for name in task.filters])

    def on_subscribe(client: Client, *_: Any) -> None:
        if not task.messages:
            client.disconnect()

    def on_message(client: Client, *_: Any) -> None:
        nonlocal count, began_s, began_processor_s
        count += 1
        if count == 1:
            began_s, began_processor_s = time.monotonic(), time.process_time()
        elif count == task.messages:
            client.disconnect()

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect(address.host, address.port)
    client.loop_forever()
    outcome = Outcome(
        messages=count - 1, seconds=time.monotonic() - began_s, processor_s=time.process_time() - began_processor_s
    )
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")


if __name__ == "__main__":
    main()
