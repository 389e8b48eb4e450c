"""The documents are true: links lead somewhere, and the README's commands do what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.tools import REPOSITORY

PAGES = sorted(
    page for page in [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")] if ".venv" not in page.parts
)
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    inside = [target for target in targets if not target.startswith(("http://", "https://", "mailto:"))]
    missing = [target for target in inside if not (page.parent / target).exists()]
    assert not missing


def test_readme_names_two_commands_and_they_are_targets():
    commands = set(re.findall(r"`?(make \w+)`?", README))
    assert {"make demo", "make test"} <= commands
    for command in commands:
        plan = subprocess.run(
            ["make", "-n", *command.split()[1:]], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert plan.returncode == 0, f"{command}: {plan.stderr}"


@pytest.mark.parametrize(("target", "substance"), [("demo", "voirie demo"), ("test", "pytest")])
def test_targets_set_up_and_then_run(target: str, substance: str):
    plan = subprocess.check_output(["make", "-n", target], cwd=REPOSITORY, text=True)
    assert plan.index("scripts/setup") < plan.index(substance)


def test_readme_shows_real_pictures():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures[0] == "docs/screens/carte.png"
    for picture in pictures:
        assert (REPOSITORY / picture).read_bytes().startswith(b"\x89PNG"), picture


def test_every_option_that_the_readme_names_exists():
    help_text = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    for option in set(re.findall(r"`(--[\w-]+)", README)):
        assert f"`{option}`" in help_text, option
