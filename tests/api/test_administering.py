"""The administrator's pages: what they do counts at once, is noted, and ends at their own communes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.app import ApiOptions
from storage import accounts, audit, communes, second_factors
from storage.database import Connection
from storage.model import Commune, Grant, Role
from tests.api.accounts import OURS, log_in, make_account
from tests.api.rows import INSEE
from tests.api.serving import serving

OTHERS = "75056"
BINS = f"/api/v1/communes/{INSEE}/bins"
DEEDS = ("roles", "roles/retrait", "mot-de-passe", "second-facteur/retrait", "sessions/fin", "etat")
FRENCH = {"Accept-Language": "fr"}


@pytest.fixture
def url(database_url: str, rows: Connection) -> Iterator[str]:
    """A server of two communes, with an administrator of the first."""
    communes.save(rows, Commune(commune_insee=OTHERS, name="Paris", time_zone="Europe/Paris"))
    make_account(rows, "admin", (INSEE, Role.ADMINISTRATOR))
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as served:
        yield served


@contextmanager
def logged_in(url: str, name: str, *password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        assert log_in(client, name, *password).status_code == 303
        client.headers.update(OURS)
        yield client


def acts(rows: Connection, commune_insee: str) -> list[str]:
    rows.rollback()
    return [link.act for link in audit.links(rows, commune_insee)]


def roles(rows: Connection, name: str) -> list[tuple[str, Role]]:
    rows.rollback()
    found = accounts.grants(rows, accounts.by_name(rows, name).account_id)
    return [(one.commune_insee, one.role) for one in found]


def test_account_is_made_granted_reset_and_disabled_and_the_trail_has_it(url: str, rows: Connection):
    with logged_in(url, "admin") as admin:
        made = admin.post(
            "/comptes", data={"name": "Jo", "display_name": "Jo Petit", "commune": INSEE, "role": "driver"}
        )
        assert made.status_code == 200
        assert made.headers["cache-control"] == "no-store"
        [password] = re.findall(r"<code>(.+?)</code>", made.text)
        [address] = {str(one) for one in re.findall(r"/?(comptes/[0-9a-f-]{36})/roles\"", made.text)}
        assert "Jo Petit" in admin.get("/comptes").text
        with logged_in(url, "jo", password) as jo:
            assert jo.get(BINS).status_code == 200
            assert jo.get("/comptes").status_code == 403
            admin.post(f"/{address}/roles", data={"commune": INSEE, "role": "data_reader"})
            admin.post(f"/{address}/roles/retrait", data={"commune": INSEE, "role": "driver"})
            assert roles(rows, "jo") == [(INSEE, Role.DATA_READER)]
            assert jo.get(BINS).status_code == 200
            assert admin.post(f"/{address}/sessions/fin").status_code == 303
            assert jo.get(BINS).status_code == 401
        reset = admin.post(f"/{address}/mot-de-passe")
        [another] = re.findall(r"<code>(.+?)</code>", reset.text)
        assert another != password
        with logged_in(url, "jo", another) as jo:
            assert admin.post(f"/{address}/etat", data={"disabled": "yes"}).status_code == 303
            assert jo.get(BINS).status_code == 401
            assert log_in(jo, "jo", another).status_code == 403
            admin.post(f"/{address}/etat", data={"disabled": "no"})
            assert log_in(jo, "jo", another).status_code == 303
    assert acts(rows, audit.INSTALLATION) == [
        "account.added", "account.sessions_ended", "account.reset", "account.disabled", "account.enabled",
    ]  # fmt: skip
    assert acts(rows, INSEE) == ["account.granted", "account.granted", "account.withdrawn"]
    actors = {row[0] for row in rows.execute("SELECT DISTINCT actor FROM audit_note").fetchall()}
    assert actors == {f"account:{accounts.by_name(rows, 'admin').account_id}"}


def test_administrator_of_one_commune_reaches_nothing_of_another(url: str, rows: Connection):
    stranger = make_account(rows, "stranger", (OTHERS, Role.ADMINISTRATOR))
    shared = make_account(rows, "shared", (INSEE, Role.DRIVER), (OTHERS, Role.DISPATCHER))
    before = rows.execute("SELECT name, password_hash, disabled_at FROM account ORDER BY name").fetchall()
    rows.rollback()
    with logged_in(url, "admin") as admin, logged_in(url, "shared") as client:
        listed = admin.get("/comptes", headers=FRENCH).text
        assert "Shared" in listed
        assert "Stranger" not in listed
        assert OTHERS not in listed
        for path in (
            "",
            "/roles",
            "/roles/retrait",
            "/mot-de-passe",
            "/second-facteur/retrait",
            "/sessions/fin",
            "/etat",
        ):
            method = "GET" if path == "" else "POST"
            form = {"commune": INSEE, "role": "driver", "disabled": "yes"}
            answer = admin.request(method, f"/comptes/{stranger.account_id}{path}", data=form)
            assert answer.status_code == 404, path
        for path in ("/mot-de-passe", "/second-facteur/retrait", "/etat"):
            answer = admin.post(f"/comptes/{shared.account_id}{path}", data={"disabled": "yes"})
            assert answer.status_code == 403, path
        for path in ("/roles", "/roles/retrait"):
            form = {"commune": OTHERS, "role": "dispatcher"}
            assert admin.post(f"/comptes/{shared.account_id}{path}", data=form).status_code == 403
        form = {"name": "spy", "commune": OTHERS, "role": "administrator"}
        assert admin.post("/comptes", data=form).status_code == 403
        form = {"name": "spy", "commune": OTHERS, "role": "data_reader", "days": "3"}
        assert admin.post("/cles", data=form).status_code == 403
        assert client.get("/compte").status_code == 200
    rows.rollback()
    assert rows.execute("SELECT name, password_hash, disabled_at FROM account ORDER BY name").fetchall() == before
    assert roles(rows, "shared") == [(OTHERS, Role.DISPATCHER), (INSEE, Role.DRIVER)]


def test_administrators_do_not_lock_themselves_out(url: str, rows: Connection):
    me = accounts.by_name(rows, "admin").account_id
    rows.rollback()
    with logged_in(url, "admin") as admin:
        form = {"commune": INSEE, "role": "administrator", "disabled": "yes"}
        for path in ("roles/retrait", "etat", "second-facteur/retrait"):
            assert admin.post(f"/comptes/{me}/{path}", data=form).status_code == 409
        assert admin.get("/comptes").status_code == 200


def test_pages_say_what_is_wrong_and_change_nothing(url: str, rows: Connection):
    with logged_in(url, "admin") as admin:
        for name, told in (("admin", "déjà un compte"), ("a b", "sans espaces")):
            form = {"name": name, "display_name": "x", "commune": INSEE, "role": "driver"}
            answer = admin.post("/comptes", data=form, headers=FRENCH)
            assert answer.status_code == 422
            assert told in answer.text
        form = {"name": "x", "commune": INSEE, "role": "king"}
        assert admin.post("/comptes", data=form).status_code == 422
        for days in ("0", "731", "soon"):
            form = {"name": "x", "commune": INSEE, "role": "data_reader", "days": days}
            assert admin.post("/cles", data=form).status_code == 422
        other_site = {"Sec-Fetch-Site": "cross-site"}
        form = {"name": "x", "commune": INSEE, "role": "driver"}
        assert admin.post("/comptes", data=form, headers=other_site).status_code == 403
    assert [account.name for account in accounts.every(rows)] == ["admin"]
    assert accounts.keys(rows) == []


def test_key_is_shown_once_and_ends_at_once(url: str, rows: Connection):
    _, elsewhere = accounts.add_key(
        rows, name="theirs", commune_insee=OTHERS, roles=[Role.DATA_READER],
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )  # fmt: skip
    rows.commit()
    with logged_in(url, "admin") as admin:
        form = {"name": "portail", "commune": INSEE, "role": "data_reader", "days": "30"}
        made = admin.post("/cles", data=form)
        [secret] = re.findall(r"(voirie_[0-9a-f]{8}_[\w-]+)", made.text)
        listed = admin.get("/cles").text
        assert secret not in listed
        assert "portail" in listed
        assert "theirs" not in listed
        machine = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"{url}{BINS}", headers=machine, timeout=20).status_code == 200
        assert admin.post(f"/cles/{secret[:15]}/fin").status_code == 303
        assert httpx.get(f"{url}{BINS}", headers=machine, timeout=20).status_code == 401
        assert admin.post(f"/cles/{elsewhere[:15]}/fin").status_code == 404
    assert acts(rows, INSEE) == ["key.added", "key.revoked"]


def test_lost_phone_and_people_of_the_provider(url: str, rows: Connection):
    jo = make_account(rows, "jo", (INSEE, Role.DRIVER))
    rows.execute(
        "INSERT INTO second_factor (account_id, secret, last_step, enrolled_at) VALUES (%s, %s, 0, now())",
        [jo.account_id, "A" * 32],
    )
    come = accounts.add(rows, name="oidc:1", display_name="Amina", password=None)
    rows.execute(
        "INSERT INTO account_identity (issuer, subject, account_id, email) VALUES ('https://x', '1', %s, 'a@x')",
        [come.account_id],
    )
    rows.commit()
    with logged_in(url, "admin") as admin:
        assert admin.post(f"/comptes/{jo.account_id}/second-facteur/retrait").status_code == 303
        assert second_factors.of(rows, jo.account_id) is None
        # Who has just come has no role yet: every administrator sees them, and gives one.
        assert "a@x" in admin.get("/comptes").text
        admin.post(f"/comptes/{come.account_id}/roles", data={"commune": INSEE, "role": "officer"})
        assert admin.post(f"/comptes/{come.account_id}/mot-de-passe").status_code == 409
    assert accounts.grants(rows, come.account_id) == [Grant(commune_insee=INSEE, role=Role.OFFICER)]
