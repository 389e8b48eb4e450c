"""What a collector is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.address import BrokerAddress
from ingest.topics import Network
from storage.allowance import Allowances

# MQTT numbers a connection's unacknowledged messages with 16 bits.
_MOST_IN_FLIGHT = 65535
# MQTT writes it with 16 bits.
_LONGEST_KEEPALIVE_S = 65535


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectorOptions:
    """Where a collector takes messages from, where it puts them, and its limits.

    `client_id` names the persistent session: two collectors with one name throw each other out. `shared_group`:
    collectors of one group share the messages (not with the embedded broker: it fails when the last of a group leaves).
    `batch_messages`, `batch_wait_s`: a transaction takes so many messages, or what has come that long after its first.
    `keepalive_s`: a broker that is silent for twice so long is taken for gone. `commit_patience_s`: a transaction that
    takes longer is given up with its connection, and tried again on another.
    `summary_s`: how often a line of the log sums up. `silence_s`: so long without a message of any network, the
    subscriptions are asked for again. `drained_s`: a collector that leaves goes when nothing has come for so long.
    `device_messages_at_once`, `device_messages_per_hour`: what a device may publish, and what of it comes back;
    with 0 an hour nothing is counted.
    `ca_file`: the certificates that vouch for the broker's, instead of those that the system trusts. `cert_file`,
    `key_file`: our own, for a broker that asks for it.
    """

    database_url: str
    broker_url: str
    client_id: str
    networks: tuple[Network, ...]
    shared_group: str | None = None
    batch_messages: int = 2000
    batch_wait_s: float = 0.2
    max_payload_bytes: int = 65536
    max_future_s: float = 600
    max_age_days: float = 90
    device_messages_at_once: int = 10_000
    device_messages_per_hour: int = 3600
    metrics_port: int | None = None
    keepalive_s: int = 30
    commit_patience_s: float = 60
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    summary_s: float = 60
    silence_s: float = 900
    drained_s: float = 10

    def __post_init__(self) -> None:
        if not self.networks:
            raise ValueError("expected at least one network, got none")
        if not self.client_id:
            raise ValueError("expected a client_id, got none: without a name the broker keeps no session")
        if not 1 <= self.batch_messages <= _MOST_IN_FLIGHT:
            raise ValueError(f"expected batch_messages in 1..{_MOST_IN_FLIGHT}, got {self.batch_messages}")
        if not 1 <= self.keepalive_s <= _LONGEST_KEEPALIVE_S:
            raise ValueError(f"expected keepalive_s in 1..{_LONGEST_KEEPALIVE_S}, got {self.keepalive_s}")
        for name in ("commit_patience_s", "batch_wait_s", "summary_s", "silence_s", "drained_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        if self.device_messages_at_once < 1:
            raise ValueError(f"expected device_messages_at_once >= 1, got {self.device_messages_at_once}")
        if self.device_messages_per_hour < 0:
            raise ValueError(f"expected device_messages_per_hour >= 0, got {self.device_messages_per_hour}")
        if self.shared_group is not None and not set(self.shared_group).isdisjoint("/+#"):
            raise ValueError(f"expected a shared_group without '/', '+' and '#', got {self.shared_group!r}")
        self._check_certificates()

    def _check_certificates(self) -> None:
        for name in ("ca_file", "cert_file"):
            if not self.broker_address.tls and getattr(self, name) is not None:
                raise ValueError(
                    f"expected a broker with mqtts:// when {name} is given: without TLS nothing is checked"
                )
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("expected cert_file and key_file together, got one of them")

    @property
    def broker_address(self) -> BrokerAddress:
        """The broker, from `broker_url` and the certificates; ValueError when the URL is none."""
        return BrokerAddress.parse(
            self.broker_url, ca_file=self.ca_file, cert_file=self.cert_file, key_file=self.key_file
        )

    @property
    def allowances(self) -> Allowances | None:
        """What devices may publish; None: without end."""
        if not self.device_messages_per_hour:
            return None
        return Allowances(burst=self.device_messages_at_once, per_s=self.device_messages_per_hour / 3600)

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters to subscribe to, each once."""
        plain = dict.fromkeys(network.topic_filter for network in self.networks)
        return tuple(f"$share/{self.shared_group}/{name}" if self.shared_group else name for name in plain)
