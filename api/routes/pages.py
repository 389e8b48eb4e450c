"""The pages that people open."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.state import state_of

router = APIRouter(include_in_schema=False)

WEB_FOLDER = files("api") / "web"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(str(WEB_FOLDER / "templates")), autoescape=True, undefined=StrictUndefined
    )


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    """Return the map. It asks no database, so that it can say in words when there is none."""
    page = _templates().get_template("map.html")
    return HTMLResponse(page.render(options=state_of(request)["options"]))
