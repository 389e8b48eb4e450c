"""What a row of the matrix is made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cli.fault_matrix.scene import Outcome, Scene, open_scene
from cli.fault_matrix.stage import Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One row. `setting`: where it is played, on the stage's own services unless the fault needs others."""

    name: str
    title: str
    play: Callable[[Scene], Outcome]
    setting: Callable[[Stage, str], AbstractContextManager[Scene]] = open_scene
