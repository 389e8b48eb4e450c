"""The observatory, the advice and their page by command, on a real database."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimise.occupancy.observe import observe
from storage.database import connect
from tests.api.rows import INSEE, NOW
from tests.commanding import run_voirie
from tests.conftest import Server
from tests.kerb_street import save_street

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}


@pytest.fixture(scope="module")
def served(embedded_server: Server) -> Iterator[str]:
    """A database with the street, observed."""
    url = embedded_server.create_database()
    with connect(url) as connection:
        save_street(connection)
        observe(connection, INSEE, now=NOW)
        connection.execute("DELETE FROM simulation")  # a real town, whose streets nobody named
    yield url
    embedded_server.drop_database(url)


def voirie(*arguments: str, cwd: Path, url: str) -> subprocess.CompletedProcess[str]:
    return run_voirie(*arguments, cwd=cwd, timeout_s=120, VOIRIE_DATABASE__URL=url)


def test_the_observatory_prints_one_document_or_one_table(served: str, tmp_path: Path):
    asked = ("observatory", "--by", "bay", "--kind", "delivery_bay", "--to", "2026-03-08", "--compare", "previous")
    done = voirie(*asked, "--json", cwd=tmp_path, url=served)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["from"], document["to"]) == ("2026-02-09", "2026-03-08")
    groups = {group["place_id"]: group for group in document["groups"]}
    assert set(groups) == {"ADL-01", "ADL-02"}
    assert groups["ADL-01"]["refused_share"] > 0.3 > groups["ADL-02"]["refused_share"]
    table = voirie(*asked, "--csv", cwd=tmp_path, url=served)
    rows = {row["place_id"]: row for row in csv.DictReader(io.StringIO(table.stdout))}
    assert float(rows["ADL-01"]["occupied_share"]) == groups["ADL-01"]["occupied_share"]
    people = voirie(*asked, cwd=tmp_path, url=served)
    assert "ADL-01" in people.stdout


def test_the_advice_is_printed_and_drawn(served: str, tmp_path: Path):
    done = voirie("advise", "delivery-areas", "--weeks", "4", "--budget", "5000", "--json", cwd=tmp_path, url=served)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert 0 < document["cost_eur"] <= 5000
    assert document["constraints"] == {"budget_eur": 5000, "within_m": 100, "serve_all": False}
    page = voirie("report", "kerb", "--out", "page.html", "--json", cwd=tmp_path, url=served)
    assert page.returncode == 0, page.stderr
    assert json.loads(page.stdout)["advice_id"] == document["advice_id"]
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Marquer une place de livraison" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    usual = voirie("report", "kerb", cwd=tmp_path, url=served)
    assert usual.stdout.startswith(f"rapport-livraisons-{INSEE}.html: delivery bays ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["observatory", "--by", "moon"], "expected bay, street", id="by what nobody knows"),
        pytest.param(["observatory", "--from", "soon"], "--from: expected a day", id="no day"),
        pytest.param(["observatory", "--csv", "--json"], "name one of them", id="two forms"),
        pytest.param(["observatory", "--kind", "bin"], "--kind: expected delivery_bay", id="another kind"),
        pytest.param(["advise", "delivery-areas", "--budget", "-1"], "expected budget_eur >= 0", id="no budget"),
        pytest.param(["advise", "delivery-areas", "--streets", "none.pbf"], "there is no file", id="no streets"),
        pytest.param(["report", "kerb", "--out", "none/page.html"], "there is no folder", id="no folder"),
    ],
)
def test_what_cannot_be_is_said(served: str, tmp_path: Path, arguments: list[str], sentence: str):
    done = voirie(*arguments, cwd=tmp_path, url=served)
    assert done.returncode == 2, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""
