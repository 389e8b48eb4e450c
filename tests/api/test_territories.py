"""Accounts of a territory read sums of its communes, and nothing else whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest
from fastapi import HTTPException
from hypothesis import example, given
from hypothesis import strategies as some

from api.access import ACCESS
from api.app import ApiOptions
from api.territory_sums import require_whole_months, withheld
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
FEBRUARY = {"from": "2026-02-01", "to": "2026-02-28"}
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
"""It goes on."""


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


def bays(rows: Connection, **streets: int) -> None:
    """So many more delivery bays in streets of these names, used in March as the observed one was."""
    for street, count in streets.items():
        rows.execute(
            "INSERT INTO place (commune_insee, place_id, kind, longitude_deg, latitude_deg, street)"
            " SELECT %(insee)s, %(street)s || number, 'delivery_bay', 2.55, 48.84, %(street)s"
            " FROM generate_series(1, %(count)s) AS number",
            {"insee": INSEE, "street": street, "count": count},
        )
    for copied in ("kerb_month", "kerb_street_month", "kerb_hour", "kerb_hour_span"):
        key, observed = ("place_id", "ADL-01") if copied == "kerb_month" else ("street", "Avenue Émile Cossonneau")
        rows.execute(
            f"INSERT INTO {copied} SELECT (jsonb_populate_record(old, jsonb_build_object('{key}', new.{key}))).*"  # type: ignore[call-overload]
            f" FROM {copied} AS old, (SELECT DISTINCT {key} FROM place WHERE street = ANY (%s)) AS new"
            f" WHERE old.{key} = %s",
            [list(streets), observed],
        )
    rows.commit()


@pytest.mark.usefixtures("observed")
def test_observatory_tells_a_territory_whole_months_of_places_enough(metropole: httpx.Client, rows: Connection):
    def status(**asked: str) -> int:
        return metropole.get(USAGE, params=MARCH | asked).status_code

    def streets(**asked: str) -> set[str]:
        groups = metropole.get(USAGE, params=MARCH | {"by": "street"} | asked).json()["groups"]
        lines = metropole.get(f"{USAGE}.csv", params=MARCH | {"by": "street"} | asked).text.splitlines()
        assert len(lines) - 1 == len(groups)
        return {group["street"] for group in groups}

    assert status() == 403, "March goes on"
    rows.execute("UPDATE observatory SET observed_until = '2026-03-31'")
    rows.commit()
    assert status() == 403, "of its last day nothing is known yet"
    rows.execute("UPDATE observatory SET observed_until = '2026-04-01'")
    rows.commit()
    # One bay has a sensor: nothing is told of it, by whatever it is asked for.
    assert metropole.get(USAGE, params=MARCH).json()["groups"] == []
    for asked in (
        {"by": "bay"},
        {"by": "street, bay"},
        {"place_id": "ADL-01"},
        {"street": "Avenue Émile Cossonneau"},
        {"from": "2026-03-02"},
        {"to": "2026-03-30"},
        {"compare": "2026-02-01..2026-02-27"},
        {"compare": "previous", "from": "2026-03-01"},
    ):
        assert status(**asked) == 403, asked
        assert metropole.get(f"{USAGE}.csv", params=MARCH | asked).status_code == 403
    # Nine bays are told, two and one are not, and five are left out with them, since three are too few by themselves.
    bays(rows, large=9, middle=5, small=2)
    assert streets() == {"large"}
    assert streets(by="street,hour") == {"large"}
    assert status(street="large") == 200
    assert status(street="small") == 403
    assert metropole.get(USAGE, params=MARCH).json()["groups"][0]["places"] == 17
    bays(rows, other=2)
    assert streets() == {"large", "middle"}
    # Who works for the commune as well reads what its role gives.
    account_id = accounts.by_name(rows, "ept").account_id
    accounts.grant(rows, account_id, Grant(commune_insee=INSEE, role=Role.DATA_READER))
    rows.commit()
    assert status(by="bay", compare="previous") == 200
    assert status(by="street", to="2026-03-03") == 200
    assert {"small", "other"} <= streets()


def test_rounds_are_told_a_territory_by_months_of_the_commune(metropole: httpx.Client):
    kpis = f"/api/v1/communes/{INSEE}/kpi"
    told = metropole.get(kpis).json()
    assert (told["first"], told["last"], told["by"]) == ("2026-02-01", "2026-02-28", "month")
    for path in (kpis, f"{kpis}.csv"):
        assert metropole.get(path, params=FEBRUARY | {"by": "month"}).status_code == 200
        for asked in ({"by": "day"}, {"by": "sector"}, {"to": "2026-02-01"}, {"from": "2026-02-10"}, MARCH):
            assert metropole.get(path, params=FEBRUARY | asked).status_code == 403, asked


@given(
    periods=some.lists(some.dictionaries(some.sampled_from("abcdefgh"), some.integers(1, 12)), min_size=1, max_size=3),
    fewest=some.integers(1, 8),
)
def test_nothing_told_and_nothing_left_between_it_and_the_whole_is_of_few_places(
    periods: list[dict[str, int]], fewest: int
):
    out = withheld(periods, fewest=fewest)
    for places in periods:
        told = {key: count for key, count in places.items() if key not in out}
        left = sum(places.values()) - sum(told.values())
        assert all(count >= fewest for count in told.values())
        assert left == 0 or left >= fewest or not told
    if all(count >= fewest for places in periods for count in places.values()):
        assert not out


@given(first=some.dates(), days=some.integers(0, 800), ago=some.integers(-40, 40))
@example(first=date(2024, 2, 1), days=28, ago=1)
@example(first=date(2024, 2, 1), days=28, ago=0)
def test_only_whole_months_that_are_over_are_whole_months(first: date, days: int, ago: int):
    last = first + timedelta(days=min(days, (date.max - first).days - 1))
    before = date.fromordinal(min(max(32, last.toordinal() + ago), date.max.toordinal()))
    whole = first.day == 1 and last.month != (last + timedelta(days=1)).month
    if whole and last < before:
        require_whole_months(first, last, before=before)
    else:
        with pytest.raises(HTTPException):
            require_whole_months(first, last, before=before)


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
