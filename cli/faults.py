"""`voirie faults`: break every part between a device and its reading, and count what was lost or stored twice."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, start


def faults(
    config: ConfigOption = None,
    broker: Annotated[
        str | None,
        typer.Option(help="Use this MQTT broker (mqtts://host:port), not one of its own.", show_default=False),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Use this PostgreSQL server (a URL), on databases made for it.", show_default=False),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Play this fault; may be repeated.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same messages.", min=0)] = 1,
    *,
    short: Annotated[bool, typer.Option("--short", help="Every fault for seconds, as CI does it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Kill, cut, stop, fill and flood; fail unless nothing was lost and nothing is stored twice."""
    # The rows tell what happens; the collectors' own logs are files.
    settings = start(config, {"log": {"level": "error"}})
    from cli.fault_matrix.options import MatrixOptions
    from cli.fault_matrix.report import run

    options = MatrixOptions(
        broker_url=broker, database_url=database, short=short, only=tuple(only or ()), seed=seed
    )  # fmt: skip
    run(options, settings, as_json=as_json)
