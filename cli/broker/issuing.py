"""Gives users of the broker to devices and networks: who may have one, and what it may publish."""

from __future__ import annotations

from cli.auditing import note
from cli.wiring import catalogue, networks
from config.settings import Settings
from ingest.topics import check_filter
from storage import broker_credentials
from storage import devices as stored
from storage.broker_secrets import Proof, new_secret, prove
from storage.database import Connection
from storage.errors import InputError
from storage.model import DeviceStatus, RegisteredDevice
from storage.model.broker import BrokerCredential


def publishing(connection: Connection, settings: Settings, name: str) -> RegisteredDevice:
    """Return a device that publishes itself."""
    device = stored.one(connection, settings.commune.insee_code, name)
    model = catalogue().get(device.device.model)
    if model is None or model.lorawan:
        raise InputError(f"device {name} ({device.device.model}) speaks through a network: give the network a user")
    return device


def without_one(connection: Connection, settings: Settings) -> list[str]:
    """Return the devices that publish themselves, are in use, and have no user that stays."""
    insee, models = settings.commune.insee_code, catalogue()
    having = {item.eui for item in broker_credentials.of_commune(connection, insee) if item.expires_at is None}
    return [
        known.device.eui
        for known in stored.of_commune(connection, insee)
        if known.device.eui not in having
        and known.device.status is not DeviceStatus.RETIRED
        and known.device.model in models
        and not models[known.device.model].lorawan
    ]


def to_device(connection: Connection, device: RegisteredDevice) -> tuple[BrokerCredential, str]:
    """Issue a user to a device that publishes itself; return it with its secret, which nobody keeps."""
    secret, proof = _new()
    return _noted(connection, broker_credentials.issue_to_device(connection, device, proof)), secret


def to_network(
    connection: Connection, settings: Settings, name: str, topics: list[str] | None
) -> tuple[BrokerCredential, str]:
    """Issue a user to a network server of the settings; return it with its secret, which nobody keeps.

    It may publish what `topics` match, otherwise the network's own filter. Raises InputError for a network that the
    settings do not know, and for topics that are none or reach too far.
    """
    insee = settings.commune.insee_code
    known = {item.name: item.topic_filter for item in networks(settings) if item.commune_insee == insee}
    if name not in known:
        raise InputError(f"commune {insee} has no network {name!r} in the settings, only {', '.join(known) or 'none'}")
    chosen = topics or [known[name]]
    for topic in chosen:
        try:
            check_filter(topic)
        except ValueError as error:
            raise InputError(f"--topic: {error}") from error
        if topic[0] in "#+$" or not topic.isprintable():
            raise InputError(f"--topic: expected a filter with a first level of the network's own, got {topic!r}")
    secret, proof = _new()
    issued = broker_credentials.issue_to_network(connection, insee, name, topics=chosen, proof=proof)
    return _noted(connection, issued), secret


def _noted(connection: Connection, issued: BrokerCredential) -> BrokerCredential:
    note(connection, issued.commune_insee, "broker.issued", f"broker_user:{issued.user_name}")
    return issued


def _new() -> tuple[str, Proof]:
    secret = new_secret()
    return secret, prove(secret)
