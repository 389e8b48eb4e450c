"""Golden envelopes: a folder a network, a file a case, shaped as its documents show. Add a case by adding a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from ingest.envelopes import Uplink, open_envelope
from ingest.refusal import RefusedError
from ingest.topics import EnvelopeKind, Network, device_of, network_name_of

FOLDER = Path(__file__).parent / "envelopes"
CASES = sorted(FOLDER.glob("*/*.json"))
KINDS: tuple[EnvelopeKind, ...] = get_args(EnvelopeKind.__value__)


def taken_in(kind: EnvelopeKind, content: dict[str, Any]) -> Uplink:
    network = Network(name="essai", commune_insee="93051", envelope=kind, topic_filter="#")
    text = content["text"].encode() if "text" in content else json.dumps(content["message"]).encode()
    name = network_name_of(network, content["topic"])
    return open_envelope(kind, device_of(network, content["topic"]), text, topic_name=name)


def said(uplink: Uplink) -> dict[str, Any]:
    """What the envelope said, in JSON's types, without what it left open."""
    found = {name: value for name, value in msgspec.structs.asdict(uplink).items() if value is not None}
    if "payload" in found:
        found["payload"] = found["payload"].hex()
    if "records" in found:
        found["records"] = [json.loads(record) for record in found["records"]]
    if "network_time" in found:
        found["network_time"] = found["network_time"].isoformat()
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_envelope(case: Path):
    content = json.loads(case.read_text(encoding="utf-8"))
    expected = content["expected"]
    if "refused" in expected:
        with pytest.raises(RefusedError) as refusal:
            taken_in(case.parent.name, content)
        assert refusal.value.reason.value == expected["refused"], content["why"]
        assert expected["says"] in refusal.value.detail
    else:
        assert said(taken_in(case.parent.name, content)) == expected, content["why"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_has_golden_envelopes_good_and_bad(kind: EnvelopeKind):
    contents = [json.loads(case.read_text(encoding="utf-8")) for case in CASES if case.parent.name == kind]
    assert all(content["why"] and content["source"] for content in contents)
    reasons = [content["expected"].get("refused") for content in contents]
    assert None in reasons
    assert {"malformed_envelope", "unknown_topic"} & set(reasons)


def test_every_folder_is_a_network():
    assert {case.parent.name for case in CASES} == set(KINDS)
