"""The shipped proxy before a server, for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.tools import REPOSITORY, answers, free_port, missing, wait_until


@contextmanager
def caddy(upstream: str, folder: Path) -> Iterator[str]:
    """Run Caddy with the shipped file and a certificate of its own making before `upstream`; yields its address."""
    program = os.environ.get("VOIRIE_TEST_CADDY") or shutil.which("caddy")
    if program is None:
        missing("caddy (VOIRIE_TEST_CADDY)")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "SITE_ADDRESS": "localhost",
        "HTTP_PORT": str(free_port()),
        "HTTPS_PORT": str(port),
        "API_UPSTREAM": upstream.removeprefix("http://"),
    }
    settings = str(REPOSITORY / "config" / "compose" / "Caddyfile")
    with subprocess.Popen(
        [program, "run", "--config", settings, "--adapter", "caddyfile"], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            wait_until(lambda: answers(port) and authority.is_file(), what="Caddy's port")
            yield f"https://localhost:{port}"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            process.kill()  # it waits for streams of pages that are still open
