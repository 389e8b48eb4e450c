"""`voirie kpi`, `voirie former` and `voirie sectors` as processes, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli import wiring
from cli.former import former_rounds_of
from cli.registry import desk
from cli.wiring import planner_options
from config.settings import Settings
from optimise.rounds.engines import best_engine
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from storage import places
from storage.database import connect
from storage.former_file import FormerLine
from storage.model import DisposalSite
from tests.api.rows import INSEE, save_commune, save_places, save_plan
from tests.commanding import run_voirie

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def voirie(database_url: str, tmp_path: Path) -> Run:
    """Runs the command on the database of a commune with one plan."""
    with connect(database_url) as connection:
        save_commune(connection)
        save_places(connection)
        save_plan(connection)

    def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return run_voirie(*arguments, cwd=tmp_path, given=given, VOIRIE_DATABASE__URL=database_url)

    return run


def test_sectors_former_rounds_and_figures(voirie: Run, tmp_path: Path):
    told = voirie("sectors", "import", "-", "--json", given="place_id,sector\nCOR-0001,Nord\nCOR-0002,Nord\n")
    assert json.loads(told.stdout) == {"bins": 2, "sectors": 1, "errors": [], "dry_run": False}
    assert json.loads(voirie("sectors", "list", "--json").stdout)["sectors"] == [
        {"sector": None, "bins": 1}, {"sector": "Nord", "bins": 2},
    ]  # fmt: skip
    former = voirie("former", "import", "-", "--json", given="sector,weekday,km,hours\nNord,3,6,2\n")
    assert json.loads(former.stdout) == {"rounds": 1, "computed": 0, "errors": [], "dry_run": False}
    assert json.loads(voirie("former", "list", "--json").stdout)["rounds"][0]["km"] == 6
    days = ("--from", "2026-03-09", "--to", "2026-03-15")
    done = voirie("kpi", *days, "--by", "sector", "--csv", "kpi.csv", "--json")
    assert done.returncode == 0, done.stderr
    north = json.loads(done.stdout)["kpis"][1]
    assert (north["key"], north["planned"]["km"], north["former"]["km"]) == ("Nord", 1.8, 6)
    assert (tmp_path / "kpi.csv").read_text(encoding="utf-8").splitlines()[0].startswith("key,days,planned_days,")
    assert "2026-03" in voirie("kpi", *days, "--by", "month").stdout


def test_former_rounds_are_computed_from_their_calendar(
    voirie: Run, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    voirie("sectors", "import", "-", given="place_id,sector\nCOR-0001,Nord\nCOR-0002,Nord\nCOR-0003,Sud\n")
    # The search ends by iterations here, so that no time decides.
    monkeypatch.setattr(best_engine, "BestEngine", ORToolsEngine)
    by_work = replace(planner_options(Settings()), solve_s=None, iterations=20)
    monkeypatch.setattr(wiring, "planner_options", lambda _settings: by_work)
    lines = [
        FormerLine(sector="Nord", weekday=1),
        FormerLine(sector="Sud", weekday=1),
        FormerLine(sector="Sud", weekday=2, km=3, hours=1),
    ]
    with desk(Settings(database={"url": database_url})) as at:  # type: ignore[arg-type]  # pydantic makes the table
        site = DisposalSite(
            commune_insee=INSEE, place_id="EXUTOIRE-1", longitude_deg=2.56, latitude_deg=48.84, street=None,
            unload_s=600,
        )  # fmt: skip
        places.save_disposal_sites(at.connection, [site])
        found = {(one.sector, one.weekday): one for one in former_rounds_of(at, lines, fill_fraction=0.4)}
    assert capsys.readouterr().err == "weekday 1: 3 bins of 2 sectors\n"
    # From 2.54 to 2.56 degrees east and back, times the detour factor.
    assert found["Nord", 1].km + found["Sud", 1].km == pytest.approx(2 * 0.02 * 73.2 * 1.4, rel=0.01)
    assert (found["Nord", 1].bins, found["Nord", 1].source) == (2, "great_circle x 1.4")
    assert (found["Sud", 2].km, found["Sud", 2].computed) == (3, False)


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (["kpi", "--from", "hier"], None, "--from: expected a day like 2026-03-11, got 'hier'"),
        (["kpi", "--by", "year"], None, "--by: expected one of day, sector, month, got 'year'"),
        (["former", "import", "-"], "sector,weekday\nNord,1\n", "line 2: expected km and hours"),
        (["sectors", "import", "-"], "place_id,sector\nCOR-9,Nord\n", "commune 93051 has no bin 'COR-9'"),
        (["former", "import", "-", "--compute"], "sector,weekday\nNord,1\n", "expected the commune to have disposal"),
    ],
)
def test_faults_are_told_and_nothing_is_kept(voirie: Run, arguments: list[str], given: str | None, sentence: str):
    done = voirie(*arguments, given=given)
    assert done.returncode == 2
    assert sentence in done.stderr
