"""The stage of the demo: embedded database and broker, collector and web server, up and answering."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.demo.children import Child, child_environment, running, voirie, wait_for
from cli.demo.embedded import answers, broker_command, embedded_database, free_port, sole_use_of
from cli.demo.leftovers import end_leftovers
from cli.demo.screen import Screen
from cli.wiring import collector_options
from config.settings import Settings
from ingest.session import establish_session
from storage.schema import migrate

_START_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs, and how to reach it. `settings` are the children's."""

    settings: Settings
    database_url: str
    api_url: str
    folder: Path
    environment: dict[str, str]
    broker: Child
    collector: Child
    api: Child

    @property
    def children(self) -> tuple[Child, ...]:
        """The processes without which nothing goes on."""
        return self.broker, self.collector, self.api

    def start(self, name: str, *arguments: str) -> Child:
        """Start another `voirie` process on this stage; the caller stops it."""
        return Child(name, voirie(*arguments), environment=self.environment, folder=self.folder)


@contextmanager
def open_stage(settings: Settings, *, folder: Path, screen: Screen) -> Iterator[Stage]:
    """Start everything on `folder`, and stop it in order at the end: the collector commits what it holds first."""
    folder = folder.resolve()
    with ExitStack() as stack:
        stack.enter_context(sole_use_of(folder))
        end_leftovers(folder)
        screen.step("Starting PostgreSQL and the MQTT broker")
        database_url = stack.enter_context(embedded_database(folder / "postgres"))
        migrate(database_url)
        broker_port, api_port = free_port(), free_port(settings.api.port)
        api_url = f"http://127.0.0.1:{api_port}"
        settings = settings.model_copy(
            update={
                "database": settings.database.model_copy(update={"url": database_url, "password_file": None}),
                "mqtt": settings.mqtt.model_copy(
                    update={
                        "url": f"mqtt://127.0.0.1:{broker_port}",
                        "username": "",
                        "password_file": None,
                        "ca_file": None,
                        "cert_file": None,
                        "key_file": None,
                        "client_id": "voirie-collector",
                        "shared_group": "",
                    }
                ),
                "api": settings.api.model_copy(update={"host": "127.0.0.1", "port": api_port}),
                "accounts": settings.accounts.model_copy(update={"mode": "open"}),
                "simulator": settings.simulator.model_copy(update={"api_url": api_url}),
            }
        )
        environment = child_environment(settings)
        command = broker_command(folder, port=broker_port)
        broker = stack.enter_context(running(Child("broker", command, environment=environment, folder=folder)))
        wait_for(lambda: answers(broker_port), children=(broker,), what="the broker's start", patience_s=_START_S)
        # What is published before the collector's session first subscribes would be acknowledged and go nowhere.
        establish_session(collector_options(settings), timeout_s=_START_S)
        screen.step("Starting the collector and the web server")
        collector = Child("collect", voirie("collect"), environment=environment, folder=folder)
        stack.enter_context(running(collector))
        api = stack.enter_context(running(Child("api", voirie("api"), environment=environment, folder=folder)))
        wait_for(
            lambda: is_ready(api_url), children=(broker, collector, api), what="the web server's start",
            patience_s=_START_S,
        )  # fmt: skip
        yield Stage(
            settings=settings, database_url=database_url, api_url=api_url, folder=folder, environment=environment,
            broker=broker, collector=collector, api=api,
        )  # fmt: skip


def is_ready(api_url: str) -> bool:
    """Whether the web server says that it can serve."""
    try:
        return httpx.get(f"{api_url}/health/ready", timeout=2.0).is_success
    except httpx.TransportError:
        return False
