"""The repository's own rules: it speaks of the product alone, installs only what is hashed, and its pages agree."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from storage import model
from tests.tools import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = sorted((REPOSITORY / "requirements").glob("*.txt"))
# In pieces, so that this file does not find itself.
REGISTRIES = tuple(".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("deb", "debian", "org"),
    ("archive", "ubuntu", "com"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("crates", "io"),
))  # fmt: skip
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:work|home(?!/linuxbrew)|Users|root|farm)/[\w.]|/tmp/[\w.]")
SKIPPED_FOLDERS = {".git", ".venv", ".voirie", "build", "dist", "secrets", "streets"}


@cache
def kept_files() -> list[Path]:
    """Return the files of the repository: those git keeps, or in a plain copy all that nothing generated."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [file for name in listed.stdout.split("\0") if name and (file := REPOSITORY / name).is_file()]
    return [
        file
        for file in REPOSITORY.rglob("*")
        if file.is_file()
        and not any(
            part in SKIPPED_FOLDERS or part.endswith((".egg-info", "_cache", "__pycache__", ".hypothesis"))
            for part in file.relative_to(REPOSITORY).parts[:-1]
        )
    ]


def texts() -> list[tuple[str, str]]:
    found = []
    for file in kept_files():
        try:
            found.append((str(file.relative_to(REPOSITORY)), file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            assert file.suffix in {".png", ".pbf", ".bin", ".webp"}, f"{file} is neither text nor a known binary"
    assert len(found) > 100
    return found


def test_no_file_names_a_package_registry():
    named = {(name, host) for name, text in texts() for host in REGISTRIES if host in text}
    assert named == set()


def test_no_file_names_a_path_of_somebodys_machine():
    # This page names them to forbid them.
    allowed = {"tests/unit/test_repository_files.py"}
    named = {
        (name, found[0]) for name, text in texts() for found in MACHINE_PATHS.finditer(text) if name not in allowed
    }
    assert named == set()


def test_nothing_large_or_minified_is_kept():
    large = {str(file.relative_to(REPOSITORY)) for file in kept_files() if file.stat().st_size > 1_000_000}
    assert large == set()
    minified = {
        name
        for name, text in texts()
        if name.endswith((".js", ".css", ".html")) and any(len(line) > 1000 for line in text.splitlines())
    }
    assert minified == set()


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_requirement_file_pins_and_hashes_everything_and_names_no_index(file: Path):
    text = file.read_text(encoding="utf-8")
    logical = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")]
    assert logical
    for line in logical:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|https?://|^-[ife] ", text, re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_every_dependency_is_locked_and_developers_run_what_users_run():
    run, dev = pins("run.txt"), pins("dev.txt")
    needed = {requirement_name(text) for text in PROJECT["project"]["dependencies"]}
    assert needed <= run.keys()
    assert {requirement_name(text) for text in PROJECT["project"]["optional-dependencies"]["dev"]} <= dev.keys()
    assert run.items() <= dev.items()


def requirement_name(text: str) -> str:
    return re.split(r"[\[<>=~ ;]", text, maxsplit=1)[0].lower().replace("_", "-")


def test_changelog_has_the_projects_version():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    assert released[0] == PROJECT["project"]["version"]
    assert released == sorted(released, key=lambda version: tuple(map(int, version.split("."))), reverse=True)


def test_decisions_are_numbered_once_and_all_in_the_index():
    folder = REPOSITORY / "docs" / "decisions"
    files = sorted(file.name for file in folder.glob("*.md") if file.name != "README.md")
    numbers = [name[:4] for name in files]
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in files), files
    assert len(set(numbers)) == len(numbers), f"two decisions have one number: {files}"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", index))) == files
    for name in files:
        title = (folder / name).read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(rf"# {int(name[:4]):04d}\. .+|# {int(name[:4])}\. .+", title), f"{name}: {title}"


def test_links_between_pages_lead_somewhere():
    broken = set()
    for name, text in texts():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", text):
            if not (REPOSITORY / name).parent.joinpath(target).exists():
                broken.add((name, target))
    assert broken == set()


def test_glossary_ties_every_name_of_the_domain():
    glossary = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
    domain = {name for name, kind in vars(model).items() if inspect.isclass(kind) and kind.__module__ == model.__name__}
    assert {name for name in domain if f"`{name}`" not in glossary} == set()


def test_licence_is_apache():
    licence = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_every_silenced_rule_has_its_reason():
    """Ruff sees to the code; in the product the reason stands beside it or in the line above."""
    rooms = tuple(f"{room}/" for room in PROJECT["tool"]["importlinter"]["root_packages"])
    silent = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w-]+\])\s*$")
    unreasoned = set()
    for name, text in texts():
        lines = text.splitlines() if name.startswith(rooms) and name.endswith(".py") else []
        for above, line in zip(["", *lines], lines, strict=False):
            if silent.search(line) and "#" not in above:
                unreasoned.add(f"{name}: {line.strip()}")
    assert unreasoned == set()


def test_tests_never_sleep():
    """A sleep in a test is a guess; `wait_until` polls a condition."""
    sleeping = set()
    for name, text in texts():
        if not (name.startswith("tests/") and name.endswith(".py")) or name == "tests/tools.py":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}:
                sleeping.add(f"{name}:{node.lineno}")
    assert sleeping == set()
