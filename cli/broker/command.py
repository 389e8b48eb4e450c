"""`voirie broker`: users of the broker for devices and networks, and the files that Mosquitto knows them by."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:
    from config.settings import Settings
    from storage.database import Connection
    from storage.model.broker import BrokerCredential

broker = typer.Typer(no_args_is_help=True, help="Say who may speak to the MQTT broker.")

CommuneOption = Annotated[
    str | None, typer.Option(metavar="INSEE", help="Otherwise the settings' commune.", show_default=False)
]
DevicesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DEVICE]...", help="Devices that publish themselves.")
]
NetworkOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="A network server, by its name in the settings.", show_default=False)
]
TopicOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILTER", help="What the network may publish, instead of its topic_filter; may be repeated.",
        show_default=False,
    ),
]  # fmt: skip


@broker.command()
def issue(
    devices: DevicesArgument = None,
    config: ConfigOption = None,
    network: NetworkOption = None,
    topic: TopicOption = None,
    commune: CommuneOption = None,
    *,
    missing: Annotated[
        bool, typer.Option("--missing", help="All devices that publish themselves and have none.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give devices or a network server a user and a secret, which is shown once and kept by nobody."""
    settings = _started(config, commune)

    from cli.broker.issuing import publishing, to_device, to_network, without_one

    def work(connection: Connection) -> list[tuple[BrokerCredential, str]]:
        if network is not None:
            return [to_network(connection, settings, network, topic)]
        names = without_one(connection, settings) if missing else devices or []
        return [to_device(connection, publishing(connection, settings, name)) for name in names]

    _one_kind(devices, network, topic, also=missing)
    _tell_issued(_in_transaction(settings, work), as_json=as_json)


@broker.command()
def rotate(
    devices: DevicesArgument = None,
    config: ConfigOption = None,
    network: NetworkOption = None,
    topic: TopicOption = None,
    commune: CommuneOption = None,
    *,
    overlap_h: Annotated[float, typer.Option(min=0, help="Hours for which the user of now still comes in.")] = 168.0,
    as_json: JsonOption = False,
) -> None:
    """Give a second user with a new secret; the one of now goes when the overlap is over."""
    settings = _started(config, commune)
    overlap, insee = timedelta(hours=overlap_h), settings.commune.insee_code
    from cli.broker.issuing import publishing, to_device, to_network
    from storage import broker_credentials
    from storage.errors import NotFoundError

    def expire(connection: Connection, name: str, **holder: Any) -> None:
        if not broker_credentials.expire(connection, insee, overlap=overlap, **holder):
            raise NotFoundError(f"{name} has no user to rotate: `voirie broker issue` gives one")

    def work(connection: Connection) -> list[tuple[BrokerCredential, str]]:
        if network is not None:
            expire(connection, f"network {network}", network=network)
            return [to_network(connection, settings, network, topic)]
        issued = []
        for name in devices or []:
            device = publishing(connection, settings, name)
            expire(connection, f"device {name}", device_id=device.device.device_id)
            issued.append(to_device(connection, device))
        return issued

    _one_kind(devices, network, topic)
    _tell_issued(_in_transaction(settings, work), as_json=as_json)


@broker.command()
def revoke(
    users: Annotated[list[str], typer.Argument(metavar="USER...", help="As `list` tells them.")],
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """End users at once: the broker lets them go when it reads its files."""
    settings = _started(config, commune)
    from storage import broker_credentials

    def work(connection: Connection) -> None:
        for user in users:
            broker_credentials.revoke(connection, settings.commune.insee_code, user)
            note(connection, settings.commune.insee_code, "broker.revoked", f"broker_user:{user}")

    _in_transaction(settings, work)
    if as_json:
        typer.echo(json.dumps({"revoked": users}))
    else:
        typer.echo(f"revoked: {', '.join(users)}")


@broker.command("list")
def list_users(
    config: ConfigOption = None,
    commune: CommuneOption = None,
    *,
    every: Annotated[bool, typer.Option("--every", help="Those that are gone, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the broker's users of a commune, in the order of their issue."""
    settings = _started(config, commune)
    from storage import broker_credentials

    found = _in_transaction(
        settings, lambda connection: broker_credentials.of_commune(connection, settings.commune.insee_code, every=every)
    )
    if as_json:
        typer.echo(json.dumps({"users": [_document(credential) for credential in found]}))
        return
    for credential in found:
        typer.echo(_line(credential))
    if not found:
        typer.echo("no user yet: `voirie broker issue` gives a device or a network one", err=True)


@broker.command()
def files(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files `passwords` and `acl` are written.")],
    config: ConfigOption = None,
    *,
    collector_password_file: Annotated[
        Path | None, typer.Option(help="The password of the collectors' user `collector`.", show_default=False)
    ] = None,
    simulator_password_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The password of the user `simulator`, if one is to be.", show_default=False),
    ] = None,
    pid_file: Annotated[
        Path | None, typer.Option(help="Of a Mosquitto that reads them: it is told by SIGHUP.", show_default=False)
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="Look again so often, until stopped.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write Mosquitto's password file and access list, as the registry has them."""
    settings = start(config)
    from cli.broker.keeping import Keeper
    from cli.stopping import stop_on_signals
    from cli.wiring import database_url, networks
    from storage.errors import InputError

    if as_json and watch is not None:
        raise InputError("--json needs no --watch: what goes on has no result to print")
    keeper = Keeper(
        database_url=database_url(settings),
        folder=out,
        filters=list(dict.fromkeys(network.topic_filter for network in networks(settings))),
        collector_password_file=collector_password_file,
        simulator_password_file=Path(simulator_password_file) if simulator_password_file else None,
        pid_file=pid_file,
    )
    if watch is not None:
        keeper.watch(stop_on_signals(), every_s=watch)
        return
    written, changed = keeper.refresh()
    if as_json:
        typer.echo(json.dumps({"users": written.users, "changed": changed}))
    else:
        typer.echo(f"{written.users} users in {out}{'' if changed else ', as before'}")


def _started(config: Path | None, commune: str | None) -> Settings:
    return start(config, {} if commune is None else {"commune": {"insee_code": commune}})


def _in_transaction[T](settings: Settings, work: Callable[[Connection], T]) -> T:
    """Do the work in one transaction for a commune that is served."""
    from cli.wiring import database_url
    from storage import communes
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie broker") as connection:
        require_schema(connection)
        communes.one(connection, settings.commune.insee_code)
        done = work(connection)
        connection.commit()
    return done


def _one_kind(devices: list[str] | None, network: str | None, topic: list[str] | None, *, also: bool = False) -> None:
    from storage.errors import InputError

    if [bool(devices), network is not None, also].count(True) != 1:
        raise InputError("expected devices, or --network, or --missing where it is offered: one of them")
    if topic and network is None:
        raise InputError("--topic is of a --network: a device's topic follows from its name")


def _tell_issued(issued: list[tuple[BrokerCredential, str]], *, as_json: bool) -> None:
    if as_json:
        told = [_document(credential) | {"password": secret} for credential, secret in issued]
        typer.echo(json.dumps({"issued": told}))
        return
    for credential, secret in issued:
        typer.echo(f"{credential.user_name}  {secret}")
    note = "passwords are not kept: this is the only time that they are shown" if issued else "nobody is without one"
    typer.echo(note, err=True)


def _document(credential: BrokerCredential) -> dict[str, Any]:
    return {
        "user": credential.user_name,
        "device": credential.eui,
        "network": credential.network,
        "topics": list(_topics(credential)),
        "issued_at": credential.issued_at.isoformat(),
        "expires_at": None if credential.expires_at is None else credential.expires_at.isoformat(),
        "revoked_at": None if credential.revoked_at is None else credential.revoked_at.isoformat(),
    }


def _topics(credential: BrokerCredential) -> tuple[str, ...]:
    return credential.topics or (f"voirie/v1/{credential.commune_insee}/{credential.eui}/readings",)


def _line(credential: BrokerCredential) -> str:
    ends = ""
    if credential.revoked_at is not None:
        ends = f", revoked {credential.revoked_at:%Y-%m-%d %H:%M} UTC"
    elif credential.expires_at is not None:
        ends = f", until {credential.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"{credential.user_name}  publishes {' '.join(_topics(credential))}{ends}"
