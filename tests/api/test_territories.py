"""Accounts of a territory read sums of its communes, and nothing else whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.access import ACCESS
from api.app import ApiOptions
from storage import accounts, communes, territories
from storage.database import Connection
from storage.errors import InputError, NotFoundError
from storage.model import Commune, Grant, Role
from tests.api.accounts import log_in, make_account
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.api.test_access import ask, filled, operations

OTHERS, OUTSIDE = "93064", "75056"
SUMS = {"kpis", "kpis_file", "show_usage", "export_usage"}
USAGE = f"/api/v1/communes/{INSEE}/observatory"
WEEK = {"from": "2026-03-03", "to": "2026-03-09"}


@pytest.fixture
def metropole(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client logged in as an account of a territory of two communes, in an installation of three."""
    for insee in (OTHERS, OUTSIDE):
        communes.save(rows, Commune(commune_insee=insee, name=insee, time_zone="Europe/Paris"))
    territory = territories.save(rows, code="T9", name="Grand Est", communes_insee=[INSEE, OTHERS])
    account = make_account(rows, "ept")
    territories.grant(rows, account.account_id, territory)
    rows.commit()
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5)
    with client_of(options, open_to_all=False) as client:
        log_in(client, "ept")
        yield client


def test_sums_of_its_communes_and_nothing_else_are_seen(metropole: httpx.Client):
    seen = set()
    for name, method, path in operations():
        if "{commune_insee}" not in path or ACCESS[name].public or method != "GET":
            continue
        assert ask(metropole, method, filled(path, OUTSIDE), {}) == 403, name
        for insee in (INSEE, OTHERS):
            status = ask(metropole, method, filled(path, insee), {})
            assert status in {200, 403, 404, 422}, f"{name}: {status}"
            if status != 403:
                seen.add(name)
    assert seen == SUMS
    assert {name for name, access in ACCESS.items() if Role.TERRITORY_READER in access.roles} == SUMS


@pytest.mark.usefixtures("observed")
def test_observatory_tells_a_territory_no_single_place_and_no_single_day(metropole: httpx.Client, rows: Connection):
    def status(**asked: str) -> int:
        return metropole.get(USAGE, params=WEEK | asked).status_code

    assert status(by="street", compare="previous") == 200
    for asked in (
        {"by": "bay"},
        {"by": "street, bay"},
        {"place_id": "ADL-01"},
        {"from": "2026-03-04"},
        {"compare": "2026-03-01..2026-03-01"},
    ):
        assert status(**asked) == 403, asked
        assert metropole.get(f"{USAGE}.csv", params=WEEK | asked).status_code == 403
    # Who works for the commune as well reads what its role gives.
    account_id = accounts.by_name(rows, "ept").account_id
    accounts.grant(rows, account_id, Grant(commune_insee=INSEE, role=Role.DATA_READER))
    rows.commit()
    assert status(by="bay", compare="previous") == 200
    assert status(by="street", to="2026-03-03") == 200


def test_what_is_taken_back_and_who_joins_count_at_once(metropole: httpx.Client, rows: Connection):
    account_id = accounts.by_name(rows, "ept").account_id
    territories.save(rows, code="t9", name="Grand Est", communes_insee=[OTHERS, OUTSIDE])
    rows.commit()
    kpis = {insee: f"/api/v1/communes/{insee}/kpi" for insee in (INSEE, OTHERS, OUTSIDE)}
    assert {insee: metropole.get(path).status_code for insee, path in kpis.items()} == {
        INSEE: 403,
        OTHERS: 200,
        OUTSIDE: 200,
    }
    territories.withdraw(rows, account_id, territories.one(rows, "t9"))
    rows.commit()
    assert {metropole.get(path).status_code for path in kpis.values()} == {403}


def test_territory_that_cannot_be_is_refused(rows: Connection):
    for code, name, insee in (("", "x", [INSEE]), ("a b", "x", [INSEE]), ("t9", " ", [INSEE]), ("t9", "x", [])):
        with pytest.raises(InputError):
            territories.save(rows, code=code, name=name, communes_insee=insee)
    with pytest.raises(NotFoundError):
        territories.save(rows, code="t9", name="x", communes_insee=["99999"])
    assert territories.every(rows) == []
