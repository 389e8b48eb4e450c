"""Names made to harm are text on every page: a real Chromium runs none of them and makes no element of them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from api.pages.screens import SCREENS
from storage.database import Connection
from tests.browser.conftest import Watched
from tests.browser.town import INSEE, Town
from tests.fuzzing.names import ALL_IN_ONE

LOOK = """() => ({
    ran: window.hacked ?? 0,
    made: document.querySelectorAll('x-evil, img[src="x"], [onerror], [onmouseover], script:not([src])').length,
    told: document.body.innerText.includes('<x-evil>'),
})"""


@pytest.fixture
def hostile(connection: Connection, town: Town) -> None:
    """The town with a hostile text in every column that holds a name or what somebody wrote."""
    columns = connection.execute(
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c JOIN information_schema.tables AS t "
        "USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' "
        "AND data_type = 'text' AND column_name IN ('name', 'street', 'comment', 'text', 'detail', 'display_name')"
    ).fetchall()
    assert {"street", "name", "comment"} <= {column for _, column in columns}
    renamed = 0
    for table, column in columns:
        with connection.transaction():
            done = connection.execute(
                f"UPDATE {table} SET {column} = %s WHERE {column} IS NOT NULL AND length({column}) > 1", [ALL_IN_ONE]
            )
            renamed += done.rowcount
    connection.commit()
    assert renamed > 100


def look(page: Page) -> bool:
    """Assert that nothing of a name became more than text; return whether one is shown."""
    found = page.evaluate(LOOK)
    assert found["ran"] == 0, "a name was run"
    assert found["made"] == 0, "a name became an element"
    return bool(found["told"])


def test_no_page_runs_a_name(watched: Watched, base_url: str, hostile: None):
    page = watched.page
    shown = set()
    for path in ["", "connexion", "compte", *(f"{INSEE}/{screen.path}" for screen in SCREENS)]:
        page.goto(f"{base_url}/{path}")
        page.wait_for_load_state("load")
        # What only a click or a key shows: every list and every part that opens.
        for opener in page.locator("summary, [role=tab], button[aria-expanded=false]").all():
            if opener.is_visible() and opener.is_enabled():
                opener.click(timeout=3000)
        if look(page):
            shown.add(path)
    assert shown, "no page shows a name: the test looks at nothing"
    assert not [trouble for trouble in watched.troubles if re.search("policy|hacked", trouble)]


def test_map_and_lists_show_names_as_text(watched: Watched, base_url: str, hostile: None):
    page = watched.page
    page.goto(f"{base_url}/{INSEE}/carte")
    page.wait_for_function("() => document.body.innerText.includes('<x-evil>')")
    look(page)
    assert not [trouble for trouble in watched.troubles if re.search("policy|hacked", trouble)]


def test_sheet_to_print_shows_names_as_text(watched: Watched, base_url: str, hostile: None, connection: Connection):
    row = connection.execute("SELECT plan_id FROM plan LIMIT 1").fetchone()
    assert row is not None
    page = watched.page
    page.goto(f"{base_url}/api/v1/communes/{INSEE}/plans/{row[0]}/export/sheet")
    found = page.evaluate(LOOK)
    assert found["ran"] == 0
    assert page.locator("x-evil, img[src=x], [onerror], script").count() == 0
    assert found["told"]
    assert not [trouble for trouble in watched.troubles if re.search("policy|hacked", trouble)]


@pytest.mark.parametrize("path", ["connexion?after=%22%3E%3Cx-evil%3E", "%3Cx-evil%3E", f"{INSEE}/%3Cx-evil%3E"])
def test_address_does_not_become_a_page(watched: Watched, base_url: str, path: str):
    watched.page.goto(f"{base_url}/{path}")
    assert watched.page.evaluate(LOOK)["made"] == 0
