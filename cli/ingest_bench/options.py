"""What the measurement is told."""

from __future__ import annotations

from dataclasses import dataclass

# What a bare subscriber of paho reads in a second on a machine of two cores: a backlog of `seconds` times this keeps it
# busy for about so long, and a collector for somewhat longer.
_MESSAGES_A_SECOND = 20_000
# Fewer batches than this have no rate: the first one only starts the clock.
_FEWEST_BATCHES = 6
# The smaller of the two backlogs whose peak memory is compared.
_SMALL_SHARE = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchOptions:
    """How much is measured, and on what.

    `seconds`: about how long each reader reads. `batch_messages`: of the collectors' settings. `collectors`: how many
    share the messages in the last reading.
    `broker_url`, `database_url`: None brings one of its own.
    """

    seconds: float = 10.0
    batch_messages: int = 2000
    collectors: int = 2
    broker_url: str | None = None
    database_url: str | None = None

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError(f"expected seconds > 0, got {self.seconds:g}")
        if self.collectors < 1:
            raise ValueError(f"expected collectors >= 1, got {self.collectors}")

    @property
    def backlog(self) -> int:
        """Messages that wait for each reader."""
        return max(_FEWEST_BATCHES * self.batch_messages, round(self.seconds * _MESSAGES_A_SECOND))

    @property
    def small_backlog(self) -> int:
        """Messages of the first reading, which shows what memory does not grow with."""
        return self.backlog // _SMALL_SHARE
