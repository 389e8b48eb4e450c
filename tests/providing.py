"""The OpenID Connect provider of tests/identity_provider.py as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.tools import REPOSITORY, free_port, wait_until


@contextmanager
def running_provider(folder: Path, *, redirect_uri: str, post_logout_redirect_uri: str) -> Iterator[str]:
    """Run it; yields the issuer's address once it answers."""
    port = free_port()
    url = f"http://localhost:{port}"
    log = folder / "log"
    command = [
        sys.executable, REPOSITORY / "tests" / "identity_provider.py", str(port), folder / "provider.sqlite",
        redirect_uri, post_logout_redirect_uri,
    ]  # fmt: skip
    # It is on this machine alone, where TLS would protect nothing.
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            wait_until(
                lambda: process.poll() is not None or _is_up(url), timeout_s=60, what="the provider, or its end,"
            )
            assert process.poll() is None, log.read_text()
            yield url
        finally:
            process.kill()


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration", timeout=5).is_success
    except httpx.TransportError:
        return False
