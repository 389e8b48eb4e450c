"""`voirie evaluate rounds` as somebody runs it who wants to know what it would save: one document, and a picture."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.commanding import run_voirie

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
SMALL = ("--bins", "30", "--days", "5", "--seeds", "1", "--warmup-days", "6", "--history-days", "12", "--tries", "1",
         "--iterations", "20", "--service", "0.99")  # fmt: skip
FIGURES = {
    "km_per_day", "hours_per_day", "bins_per_day", "service_level", "fill_at_emptying", "overflow_litres_per_day",
    "cost_per_day", "co2_kg_per_day",
}  # fmt: skip


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_voirie("evaluate", "rounds", *arguments, cwd=cwd, timeout_s=300)


def test_months_on_the_demos_streets_are_one_document_and_a_picture(tmp_path: Path):
    policies = ("fixed", "ours_50", "perfect", "fixed_hot")
    only = [word for name in policies for word in ("--only", name)]
    done = run(*SMALL, "--sensors", "0.5", *only, "--plot", "months.svg", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["policy"] for row in found["policies"]] == ["fixed", "ours_50", "perfect"]
    assert [row["policy"] for row in found["references"]] == ["fixed_hot"]
    for row in (*found["policies"], *found["references"]):
        assert set(row) >= FIGURES
        assert row["km_per_day"] > 0
        assert 0 < row["fill_at_emptying"] <= 1.3
    assert {row["policy"] for row in found["savings"]} == {"ours_50", "perfect", "fixed_hot"}
    assert found["options"]["sensors"] == 0.5
    assert 0 < found["assumptions"]["mean_daily_fill"] < 1
    assert "perfect: 5 days, town 1 of 1" in done.stderr
    assert (tmp_path / "months.svg").read_text(encoding="utf-8").count("<svg") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ("--streets", "nowhere.osm.pbf"), "there is no OpenStreetMap extract at nowhere.osm.pbf", id="file"
        ),
        pytest.param(("--service", "1"), "expected service in [0.5, 1), got 1.0", id="an impossible promise"),
        pytest.param(("--waste", "0"), "expected waste > 0, got 0.0", id="no waste"),
        pytest.param(("--only", "best"), "expected policies among fixed, threshold, ", id="a policy nobody knows"),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(arguments: tuple[str, ...], said: str, tmp_path: Path):
    done = run(*SMALL, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
