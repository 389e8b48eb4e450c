"""Ask the worker for a repair of the rounds, once what calls for it is committed."""

from __future__ import annotations

import structlog
from fastapi import BackgroundTasks, Request

from api.ports import AtOnce
from api.state import state_of
from storage.errors import UnavailableError

log = structlog.get_logger()


def ask_for_repair(request: Request, commune_insee: str, later: BackgroundTasks) -> None:
    """Ask after the answer is sent, when the request's transaction has ended; without a worker nobody is asked."""
    port = state_of(request)["ports"].at_once
    if port is not None:
        later.add_task(_ask, port, commune_insee)


def _ask(port: AtOnce, commune_insee: str) -> None:
    try:
        port.repair(commune_insee)
    except UnavailableError as error:
        # What was declared is stored; the worker looks each minute by itself.
        log.warning("repair_not_asked", commune=commune_insee, reason=str(error))
