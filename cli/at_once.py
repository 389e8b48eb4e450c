"""Tell the worker of what waits for it: a job in its queue, which wakes it by LISTEN/NOTIFY."""

from __future__ import annotations

import contextlib
from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from cli.queues import QUEUE
from storage.errors import UnavailableError


class WorkerAtOnce:
    """Defers jobs on a database, each on a connection of its own: they are few, and nothing has to be closed."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def edit(self, commune_insee: str, request_id: UUID) -> None:
        """Tell the worker of a request for edits that is committed."""
        self._defer("edit_plan", f"edit_plan {request_id}", commune_insee=commune_insee, request_id=str(request_id))

    def replay(self, commune_insee: str, request_id: UUID) -> None:
        """Tell the worker of refused messages to judge again; the request is committed."""
        self._defer("replay_asked", f"replay {request_id}", commune_insee=commune_insee, request_id=str(request_id))

    def repair(self, commune_insee: str) -> None:
        """Tell the worker that something happened on the rounds of a commune."""
        self._defer("repair", f"repair {commune_insee}", lock=f"repair {commune_insee}", commune_insee=commune_insee)

    def _defer(self, task: str, queueing_lock: str, *, lock: str | None = None, **arguments: str) -> None:
        app = App(connector=SyncPsycopgConnector(conninfo=self._database_url, min_size=1, max_size=1))
        try:
            with app.open(), contextlib.suppress(AlreadyEnqueued):
                app.configure_task(task, queue=QUEUE, lock=lock, queueing_lock=queueing_lock).defer(**arguments)
        except ConnectorException as error:
            raise UnavailableError("the job queue does not answer; try again in a moment") from error
