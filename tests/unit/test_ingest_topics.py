from __future__ import annotations

import pytest
from paho.mqtt.client import topic_matches_sub

from ingest.refusal import RefusedError
from ingest.topics import Network, device_of, matches, network_of
from storage.model import RefusalReason

NATIVE = Network(name="natif", commune_insee="93051", envelope="native", topic_filter="voirie/v1/93051/+/readings")
CHIRPSTACK = Network(
    name="chirpstack", commune_insee="93051", envelope="chirpstack", topic_filter="application/+/device/+/event/up"
)


@pytest.mark.parametrize(
    "topic_filter", ["a/b", "a/+", "+/b", "a/#", "#", "+", "+/+", "a/+/c", "a/b/#", "a.c/b", "$SYS/#", "a//b", "+/#"]
)
@pytest.mark.parametrize(
    "topic", ["a", "a/b", "a/b/c", "/a", "a/", "a//b", "abc/b", "a.c/b", "axc/b", "$SYS/x", "b/b", "a\n/b"]
)
def test_filters_match_what_another_implementation_matches(topic_filter: str, topic: str):
    # The broker's own topics are hidden from wildcards (MQTT 3.1.1, 4.7.2), which the other one leaves to the broker.
    hidden = topic.startswith("$") and topic_filter[0] in "+#"
    assert matches(topic_filter, topic) is (not hidden and topic_matches_sub(topic_filter, topic))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"name": ""}, "expected a name", id="no name"),
        pytest.param({"commune_insee": "Noisy"}, "INSEE code", id="not a code"),
        pytest.param({"commune_insee": "930512"}, "INSEE code", id="a digit too many"),
        pytest.param({"envelope": "lorawan"}, "expected envelope to be one of native, chirpstack", id="no envelope"),
        pytest.param({"topic_filter": ""}, "expected a topic filter", id="no filter"),
        pytest.param({"topic_filter": "a/#/b"}, "'#' to be the last level", id="hash inside"),
        pytest.param({"topic_filter": "a/b#"}, "'#' to be the last level", id="hash not alone"),
        pytest.param({"topic_filter": "a/b+/c"}, r"'\+' to be a level alone", id="plus not alone"),
        pytest.param({"topic_filter": "$share/g/a"}, "a plain topic filter", id="the group is an option"),
    ],
)
def test_nonsense_is_no_network(changes: dict[str, str], rule: str):
    good = {"name": "n", "commune_insee": "93051", "envelope": "native", "topic_filter": "a/+"}
    with pytest.raises(ValueError, match=rule):
        Network(**(good | changes))  # type: ignore[arg-type] - nonsense is the test


def test_corsican_codes_are_codes():
    assert Network(name="n", commune_insee="2A004", envelope="native", topic_filter="a").commune_insee == "2A004"


@pytest.mark.parametrize(
    ("network", "topic", "device"),
    [
        pytest.param(NATIVE, "voirie/v1/93051/sonde-1.A_b/readings", "sonde-1.A_b", id="native, as sent"),
        pytest.param(CHIRPSTACK, "application/x/device/24E124713D000001/event/up", "24e124713d000001", id="lower case"),
        pytest.param(CHIRPSTACK, "eu868/device/24e124713d000001/event/up", "24e124713d000001", id="another template"),
    ],
)
def test_topics_name_their_device(network: Network, topic: str, device: str):
    assert device_of(network, topic) == device


@pytest.mark.parametrize(
    ("network", "topic"),
    [
        pytest.param(NATIVE, "voirie/v1/75056/sonde-1/readings", id="another commune's"),
        pytest.param(NATIVE, "voirie/v1/93051/sonde 1/readings", id="a space in the identifier"),
        pytest.param(NATIVE, f"voirie/v1/93051/{'x' * 65}/readings", id="too long an identifier"),
        pytest.param(NATIVE, "voirie/v2/93051/sonde-1/readings", id="a version to come"),
        pytest.param(NATIVE, "voirie/v1/93051/sonde-1/readings/more", id="a level too many"),
        pytest.param(CHIRPSTACK, "application/x/device/24e124713d000001/event/join", id="an event without a reading"),
        pytest.param(CHIRPSTACK, "application/x/device/24e124713d/event/up", id="half a DevEUI"),
        pytest.param(CHIRPSTACK, "application/x/device/24e124713d000001/command/down", id="a command"),
    ],
)
def test_other_topics_are_refused(network: Network, topic: str):
    with pytest.raises(RefusedError) as refusal:
        device_of(network, topic)
    assert refusal.value.reason is RefusalReason.UNKNOWN_TOPIC


def test_the_first_network_that_matches_has_the_message():
    networks = (NATIVE, CHIRPSTACK)
    assert network_of(networks, "voirie/v1/93051/a/readings") is NATIVE
    assert network_of(networks, "application/x/device/y/event/up") is CHIRPSTACK
    assert network_of(networks, "elsewhere") is None
