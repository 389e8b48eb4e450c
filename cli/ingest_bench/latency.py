"""How long a message takes from its publication to its commit, at a steady rate."""

from __future__ import annotations

from array import array
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from cli.ingest_bench import publisher
from cli.ingest_bench.commits import Commit, watch_commits
from cli.ingest_bench.readers import Bench, outcome_of
from storage.database import connect

_CLIENT = "latency"
# Which transaction stored a reading: the ledger's row of the same transaction.
_BATCH_OF_READING = """
    SELECT frame_counter, batch_id FROM intake_batch AS batch JOIN fill_reading AS reading ON reading.xmin = batch.xmin
    UNION ALL
    SELECT frame_counter, batch_id
    FROM intake_batch AS batch JOIN occupancy_reading AS reading ON reading.xmin = batch.xmin
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Milliseconds from publication to commit, at so many messages a second."""

    p50_ms: float
    p99_ms: float
    rate_per_s: float
    messages: int


def measure_latency(bench: Bench, *, rate_per_s: float, seconds: float) -> Latency:
    """Publish at a steady rate to a collector that waits, and hear of each commit when others do."""
    # The first messages make the collector read its registry and open its connection: they are not counted.
    first = max(20, round(rate_per_s / 2))
    messages = first + max(50, round(rate_per_s * seconds))
    sent_file = bench.folder / "sent"
    bench.open_session(_CLIENT)
    with ExitStack() as stack:
        url = stack.enter_context(bench.database())
        watch = stack.enter_context(watch_commits(url))
        collector = stack.enter_context(bench.collector(_CLIENT, database_url=url))
        commits = []
        for begin, end, file in ((0, first, None), (first, messages, sent_file)):
            publishing = bench.publishing(first=begin, end=end, rate_per_s=rate_per_s, sent_file=file)
            with publishing as process:
                commits += watch.until(end - begin, check=collector.require_running)
                outcome_of(process, publisher.Outcome)
        latencies_ms = _latencies_ms(url, commits, first=first, sent_at=array("d", sent_file.read_bytes()))
    bench.forget_session(_CLIENT)
    p50, p99 = np.percentile(latencies_ms, (50, 99))
    return Latency(
        p50_ms=round(float(p50), 1), p99_ms=round(float(p99), 1), rate_per_s=rate_per_s, messages=len(latencies_ms)
    )


def _latencies_ms(url: str, commits: list[Commit], *, first: int, sent_at: array[float]) -> list[float]:
    """Return the latency of each message from `first` on; `commits` are all of them, in their order."""
    with connect(url) as connection:
        batches = connection.execute("SELECT batch_id FROM intake_batch WHERE stored > 0 ORDER BY batch_id").fetchall()
        committed_at = {batch: commit.at_s for (batch,), commit in zip(batches, commits, strict=True)}
        rows = connection.execute(_BATCH_OF_READING).fetchall()
    return [(committed_at[batch] - sent_at[number - first]) * 1000 for number, batch in rows if number >= first]
