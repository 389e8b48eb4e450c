"""docs/add-a-sensor.md is true: its decoder runs, its golden payload is in the folder, its commands answer so."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from cli.main import app
from ingest.decoders import built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from tests.tools import REPOSITORY

TEXT = (REPOSITORY / "docs" / "add-a-sensor.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([a-z-]+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
RUNS = re.findall(r"<!-- run(?:: (\d+))? -->\n```sh\n(.*?)```\n\n```json\n(.*?)```", TEXT, re.DOTALL)
GOLDEN = REPOSITORY / "tests" / "unit" / "payloads" / "nwave-nps405"


@pytest.fixture
def module_of_the_page(tmp_path: Path) -> ModuleType:
    path = tmp_path / "nwave_of_the_page.py"
    path.write_text(EXAMPLES["decoder"], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_decoder_reads_states_as_the_product_does(module_of_the_page: ModuleType):
    (model,) = module_of_the_page.MODELS
    today = built_in_models()[model.name]
    assert (model.name, model.title, model.measures) == (today.name, today.title, today.measures)
    for byte in range(256):
        sent = Uplink(device_eui="0" * 16, payload=bytes((byte,)), f_port=1)
        assert decode_uplink(model, sent).measurements == decode_uplink(today, sent).measurements
    for payload, port in ((b"", 1), (b"\x01\x02", 1), (b"\x01", 42)):
        with pytest.raises(RefusedError):
            decode_uplink(model, Uplink(device_eui="0" * 16, payload=payload, f_port=port))


def test_the_pages_golden_payload_is_the_one_in_the_folder():
    assert json.loads(EXAMPLES["golden"]) == json.loads((GOLDEN / "heartbeat.json").read_text(encoding="utf-8"))


def test_the_pages_commands_answer_as_it_says():
    assert len(RUNS) == 3
    for exit_code, command, answer in RUNS:
        program, *arguments = shlex.split(command)
        assert program == "voirie"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == int(exit_code or 0), result.output
        assert json.loads(result.stdout) == json.loads(answer), command


def test_the_pages_paths_and_tests_exist():
    for path in re.findall(r"(?<![\w/])((?:tests|ingest)/[\w/-]+(?:\.py|\.json))", TEXT):
        assert (REPOSITORY / path).exists(), path
