"""What every command of `voirie` shares: its usual options, and how it starts. Imports no room, to start fast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from config.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(help="Settings file; otherwise VOIRIE_CONFIG, otherwise ./voirie.toml.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def start(config: Path | None, overrides: dict[str, dict[str, Any]] | None = None) -> Settings:
    """Read the settings and configure the logs; `overrides` are options of the command line, by table."""
    from cli.logs import configure_logging
    from config.settings import read_settings

    settings = read_settings(config, overrides=overrides or {})
    configure_logging(level=settings.log.level, form=settings.log.format, traced=bool(settings.tracing.otlp_endpoint))
    return settings
