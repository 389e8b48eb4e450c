"""In CI a skip is a failure, however a test asks for it; elsewhere it is a skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import REPOSITORY

WAYS = {
    "called": "import pytest\ndef test_it():\n    pytest.skip('why')\n",
    "marked": "import pytest\n@pytest.mark.skip(reason='why')\ndef test_it():\n    pass\n",
    "in a fixture": "import pytest\n@pytest.fixture\ndef it():\n    pytest.skip('why')\ndef test_it(it):\n    pass\n",
    "of a module": "import pytest\npytest.importorskip('no_such_module', reason='why')\n",
    "for want of a service": "from tests.tools import missing\ndef test_it():\n    missing('why')\n",
}


def outcome(tmp_path: Path, text: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    arguments = ["-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path / "test_it.py"]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=REPOSITORY,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", WAYS)
def test_skip_is_a_failure_in_ci_and_a_skip_elsewhere(tmp_path: Path, way: str):
    in_ci = outcome(tmp_path, WAYS[way], ci=True)
    assert in_ci.returncode not in {0, 5}, in_ci.stdout
    assert "CI must not skip" in in_ci.stdout
    assert "why" in in_ci.stdout
    assert " skipped" not in in_ci.stdout
    elsewhere = outcome(tmp_path, WAYS[way], ci=False)
    assert "1 skipped" in elsewhere.stdout
    assert "failed" not in elsewhere.stdout


def test_expected_failure_is_no_skip(tmp_path: Path):
    text = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    assert "1 xfailed" in outcome(tmp_path, text, ci=True).stdout
