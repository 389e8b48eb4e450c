"""Users of the broker: issued to devices and networks, rotated, revoked; the functions of one noun."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from storage.broker_secrets import Proof
from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import ConflictError, InputError, NotFoundError, UnavailableError
from storage.model import DeviceStatus, RegisteredDevice
from storage.model.broker import BrokerCredential, BrokerLogin

_NETWORK = re.compile(r"[A-Za-z0-9_-]{1,64}")


def issue_to_device(connection: Connection, device: RegisteredDevice, proof: Proof) -> BrokerCredential:
    """Issue a credential to a device that publishes itself, in the caller's transaction.

    Raises ConflictError when it has one (rotate that) or is retired.
    """
    known = device.device
    if known.status is DeviceStatus.RETIRED:
        raise ConflictError(f"device {known.eui} is retired: assign it first")
    return _issue(
        connection, known.commune_insee, holder=f"device.{known.commune_insee}.{known.eui}", proof=proof,
        device_id=known.device_id,
    )  # fmt: skip


def issue_to_network(
    connection: Connection, commune_insee: str, network: str, *, topics: Sequence[str], proof: Proof
) -> BrokerCredential:
    """Issue a credential to a network server, which may publish what `topics` (filters) match.

    Raises ConflictError when it has one (rotate that), InputError for a name that cannot be a user's.
    """
    if not _NETWORK.fullmatch(network):
        raise InputError(f"expected a network's name of 1 to 64 of A-Z a-z 0-9 _ -, got {network!r}")
    return _issue(
        connection, commune_insee, holder=f"network.{commune_insee}.{network}", proof=proof, network=network,
        topics=topics,
    )  # fmt: skip


def _issue(
    connection: Connection,
    commune_insee: str,
    *,
    holder: str,
    proof: Proof,
    device_id: int | None = None,
    network: str | None = None,
    topics: Sequence[str] | None = None,
) -> BrokerCredential:
    connection.execute(statement("broker_credentials", "hold"))
    living = [
        known.user_name
        for known in of_commune(connection, commune_insee)
        if known.user_name.rpartition(".")[0] == holder and known.expires_at is None
    ]
    if living:
        raise ConflictError(f"{living[0]} is in use: `voirie broker rotate` gives a second one, and time to change")
    parameters = {
        "commune_insee": commune_insee,
        "device_id": device_id,
        "network": network,
        "topics": None if topics is None else list(topics),
        "holder": holder,
    } | asdict(proof)
    issued = fetch_one(connection, BrokerCredential, statement("broker_credentials", "issue"), parameters)
    if issued is None:
        raise UnavailableError("the database returned no credential")
    return issued


def expire(
    connection: Connection,
    commune_insee: str,
    *,
    overlap: timedelta,
    device_id: int | None = None,
    network: str | None = None,
) -> int:
    """Let what a device or a network has now expire after `overlap`; return how many there were to."""
    parameters = {
        "commune_insee": commune_insee,
        "device_id": device_id,
        "network": network,
        "overlap_s": overlap.total_seconds(),
    }
    return connection.execute(statement("broker_credentials", "expire"), parameters).rowcount


def revoke(connection: Connection, commune_insee: str, user_name: str) -> None:
    """End a credential at once; NotFoundError when there is none of that name in use."""
    parameters = {"commune_insee": commune_insee, "user_name": user_name}
    if connection.execute(statement("broker_credentials", "revoke"), parameters).fetchone() is None:
        raise NotFoundError(f"commune {commune_insee} has no user {user_name!r} of the broker that is not revoked")


def of_commune(connection: Connection, commune_insee: str, *, every: bool = False) -> list[BrokerCredential]:
    """Return the commune's credentials in the order of their issue: those in use, or `every` one that ever was."""
    parameters = {"commune_insee": commune_insee, "every": every}
    return fetch(connection, BrokerCredential, statement("broker_credentials", "of_commune"), parameters)


def logins(connection: Connection) -> list[BrokerLogin]:
    """Return who may come in now, of all communes, by name: neither revoked nor expired, nor a retired device."""
    return fetch(connection, BrokerLogin, statement("broker_credentials", "logins"), {})
