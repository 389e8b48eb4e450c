"""`voirie bench`: what this machine can do."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start

bench = typer.Typer(no_args_is_help=True, help="Measure what this machine can do.")


@bench.callback()
def _group() -> None:
    """Keep the name of the measurement part of the command, however few there are."""


@bench.command()
def ingest(
    config: ConfigOption = None,
    *,
    seconds: Annotated[float, typer.Option(help="About how long each reader reads.")] = 10.0,
    collectors: Annotated[int, typer.Option(help="Collectors that share the messages in the last reading.")] = 2,
    broker: Annotated[
        str | None, typer.Option(help="MQTT broker; otherwise Mosquitto, or the embedded one.", show_default=False)
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="PostgreSQL server to make databases on; otherwise the embedded one.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure collectors against a bare MQTT subscriber: rate, processor time, latency, memory."""
    settings = start(config, {"log": {"level": "warning"}})
    from cli.ingest_bench.options import BenchOptions
    from cli.ingest_bench.run import measure
    from cli.wiring import at_broker
    from ingest.address import BrokerAddress
    from storage.errors import InputError

    try:
        options = BenchOptions(
            seconds=seconds,
            batch_messages=settings.ingest.batch_messages,
            collectors=collectors,
            broker_url=broker,
            database_url=database,
        )
        if broker is not None:
            BrokerAddress.parse(broker)
            settings = at_broker(settings, broker)
    except ValueError as error:
        raise InputError(str(error)) from error
    result = measure(settings, options)
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else _as_text(result))


def _as_text(result: dict[str, Any]) -> str:
    """Return the result for people."""
    used = ", ".join(f"{name} {value}" for name, value in result["cpu_s_per_10k"].items())
    memory = ", ".join(f"{mb} MB after {int(n):,} messages" for n, mb in result["peak_rss_mb_by_backlog"].items())
    lines = {
        "on": "{broker} broker, {database} database ({database_version}), {processors} processors".format(**result),
        "bare": f"{result['bare_per_s']:,} messages/s",
        "collectors": ", ".join(f"{number}: {rate:,} messages/s" for number, rate in result["collectors"].items()),
        "ratio": f"{result['ratio']}",
        "processor": f"{used} (s for 10,000 messages)",
        "latency": "{p50} ms (p50), {p99} ms (p99) at {rate_per_s} messages/s".format(**result["latency_ms"]),
        "memory": memory,
        "seconds": f"{result['seconds']}",
    }
    return "\n".join(f"{name:<10} {text}" for name, text in lines.items())
