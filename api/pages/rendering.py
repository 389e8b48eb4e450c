"""How a template becomes an answer: its language, and addresses that hold under any sub-path.

Addresses are relative to the page: `root` leads from it to the application's root. So a page works behind a proxy that
serves it under a path which nobody has told us.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from babel.numbers import format_percent
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.addresses import root_of
from api.admission import principal_of
from api.caching import unless_held
from api.pages.languages import language_of, languages, translations
from api.pages.modules import modules_of
from api.principal import VISITOR
from api.state import state_of
from api.typography import typeset

WEB_FOLDER = files("api") / "web"


@cache
def _templates(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(str(WEB_FOLDER / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined] # the extension adds it
        translations(language), newstyle=True
    )
    return environment


def alone(template: str, *, language: str, **values: Any) -> str:
    """Return what `template` says outside of any request."""
    return _templates(language).get_template(template).render(**values)


def page(request: Request, template: str, *, status: int = 200, private: bool = True, **values: Any) -> HTMLResponse:
    """Return `template` as an answer. `private` pages are never kept by a cache on the way."""
    language = language_of(request)
    text = rendered(request, template, **({"who": principal_of(request)} | values))
    kept = "no-store" if private else "no-cache"
    return HTMLResponse(
        text,
        status_code=status,
        headers={"Content-Language": language, "Vary": "Accept-Language, Cookie", "Cache-Control": kept},
    )


def page_for_all(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return `template` as an answer that is the same whoever asks, and that anybody may keep for some seconds.

    It leads nowhere with the address that somebody searched for: neither a link nor the tiles' server is told it.
    """
    language = language_of(request)
    text = rendered(request, template, who=VISITOR, **values)
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Referrer-Policy": "no-referrer"}
    if status != HTTPStatus.OK:
        return HTMLResponse(text, status_code=status, headers=headers | {"Cache-Control": "no-store"})
    return unless_held(request, text.encode(), media_type="text/html; charset=utf-8", headers=headers)


def rendered(request: Request, template: str, **values: Any) -> str:
    """Return `template` filled in, in the language that the request likes best."""
    language = language_of(request)
    return _templates(language).get_template(template).render(
        options=state_of(request)["options"],
        root=root_of(request),
        language=language,
        languages=languages(),
        modules=modules_of,
        typeset=typeset,
        live_position=lambda: state_of(request)["live"].position,
        percent=lambda fraction: format_percent(fraction, locale=language),
        **values,
    )  # fmt: skip
