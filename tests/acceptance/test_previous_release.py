"""The oldest code that may still run writes a real database, this version upgrades it, and both work on it at once.

The old code is taken from the history as it was and run by itself: its own migrations, its own writers, its own web
server. A copy without that history has nothing to take it from.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.app import ApiOptions
from storage import audit, bins, communes, people, plans, readings, retention, schema, schema_version
from storage.database import connect
from storage.retention_kinds import RetentionOptions
from tests.api.serving import client_of
from tests.conftest import Server
from tests.storage.town import INSEE, NOON
from tests.tools import REPOSITORY

PATHS = ("bins", "bins/COR-0001", "delivery-bays", "parking", "plans/latest", "kerb", "checks", "intake", "devices")
"""Routes of a commune that old pages and tablets ask."""

# The old code's own words: what it imports is what it was.
OLD = """
import json, sys
from datetime import timedelta
from uuid import uuid4
from storage import checks, plans, readings, schema
from storage.database import connect
from storage.model import CheckAct, CheckCause, CheckEvent
from tests.storage.town import INSEE, NOON, batch, fill, occupancy, plan, provision
from api.app import ApiOptions
from tests.api.serving import client_of

url, what, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
later = {"begin": timedelta(0), "go on": timedelta(days=1)}[what]
if what == "begin":
    schema.migrate(url)
with connect(url) as connection:
    if what == "begin":
        provision(connection)
    devices = dict(connection.execute("SELECT place_id, device_id FROM mounting"))
    hours = [NOON + later - timedelta(hours=number) for number in range(20)]
    taken = readings.take_in(connection, batch(
        fill_readings=tuple(fill(devices["COR-0001"], at, number / 20) for number, at in enumerate(hours)),
        occupancy_readings=tuple(
            occupancy(devices["ADL-01"], at, occupied=number % 2 == 0) for number, at in enumerate(hours)
        ),
    ))
    plans.save(connection, plan(checker={"accepted": True}))
    checks.close(connection, INSEE, CheckEvent(
        event_id=uuid4(), place_id="ADL-01", act=CheckAct.CLOSED, told_by="Patrouille 1", cause=CheckCause.GONE,
        comment="vu", happened_at=NOON + later), now=NOON + later)
    connection.commit()
with client_of(ApiOptions(database_url=url, commune_insee=INSEE)) as client:
    answers = {path: client.get(f"/api/v1/communes/{INSEE}/{path}") for path in paths}
    print(json.dumps({
        "stored": taken.stored,
        "ready": [client.get("/health/ready").status_code, client.get("/health/ready").text],
        "answers": {path: [answer.status_code, sorted(answer.json())] for path, answer in answers.items()},
    }))
"""


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def oldest_commit() -> str | None:
    """Return the first commit whose code says which schemas bear it, and whose schemas go one after the other.

    Code of before that promise refused every schema but its own. None without the history.
    """
    for commit in git("log", "--reverse", "--format=%H", "-S", "OLDEST_CODE =", "--", "storage").decode().split():
        if schemas_of(commit) >= int(schema_version.OLDEST_CODE):
            return commit
    return None


def schemas_of(commit: str) -> int:
    """Return how many schemas the code of a commit has, 0 when one is missing in between."""
    names = git("ls-tree", "--name-only", commit, "storage/migrations/versions/").decode().split()
    found = sorted(int(Path(name).name[:4]) for name in names if name.endswith(".py"))
    return len(found) if found == list(range(1, len(found) + 1)) else 0


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A folder with the last code of the oldest schema that may still run; None without the history."""
    commit = oldest_commit()
    content = git("archive", "--format=tar", commit) if commit else b""
    if not content:
        assert git("rev-parse", "--is-shallow-repository").strip() != b"false", "the history has no such code"
        return None
    folder = tmp_path_factory.mktemp("old_code")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder


type OldCode = Callable[[Literal["begin", "go on"]], dict[str, Any]]


@pytest.fixture
def upgraded(any_server: Server, old_code: Path | None) -> Iterator[tuple[str, OldCode] | None]:
    """A database that the old code made and filled, and this version migrated; with the old code, to go on with."""
    if old_code is None:
        yield None
        return
    made = any_server.create_database()
    name = conninfo_to_dict(made)["dbname"]
    with psycopg.connect(any_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    url = make_conninfo(any_server.url, dbname=name)

    def run(what: Literal["begin", "go on"]) -> dict[str, Any]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VOIRIE_")}
        done = subprocess.run(
            [sys.executable, "-c", OLD, url, what, *PATHS], cwd=old_code, capture_output=True, text=True, timeout=120,
            env=environment | {"PYTHONPATH": str(old_code)}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]

    begun = run("begin")
    assert begun["stored"] == 40
    with connect(url) as connection:
        found = schema_version.current_version(url)
        assert found is not None
        assert schema_version.OLDEST_CODE <= found < schema_version.head_version()
        connection.rollback()
    assert schema.migrate(url) == schema_version.head_version()
    yield url, run
    any_server.drop_database(made)


def test_a_database_of_the_oldest_code_is_upgraded_and_both_codes_work_on_it(upgraded: tuple[str, OldCode] | None):
    if upgraded is None:
        return
    url, old = upgraded
    # The old code reads, writes and serves on the new schema.
    gone_on = old("go on")
    assert gone_on["stored"] == 40
    assert gone_on["ready"][0] == 200, gone_on["ready"]
    assert {status for status, _ in gone_on["answers"].values()} == {200}
    # This code finds what the old one wrote before and after, and keeps its own promises on it.
    with connect(url) as connection:
        assert [commune.commune_insee for commune in communes.every(connection)] == [INSEE]
        assert readings.tally(connection, INSEE).stored == 80
        newest = bins.now(connection, INSEE, at=NOON.replace(day=12))
        assert {item.place_id for item in newest} == {"COR-0001", "COR-0002", "COR-0003"}
        plan = plans.latest(connection, INSEE)
        assert plan is not None
        assert [route.vehicle_id for route in plan.routes] == ["BOM-1"]
        chain = audit.examine(connection, INSEE)
        assert chain.broken is None, "what was told before there was a chain begins it, what the old code tells goes on"
        assert chain.entries == 7, "two plans drafted and published, one superseded, and two checks"
        person = people.find(connection, "Patrouille 1")
        assert len(people.export(connection, person)["kerb_check_event"]) == 2
        people.erase(connection, person, actor="operator:root")
        connection.commit()
        assert audit.examine(connection, INSEE).broken is None
    with connect(url, autocommit=True) as connection:
        retention.forget(
            connection, {INSEE: NOON.replace(year=2030)}, wall_now=datetime.now(UTC), options=RetentionOptions()
        )
        assert audit.examine(connection, INSEE).broken is None
    with client_of(ApiOptions(database_url=url, commune_insee=INSEE)) as client:
        for path in PATHS:
            answer = client.get(f"/api/v1/communes/{INSEE}/{path}")
            assert answer.status_code == 200, path
            missed = set(gone_on["answers"][path][1]) - set(answer.json())
            assert missed == set(), f"{path}: pages and tablets of before look for these"
