"""Who is on which device: a chef sees the crews or patrols that are theirs, and ends a session at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.app import ApiOptions
from storage import audit, communes, teams
from storage.database import Connection
from storage.model import Commune, Role
from tests.api.accounts import OURS, log_in, make_account
from tests.api.rows import INSEE
from tests.api.serving import serving

TEAM = f"/{INSEE}/equipe"
OTHERS = "75056"
BINS = f"/api/v1/communes/{INSEE}/bins"


@pytest.fixture
def url(database_url: str, rows: Connection) -> Iterator[str]:
    """A server with a driver, an officer, their chefs, a driver of another commune and one who is a chef too."""
    communes.save(rows, Commune(commune_insee=OTHERS, name="Paris", time_zone="Europe/Paris"))
    make_account(rows, "driver", (INSEE, Role.DRIVER))
    make_account(rows, "officer", (INSEE, Role.OFFICER))
    make_account(rows, "stranger", (OTHERS, Role.DRIVER))
    make_account(rows, "both", (INSEE, Role.DRIVER), (INSEE, Role.DISPATCHER))
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    make_account(rows, "parking", (INSEE, Role.PARKING_MANAGER))
    make_account(rows, "admin", (INSEE, Role.ADMINISTRATOR))
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as served:
        yield served


@contextmanager
def logged_in(url: str, name: str, **fields: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        assert log_in(client, name, **fields).status_code == 303
        yield client


def rows_of(page: str) -> list[list[str]]:
    """The texts of each row of the page's table."""
    told = re.findall(r"<tr>\s*(<td>.*?)</tr>", page, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
        for row in told
    ]


def sessions_of(page: str) -> list[str]:
    return re.findall(r"equipe/sessions/([0-9a-f-]{36})/fin", page)


def test_each_chef_sees_their_own_teams_and_nobody_else(url: str):
    with (
        logged_in(url, "driver", device="  tablette\tbenne 3 "),
        logged_in(url, "officer", device="téléphone 7"),
        logged_in(url, "stranger", device="elsewhere"),
        logged_in(url, "both", device="desk"),
    ):
        seen = {}
        for chef in ("chef", "parking", "admin"):
            with logged_in(url, chef) as client:
                seen[chef] = [row[0] for row in rows_of(client.get(TEAM).text)]
        assert seen == {
            "chef": ["tablette benne 3"],
            "parking": ["téléphone 7"],
            "admin": ["tablette benne 3", "téléphone 7"],
        }


def test_ended_device_is_led_to_the_log_in_at_its_next_request(url: str, rows: Connection):
    with logged_in(url, "driver", device="tablette benne 3") as tablet, logged_in(url, "chef") as chef:
        assert tablet.get(BINS).status_code == 200
        [session_id] = sessions_of(chef.get(TEAM).text)
        ended = f"{TEAM}/sessions/{session_id}/fin"
        assert chef.post(ended, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert tablet.get(BINS).status_code == 200
        assert chef.post(ended, headers=OURS).headers["location"] == f"../../../../{INSEE}/equipe"
        assert tablet.get(BINS).status_code == 401
        assert tablet.get(f"/{INSEE}/carte").headers["location"] == f"../connexion?after={INSEE}/carte"
        assert sessions_of(chef.get(TEAM).text) == []
        # Once more changes nothing, and is no error: somebody else was quicker.
        assert chef.post(ended, headers=OURS).status_code == 303
        assert 'value="tablette benne 3"' in tablet.get("/connexion").text, "the next crew is not asked again"
    [link] = [link for link in audit.links(rows, INSEE) if link.act == "session.ended"]
    rows.rollback()
    assert link.sequence == 1


def test_chef_ends_nobody_elses_session(url: str, rows: Connection):
    with (
        logged_in(url, "officer") as officer,
        logged_in(url, "stranger") as stranger,
        logged_in(url, "both") as both,
        logged_in(url, "chef") as chef,
    ):
        rows.rollback()
        every = [str(one[0]) for one in rows.execute("SELECT session_id FROM login_session").fetchall()]
        rows.rollback()
        assert len(every) == 4
        for session_id in every:
            chef.post(f"{TEAM}/sessions/{session_id}/fin", headers=OURS)
        for client in (officer, stranger, both, chef):
            assert client.get("/compte").status_code == 200


def test_session_is_never_renewed_past_its_shift(url: str, rows: Connection):
    with logged_in(url, "driver", device="tablette benne 3") as tablet:
        for _ in range(2):
            rows.execute("UPDATE login_session SET seen_at = seen_at - interval '2 minutes'")
            before = rows.execute("SELECT ends_at, ends_at - opened_at FROM login_session").fetchone()
            rows.commit()
            assert tablet.get(BINS).status_code == 200
            assert rows.execute("SELECT ends_at, ends_at - opened_at FROM login_session").fetchone() == before
        assert before is not None
        assert before[1].total_seconds() == ApiOptions(database_url="x", commune_insee=INSEE).shift_s
        rows.execute("UPDATE login_session SET ends_at = now() - interval '1 s', opened_at = now() - interval '1 day'")
        rows.commit()
        assert tablet.get(BINS).status_code == 401


def test_log_in_replaces_the_session_of_its_browser(url: str, rows: Connection):
    with logged_in(url, "driver", device="tablette benne 3") as tablet:
        assert log_in(tablet, "officer").status_code == 303
        found = rows.execute("SELECT a.name, s.device FROM login_session AS s JOIN account AS a USING (account_id)")
        assert found.fetchall() == [("officer", "tablette benne 3")]
        rows.rollback()
        assert tablet.post("/compte/appareil", data={"device": "vélo 2"}, headers=OURS).status_code == 303
        found = rows.execute("SELECT device FROM login_session")
        assert found.fetchall() == [("vélo 2",)]


@pytest.mark.parametrize(
    ("told", "name"),
    [("", None), (" \t\n", None), ("a  b\n", "a b"), ("x" * 80, "x" * 60), ("\u202etablette\x00", "tablette")],
)
def test_device_is_called_by_one_short_line(told: str, name: str | None):
    assert teams.device_of(told) == name
