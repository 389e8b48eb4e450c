"""docs/http.md and the OpenAPI document name the same routes, and everything in them is explained."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from api.app import ApiOptions, create_app
from api.models.service_events import ServiceEventsIn
from tests.api.rows import INSEE
from tests.tools import REPOSITORY

PAGE = (REPOSITORY / "docs" / "http.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(ApiOptions(database_url="postgresql://unused", commune_insee=INSEE)).openapi()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_documented_and_none_is_stale(document: dict[str, Any]):
    described = re.findall(r"^### `(.+)`$", PAGE, flags=re.MULTILINE)
    assert sorted(described) == sorted(_operations(document))


def test_every_route_has_a_summary_a_description_and_its_problems(document: dict[str, Any]):
    for name, operation in _operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name
        problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert "500" in problems, name
        if "{commune_insee}" in name:
            assert {"404", "422", "503"} <= set(problems), name
        for answer in problems.values():
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }, name


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= set(schemas)
    assert not {"HTTPValidationError", "ValidationError"} & references


def test_documented_body_is_a_valid_one():
    bodies = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)]
    (events,) = (body for body in bodies if "events" in body)
    assert ServiceEventsIn.model_validate(events, strict=False).events[0].place_id == "COR-0001"
