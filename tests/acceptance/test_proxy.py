"""The shipped Caddyfile on a real Caddy before the real server: TLS, one password, and nothing of the inside."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.app import ApiOptions
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import log_in, make_account, make_key
from tests.api.rows import INSEE, save_commune
from tests.api.serving import serving
from tests.proxying import caddy
from tests.tools import REPOSITORY, answers, free_port, missing, wait_until


@pytest.fixture
def proxy(connection: Connection, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Caddy before the real server; its address."""
    save_commune(connection)
    make_account(connection, "chef", (INSEE, Role.DISPATCHER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.3)
    with serving(options, open_to_all=False) as upstream, caddy(upstream, tmp_path) as address:
        yield address


def test_the_door_wants_tls_and_an_account_and_hides_the_inside(proxy: str, connection: Connection, tmp_path: Path):
    authority = tmp_path / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    trusted = ssl.create_default_context(cafile=str(authority))
    bins = f"/api/v1/communes/{INSEE}/bins"
    with httpx.Client(base_url=proxy, verify=trusted, timeout=20) as client:
        wait_until(lambda: serves(client), what="the first certificate")
        assert client.get(bins).status_code == 401
        assert client.post(f"/api/v1/communes/{INSEE}/service-events", json={}).status_code == 401
        assert client.get("/metrics").status_code == 404
        assert client.get("/health/ready").status_code == 404
        answer = log_in(client, "chef")
        assert answer.status_code == 303
        assert answer.headers["set-cookie"].startswith("voirie_session=")  # "localhost" is the loopback, over TLS too
        answer = client.get(bins, headers={"X-Request-ID": "through-the-door"})
        assert answer.status_code == 200
        assert answer.headers["X-Request-ID"] == "through-the-door"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert "Server" not in answer.headers
        assert client.get("/metrics").status_code == 404, "not with an account either"
        with client.stream("GET", f"/api/v1/communes/{INSEE}/live") as live:
            assert next(live.iter_lines()).startswith(("event:", "id:", "data:", "retry:", ":")), (
                "streams are not held back"
            )
    with httpx.Client(base_url=proxy, verify=trusted, timeout=20) as machine:
        assert machine.get(bins, headers=make_key(connection, INSEE, Role.DATA_READER)).status_code == 200


def test_a_line_of_the_log_has_no_query(tmp_path: Path):
    """Caddy logs a request that it cannot hand on, with its address: nobody's position belongs there."""
    program = os.environ.get("VOIRIE_TEST_CADDY") or shutil.which("caddy")
    if program is None:
        missing("caddy (VOIRIE_TEST_CADDY)")
    port, log = free_port(), tmp_path / "caddy.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SITE_ADDRESS": f"http://localhost:{port}",
        "HTTP_PORT": str(port),
        "API_UPSTREAM": f"127.0.0.1:{free_port()}",
    }
    settings = str(REPOSITORY / "config" / "compose" / "Caddyfile")
    command = [program, "run", "--config", settings, "--adapter", "caddyfile"]
    with log.open("wb") as written, subprocess.Popen(command, env=environment, stderr=written) as process:
        try:
            wait_until(lambda: answers(port), what="Caddy's port")
            assert httpx.get(f"http://localhost:{port}/api/v1/guidance?lon=2.5531&lat=48.8486").status_code == 502
            wait_until(lambda: "/api/v1/guidance" in log.read_text(), what="the line of the failure")
        finally:
            process.terminate()
    assert "2.5531" not in log.read_text()
    assert "48.8486" not in log.read_text()


def serves(client: httpx.Client) -> bool:
    try:
        client.get("/")
    except httpx.TransportError:
        return False
    return True
