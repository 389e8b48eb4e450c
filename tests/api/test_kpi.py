"""What rounds came to, over HTTP: as JSON, as a file, and the former rounds that they are compared with."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from storage.database import Connection
from tests.api.rows import INSEE, save_plan

HERE = f"/api/v1/communes/{INSEE}"
DAY = {"from": "2026-03-11", "to": "2026-03-11"}
FORMER = "sector;weekday;km;hours;bins\nNord;mercredi;8,5;2;\n"


def test_figures_are_told_with_what_is_not_known_as_null(client: httpx.Client, rows: Connection):
    save_plan(rows)
    answer = client.get(f"{HERE}/kpi", params=DAY).json()
    assert (answer["first"], answer["last"], answer["by"], answer["co2_kg_per_km"]) == (*DAY.values(), "day", 0.8)
    (day,) = answer["kpis"]
    assert day["planned"] | {"overflows": 0} == {
        "days": 1, "km": 1.8, "hours": pytest.approx(11 / 60, abs=1e-4), "bins": 1, "fill_fraction": None,
        "overflows": 0, "co2_kg": pytest.approx(1.44),
    }  # fmt: skip
    assert day["former"] == {"km": None, "hours": None, "bins": None, "co2_kg": None}
    assert day["compared"] == {"days": 0, "done_km": None, "former_km": None, "km_saved_fraction": None}
    assert day["done"]["km"] is None


def test_without_days_it_is_the_last_four_weeks(client: httpx.Client):
    answer = client.get(f"{HERE}/kpi", params={"by": "month"}).json()
    assert (answer["first"], answer["last"]) == ("2026-02-10", "2026-03-09")
    assert [one["key"] for one in answer["kpis"]] == ["2026-02", "2026-03"]


def test_former_rounds_are_taken_whole_and_compared(client: httpx.Client, rows: Connection):
    save_plan(rows)
    tell = {"url": f"{HERE}/former-rounds.csv", "headers": {"content-type": "text/csv"}}
    assert client.post(content=FORMER, params={"dry_run": True}, **tell).json() == {"rounds": 1, "dry_run": True}
    assert client.get(f"{HERE}/former-rounds").json() == {"rounds": []}
    assert client.post(content=FORMER, **tell).json() == {"rounds": 1, "dry_run": False}
    assert client.get(f"{HERE}/former-rounds").json()["rounds"] == [
        {"sector": "Nord", "weekday": 3, "km": 8.5, "hours": 2, "bins": None, "computed": False, "source": ""}
    ]
    refused = client.post(content="sector,weekday,km,hours\nNord,8,1,1\n,1,1,1\nNord,2,,\n", **tell)
    assert refused.status_code == 422
    assert [fault["location"][:3] for fault in refused.json()["errors"]] == [["body", "line", n] for n in (2, 3, 4)]
    (day,) = client.get(f"{HERE}/kpi", params=DAY).json()["kpis"]
    assert day["former"]["km"] == 8.5  # what was told before is still there


def test_the_file_says_the_same_and_no_sector_is_a_formula(client: httpx.Client, rows: Connection):
    save_plan(rows)
    rows.execute("UPDATE bin SET sector = '=1+1' WHERE place_id = 'COR-0001'")
    rows.commit()
    answer = client.get(f"{HERE}/kpi.csv", params=DAY | {"by": "sector"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["key"], line["planned_km"], line["done_km"]) for line in lines] == [
        ("", "0.0", ""), ("'=1+1", "1.8", ""),
    ]  # fmt: skip


def test_impossible_days_are_refused(client: httpx.Client):
    assert client.get(f"{HERE}/kpi", params={"from": "2026-03-12", "to": "2026-03-11"}).status_code == 422
    assert client.get(f"{HERE}/kpi", params={"by": "year"}).status_code == 422
