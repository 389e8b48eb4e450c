"""What axe-core has to say of a page: the rules of WCAG 2.1 levels A and AA, which RGAA 4.1 follows."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}


_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}


def faults(page: Page) -> list[str]:
    """Return each fault of the page as it stands now, and of its contrasts by night: the rule, and what breaks it."""
    page.evaluate(AXE_SCRIPT)
    found = _found(page, _RULES)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"by night, {fault}" for fault in _found(page, _CONTRAST)]
    page.emulate_media(color_scheme="null", reduced_motion="null")
    return found


def _found(page: Page, rules: dict[str, Any]) -> list[str]:
    found: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", rules)
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
