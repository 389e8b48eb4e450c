"""What stands in Mosquitto's password file and access list: made from the registry and the settings, pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from storage.broker_secrets import Proof, password_line
from storage.model.broker import BrokerLogin

_HEAD = "# Made by `voirie broker files`: a change here is lost. Who is not named may do nothing.\n"
HEALTH_TOPIC = "voirie/v1/health"
"""What a health check subscribes to; nobody publishes there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceUser:
    """A user of this installation's own: the collectors, which listen, or the simulator, which speaks."""

    name: str
    proof: Proof
    reads: Sequence[str] = ()
    writes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessFiles:
    """The two files' texts."""

    passwords: str
    rights: str

    @property
    def users(self) -> int:
        """How many may come in."""
        return self.passwords.count("\n")


def access_files(services: Iterable[ServiceUser], logins: Iterable[BrokerLogin]) -> AccessFiles:
    """Return the files that let exactly these users in, each to its own topics.

    Collectors read and write nothing, everybody else writes and reads nothing.
    """
    proofs: dict[str, Proof | BrokerLogin] = {}
    rights: dict[str, list[str]] = {}
    for service in services:
        proofs[service.name] = service.proof
        rights[service.name] = _lines(read=service.reads, write=service.writes)
    for login in logins:
        proofs[login.user_name] = login
        rights[login.user_name] = _lines(write=login.topics)
    return AccessFiles(passwords=_passwords(proofs), rights=_rights(rights))


def _lines(**topics: Sequence[str]) -> list[str]:
    return [f"topic {access} {topic}" for access, filters in topics.items() for topic in filters]


def _passwords(proofs: Mapping[str, Proof | BrokerLogin]) -> str:
    return "".join(
        password_line(name, salt=proof.salt, iterations=proof.iterations, digest=proof.digest) + "\n"
        for name, proof in proofs.items()
    )


def _rights(rights: Mapping[str, Sequence[str]]) -> str:
    return _HEAD + "".join(
        f"\nuser {name}\n" + "".join(f"{line}\n" for line in lines) for name, lines in rights.items()
    )
