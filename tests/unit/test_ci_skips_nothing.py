"""In CI a skip is a failure, however a test asks for it; elsewhere it is a skip."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
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


EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"


def outcomes(folder: Path, *, ci: bool) -> dict[str, tuple[str, str]]:
    """Run a file a way in one pytest; return what became of each, and what was said of it."""
    files = {way: f"test_{way.replace(' ', '_')}" for way in [*WAYS, "expected failure"]}
    for way, name in files.items():
        (folder / f"{name}.py").write_text(WAYS.get(way, EXPECTED_FAILURE), encoding="utf-8")
    report = folder / "report.xml"
    arguments = ["-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", folder, f"--junit-xml={report}"]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", *arguments, folder],
        cwd=REPOSITORY,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (1 if ci else 0), done.stdout
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        # A module that could not be collected is a case by its own name.
        name = {*case.get("classname", "").split("."), *case.get("name", "").split(".")} & set(files.values())
        (ending,) = list(case)
        found[name.pop()] = (ending.tag, f"{ending.get('type')} {ending.get('message')} {ending.text}")
    return {way: found[name] for way, name in files.items()}


@pytest.fixture(scope="module")
def in_ci(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    return outcomes(tmp_path_factory.mktemp("ci"), ci=True)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    return outcomes(tmp_path_factory.mktemp("elsewhere"), ci=False)


@pytest.mark.parametrize("way", WAYS)
def test_skip_is_a_failure_in_ci(in_ci: dict[str, tuple[str, str]], way: str):
    ending, said = in_ci[way]
    assert ending in {"failure", "error"}
    assert "CI must not skip" in said
    assert "why" in said


@pytest.mark.parametrize("way", WAYS)
def test_skip_is_a_skip_elsewhere(elsewhere: dict[str, tuple[str, str]], way: str):
    ending, said = elsewhere[way]
    assert ending == "skipped"
    assert "why" in said


def test_expected_failure_is_no_skip(in_ci: dict[str, tuple[str, str]]):
    ending, said = in_ci["expected failure"]
    assert (ending, "xfail" in said) == ("skipped", True)
