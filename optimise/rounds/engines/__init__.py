"""Engines: what turns a problem into a solution. They promise nothing; the checker judges what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution
from storage.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When to stop: after `solve_s` of wall time, or after so many `iterations`, with which a seed reproduces."""

    solve_s: float | None = 20.0
    iterations: int | None = None

    def __post_init__(self) -> None:
        if self.solve_s is None and self.iterations is None:
            raise InputError("expected solve_s or iterations, got neither: the search would never end")
        if self.solve_s is not None and not self.solve_s > 0:
            raise InputError(f"expected solve_s > 0, got {self.solve_s}")
        if self.iterations is not None and self.iterations < 0:
            raise InputError(f"expected iterations >= 0, got {self.iterations}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Improvement:
    """A better plan was found: after how long, by which part of the search, at what cost (problem.EURO)."""

    elapsed_s: float
    phase: str
    cost: int


class Engine(Protocol):
    """One way to solve the day."""

    @property
    def name(self) -> str:
        """The engine's name and version, kept with the plan."""
        ...

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> Solution:
        """Return the best solution within `limits`; `stopped` may end the search at any time with what it has."""
        ...
