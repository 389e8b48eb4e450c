"""`voirie accounts`, `keys` and `audit` as processes: what they make lets in, and what they did is told."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.app import ApiOptions
from storage.database import Connection
from tests.api.accounts import log_in
from tests.api.rows import INSEE, save_commune, save_places
from tests.api.serving import client_of
from tests.commanding import run_voirie

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
BINS = f"/api/v1/communes/{INSEE}/bins"

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def voirie(database_url: str, connection: Connection, tmp_path: Path) -> Run:
    save_commune(connection)
    save_places(connection)
    connection.commit()

    def run(*arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        return run_voirie(*arguments, cwd=tmp_path, given=typed, VOIRIE_DATABASE__URL=database_url)

    return run


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_an_account_lets_in_what_it_was_granted_and_until_it_ends(voirie: Run, database_url: str):
    where = ("--commune", INSEE, "--json")
    made = told(voirie("accounts", "add", "M.Martin", "--display", "M. Martin", "--role", "driver", *where))
    assert made["name"] == "m.martin"
    assert made["roles"] == {INSEE: ["driver"]}
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as client:
        assert log_in(client, "m.martin", made["password"]).status_code == 303
        assert client.get(BINS).status_code == 200
        told(voirie("accounts", "withdraw", "m.martin", "--role", "driver", *where))
        assert client.get(BINS).status_code == 403
        granted = told(voirie("accounts", "grant", "m.martin", "--role", "data-reader", "--role", "officer", *where))
        assert granted["roles"] == {INSEE: ["data_reader", "officer"]}
        assert client.get(BINS).status_code == 200
        assert told(voirie("accounts", "end-sessions", "m.martin", "--json")) == {"name": "m.martin", "ended": 1}
        assert client.get(BINS).status_code == 401

        typed = "sixteen brown herons\n"
        reset = told(voirie("accounts", "reset", "m.martin", "--password-stdin", "--json", typed=typed))
        assert "password" not in reset
        assert log_in(client, "m.martin", typed.strip(), device="tablette benne 3").status_code == 303
        assert told(voirie("accounts", "disable", "m.martin", "--json"))["disabled"] is True
        assert client.get(BINS).status_code == 401
        assert told(voirie("accounts", "disable", "m.martin", "--enable", "--json"))["disabled"] is False
        assert client.get(BINS).status_code == 200
        (session,) = told(voirie("accounts", "sessions", "--commune", INSEE, "--json"))["sessions"]
        assert (session["name"], session["device"]) == ("m.martin", "tablette benne 3")
        ended = told(voirie("accounts", "end-session", session["session_id"], "--json"))
        assert ended == {"session_id": session["session_id"], "name": "m.martin", "ended": True}
        assert client.get(BINS).status_code == 401
    assert voirie("accounts", "end-session", session["session_id"]).returncode == 1
    (listed,) = told(voirie("accounts", "list", "--json"))["accounts"]
    assert listed == granted


def test_a_territory_lets_its_account_read_sums_until_it_is_taken_back(voirie: Run, database_url: str):
    made = told(voirie("accounts", "add", "ept", "--json"))
    saved = told(voirie("communes", "territory", "save", "T9", "Grand Est", "--commune", INSEE, "--json"))
    assert saved == {"code": "t9", "name": "Grand Est", "communes": [INSEE], "accounts": []}
    granted = told(voirie("communes", "territory", "grant", "t9", "ept", "--json"))
    assert granted["accounts"] == ["ept"]
    assert told(voirie("communes", "territory", "list", "--json")) == {"territories": [granted]}
    kpi = f"/api/v1/communes/{INSEE}/kpi"
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as client:
        log_in(client, "ept", made["password"])
        assert client.get(kpi).status_code == 200
        assert client.get(BINS).status_code == 403
        assert told(voirie("communes", "territory", "withdraw", "t9", "ept", "--json"))["accounts"] == []
        assert client.get(kpi).status_code == 403


def test_a_key_lets_a_machine_in_until_it_is_revoked(voirie: Run, database_url: str):
    key = told(voirie("keys", "add", "open data", "--commune", INSEE, "--role", "data_reader", "--json"))
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as client:
        headers = {"Authorization": f"Bearer {key.pop('key')}"}
        assert client.get(BINS, headers=headers).status_code == 200
        (listed,) = told(voirie("keys", "list", "--json"))["keys"]
        assert listed["last_used_at"] is not None
        assert listed | {"last_used_at": None} == key
        assert told(voirie("keys", "revoke", key["prefix"], "--json")) == {"prefix": key["prefix"], "revoked": True}
        assert client.get(BINS, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("accounts", "add", "x", "--role", "driver"), 2, "expected --commune and at least one --role together"),
        (("accounts", "add", "x", "--commune", INSEE, "--role", "king"), 2, "role: expected one of dispatcher, driver"),
        (("accounts", "add", "a b"), 2, "name: expected 1 to 100 characters without spaces, got 'a b'"),
        (("accounts", "add", "x", "--commune", "75056", "--role", "driver"), 1, "`voirie communes add INSEE NAME`"),
        (("accounts", "reset", "nobody"), 1, "there is no account 'nobody': `voirie accounts list`"),
        (("keys", "revoke", "voirie_0"), 1, "no key that begins with 'voirie_0': `voirie keys list`"),
        (("audit", "verify", "--anchor", "anchor"), 2, "is not what `voirie audit export` writes"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(
    voirie: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
):
    (tmp_path / "anchor").write_text("{}", encoding="utf-8")
    done = voirie(*arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert told(voirie("accounts", "list", "--json")) == {"accounts": []}


def test_the_trail_tells_what_was_done_and_shows_tampering(voirie: Run, connection: Connection, tmp_path: Path):
    assert told(voirie("audit", "verify", "--json")) == {"chains": []}
    typed = "sixteen brown herons\n"
    where = ("--commune", INSEE, "--role", "officer")
    voirie("accounts", "add", "m.martin", "--password-stdin", *where, typed=typed)
    voirie("accounts", "withdraw", "m.martin", *where)
    voirie("keys", "add", "portal", *where)
    notes = connection.execute("SELECT act, actor, subject FROM audit_note ORDER BY note_id").fetchall()
    assert [act for act, _, _ in notes] == ["account.added", "account.granted", "account.withdrawn", "key.added"]
    assert all(actor.startswith("operator:") for _, actor, _ in notes)
    assert not any("martin" in subject for _, _, subject in notes), "ids, not names"

    heads = voirie("audit", "export", "--heads")
    (tmp_path / "anchor").write_text(heads.stdout, encoding="utf-8")
    whole = told(voirie("audit", "verify", "--anchor", "anchor", "--json"))["chains"]
    assert {chain["commune_insee"]: (chain["entries"], chain["whole"]) for chain in whole} == {
        "*": (1, True), INSEE: (3, True),
    }  # fmt: skip
    connection.execute("SET session_replication_role = replica")  # as somebody who is the database's administrator
    connection.execute("UPDATE audit_note SET actor = 'somebody else' WHERE act = 'account.withdrawn'")
    connection.commit()
    done = voirie("audit", "verify", "--json")
    assert done.returncode == 1
    broken = {chain["commune_insee"]: chain["broken"] for chain in json.loads(done.stdout)["chains"]}
    assert broken["*"] is None
    assert broken[INSEE]["sequence"] == 2
