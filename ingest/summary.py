"""The line of the log that says how taking in goes, once in a while instead of once a batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from ingest.judging import Judged
from storage.model import IntakeResult

log = structlog.get_logger()


@dataclass(kw_only=True, slots=True)
class _Period:
    """What was committed since `began_s`."""

    began_s: float
    batches: int = 0
    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    longest_lag_s: float = 0.0
    failures: int = 0
    waited_s: float = 0.0


class Summary:
    """Adds up what one thread commits, and lets another one tell it every `every_s` seconds."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._period = _Period(began_s=time.monotonic())

    def count(self, judged: Judged, results: Sequence[IntakeResult]) -> None:
        """Add a batch that was committed just now."""
        period = self._period
        period.batches += 1
        period.messages += len(judged.received)
        period.stored += sum(result.stored for result in results)
        period.duplicates += sum(result.duplicates for result in results)
        period.refused.update(refused.reason.value for one in judged.taken for refused in one.refused)
        period.longest_lag_s = max(period.longest_lag_s, time.monotonic() - judged.received[0].arrived_s)

    def failed(self, waited_s: float) -> None:
        """Add a transaction that failed, and how long was waited before the next."""
        self._period.failures += 1
        self._period.waited_s += waited_s

    def tell(self, *, in_flight: int, now: bool = False) -> None:
        """Log the period when it is over, or `now`; a quiet one as well, since silence in a log could mean anything."""
        period, now_s = self._period, time.monotonic()
        seconds = now_s - period.began_s
        if not now and seconds < self._every_s:
            return
        # What the other thread adds to the old one meanwhile is in the metrics, and in the ledger.
        self._period = _Period(began_s=now_s)
        log.info(
            "intake_summary",
            seconds=round(seconds, 1),
            messages=period.messages,
            messages_per_s=round(period.messages / seconds, 1) if seconds else 0.0,
            stored=period.stored,
            duplicates=period.duplicates,
            refused=dict(period.refused),
            batches=period.batches,
            longest_commit_lag_s=round(period.longest_lag_s, 3),
            failed_transactions=period.failures,
            waited_for_database_s=round(period.waited_s, 1),
            in_flight=in_flight,
        )
