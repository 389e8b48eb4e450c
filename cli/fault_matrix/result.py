"""One row of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.fault_matrix.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRow:
    """What one fault did. Exactly one of `verdict`, `skipped` and `error` says how it went.

    `evidence`: what shows that the fault happened. `recovered_s`: from the fault's end to everything stored, None when
    that did not come.
    """

    fault: str
    verdict: Verdict | None = None
    recovered_s: float | None = None
    seconds: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    skipped: str | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the fault happened, nothing was lost and nothing is there twice."""
        return (
            self.error is None
            and self.verdict is not None
            and self.verdict.lost == 0
            and self.verdict.duplicated == 0
            and self.verdict.wrongly_refused == 0
            and self.recovered_s is not None
        )

    def document(self) -> dict[str, Any]:
        """Return the row as `voirie faults --json` prints it."""
        if self.skipped is not None:
            return {"fault": self.fault, "skipped": self.skipped}
        row: dict[str, Any] = {"fault": self.fault}
        for name in ("published", "acknowledged", "stored", "rejected", "lost", "duplicated"):
            row[name] = None if self.verdict is None else getattr(self.verdict, name)
        row |= {"recovered_s": self.recovered_s, "seconds": self.seconds}
        if self.verdict is not None:
            row |= {
                "duplicates_offered": self.verdict.duplicates_offered,
                "wrongly_refused": self.verdict.wrongly_refused,
            }
        row["evidence"] = dict(self.evidence)
        if self.error is not None:
            row["error"] = self.error
        return row
