"""What the server is given when it starts, since it may not import it: whoever starts it wires what decides.

Light work is a function here, run in the request's own thread; heavy work is asked of the worker. A port that is None
has its routes answer 503.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from storage.kerb.patrol import Patrol, PatrolTask


class AtOnce(Protocol):
    """What tells the worker that something waits for it, which then begins at once."""

    def edit(self, commune_insee: str, request_id: UUID) -> None:
        """Tell it of a request for edits that is committed."""
        ...

    def replay(self, commune_insee: str, request_id: UUID) -> None:
        """Tell it of refused messages to judge again; the request is committed."""
        ...

    def repair(self, commune_insee: str) -> None:
        """Tell it that something happened on the rounds of a commune."""
        ...


class PatrolPlanner(Protocol):
    """What plans patrols on foot, in about a second."""

    def __call__(self, task: PatrolTask) -> Patrol:
        """Return a good patrol, with the walks that it measured."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What decides for the server."""

    at_once: AtOnce | None = None
    patrols: PatrolPlanner | None = None
