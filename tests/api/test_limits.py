"""What is too long, too deep or too often is refused at the door, as problem details, and leaves others alone."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from api.app import ApiOptions
from api.bounds import MOST_HEADER_BYTES, MOST_HEADERS, MOST_URL_BYTES, address_key
from storage.database import Connection
from storage.json_depth import MOST_LEVELS
from storage.model import Role
from tests.api.accounts import log_in, make_account, make_key
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.tools import wait_until

COMMUNE = f"/api/v1/communes/{INSEE}"
PROXY = ("127.0.0.1/32",)


def assert_problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
    told = answer.json()
    assert told["type"] == f"urn:voirie:problem:{kind}"
    assert told["status"] == status


@pytest.fixture
def guarded(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client of the application as a town runs it, with little patience."""
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, address_requests_per_minute=12, account_requests_per_minute=6
    )
    with client_of(options, open_to_all=False, trusted_proxies=PROXY) as client:
        yield client


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


# --- too long and too deep -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health/live", "/static/css/", "/nowhere", f"{COMMUNE}/bins"])
def test_long_address_is_refused_wherever_it_leads(shared_client: httpx.Client, path: str):
    assert_problem(shared_client.get(path, params={"x": "a" * MOST_URL_BYTES}), 414, "uri-too-long")
    assert_problem(shared_client.get(f"{path}{'a' * MOST_URL_BYTES}"), 414, "uri-too-long")


def test_address_that_just_fits_is_read(shared_client: httpx.Client):
    room = MOST_URL_BYTES - len("/health/live") - len("x=")
    assert shared_client.get("/health/live", params={"x": "a" * room}).status_code == 200
    assert shared_client.get("/health/live", params={"x": "a" * (room + 1)}).status_code == 414


def test_many_or_long_headers_are_refused(shared_client: httpx.Client):
    long = shared_client.get("/health/live", headers={"X-Long": "a" * MOST_HEADER_BYTES})
    assert_problem(long, 431, "header-fields-too-large")
    many = shared_client.get("/health/live", headers={f"X-{number}": "a" for number in range(MOST_HEADERS)})
    assert_problem(many, 431, "header-fields-too-large")


def test_body_that_is_too_long_is_refused_before_it_is_whole(shared_client: httpx.Client):
    answer = shared_client.post(
        f"{COMMUNE}/service-events", content=b" " * 1_048_577, headers={"Content-Type": "text/csv"}
    )
    assert_problem(answer, 413, "content-too-large")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/JSON; charset=utf-8", "application/geo+json"]
)
@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_deep_json_is_refused_whatever_it_is_called(shared_client: httpx.Client, content_type: str, opening: str):
    body = '{"events":' + opening * 100_000
    answer = shared_client.post(f"{COMMUNE}/service-events", content=body, headers={"Content-Type": content_type})
    assert_problem(answer, 422, "invalid-request")


def test_depth_that_is_allowed_reaches_who_reads_it(shared_client: httpx.Client):
    inner: object = 1
    for _ in range(MOST_LEVELS - 1):
        inner = [inner]
    answer = shared_client.post(f"{COMMUNE}/service-events", json={"events": inner})
    assert_problem(answer, 422, "invalid-request")
    assert "levels" not in answer.json()["detail"]


@pytest.mark.parametrize("host", ["[", "a b", "é", "x/../y", "a@b", "", "[::1", "a:99999999", "<script>"])
def test_host_that_names_none_is_a_bad_request(shared_client: httpx.Client, host: str):
    server = urlsplit(str(shared_client.base_url))
    with socket.create_connection((server.hostname or "", server.port or 0), timeout=10) as line:
        line.sendall(f"GET /connexion HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        told = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = told.partition(b"\r\n\r\n")
    assert b" 400 " in head.split(b"\r\n")[0]
    if b"application/problem+json" in head:  # else it was no HTTP at all, which the server itself says
        assert json.loads(body)["type"] == "urn:voirie:problem:bad-request"


# --- methods, types and paths that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", f"{COMMUNE}/bins", 405, "GET"),
        ("OPTIONS", f"{COMMUNE}/devices.csv", 405, "GET, POST"),
        ("TRACE", f"{COMMUNE}/devices/24e124713b000001", 405, "GET, PUT"),
        ("HEAD", f"{COMMUNE}/bins", 405, "GET"),
        ("DELETE", "/connexion", 405, "GET, POST"),
        ("POST", "/static/voirie.svg", 405, None),
        ("OPTIONS", "/nowhere", 404, None),
        ("HEAD", "/static/nowhere.js", 404, None),
        ("BREW", "/nowhere", 404, None),
        ("GET", "/%00", 404, None),
        ("GET", "/static/..%2f..%2fapp.py", 404, None),
        ("GET", "/static/%2e%2e/app.py", 404, None),
    ],
)
def test_every_error_has_one_shape(shared_client: httpx.Client, method: str, path: str, status: int, allow: str | None):
    answer = shared_client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert allow is None or answer.headers["allow"] == allow
    if method == "HEAD":
        assert not answer.content
    else:
        assert answer.json()["status"] == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "", "é", "a/b/c"])
def test_body_of_another_type_is_refused_in_the_same_shape(shared_client: httpx.Client, content_type: str):
    answer = shared_client.post(
        f"{COMMUNE}/service-events", content=b'{"events": []}', headers=[(b"content-type", content_type.encode())]
    )
    assert_problem(answer, 422, "invalid-request")


# --- too often -------------------------------------------------------------------------------------------------------


def test_address_that_asks_too_often_is_told_when_to_come_again(guarded: httpx.Client):
    answers = [guarded.get("/health/live", headers=from_address("203.0.113.7")) for _ in range(14)]
    assert [answer.status_code for answer in answers[:12]] == [200] * 12
    assert_problem(answers[-1], 429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 6
    assert guarded.get("/health/live", headers=from_address("203.0.113.8")).status_code == 200


def test_pages_files_and_what_is_not_there_count_too(guarded: httpx.Client):
    paths = ["/connexion", "/static/voirie.svg", "/nowhere", f"{COMMUNE}/bins"]
    statuses = [guarded.get(paths[turn % 4], headers=from_address("203.0.113.9")).status_code for turn in range(16)]
    assert 429 not in statuses[:12]
    assert set(statuses[12:]) == {429}


def test_household_does_not_escape_by_changing_its_address(guarded: httpx.Client):
    statuses = [
        guarded.get("/health/live", headers=from_address(f"2001:db8:0:7::{number:x}")).status_code
        for number in range(14)
    ]
    assert statuses[-1] == 429
    assert guarded.get("/health/live", headers=from_address("2001:db8:0:8::1")).status_code == 200


def test_nobody_but_a_trusted_proxy_says_for_whom_they_ask(database_url: str, rows: Connection):
    """From the web, a made-up X-Forwarded-For is another client's name at most when a proxy of ours passes it on."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, address_requests_per_minute=3)
    with client_of(options, open_to_all=False, trusted_proxies=["192.0.2.0/24"]) as client:
        for _ in range(8):  # the loopback itself is not counted, and its word is not taken
            assert client.get("/health/live", headers=from_address("203.0.113.7")).status_code == 200


def test_account_is_counted_wherever_it_asks_from(guarded: httpx.Client, rows: Connection):
    key, other = make_key(rows, INSEE, Role.DISPATCHER), make_key(rows, INSEE, Role.DISPATCHER)
    answers = [
        guarded.get(f"{COMMUNE}/bins", headers=key | from_address(f"198.51.100.{number}")) for number in range(8)
    ]
    assert [answer.status_code for answer in answers[:6]] == [200] * 6
    assert_problem(answers[-1], 429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 11
    assert guarded.get(f"{COMMUNE}/bins", headers=other).status_code == 200


def test_person_with_two_sessions_is_one(guarded: httpx.Client, rows: Connection):
    make_account(rows, "m.martin", (INSEE, Role.DISPATCHER))
    statuses = []
    for _ in range(2):
        guarded.cookies.clear()
        assert log_in(guarded, "m.martin").status_code == 303
        statuses += [guarded.get(f"{COMMUNE}/bins").status_code for _ in range(4)]
    assert statuses.count(200) <= 6
    assert statuses[-1] == 429


def test_who_waits_as_told_is_served(database_url: str, rows: Connection):
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, address_requests_per_minute=60)
    with client_of(options, open_to_all=False, trusted_proxies=PROXY) as client:
        headers = from_address("203.0.113.7")
        while (answer := client.get("/health/live", headers=headers)).status_code == 200:
            pass
        again_at_s = time.monotonic() + int(answer.headers["retry-after"])
        wait_until(lambda: time.monotonic() >= again_at_s, what="the time that the answer named")
        assert client.get("/health/live", headers=headers).status_code == 200


def test_open_accounts_and_the_machine_itself_are_not_counted(database_url: str, rows: Connection):
    options = ApiOptions(
        database_url=database_url, commune_insee=INSEE, address_requests_per_minute=2, account_requests_per_minute=2
    )
    with client_of(options, trusted_proxies=PROXY) as client:
        for _ in range(6):
            assert client.get(f"{COMMUNE}/bins", headers=from_address("203.0.113.7")).status_code == 200
    with client_of(options, open_to_all=False, trusted_proxies=PROXY) as client:
        for _ in range(6):
            assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("127.0.0.1", None),
        ("127.8.8.8", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown" * 100, ("unknown" * 100)[:64]),
    ],
)
def test_what_a_client_is_counted_by(host: str, key: str | None):
    assert address_key(host) == key
