"""The second factor: asked for after the password, no code twice, and set up before its roles may do anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from api.app import ApiOptions
from storage import accounts, one_time_codes, second_factors
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import OURS, PASSWORD, log_in, make_account
from tests.api.rows import INSEE
from tests.api.serving import client_of

BINS = f"/api/v1/communes/{INSEE}/bins"
PAGE = f"/{INSEE}/carte"


@pytest.fixture
def guarded(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A server where dispatchers need a second factor and officers may have one."""
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    make_account(rows, "patrol", (INSEE, Role.OFFICER))
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, second_factor=frozenset({Role.DISPATCHER}))
    with client_of(options, open_to_all=False) as client:
        yield client


def begin(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    return client.post("/compte/second-facteur", data={"password": password}, headers=OURS)


def confirm(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/compte/second-facteur/confirmation", data={"code": code}, headers=OURS)


def give(client: httpx.Client, code: str, **fields: str) -> httpx.Response:
    return client.post("/connexion/code", data={"code": code, **fields}, headers=OURS)


def code_of(secret: str, *, steps: int = 0) -> str:
    return one_time_codes.code_at(secret, one_time_codes.step_at(datetime.now(UTC)) + steps)


def wrong_for(secret: str) -> str:
    near = {code_of(secret, steps=steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", *(f"{n:06d}" for n in range(1, 9))) if code not in near)


def enrolled(client: httpx.Client, name: str) -> tuple[str, list[str]]:
    """Log in and set a second factor up; returns the secret and the recovery codes that the page shows."""
    log_in(client, name)
    shown = begin(client)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert 'src="data:image/svg+xml' in shown.text
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", shown.text)[0]
    done = confirm(client, code_of(secret))
    assert done.status_code == 200
    return secret, re.findall(r"<li><code>([0-9a-z-]+)</code></li>", done.text)


def as_if_never_used(rows: Connection) -> None:
    """Codes of this half minute count again: a test does not wait for the next."""
    rows.execute("UPDATE second_factor SET last_step = 0")
    rows.commit()


def test_code_is_asked_for_after_the_password_and_counts_once(guarded: httpx.Client, rows: Connection):
    secret, _ = enrolled(guarded, "patrol")
    guarded.cookies.clear()
    half = log_in(guarded, "patrol", after=PAGE[1:])
    assert half.headers["location"] == f"connexion/code?after={PAGE[1:]}"
    assert "voirie_session" not in guarded.cookies
    assert guarded.get(PAGE).headers["location"].startswith("../connexion?"), "the password alone lets nobody in"
    assert guarded.get("/connexion/code").status_code == 200
    assert give(guarded, code_of(secret)).status_code == 403, "the code that confirmed it was used"
    as_if_never_used(rows)
    code = code_of(secret)
    answer = give(guarded, code, after=PAGE[1:])
    assert answer.status_code == 303
    assert answer.headers["location"] == f"../{PAGE[1:]}"
    assert guarded.get(PAGE).status_code == 200
    assert "voirie_half" not in guarded.cookies
    guarded.cookies.clear()
    log_in(guarded, "patrol")
    assert give(guarded, code).status_code == 403


def test_recovery_codes_count_once_each(guarded: httpx.Client):
    _, recovery = enrolled(guarded, "patrol")
    assert len(set(recovery)) == one_time_codes.RECOVERY_CODES
    for code, status in ((recovery[0], 303), (recovery[0], 403), (recovery[1].upper().replace("-", " "), 303)):
        guarded.cookies.clear()
        log_in(guarded, "patrol")
        assert give(guarded, code).status_code == status
    assert (
        "codes de secours restants\N{NO-BREAK SPACE}: 8"
        in guarded.get("/compte", headers={"Accept-Language": "fr"}).text
    )


def test_tries_wait_and_the_right_password_does_not_forget_them(guarded: httpx.Client, rows: Connection):
    secret, _ = enrolled(guarded, "patrol")
    as_if_never_used(rows)
    for _ in range(5):
        guarded.cookies.clear()
        log_in(guarded, "patrol")
        answer = give(guarded, wrong_for(secret))
        assert answer.status_code == 403
    assert "retry-after" in answer.headers
    guarded.cookies.clear()
    log_in(guarded, "patrol")
    assert give(guarded, code_of(secret)).status_code == 403
    rows.execute("UPDATE login_failure SET failed_at = failed_at - interval '31 seconds'")
    rows.commit()
    assert give(guarded, code_of(secret)).status_code == 303


@pytest.mark.parametrize("ended", ["late", "password", "disabled", "elsewhere"])
def test_log_in_without_its_code_ends(guarded: httpx.Client, rows: Connection, ended: str):
    secret, _ = enrolled(guarded, "patrol")
    as_if_never_used(rows)
    guarded.cookies.clear()
    log_in(guarded, "patrol")
    account = accounts.by_name(rows, "patrol")
    if ended == "late":
        rows.execute("UPDATE login_half SET ends_at = ends_at - interval '5 minutes'")
    elif ended == "password":
        accounts.set_password(rows, account, "sixteen brown herons")
    elif ended == "disabled":
        accounts.disable(rows, account.account_id, disabled=True)
    rows.commit()
    headers = {"Sec-Fetch-Site": "cross-site"} if ended == "elsewhere" else OURS
    answer = guarded.post("/connexion/code", data={"code": code_of(secret)}, headers=headers)
    assert answer.status_code == (403 if ended == "elsewhere" else 303)
    assert guarded.get(PAGE).headers["location"].startswith("../connexion")


def test_role_that_needs_it_may_do_nothing_before(guarded: httpx.Client):
    log_in(guarded, "chef")
    assert guarded.get(PAGE).headers["location"] == "../compte"
    assert guarded.get(BINS).status_code == 403
    assert guarded.get("/compte").status_code == 200
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", begin(guarded).text)[0]
    assert guarded.get(BINS).status_code == 403, "what is begun does not count yet"
    assert confirm(guarded, wrong_for(secret)).status_code == 422
    assert guarded.get(BINS).status_code == 403
    assert confirm(guarded, code_of(secret)).status_code == 200
    assert guarded.get(BINS).status_code == 200
    assert guarded.get(PAGE).status_code == 200


def test_setting_it_up_needs_the_password_and_ends_sessions_elsewhere(guarded: httpx.Client):
    log_in(guarded, "patrol")
    elsewhere = guarded.cookies["voirie_session"]
    assert begin(guarded, "not-this-one-at-all").status_code == 403
    assert confirm(guarded, "123456").status_code == 303, "nothing was begun"
    guarded.cookies.clear()
    secret, _ = enrolled(guarded, "patrol")
    assert guarded.get(PAGE).status_code == 200
    assert begin(guarded).status_code == 409, "one that counts is not replaced by who has the session and the password"
    assert confirm(guarded, code_of(secret)).status_code == 409
    guarded.cookies.clear()
    assert guarded.get(PAGE, headers={"Cookie": f"voirie_session={elsewhere}"}).status_code == 303


def test_administrator_takes_it_away(guarded: httpx.Client, rows: Connection):
    enrolled(guarded, "patrol")
    account_id: UUID = accounts.by_name(rows, "patrol").account_id
    second_factors.remove(rows, account_id)
    rows.commit()
    assert guarded.get(PAGE).status_code == 303
    assert log_in(guarded, "patrol").headers["location"] == "./"
    assert second_factors.of(rows, account_id) is None


def test_tokens_and_recovery_codes_are_nowhere_in_the_database(guarded: httpx.Client, rows: Connection):
    _, recovery = enrolled(guarded, "patrol")
    guarded.cookies.clear()
    log_in(guarded, "patrol")
    told = str(rows.execute("SELECT * FROM second_factor").fetchall())
    told += str(rows.execute("SELECT * FROM login_half").fetchall())
    assert guarded.cookies["voirie_half"] not in told
    assert not any(code in told or code.replace("-", "") in told for code in recovery)
