"""Serves the application with uvicorn, and ends its live streams first when it has to stop."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import cast

import uvicorn
from fastapi import FastAPI

from api.bounds import MOST_HEADER_BYTES
from api.live import LiveHub


class Server(uvicorn.Server):
    """A uvicorn server that hangs up its live streams before it waits for connections to end.

    A stream of events never ends by itself: without this, a stop would wait for every open page to be closed.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving: hang up the streams, let requests finish, close the resources."""
        hub = self.lifespan.state.get("live")
        if hub is not None:
            cast("LiveHub", hub).hang_up()
        await super().shutdown(sockets)


def make_server(
    app: FastAPI,
    *,
    host: str,
    port: int,
    root_path: str = "",
    drain_s: int = 10,
    trusted_proxies: Sequence[str] = (),
) -> Server:
    """Return a server for `app`; call its `run()`, which ends at SIGINT, SIGTERM or `should_exit = True`.

    `root_path` is the path that a reverse proxy serves us under; requests get `drain_s` seconds to finish at a stop. Of
    `trusted_proxies` (addresses and networks) alone it is believed for whom they ask (X-Forwarded-For, -Proto).
    """
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            root_path=root_path,
            log_config=None,
            access_log=False,
            server_header=False,
            # Beyond our own limit, so that we say what is wrong; what is longer still is answered by closing the line.
            h11_max_incomplete_event_size=4 * MOST_HEADER_BYTES,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=drain_s,
        )
    )
