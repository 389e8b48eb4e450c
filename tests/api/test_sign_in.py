"""Logging in: by name and password, with a session that ends when it should; keys; and what is not let in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher

from api.app import ApiOptions
from storage import accounts
from storage.database import Connection, open_pool
from storage.isolation import IDENTITY, CommunePool
from storage.model import Grant, Role
from tests.api.accounts import OURS, PASSWORD, log_in, make_account, make_key
from tests.api.rows import INSEE
from tests.api.serving import client_of

BINS = f"/api/v1/communes/{INSEE}/bins"
BAY = "ADL-01"
EVENTS = f"/api/v1/communes/{INSEE}/events"


@pytest.fixture
def guarded(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE)
    with client_of(options, open_to_all=False) as client:
        yield client


def test_who_logs_in_is_let_in_until_they_log_out(guarded: httpx.Client):
    assert guarded.get(BINS).status_code == 401
    answer = log_in(guarded, "Chef ", after=f"{INSEE}/carte")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{INSEE}/carte"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert guarded.get(BINS).status_code == 200
    assert guarded.get(f"/{INSEE}/carte").status_code == 200
    assert "Chef" in guarded.get("/compte").text
    assert guarded.post("/deconnexion", headers=OURS).status_code == 303
    assert guarded.get(BINS).status_code == 401


def test_over_tls_the_cookie_is_bound_to_this_host(guarded: httpx.Client):
    headers = OURS | {"Host": "voirie.example"}
    cookie = guarded.post("/connexion", data={"name": "chef", "password": PASSWORD}, headers=headers).headers[
        "set-cookie"
    ]
    assert cookie.startswith("__Host-voirie_session=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie


def test_token_is_nowhere_in_the_database(guarded: httpx.Client, rows: Connection):
    log_in(guarded, "chef")
    token = guarded.cookies["voirie_session"]
    key = make_key(rows, INSEE, Role.DATA_READER)["Authorization"].removeprefix("Bearer ")
    for table in ("account", "login_session", "api_key", "login_failure"):
        told = str(rows.execute(f"SELECT * FROM {table}").fetchall())  # type: ignore[call-overload]
        assert token not in told
        assert key not in told
        assert PASSWORD not in told


def test_pages_lead_to_the_log_in_and_back(guarded: httpx.Client):
    answer = guarded.get(f"/{INSEE}/carte")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"../connexion?after={INSEE}/carte"
    page = guarded.get("/connexion", params={"after": f"{INSEE}/carte"})
    assert f'name="after" value="{INSEE}/carte"' in page.text


@pytest.mark.parametrize(
    "after", ["https://elsewhere.example/", "//elsewhere.example", "/x", "../x", "a/../../x", "a//b"]
)
def test_nobody_is_led_elsewhere(guarded: httpx.Client, after: str):
    assert log_in(guarded, "chef", after=after).headers["location"] == "./"


def test_failures_wait_longer_and_longer_and_tell_nothing(guarded: httpx.Client, rows: Connection):
    for name in ("chef", "nobody"):
        seen = [log_in(guarded, name, "wrong-wrong-wrong") for _ in range(6)]
        assert [answer.status_code for answer in seen] == [403] * 6
        assert ["retry-after" in answer.headers for answer in seen] == [False] * 4 + [True] * 2
        # The same words for a known name and an unknown one; and the right password is not looked at meanwhile.
        assert "ne vont pas ensemble" in seen[0].text
    assert log_in(guarded, "chef").status_code == 403
    rows.execute("UPDATE login_failure SET failed_at = failed_at - interval '31 seconds'")
    rows.commit()
    log_in(guarded, "chef", "wrong-wrong-wrong")
    rows.execute("UPDATE login_failure SET failed_at = failed_at - interval '31 seconds'")
    rows.commit()
    assert log_in(guarded, "chef").status_code == 403, "the sixth failure waits a minute"
    rows.execute("UPDATE login_failure SET failed_at = failed_at - interval '30 seconds'")
    rows.commit()
    assert log_in(guarded, "chef").status_code == 303


def test_sessions_end_by_themselves_and_by_hand(guarded: httpx.Client, rows: Connection):
    log_in(guarded, "chef")
    for change in (
        "seen_at = now() - interval '61 minutes'",
        "ends_at = now() - interval '1 second', opened_at = now() - interval '1 day'",
    ):
        rows.execute(f"UPDATE login_session SET {change}")  # type: ignore[call-overload]
        rows.commit()
        assert guarded.get(BINS).status_code == 401
        log_in(guarded, "chef")
        assert guarded.get(BINS).status_code == 200
    account = accounts.by_name(rows, "chef")
    assert accounts.end_sessions(rows, account.account_id) == 1
    rows.commit()
    assert guarded.get(BINS).status_code == 401


def test_drivers_sessions_outlive_a_shift_of_silence(guarded: httpx.Client, rows: Connection):
    make_account(rows, "driver", (INSEE, Role.DRIVER))
    log_in(guarded, "driver")
    rows.execute("UPDATE login_session SET seen_at = seen_at - interval '15 hours'")
    rows.commit()
    assert guarded.get(BINS).status_code == 200


def test_what_was_taken_back_counts_from_the_next_request(guarded: httpx.Client, rows: Connection):
    log_in(guarded, "chef")
    account = accounts.by_name(rows, "chef")
    accounts.withdraw(rows, account.account_id, Grant(commune_insee=INSEE, role=Role.DISPATCHER))
    rows.commit()
    assert guarded.get(BINS).status_code == 403
    accounts.disable(rows, account.account_id, disabled=True)
    rows.commit()
    assert guarded.get(BINS).status_code == 401
    assert log_in(guarded, "chef").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.example"}, {}],
)
def test_other_sites_change_nothing_with_our_cookie(guarded: httpx.Client, headers: dict[str, str]):
    log_in(guarded, "chef")
    assert guarded.post(EVENTS, json={"events": []}, headers=headers).status_code == 403
    assert guarded.post("/deconnexion", headers=headers).status_code == 403
    assert guarded.post(EVENTS, json={"events": []}, headers=OURS).status_code == 422
    assert guarded.post("/connexion", data={"name": "chef", "password": PASSWORD}, headers=headers).status_code == 403


def test_password_is_changed_by_who_knows_it(guarded: httpx.Client):
    log_in(guarded, "chef")
    address, fields = "/compte/mot-de-passe", {"password": PASSWORD, "new_password": "sixteen brown herons"}
    assert guarded.post(address, data=fields | {"password": "not-this-one-at-all"}, headers=OURS).status_code == 403
    assert guarded.post(address, data=fields | {"new_password": "chef123456789"}, headers=OURS).status_code == 422
    assert guarded.post(address, data=fields, headers=OURS).status_code == 303
    assert guarded.get(BINS).status_code == 401
    assert log_in(guarded, "chef").status_code == 403
    assert log_in(guarded, "chef", "sixteen brown herons").status_code == 303


def test_own_sessions_are_listed_and_ended(guarded: httpx.Client):
    log_in(guarded, "chef")
    elsewhere = guarded.cookies["voirie_session"]
    guarded.cookies.clear()
    log_in(guarded, "chef")
    ends = re.findall(r'action="(compte/sessions/[0-9a-f-]+/fin)"', guarded.get("/compte").text)
    assert len(ends) == 2
    assert guarded.post(f"/{ends[1]}", headers=OURS).status_code == 303
    assert guarded.get(BINS).status_code == 200
    guarded.cookies.clear()
    assert guarded.get(BINS, headers={"Cookie": f"voirie_session={elsewhere}"}).status_code == 401


def test_keys_hold_for_their_roles_until_they_end(guarded: httpx.Client, rows: Connection):
    key = make_key(rows, INSEE, Role.DATA_READER)
    assert guarded.get(BINS, headers=key).status_code == 200
    assert guarded.post(EVENTS, json={"events": []}, headers=key).status_code == 403
    (kept,) = accounts.keys(rows, INSEE)
    assert kept.last_used_at is not None
    assert key["Authorization"].removeprefix("Bearer ").startswith(kept.prefix)
    for wrong in (key["Authorization"] + "x", "Bearer x", "bearer voirie_00000000_x", b"Bearer \xff\xfe"):
        answer = guarded.get(BINS, headers=[("Authorization", wrong)])  # type: ignore[list-item]
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    accounts.revoke_key(rows, kept.prefix)
    rows.commit()
    assert guarded.get(BINS, headers=key).status_code == 401
    over = make_key(rows, INSEE, Role.DATA_READER)
    rows.execute("UPDATE api_key SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day'")
    rows.commit()
    assert guarded.get(BINS, headers=over).status_code == 401


def test_forms_that_are_none_are_refused(guarded: httpx.Client):
    assert guarded.post("/connexion", json={"name": "chef"}, headers=OURS).status_code == 415
    form = {"Content-Type": "application/x-www-form-urlencoded"} | OURS
    assert guarded.post("/connexion", content=b"name=%ff%fe&password=\xff", headers=form).status_code in {400, 403}
    assert guarded.post("/connexion", content=b"&".join([b"a=1"] * 50), headers=form).status_code == 400
    assert guarded.post("/connexion", content=b"", headers=form).status_code == 403


def test_who_has_outdated_parameters_gets_new_ones(guarded: httpx.Client, rows: Connection):
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    rows.execute("UPDATE account SET password_hash = %s", [old])
    rows.commit()
    assert log_in(guarded, "chef").status_code == 303
    kept = rows.execute("SELECT password_hash FROM account").fetchone()
    assert kept is not None
    assert kept[0] != old
    assert kept[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_who_may_log_in_is_seen_by_nobody_else(rows: Connection, database_url: str):
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    pool = CommunePool(open_pool(database_url, max_size=1), wait_s=10)
    try:
        for table in IDENTITY:
            with pool.transaction([INSEE]) as connection:
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # type: ignore[call-overload]
        with pool.identity() as connection:
            assert connection.execute("SELECT count(*) FROM account").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM bin").fetchone() == (0,)
    finally:
        pool.close()
    assert (
        accounts.sessions(rows, accounts.by_name(rows, "chef").account_id, now=datetime.now(UTC) + timedelta(0)) == []
    )


def test_what_is_done_carries_the_account_and_not_what_the_client_says(guarded: httpx.Client, rows: Connection):
    make_account(rows, "patrol2", (INSEE, Role.OFFICER))
    log_in(guarded, "patrol2")
    body = {"event_id": str(uuid4()), "holder_id": str(uuid4()), "by": "somebody else"}
    taken = guarded.post(f"/api/v1/communes/{INSEE}/checks/{BAY}/take", json=body, headers=OURS)
    assert taken.status_code == 200, taken.text
    assert taken.json()["held"]["by"] == "Patrol2"
    (told,) = guarded.get(f"/api/v1/communes/{INSEE}/checks/log").json()["events"]
    assert told["by"] == "Patrol2"
