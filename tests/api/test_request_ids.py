"""A request has a name: in its answer, and in every line that is logged because of it."""

from __future__ import annotations

import re

import httpx
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from api.app import ApiOptions
from storage.database import Connection
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.tools import wait_until

NAME = "X-Request-ID"


def test_a_callers_id_comes_back_and_others_get_one(client: httpx.Client):
    assert client.get("/health/live", headers={NAME: "town-7.b_1"}).headers[NAME] == "town-7.b_1"
    made = [client.get("/health/live").headers[NAME] for _ in range(2)]
    assert made[0] != made[1]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in made)
    assert client.get("/api/v1/nothing").headers[NAME], "errors have one, too"


@pytest.mark.parametrize("harmful", ["a b", "x" * 65, "a;b", "<script>", '"', "-", "%0a"])
def test_what_would_do_harm_in_a_log_is_replaced(client: httpx.Client, harmful: str):
    assert re.fullmatch("[0-9a-f]{32}", client.get("/health/live", headers={NAME: harmful}).headers[NAME])


def test_lines_of_a_request_carry_its_id():
    """Without a database: the request fails in a thread of the pool, far from where the id was bound."""
    options = ApiOptions(
        database_url="postgresql://nobody@127.0.0.1:9/none", commune_insee=INSEE, pool_wait_s=0.1, log_requests=True
    )
    with client_of(options) as client, capture_logs(processors=[merge_contextvars]) as logged:
        assert client.get("/health/ready", headers={NAME: "mine"}).status_code == 503
        # The line is written after the answer has gone out.
        wait_until(lambda: any(line["event"] == "request_served" for line in logged), what="the request's line")
    lines = {line["event"]: line for line in logged if line.get("request_id") == "mine"}
    assert {"database_unavailable", "request_served"} <= set(lines)
    served = lines["request_served"]
    assert (served["operation"], served["status"], served["method"]) == ("health_ready", 503, "GET")


def test_no_line_says_where_somebody_is_or_wants_to_go(
    rows: Connection, database_url: str, caplog: pytest.LogCaptureFixture
):
    """Answered, refused and failed: guidance, checks and positions come as queries and bodies, and none is kept."""
    position = {"longitude_deg": 2.553217, "latitude_deg": 48.848611}
    where = {"lon": 2.553217, "lat": 48.848611}
    base = f"/api/v1/communes/{INSEE}"
    caplog.set_level("DEBUG")
    with capture_logs() as logged:
        for url in (database_url, "postgresql://nobody@127.0.0.1:9/none"):
            options = ApiOptions(database_url=url, commune_insee=INSEE, pool_wait_s=0.1, log_requests=True)
            with client_of(options) as client:
                statuses = [
                    client.get(f"{base}/guidance", params=where).status_code,
                    client.get(f"{base}/guidance", params=where | {"radius_m": -1}).status_code,
                    client.get(f"{base}/checks", params=where).status_code,
                    client.put(
                        f"{base}/vehicles/BOM-1/position", json={"told_at": "2026-03-10T10:00:00Z", **position}
                    ).status_code,
                    client.put(f"{base}/vehicles/BOM-1/position", json={"told_at": "never", **position}).status_code,
                ]
            assert set(statuses) == ({503} if "127.0.0.1:9" in url else {200, 422}), statuses
    wait_until(lambda: sum(line["event"] == "request_served" for line in logged) == 10, what="the requests' lines")
    # The client of this test, which is no part of the server, logs its own addresses.
    others = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    kept = f"{logged} {others}"
    assert "2.5532" not in kept
    assert "48.8486" not in kept
