"""`voirie decode` as an integrator runs it: without settings, one JSON document, one sentence when it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.decoders import built_in_models
from tests.commanding import ENVIRONMENT, run_voirie
from tests.tools import REPOSITORY, children_cpu_s

EM310 = ("--model", "milesight-em310-udl", "--port", "85")
READING = {"distance_mm": 2116, "battery_percent": 92, "tilted": True, "quality": "ok"}


def run(*arguments: str, cwd: Path, given: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    return run_voirie("decode", *arguments, cwd=cwd, given=given)


def document(*arguments: str, cwd: Path, given: str | bytes = b"", code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "--json", cwd=cwd, given=given)
    assert (done.returncode, done.stderr) == (code, "")
    found = json.loads(done.stdout)
    assert list(found) == ["readings", "info", "errors"]
    return found


def test_a_frame_in_json(tmp_path: Path):
    found = document(*EM310, "01755c03824408040001", cwd=tmp_path)
    assert found == {"readings": [READING], "info": {}, "errors": []}


@pytest.mark.parametrize(
    ("payload", "given"),
    [
        pytest.param(["01 75 5C 03 82 44 08 04 00 01"], "", id="spaces"),
        pytest.param(["01", "75", "5c", "0382", "4408", "040001"], "", id="words"),
        pytest.param(["0x01755c03824408040001"], "", id="0x"),
        pytest.param(["0X01 0x75 0x5c 03:82:44:08:04:00:01"], "", id="0x and colons"),
        pytest.param(["-"], "01755C03\n824408040001\n", id="standard input"),
    ],
)
def test_hexadecimal_as_people_paste_it(payload: list[str], given: str, tmp_path: Path):
    assert document(*EM310, *payload, cwd=tmp_path, given=given)["readings"] == [READING]


def test_what_was_not_measured_is_left_out(tmp_path: Path):
    found = document(*EM310, "01755c0382000004 0000", cwd=tmp_path)
    assert found["readings"] == [{"battery_percent": 92, "tilted": False, "quality": "no_target"}]


def test_what_nobody_would_believe_is_left_out(tmp_path: Path):
    found = document("--model", "netvox-r718x", "--port", "6", "013401240003e819323200", cwd=tmp_path)
    assert found["readings"] == [{"distance_mm": 1000, "fill_percent": 50.0, "battery_v": 3.6, "quality": "ok"}]


def test_a_frame_about_the_device(tmp_path: Path):
    found = document("--model", "bosch-tps110", "--port", "3", "00" * 12 + "001700" + "0201", cwd=tmp_path)
    assert found["readings"] == []
    assert found["info"] == {
        "kind": "start_up",
        "debug_bytes": "00" * 12,
        "firmware_bytes": "001700",
        "reset_cause": "power_on",
        "occupied_flag": True,
    }


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            '{"readings": [{"measured_at": "2026-03-02T06:10:00+01:00", "fill_percent": 23.5}]}', id="a message"
        ),
        pytest.param('[{"measured_at": "2026-03-02T05:10:00Z", "fill_percent": 23.5}]', id="readings"),
        pytest.param('{"measured_at": "2026-03-02T05:10:00Z", "fill_percent": 23.5}', id="a reading"),
    ],
)
def test_native_json(given: str, tmp_path: Path):
    found = document("--model", "voirie-native", "-", cwd=tmp_path, given=given)
    expected = {"measured_at": "2026-03-02T05:10:00+00:00", "fill_percent": 23.5, "quality": "ok"}
    assert found["readings"] == [expected]


def test_a_bad_reading_does_not_hide_the_others(tmp_path: Path):
    readings = '[{"measured_at": "2026-03-02T05:10:00Z", "occupied": true}, {"occupied": true}]'
    found = document("--model", "voirie-native", readings, cwd=tmp_path)
    assert found["readings"] == [{"measured_at": "2026-03-02T05:10:00+00:00", "occupied": True, "quality": "ok"}]
    assert len(found["errors"]) == 1
    assert found["errors"][0].startswith("reading 1: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--model", "bosch-tps110", "--port", "9", "01"], "fPort 9", id="not of the model"),
        pytest.param(["--model", "bosch-tps110", "01"], "no --port was given", id="a port is needed"),
        pytest.param(["--model", "dragino-ldds75", "01"], "came without (no --port was given)", id="as of the others"),
        pytest.param(["--model", "bosch-tps110", '{"occupied": true}'], "a type of the TPS110", id="a foreign object"),
        pytest.param(["--model", "voirie-native", '{"readings": [{}]}'], "measured_at", id="no reading is good"),
    ],
)
def test_a_frame_that_cannot_be_read_is_a_document_and_exit_code_1(arguments: list[str], sentence: str, tmp_path: Path):
    found = document(*arguments, cwd=tmp_path, code=1)
    assert found["readings"] == []
    assert found["info"] == {}
    assert len(found["errors"]) == 1
    assert sentence in found["errors"][0]


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        pytest.param([*EM310, "01755"], b"", "two hexadecimal digits for each byte, got 5", id="odd"),
        pytest.param([*EM310, "0x1 0x7"], b"", "two hexadecimal digits for each byte, got 1", id="odd groups"),
        pytest.param([*EM310, "017g"], b"", "expected hexadecimal digits, got '017g'", id="no digit"),
        pytest.param([*EM310, "1234567٢"], b"", "expected hexadecimal digits", id="digits of another script"),
        pytest.param([*EM310, "-"], b"\xff\xfe\x00", "expected hexadecimal digits", id="bytes on standard input"),
        pytest.param([*EM310, "-"], b" \n", "got an empty text", id="nothing on standard input"),
        pytest.param([*EM310], b"", "the frame is missing", id="no frame"),
        pytest.param(["01"], b"", "--model is missing", id="no model"),
        pytest.param(["--model", "milesight-em310udl", "01"], b"", "did you mean milesight-em310-udl", id="misspelt"),
        pytest.param(["--model", "TPS110", "01"], b"", "did you mean bosch-tps110", id="without its maker"),
        pytest.param(["--model", "EM500", "01"], b"", "did you mean milesight-em500-udl", id="in part"),
        pytest.param(["--model", "qqqq", "01"], b"", "`voirie decode --list` names the models", id="unknown"),
        pytest.param([*EM310, "--port", "256", "01"], b"", "Invalid value for '--port'", id="no port"),
        pytest.param(["--model", "voirie-native", "01755c"], b"", "expected JSON", id="bytes for native"),
        pytest.param(["--model", "voirie-native", "7"], b"", "expected a reading", id="a number for native"),
        pytest.param(["--model", "voirie-native", "-"], b"[" * 100_000, "expected JSON", id="hostile nesting"),
        pytest.param(["--list", "01"], b"", "neither a model nor a frame", id="a list of a frame"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(arguments: list[str], given: bytes, sentence: str, tmp_path: Path):
    done = run(*arguments, "--json", cwd=tmp_path, given=given)
    said = " ".join(done.stderr.replace("│", " ").split())
    assert (done.returncode, done.stdout) == (2, ""), said
    assert sentence in said
    assert "Traceback" not in said


def test_models_in_json(tmp_path: Path):
    done = run("--list", "--json", cwd=tmp_path)
    models = json.loads(done.stdout)["models"]
    assert [model["name"] for model in models] == list(built_in_models())
    for model in models:
        assert list(model) == ["name", "title", "measures", "source"]
        assert all(model.values())


def test_people_read_tables(tmp_path: Path):
    listed = run("--list", cwd=tmp_path).stdout
    assert all(name in listed for name in built_in_models())
    frame = run(*EM310, "01755c03824408040001", cwd=tmp_path).stdout
    assert "distance_mm" in frame
    assert "2116" in frame
    start_up = run("--model", "bosch-tps110", "--port", "3", "00" * 15 + "0201", cwd=tmp_path).stdout
    assert "power_on" in start_up
    refused = run("--model", "bosch-tps110", "--port", "9", "01", cwd=tmp_path)
    assert refused.returncode == 1
    assert "not read: " in refused.stdout


def test_settings_are_not_looked_at(tmp_path: Path):
    (tmp_path / "voirie.toml").write_text("no settings", encoding="utf-8")
    assert document(*EM310, "01755c03824408040001", cwd=tmp_path)["readings"] == [READING]


def test_it_answers_at_once(tmp_path: Path):
    """Little beyond the start of a bare command line."""
    before_s = children_cpu_s()
    subprocess.run([sys.executable, "-c", "import typer"], check=True)
    bare_s = children_cpu_s() - before_s
    subprocess.run(
        [sys.executable, "-m", "cli", "decode", *EM310, "01755c03824408040001"],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)}, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert children_cpu_s() - before_s - bare_s < bare_s + 0.5
