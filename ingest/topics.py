"""Networks, and what a topic says: whose message it is and of which device. Topics are MQTT 3.1.1's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, get_args

from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason

# Topics whose meaning is remembered: so many, and none so long that they would fill the memory (MQTT allows 64 KiB).
TOPICS_REMEMBERED, LONGEST_REMEMBERED = 50_000, 200

type EnvelopeKind = Literal["native", "chirpstack", "ttn", "actility", "live_objects"]

_ENVELOPES: tuple[str, ...] = get_args(EnvelopeKind.__value__)
_INSEE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_NATIVE = re.compile(r"voirie/v1/([^/]+)/([A-Za-z0-9._-]{1,64})/readings")
# A bridge may put levels of its own in front of the network's.
_CHIRPSTACK = re.compile(r"(?:.*/)?device/([0-9A-Fa-f]{16})/event/([a-z]+)")
_TTN = re.compile(r"(?:.*/)?v3/[^/]+/devices/([^/]+)/(.+)")
_LIVE_OBJECTS = re.compile(
    r"(?:.*/)?(?:fifo/[^/]+|router/~event/v1/data/new/typ/[^/]+/dev/urn:lo:nsid:lora:([0-9A-Fa-f]{16})/con/lora/.*)"
)
_EUI_LEVEL = re.compile(r"(?:^|(?<=/))[0-9A-Fa-f]{16}(?=/|\Z)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """One stream of messages: where to subscribe, for which commune, and how the messages are wrapped."""

    name: str
    commune_insee: str
    envelope: EnvelopeKind
    topic_filter: str

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("expected a name for the network, got none")
        if not _INSEE.fullmatch(self.commune_insee):
            raise ValueError(f"expected commune_insee to be an INSEE code like '93051', got {self.commune_insee!r}")
        if self.envelope not in _ENVELOPES:
            raise ValueError(f"expected envelope to be one of {', '.join(_ENVELOPES)}, got {self.envelope!r}")
        check_filter(self.topic_filter)


def check_filter(topic_filter: str) -> None:
    """Raise ValueError unless `topic_filter` is one that MQTT allows (3.1.1, section 4.7) and is not a shared one."""
    if not topic_filter or "\0" in topic_filter:
        raise ValueError(f"expected a topic filter, got {topic_filter!r}")
    if topic_filter.startswith("$share/"):
        raise ValueError(f"expected a plain topic filter (the group is an option of its own), got {topic_filter!r}")
    levels = topic_filter.split("/")
    for index, level in enumerate(levels):
        if "#" in level and (level != "#" or index != len(levels) - 1):
            raise ValueError(f"expected '#' to be the last level, alone, got {topic_filter!r}")
        if "+" in level and level != "+":
            raise ValueError(f"expected '+' to be a level alone, got {topic_filter!r}")


def matches(topic_filter: str, topic: str) -> bool:
    """Whether `topic` is one that a subscription to `topic_filter` receives."""
    return _pattern(topic_filter).fullmatch(topic) is not None


@cache
def _pattern(topic_filter: str) -> re.Pattern[str]:
    """Return the filter as a pattern: every message asks, and splitting its topic took a tenth of the time."""
    levels = topic_filter.split("/")
    if levels == ["#"]:
        pattern = ".*"
    elif levels[-1] == "#":
        # The parent level matches too (MQTT 3.1.1, 4.7.1.2).
        pattern = _levels_pattern(levels[:-1]) + "(?:/.*)?"
    else:
        pattern = _levels_pattern(levels)
    # Wildcards at the start do not reach the broker's own topics (4.7.2).
    own = r"(?!\$)" if levels[0] in {"+", "#"} else ""
    return re.compile(own + pattern, re.DOTALL)


def _levels_pattern(levels: Sequence[str]) -> str:
    return "/".join("[^/]*" if level == "+" else re.escape(level) for level in levels)


def network_of(networks: Sequence[Network], topic: str) -> Network | None:
    """Return the first network whose filter the topic matches, or None."""
    for network in networks:
        if matches(network.topic_filter, topic):
            return network
    return None


def device_of(network: Network, topic: str) -> str | None:
    """Return the device that the topic names (a DevEUI in lower case), None when the payload alone names it.

    Raises RefusedError when it is no reading's topic.
    """
    return (_device_of_known if len(topic) <= LONGEST_REMEMBERED else _device_of)(network, topic)


def _device_of(network: Network, topic: str) -> str | None:
    match network.envelope:
        case "native":
            return _device_of_native(network, topic)
        case "chirpstack":
            return _device_of_chirpstack(topic)
        case "ttn":
            _refuse_other_events_of_ttn(topic)
            return None
        case "actility":
            return _device_of_actility(topic)
        case "live_objects":
            return _device_of_live_objects(topic)


# Devices speak again and again, and taking a topic apart costs as much as reading a payload.
_device_of_known = lru_cache(maxsize=TOPICS_REMEMBERED)(_device_of)


def network_name_of(network: Network, topic: str) -> str | None:
    """Return what the network itself calls the device, where its topic says so; None on other networks and topics."""
    if network.envelope != "ttn":
        return None
    return (_name_of_known if len(topic) <= LONGEST_REMEMBERED else _name_of)(topic)


def _name_of(topic: str) -> str | None:
    found = _TTN.fullmatch(topic)
    return None if found is None else found[1]


_name_of_known = lru_cache(maxsize=TOPICS_REMEMBERED)(_name_of)


def _device_of_native(network: Network, topic: str) -> str:
    found = _NATIVE.fullmatch(topic)
    if found is None:
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC,
            f"expected voirie/v1/{{commune_insee}}/{{device_id}}/readings, got {quoted(topic)}",
        )
    if found[1] != network.commune_insee:
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC,
            f"expected commune {network.commune_insee} on network {network.name}, got {quoted(found[1])}",
        )
    return found[2]


def _device_of_chirpstack(topic: str) -> str:
    found = _CHIRPSTACK.fullmatch(topic)
    if found is None:
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC, f"expected .../device/{{dev_eui}}/event/up, got {quoted(topic)}"
        )
    if found[2] != "up":
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC,
            f"ChirpStack's event {quoted(found[2])} carries no reading: subscribe to .../event/up",
        )
    return found[1].lower()


def _refuse_other_events_of_ttn(topic: str) -> None:
    """Refuse the MQTT server's other events. Its topics, and Pub/Sub's, which the operator names, carry no DevEUI."""
    found = _TTN.fullmatch(topic)
    if found is not None and found[2] != "up":
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC,
            f"The Things Stack's event {quoted(found[2])} carries no reading: subscribe to .../devices/+/up",
        )


def _device_of_actility(topic: str) -> str | None:
    """Return the only level that is a DevEUI: operators name the topics, some with the JoinEUI, some with neither."""
    levels = _EUI_LEVEL.findall(topic)
    return levels[0].lower() if len(levels) == 1 else None


def _device_of_live_objects(topic: str) -> str | None:
    found = _LIVE_OBJECTS.fullmatch(topic)
    if found is None:
        raise RefusedError(
            RefusalReason.UNKNOWN_TOPIC,
            "expected fifo/{name} or router/~event/v1/data/new/typ/.../dev/urn:lo:nsid:lora:{DevEUI}/con/lora/...,"
            f" got {quoted(topic)}",
        )
    return found[1].lower() if found[1] else None
