"""The served application keeps what its OpenAPI document promises, whoever asks and whatever they send.

Schemathesis makes the requests from the document: examples, the edges of every parameter, and random ones. For each
role it plays the routes that the role may use, in a commune of its own. `scripts/fuzz` does the same for longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.access import ACCESS
from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from optimise.patrol.cpsat import SearchLimits
from optimise.patrol.planner import PatrolPlanner
from optimise.rounds.great_circle import GreatCircles
from storage.model import Role
from tests.api.serving import serving
from tests.conftest import Server
from tests.fuzzing.towns import COMMUNES, make_towns, plan_of
from tests.tools import REPOSITORY

SECONDS = int(os.environ.get("VOIRIE_TEST_FUZZ_S", "0"))
"""For how long each role is played; 0: a few examples each, the same ones every time."""
PUBLIC = sorted(name for name, access in ACCESS.items() if access.public)
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance",
    "every_error_is_a_problem", "another_commune_is_not_shown",
)  # fmt: skip
NEVER_ENDING = "live_events"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A served application with its communes."""

    url: str
    keys: dict[Role, str]


@pytest.fixture(scope="module")
def installation(timescaledb_server: Server) -> Iterator[Installation]:
    """The application as a town runs it, on TimescaleDB, that counts no requests."""
    url = timescaledb_server.create_database()
    keys = make_towns(url)
    options = ApiOptions(
        database_url=url, commune_insee=COMMUNES[Role.DISPATCHER], address_requests_per_minute=0,
        account_requests_per_minute=0,
    )  # fmt: skip
    planner = PatrolPlanner(
        travel=GreatCircles(detour_factor=1.3, speed_kmh=4.5), limits=SearchLimits(seconds=None, work=0.002)
    )
    ports = Ports(at_once=WorkerAtOnce(url), patrols=planner)
    with serving(options, ports, open_to_all=False) as base_url:
        yield Installation(url=base_url, keys=keys)
    timescaledb_server.drop_database(url)


def config_of(role: Role | None, key: str) -> str:
    """Where values come from that are there, nearly always: a commune, a plan or a bin of chance is never there."""
    mine = COMMUNES[role or Role.DISPATCHER]
    others = [insee for insee in COMMUNES.values() if insee != mine]
    words = {
        "communes": [mine] * 12 + others[:2],
        "plans": [str(plan_of(mine))] * 4 + [str(plan_of(others[0]))],
        "places": ["COR-0001", "COR-0002", "ADL-01", "STA-0001", "DEPOT-1"],
        "vehicles": ["BOM-1"],
        "waits": [0],  # no worker runs that would answer
    }
    where = {
        "path.commune_insee": "communes", "path.plan_id": "plans", "query.plan_id": "plans", "path.place_id": "places",
        "query.place_id": "places", "path.vehicle_id": "vehicles", "query.wait_s": "waits",
    }  # fmt: skip
    lines = [f"[dictionaries.{name}]\nvalues = {values!r}" for name, values in words.items()]
    lines.append("[phases.coverage]\nunexpected-methods = ['OPTIONS', 'PATCH']")
    lines.append("[parameters]")
    lines += [
        f'"{name}" = {{ dictionary = "{values}", probability = {1.0 if values == "waits" else 0.95} }}'
        for name, values in where.items()
    ]
    # The edges of a route's parameters do not depend on who asks: they are played by the first role that may use it.
    others_edges = sorted(name for name in _played_by(role) if first_role(name) is not role)
    if others_edges and not SECONDS:
        lines.append(
            f"[[operations]]\ninclude-operation-id = {others_edges!r}\n"
            "phases.coverage.enabled = false\nphases.examples.enabled = false"
        )
    if key:
        lines.insert(0, f"[headers]\nAuthorization = {key!r}")
    return "\n".join(lines) + "\n"


def _played_by(role: Role | None) -> list[str]:
    """The routes that a role plays: those that it may use, and nobody those that are for everybody."""
    documented = [name for name, access in ACCESS.items() if (role in access.roles if role else access.public)]
    return [name for name in documented if name != NEVER_ENDING]


def first_role(name: str) -> Role | None:
    """The role that plays a route's edges."""
    return min(ACCESS[name].roles, default=None)


def play(installation: Installation, role: Role | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have schemathesis play the routes that a role may use, or nobody without a key."""
    config = folder / "schemathesis.toml"
    config.write_text(config_of(role, installation.keys[role] if role else ""), encoding="utf-8")
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color", "run",
        f"{installation.url}/api/v1/openapi.json", "--checks", ",".join(CHECKS), "--seed", "1", "--no-shrink",
        "--warnings", "off", "--suppress-health-check", "all", "--request-timeout", "20",
        "--continue-on-failure",
        "--include-operation-id-regex", f"^({'|'.join(_played_by(role))})$",
    ]  # fmt: skip
    if SECONDS:
        command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(SECONDS)]
    else:
        command += [
            "--phases", "examples,coverage,fuzzing", "--max-examples", "2", "--generation-deterministic",
            "--workers", "2",
        ]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.fuzzing.hooks",
        "VOIRIE_TEST_FUZZ_COMMUNE": COMMUNES[role] if role else "",
        "VOIRIE_TEST_FUZZ_PUBLIC": " ".join(PUBLIC),
        "PYTHONPATH": str(REPOSITORY),
        "COLUMNS": "160",
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=270 + 2 * SECONDS, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(300 + 2 * SECONDS)
@pytest.mark.parametrize("role", [None, *sorted(Role)])
def test_promises_are_kept_whoever_asks(installation: Installation, role: Role | None, tmp_path: Path):
    played = play(installation, role, tmp_path)
    assert played.returncode == 0, played.stdout[-20_000:] + played.stderr[-5_000:]
