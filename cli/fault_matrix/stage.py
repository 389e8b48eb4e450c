"""What all rows of the matrix share: services, the town, and the settings that collectors start from."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.demo.screen import Screen
from cli.fault_matrix.brokers import Broker, EmbeddedBroker, GivenBroker, OwnMosquitto
from cli.fault_matrix.databases import Databases, town_databases
from cli.fault_matrix.installations import Installation, find_installation
from cli.fault_matrix.options import MatrixOptions
from cli.fault_matrix.servers import GivenServer, OwnServer, Server, own_server
from cli.fault_matrix.town import Town, make_town
from cli.mosquitto import mosquitto_program
from cli.wiring import at_broker, tls_files
from config.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs for the whole matrix."""

    options: MatrixOptions
    settings: Settings
    folder: Path
    town: Town
    installation: Installation
    broker: Broker
    server: Server
    databases: Databases
    screen: Screen

    @property
    def own_server(self) -> OwnServer | None:
        """The server, if the matrix may stop and kill it."""
        return self.server if isinstance(self.server, OwnServer) else None


@contextmanager
def open_stage(options: MatrixOptions, settings: Settings, *, screen: Screen) -> Iterator[Stage]:
    """Start what is not given; at the end stop it and leave nothing behind on what is given."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-faults-")))
        town = make_town(secrets.token_hex(4))
        installation = find_installation()
        screen.step("Starting the database and the broker")
        server: Server = (
            stack.enter_context(own_server(installation, syncing=not options.short))
            if options.database_url is None
            else GivenServer(options.database_url)
        )
        databases = stack.enter_context(town_databases(server, town))
        broker = stack.enter_context(_broker(options.broker_url, folder, settings))
        yield Stage(
            options=options,
            settings=settings,
            folder=folder,
            town=town,
            installation=installation,
            broker=broker,
            server=server,
            databases=databases,
            screen=screen,
        )


@contextmanager
def _broker(url: str | None, folder: Path, settings: Settings) -> Iterator[Broker]:
    if url is not None:
        yield GivenBroker(url, tls_files(at_broker(settings, url)))
        return
    program = mosquitto_program()
    home = folder / "broker"
    home.mkdir()
    broker = EmbeddedBroker(home) if program is None else OwnMosquitto(program, home)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
