"""Who may use which route: the table, played with every role against every route, and held to its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.access import ACCESS
from api.app import PAGES, ApiOptions, create_app
from storage import communes
from storage.database import Connection
from storage.model import Commune, Role
from tests.api.accounts import make_key
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.tools import REPOSITORY

OTHERS = "75056"
FILLED = {
    "place_id": "COR-0001",
    "account_id": "00000000-0000-0000-0000-000000000001",
    "prefix": "voirie_00000000",
    "plan_id": "00000000-0000-0000-0000-000000000001",
    "request_id": "00000000-0000-0000-0000-000000000001",
    "event_id": "00000000-0000-0000-0000-000000000001",
    "model_id": "00000000-0000-0000-0000-000000000001",
    "session_id": "00000000-0000-0000-0000-000000000001",
    "service_date": "2026-03-11",
    "route_index": "0",
    "vehicle_id": "BOM-1",
    "eui": "0011223344556677",
    "form": "gpx",
    "language": "en",
}


def document() -> dict[str, Any]:
    return create_app(ApiOptions(database_url="postgresql://nowhere", commune_insee=INSEE)).openapi()


def operations() -> list[tuple[str, str, str]]:
    """Each documented route: its name, method and path; and the pages."""
    found = [
        (operation["operationId"], method.upper(), path)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    for module in PAGES:
        found += [(route.name, min(route.methods), route.path) for route in module.router.routes]
    return found


def filled(path: str, commune_insee: str, **others: str) -> str:
    """Fill in the places of a path, those of `others` with their own."""
    values = FILLED | {"commune_insee": commune_insee} | others
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], path)


@pytest.fixture
def guarded(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client of the application as a town runs it: with accounts."""
    communes.save(rows, Commune(commune_insee=OTHERS, name="Paris", time_zone="Europe/Paris"))
    rows.commit()
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5)
    with client_of(options, open_to_all=False) as client:
        yield client


def test_every_route_stands_in_the_table_and_no_other():
    assert {name for name, _, _ in operations()} | {"openapi"} == set(ACCESS)


def test_page_on_identity_has_the_table():
    page = (REPOSITORY / "docs" / "identity.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page.split("## Who may use which route")[1], re.MULTILINE))
    assert set(told) == set(ACCESS)
    for name, access in ACCESS.items():
        if access.public:
            assert told[name] == "everybody"
        elif access.known:
            assert told[name] == "who has logged in"
        elif access.roles == frozenset(Role) - {Role.TERRITORY_READER}:
            assert told[name] == "every role of the commune"
        else:
            assert set(re.findall(r"`(\w+)`", told[name])) == access.roles


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> int:
    with client.stream(method, path, headers=headers) as answer:
        return answer.status_code


def test_table_of_roles_and_routes(guarded: httpx.Client, rows: Connection):
    """Each role against each route: what the table gives is let through, all else is 403, and without a key 401."""
    keys = {role: make_key(rows, INSEE, role) for role in Role}
    played = 0
    for name, method, path in operations():
        access = ACCESS[name]
        mine, others = filled(path, INSEE), filled(path, OTHERS)
        nobody = ask(guarded, method, mine, {})
        if access.public:
            assert nobody not in {401, 403} or name in {"sign_in", "second_step"}, (
                f"{name} is for everybody, got {nobody}"
            )
            continue
        is_page = method == "GET" and not path.startswith("/api/")
        assert nobody == (303 if is_page else 401), f"{name} without a key: {nobody}"
        for role, key in keys.items():
            status = ask(guarded, method, mine, key)
            if access.known or role in access.roles:
                assert status not in ({401, 500} if access.known else {401, 403, 500}), f"{name} as {role}: {status}"
            else:
                assert status == 403, f"{name} as {role}: {status}"
            if "{commune_insee}" in path:
                foreign = ask(guarded, method, others, key)
                assert foreign == 403, f"{name} as {role} of another commune: {foreign}"
            played += 1
    assert played > 300


def test_every_commune_is_refused_to_who_is_of_another(guarded: httpx.Client, rows: Connection):
    """With every role in one commune nothing of another is told, not even where an id is known there."""
    key = make_key(rows, OTHERS, *Role)
    for name, method, path in operations():
        if "{commune_insee}" in path and not ACCESS[name].public:
            with guarded.stream(method, filled(path, INSEE), headers=key) as answer:
                assert answer.status_code == 403, name
                assert "COR-" not in answer.read().decode().replace(filled(path, INSEE), "")
