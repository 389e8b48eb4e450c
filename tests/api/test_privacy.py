"""The privacy notice says what retention does: on the page and by the command, in each language."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from api.app import ApiOptions
from api.pages.languages import languages
from api.pages.notice import LABELS, markdown, notice
from storage.personal_data import TREATMENTS, Kept
from storage.retention_kinds import RetentionOptions
from tests.api.rows import INSEE
from tests.api.serving import client_of
from tests.commanding import run_voirie

OPTIONS = RetentionOptions(checks_days=777, names_days=888)


@pytest.mark.parametrize("language", languages())
def test_page_tells_the_days_that_retention_runs_with_without_any_database(language: str):
    options = ApiOptions(
        database_url="postgresql://nowhere.invalid/x", commune_insee=INSEE, retention=OPTIONS,
        privacy_contact="<dpo@ville.example>",
    )  # fmt: skip
    with client_of(options, open_to_all=False) as client:
        answer = client.get(f"/confidentialite?lang={language}")
        home = client.get("/").text
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert "set-cookie" not in answer.headers
    days = {"fr": "jours", "en": "days"}[language]
    for told in (f"777 {days}", f"888 {days}", f"1096 {days}", "&lt;dpo@ville.example&gt;"):
        assert told in answer.text
    for treatment in notice(OPTIONS, language=language)["treatments"]:
        assert treatment["title"] in answer.text.replace("&#39;", "'")
    assert 'href="confidentialite"' in home


def test_every_treatment_says_all_that_the_law_asks_for():
    for language in languages():
        document = notice(OPTIONS, language=language)
        assert [one["name"] for one in document["treatments"]] == [treatment.name for treatment in TREATMENTS]
        for treatment in document["treatments"]:
            assert all(treatment[name] for name in LABELS)
        text = markdown(document)
        assert text.count("\n## ") == len(TREATMENTS) + 1
        assert "{" not in text


def test_command_writes_it_by_the_settings(tmp_path: Path):
    (tmp_path / "voirie.toml").write_text("[retention]\nchecks_days = 999\n")

    def privacy(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_voirie("privacy", *arguments, cwd=tmp_path)

    document = json.loads(privacy("--json").stdout)
    (checks,) = [one for one in document["treatments"] if one["name"] == "checks"]
    assert [kept["days"] for kept in checks["kept"]] == [None, 999]
    assert "kerb_check_event" in checks["columns"]
    assert "999 days" in privacy("--lang", "en", "--html").stdout
    refused = privacy("--lang", "xx")
    assert refused.returncode == 2
    assert "expected one of fr, en" in refused.stderr


def test_a_promise_that_nothing_keeps_is_refused():
    with pytest.raises(ValueError, match="expected one of days and until"):
        Kept(what="x")
    with pytest.raises(ValueError, match="there is no no_days"):
        Kept(what="x", days="no_days")
