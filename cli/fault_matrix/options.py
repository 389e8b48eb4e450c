"""What the matrix is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixOptions:
    """Which faults, how long, on whose services.

    `broker_url`, `database_url`: given services, None for the matrix's own. `short`: every fault, once or few times
    and for seconds. `only`: names of rows, none for all. `seed`: the same seed gives the same messages.
    """

    broker_url: str | None = None
    database_url: str | None = None
    short: bool = False
    only: Sequence[str] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"expected seed >= 0, got {self.seed}")

    def scaled(self, *, short: int, full: int) -> int:
        """Return the number for this form of the matrix."""
        return short if self.short else full
