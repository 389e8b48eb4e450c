"""What the chef sees at the desk: what is odd at 5:15, filters, the keyboard, a reader's part, English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage.model import Plan
from tests.browser.accessibility import faults
from tests.browser.conftest import Watched
from tests.browser.desk.conftest import BINS, at_the_desk
from tests.browser.desk_town import rounds
from tests.browser.town import INSEE


def test_at_half_past_five_the_plan_and_what_is_odd_come_first(
    watched: Watched, base_url: str, plan: Plan, screens: Path
):
    page = watched.page
    at_the_desk(page, base_url)
    expect(page.locator("#plan-title")).to_have_text(re.compile("mercredi 11 mars", re.IGNORECASE))
    expect(page.locator("#plan-relative")).to_have_text(re.compile("^Aujourd.hui$"))
    expect(page.locator("#round-list .round")).to_have_count(len(plan.routes))
    odd = page.locator("#odd-list")
    expect(odd.locator(".odd.urgent")).to_contain_text("COR-0007 Température de 74 °C")
    expect(odd).to_contain_text("capteurs muets")
    if plan.travel_source.startswith("great_circle"):
        expect(odd).to_contain_text("à vol d")
    expect(page.locator("#strip-alarms")).to_have_text("3")
    page.set_viewport_size({"width": 1120, "height": 700})
    page.screenshot(path=screens / "proprete.png")
    # Every stop and every bin that is left has its reason.
    page.locator("#round-list .round > button").first.click()
    served = rounds(plan)[plan.routes[0].vehicle_id]
    expect(page.locator(".stop")).to_have_count(len(served))
    expect(page.locator(".stop .stop-reason")).to_have_count(len(served))
    page.locator("#left-out > summary").click()
    for group in page.locator("#left-out-groups summary").all():
        group.click()
    while page.locator("#left-out-groups .more").count():
        page.locator("#left-out-groups .more").first.click()
    expect(page.locator("#left-out-groups .row-note")).to_have_count(len(plan.left_out))
    for width in (360, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=screens / "proprete-telephone.png")
    assert watched.troubles == []


def test_filters_narrow_list_and_map_together(watched: Watched, base_url: str):
    page = watched.page
    at_the_desk(page, base_url)
    page.locator(".strip button", has_text="Alarmes").click()
    expect(page.get_by_role("tab", name="Corbeilles")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#bin-list .row")).to_have_count(3)
    expect(page.locator("#bin-list .row").first).to_contain_text("Température de 74 °C")
    for name in ("today", "tomorrow", "silent", "missed"):
        page.locator(f'#filters input[value="{name}"]').check()
        told = int(page.locator(f"#count-{name}").inner_text())
        expect(page.locator("#bin-list .row")).to_have_count(min(40, told))
        if told == 0:
            expect(page.locator("#bin-list .empty")).to_be_visible()
    page.locator('#filters input[value="all"]').check()
    page.get_by_label("Secteur").select_option("Nord")
    expect(page.locator("#bin-list-title")).to_have_text(f"{BINS // 3} corbeilles sur {BINS}")
    for source in ("Mesurées", "Estimées", "Vidées depuis peu"):
        page.get_by_label(source).uncheck()
    page.get_by_label("Inconnues").uncheck()
    expect(page.locator("#bin-list .empty")).to_contain_text("Aucune corbeille ne répond à ces critères")
    assert watched.troubles == []


@pytest.mark.parametrize(
    ("path", "asked", "shown"),
    [
        ("proprete/corbeilles/COR-0001", "**/bins/COR-0001/history?*", "#bin-chart svg"),
        ("proprete/mois", "**/kpi?*by=month*", "#month-whole:visible, #month-empty:visible"),
    ],
)
def test_what_failed_is_loaded_again_when_the_line_stands(
    watched: Watched, base_url: str, path: str, asked: str, shown: str
):
    page = watched.page
    page.route(asked, lambda route: route.abort(), times=1)
    at_the_desk(page, base_url, path=path)
    expect(page.locator(shown)).to_be_visible(timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_the_desk_is_walked_by_keyboard(watched: Watched, base_url: str, plan: Plan):
    page = watched.page
    at_the_desk(page, base_url)
    expect(page.locator("#round-list .round").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Plan du jour")).to_be_focused()
    tab_to(page, ".round > button")
    page.keyboard.press("Enter")
    expect(page.locator(".round > button").first).to_be_focused()
    tab_to(page, ".stop")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    tab_to(page, ".doings .button")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-bar .edits li")).to_have_count(1)
    # A street is closed with the cross in the map's middle.
    page.locator("#close-street").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#map")).to_be_focused()
    for _ in range(2):
        tab_to(page, "#closing-here")
        page.keyboard.press("Enter")
        page.locator("#map").focus()
        page.keyboard.press("ArrowRight")
    tab_to(page, "#closing-done")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-bar .edits li")).to_have_count(2)
    expect(page.locator("#close-street")).to_be_focused()
    assert watched.troubles == []


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no {selector} within {most} steps")


def test_a_reader_sees_bins_and_months_and_is_asked_for_nothing_else(watched: Watched, base_url: str):
    page = watched.page
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    at_the_desk(page, base_url, "robin")
    expect(page.get_by_role("tab")).to_have_text(["Corbeilles"])
    expect(page.locator("#strip-alarms")).to_have_text("3")
    page.locator("#bin-list .row").first.click()
    expect(page.locator("#sheet")).not_to_contain_text("Modifier le plan")
    page.get_by_role("link", name="Toute son histoire").click()
    expect(page.locator("#bin-chart svg")).to_be_visible()
    expect(page.locator("#bin-plan")).to_be_hidden()
    page.get_by_role("link", name="Le mois").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Le mois")
    expect(page.locator("form[data-import]")).to_have_count(0)
    assert refused == []


def test_the_desk_speaks_english(watched: Watched, base_url: str):
    page = watched.page
    at_the_desk(page, base_url)
    page.goto(f"{base_url}/{INSEE}/proprete?lang=en")
    watched.troubles.clear()  # leaving a page breaks its stream off
    expect(page.locator("#plan-relative")).to_have_text("Today")
    expect(page.locator("#plan-lead")).to_contain_text("rounds")
    expect(page.get_by_role("tab")).to_have_text([re.compile("^Day.s plan$"), "Bins", "Files"])
    # Reasons are kept in French; what stands here is said anew from their codes and figures.
    page.locator("#round-list .round > button").first.click()
    reason = page.locator(".stop .stop-reason").first
    expect(reason).to_contain_text("overflow")
    expect(reason).not_to_have_attribute("lang", "fr")
    page.locator("#left-out > summary").click()
    page.locator("#left-out-groups summary").last.click()
    expect(page.locator("#left-out-groups .row-note").first).to_contain_text("detour")
    expect(page.locator("#left-out-groups .row-note[lang=fr]")).to_have_count(0)
    assert watched.troubles == []
