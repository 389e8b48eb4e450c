"""Every error is problem details in one shape, and carries nothing of our insides."""

from __future__ import annotations

import httpx
import pytest
from structlog.testing import capture_logs

from api.app import ApiOptions
from storage import bins
from storage.database import Connection
from tests.api.rows import INSEE
from tests.api.serving import client_of

COMMUNE = f"/api/v1/communes/{INSEE}"


def _assert_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    problem: dict[str, object] = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "errors"}
    assert problem["status"] == status
    assert problem["type"] == f"urn:voirie:problem:{kind}"
    assert problem["instance"] == answer.request.url.path
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        (f"{COMMUNE}/bins/COR-9999", 404, "not-found"),  # no such bin
        (f"{COMMUNE}/bins/ADL-01", 404, "not-found"),  # a place, but no bin
        ("/api/v1/communes/75056/bins", 404, "not-found"),  # a commune that is not served
        ("/api/v1/communes/75056/live", 404, "not-found"),  # before a stream starts
        ("/api/v1/nothing", 404, "not-found"),  # no route
        (f"{COMMUNE}/streets", 404, "not-found"),  # no extract was given
        ("/static/nothing.js", 404, "not-found"),
        ("/api/v1/communes/Paris/bins", 422, "invalid-request"),
        (f"{COMMUNE}/bins/COR-0001/history?days=0", 422, "invalid-request"),
        (f"{COMMUNE}/delivery-bays?state=asleep", 422, "invalid-request"),
        (f"{COMMUNE}/plans/not-a-uuid", 422, "invalid-request"),
        (f"{COMMUNE}/service-events", 405, "method-not-allowed"),
    ],
)
def test_errors_have_one_shape(client: httpx.Client, path: str, status: int, kind: str):
    _assert_problem(client.get(path), status, kind)


def test_every_invalid_value_is_listed(client: httpx.Client):
    answer = client.get(f"{COMMUNE}/parking", params={"lon": 500, "radius_m": -1})
    problem = _assert_problem(answer, 422, "invalid-request")
    assert isinstance(problem["errors"], list)
    assert sorted(error["location"] for error in problem["errors"]) == [["query", "lon"], ["query", "radius_m"]]


def test_malformed_json_is_a_problem(client: httpx.Client):
    headers = {"content-type": "application/json"}
    answer = client.post(f"{COMMUNE}/service-events", content=b'{"events": [', headers=headers)
    _assert_problem(answer, 422, "invalid-request")


def test_failure_of_ours_shows_no_trace(client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("secret of /etc/voirie/secrets.toml")

    monkeypatch.setattr(bins, "now", fail)
    with capture_logs() as logged:
        answer = client.get(f"{COMMUNE}/bins")
    _assert_problem(answer, 500, "internal-error")
    assert [(entry["event"], entry["path"]) for entry in logged] == [("request_failed", f"{COMMUNE}/bins")]
    for insides in ("secret", "ZeroDivision", "Traceback", ".py"):
        assert insides not in answer.text


def test_database_that_does_not_answer_is_said_so():
    options = ApiOptions(
        database_url="postgresql://somebody:hush@127.0.0.1:1/nothing", commune_insee=INSEE, pool_wait_s=0.3
    )
    with client_of(options) as client:
        answer = client.get(f"{COMMUNE}/bins")
        _assert_problem(answer, 503, "service-unavailable")
        assert "hush" not in answer.text
        _assert_problem(client.get("/health/ready"), 503, "service-unavailable")
        assert client.get("/health/live").json() == {"status": "alive"}
        assert "voirie_database_up 0.0" in client.get("/metrics").text
        home = client.get("/")
        assert home.status_code == 200
        assert "La base de données ne répond pas" in home.text


def test_database_without_the_schema_is_not_ready(client: httpx.Client, rows: Connection):
    assert client.get("/health/ready").json()["status"] == "ready"
    rows.execute("UPDATE voirie_schema_version SET version_num = '0000'")
    rows.commit()
    problem = _assert_problem(client.get("/health/ready"), 503, "service-unavailable")
    assert "voirie migrate" in str(problem["detail"])


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"[" * 100_000, b'{"events": [' + b"9" * 5000 + b"]}", b"NaN", b"\x00"])
def test_body_that_is_no_json_is_a_problem(client: httpx.Client, body: bytes):
    answer = client.post(f"{COMMUNE}/service-events", content=body, headers={"content-type": "application/json"})
    _assert_problem(answer, 422, "invalid-request")
