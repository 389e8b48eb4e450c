"""A publisher, a process of its own: as fast as the broker acknowledges, or at a steady rate.

`python -m cli.ingest_bench.publisher` reads its task as JSON from standard input and prints one line of JSON: how many
the broker acknowledged, and the processor time. At a steady rate it writes when each message was sent (Unix seconds,
one float64 each, in the order of their numbers) to `sent_file`.
"""

from __future__ import annotations

import os
import sys
import time
from array import array
from datetime import datetime
from pathlib import Path

import msgspec

from cli.ingest_bench.certificates import Certificates
from cli.ingest_bench.messages import Stream
from cli.ingest_bench.wire import BulkPublisher

_PART = 100


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of the stream are published (`first`, `first + step`, ... below `end`), and how fast.

    `rate_per_s`: None for as fast as possible.
    """

    url: str
    tls: Certificates = Certificates()
    run: str
    began_at: datetime
    step_s: float
    first: int
    step: int
    end: int
    rate_per_s: float | None = None
    sent_file: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the publisher did."""

    acknowledged: int
    seconds: float
    processor_s: float


def main() -> None:
    """Publish, wait for the broker, and tell."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    stream = Stream(run=task.run, began_at=task.began_at, step_s=task.step_s)
    numbers = range(task.first, task.end, task.step)
    began_s, began_processor_s = time.monotonic(), time.process_time()
    with BulkPublisher(task.tls.address(task.url), f"{task.run}-publisher-{os.getpid()}") as publisher:
        if task.rate_per_s is None:
            for start in range(0, len(numbers), _PART):
                publisher.publish([stream.publication(number) for number in numbers[start : start + _PART]])
        else:
            sent_at = _publish_steadily(publisher, stream, numbers, task.rate_per_s)
            if task.sent_file is not None:
                Path(task.sent_file).write_bytes(sent_at.tobytes())
        publisher.wait()
    outcome = Outcome(
        acknowledged=publisher.acknowledged,
        seconds=time.monotonic() - began_s,
        processor_s=time.process_time() - began_processor_s,
    )
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")


def _publish_steadily(publisher: BulkPublisher, stream: Stream, numbers: range, rate_per_s: float) -> array[float]:
    """Publish each message at its moment; return when each was sent."""
    sent_at = array("d")
    began_s = time.monotonic()
    for position, number in enumerate(numbers):
        publication = stream.publication(number)
        ahead_s = began_s + position / rate_per_s - time.monotonic()
        if ahead_s > 0:
            time.sleep(ahead_s)
        sent_at.append(time.time())
        publisher.publish([publication])
    return sent_at


if __name__ == "__main__":
    main()
