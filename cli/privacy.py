"""`voirie privacy`: the notice on personal data that a town publishes, made from what the service really does."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, start


def privacy(
    config: ConfigOption = None,
    language: Annotated[str, typer.Option("--lang", help="fr or en.")] = "fr",
    *,
    as_html: Annotated[bool, typer.Option("--html", help="An HTML page instead of Markdown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the privacy notice: what is kept of people, why, on what ground, how long, who sees it."""
    settings = start(config)
    from api.pages.languages import languages
    from api.pages.notice import markdown, notice
    from api.pages.rendering import alone
    from cli.wiring import retention_options
    from storage.errors import InputError

    if as_html and as_json:
        raise InputError("--html and --json: name one")
    if language not in languages():
        raise InputError(f"--lang: expected one of {', '.join(languages())}, got {language!r}")
    told = notice(retention_options(settings), language=language, contact=settings.api.privacy_contact)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    elif as_html:
        typer.echo(alone("privacy_alone.html", language=language, notice=told), nl=False)
    else:
        typer.echo(markdown(told), nl=False)
