"""What is fuzzed: each door that reads bytes from outside, how it must end, and what it is fed to begin with.

A target takes bytes and returns when they ended well: read, or refused in the door's own way. Anything else raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from ingest.decoders import built_in_models, decode_uplink
from ingest.envelopes import Uplink, open_envelope
from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.refusal import RefusedError
from ingest.topics import EnvelopeKind, Network
from optimise.fill.towns import table as fill_table
from optimise.occupancy.trial import table as occupancy_table
from optimise.rounds.formats import read_task
from simulators.scenario import Scenario
from storage import round_rules
from storage.device_file import read_devices
from storage.errors import InputError
from storage.event_file import read_events
from storage.former_file import read_former, read_sectors
from storage.kerb.french_hours import parse_french_hours
from storage.kerb.opening_hours import parse_opening_hours
from storage.model import Device, Mounting, PlaceKind, RefusalReason, RegisteredDevice
from storage.place_files.cds_hours import parse_cds_hours
from storage.place_files.lines import PlaceForm
from storage.place_files.reading import read_places
from storage.weather_file import read_weather

UNIT = Path(__file__).parents[1] / "unit"
CORPUS = Path(__file__).parent / "corpus"
PARIS = ZoneInfo("Europe/Paris")
INSEE = "93051"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A door: what is done with bytes, and the seeds that a search starts from."""

    play: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


# --- messages --------------------------------------------------------------------------------------------------------

ENVELOPES: tuple[EnvelopeKind, ...] = ("native", "chirpstack", "ttn", "actility", "live_objects")
MODELS = sorted(built_in_models().items())
BYTE_MODELS = [(name, model) for name, model in MODELS if not model.takes_records]


def _said(refused: RefusedError) -> None:
    assert refused.detail.isprintable(), refused.detail
    assert len(refused.detail) < 1000


def play_envelopes(data: bytes) -> None:
    """The first byte picks the network, the rest is its message."""
    kind = ENVELOPES[data[0] % len(ENVELOPES)] if data else "native"
    try:
        uplink = open_envelope(kind, "sonde-1" if kind == "native" else None, data[1:])
    except RefusedError as refused:
        _said(refused)
    else:
        assert sum(what is not None for what in (uplink.payload, uplink.records, uplink.decoded)) == 1


def envelope_seeds() -> Iterator[bytes]:
    """Every golden message of each network."""
    for index, kind in enumerate(ENVELOPES):
        for path in sorted((UNIT / "envelopes" / kind).glob("*.json")):
            content = json.loads(path.read_text(encoding="utf-8"))
            if "message" in content:
                yield bytes([index]) + json.dumps(content["message"]).encode()


def play_decoders(data: bytes) -> None:
    """The first byte picks the model, the second the port, the rest is the frame."""
    if len(data) < 2:
        return
    _, model = BYTE_MODELS[data[0] % len(BYTE_MODELS)]
    try:
        decoded = decode_uplink(model, Uplink(device_eui="e", payload=data[2:], f_port=data[1], network_time=NOW))
    except RefusedError as refused:
        _said(refused)
    else:
        json.dumps(msgspec.to_builtins(decoded.measurements), allow_nan=False)
        json.dumps(msgspec.to_builtins(decoded.infos), allow_nan=False)


def decoder_seeds() -> Iterator[bytes]:
    """Every golden frame of each model."""
    for index, (name, _) in enumerate(BYTE_MODELS):
        for path in sorted((UNIT / "payloads" / name).glob("*.json")):
            uplink = json.loads(path.read_text(encoding="utf-8"))["uplink"]
            if "bytes" in uplink:
                yield bytes([index, uplink.get("f_port") or 0]) + bytes.fromhex(uplink["bytes"])


def _registry() -> dict[tuple[str, str], RegisteredDevice]:
    known = {}
    for number, (name, model) in enumerate(MODELS):
        kind = PlaceKind.PARKING_SPACE if model.measures == "occupancy" else PlaceKind.BIN
        where = Mounting(
            commune_insee=INSEE, device_id=number + 1, place_id="P", place_kind=kind,
            mounted_at=datetime(2026, 1, 1, tzinfo=UTC), empty_distance_mm=1000, full_distance_mm=200,
        )  # fmt: skip
        device = Device(commune_insee=INSEE, eui=f"{number:016x}", model=name, device_id=number + 1)
        known[INSEE, device.eui] = RegisteredDevice(device=device, mountings=(where,))
    native = Device(commune_insee=INSEE, eui="sonde-1", model="voirie-native", device_id=99)
    known[INSEE, "sonde-1"] = RegisteredDevice(
        device=native,
        mountings=(
            Mounting(
                commune_insee=INSEE, device_id=99, place_id="N", place_kind=PlaceKind.BIN,
                mounted_at=datetime(2026, 1, 1, tzinfo=UTC), empty_distance_mm=1000, full_distance_mm=200,
            ),
        ),
    )  # fmt: skip
    return known


REGISTRY = _registry()
NATIVE = Network(name="n", commune_insee=INSEE, envelope="native", topic_filter=f"voirie/v1/{INSEE}/+/readings")
CHIRPSTACK = Network(name="c", commune_insee=INSEE, envelope="chirpstack", topic_filter="a/+/device/+/event/up")
RULES = IntakeRules(networks=(NATIVE, CHIRPSTACK))


def play_intake(data: bytes) -> None:
    """From a whole message to what is stored of it: never an error of our own, and nothing lost."""
    if not data:
        return
    if data[0] % 2:
        message = Message(NATIVE, f"voirie/v1/{INSEE}/sonde-1/readings", data[1:], NOW)
    else:
        message = Message(CHIRPSTACK, "a/1/device/0000000000000001/event/up", data[1:], NOW)
    taken = take_in_message(message, REGISTRY, RULES)
    for refused in taken.refused:
        assert refused.reason is not RefusalReason.INTERNAL_ERROR, refused.detail
        assert refused.payload == message.payload
        assert refused.detail.isprintable()


def intake_seeds() -> Iterator[bytes]:
    """Good messages, whole and of many records."""
    for path in sorted((UNIT / "envelopes" / "native").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "message" in content:
            yield b"\x01" + json.dumps(content["message"]).encode()
    for path in sorted((UNIT / "envelopes" / "chirpstack").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "message" in content:
            yield b"\x00" + json.dumps(content["message"]).replace("24e124713d000001", "0000000000000001").encode()


# --- files -----------------------------------------------------------------------------------------------------------


def _lines(data: bytes) -> Iterator[str]:
    return iter(data.decode("utf-8-sig", "replace").splitlines(keepends=True))


def _or_input_error(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def play(data: bytes) -> None:
        try:
            read(data)
        except InputError as error:
            assert str(error)  # noqa: PT017 - a refusal is one of two good ends

    return play


def _text(read: Callable[[str], object]) -> Callable[[bytes], None]:
    return _or_input_error(lambda data: read(data.decode("utf-8", "replace")))


def play_places(data: bytes) -> None:
    """The first byte picks the form; a reader of tables never raises."""
    forms = sorted(PlaceForm)
    if data:
        file = read_places(data[1:], forms[data[0] % len(forms)])
        assert all(error.line >= 1 and error.reason for error in file.errors)


def _never_raises(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def play(data: bytes) -> None:
        read(data)

    return play


def _seeds(name: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        for path in sorted((CORPUS / name).iterdir()):
            yield path.read_bytes()

    return seeds


def place_seeds() -> Iterator[bytes]:
    """One small table of each form."""
    for index, form in enumerate(sorted(PlaceForm)):
        for path in sorted((CORPUS / "places").glob(f"{form.value}*")):
            yield bytes([index]) + path.read_bytes()


TARGETS: Mapping[str, Target] = {
    "envelopes": Target(play=play_envelopes, seeds=envelope_seeds),
    "decoders": Target(play=play_decoders, seeds=decoder_seeds),
    "intake": Target(play=play_intake, seeds=intake_seeds),
    "places": Target(play=play_places, seeds=place_seeds),
    "devices": Target(play=_never_raises(lambda data: read_devices(data, zone=PARIS)), seeds=_seeds("devices")),
    "events": Target(play=_never_raises(lambda data: read_events(data, zone=PARIS)), seeds=_seeds("events")),
    "former": Target(play=_never_raises(lambda data: read_former(data, complete=False)), seeds=_seeds("former")),
    "sectors": Target(play=_never_raises(read_sectors), seeds=_seeds("sectors")),
    "weather": Target(play=_never_raises(read_weather), seeds=_seeds("weather")),
    "rules": Target(play=_or_input_error(round_rules.decode), seeds=_seeds("rules")),
    "rounds": Target(play=_text(lambda text: read_task(text, "fuzzed")), seeds=_seeds("rounds")),
    "scenario": Target(play=_text(Scenario.read), seeds=_seeds("scenario")),
    "opening-hours": Target(play=_text(parse_opening_hours), seeds=_seeds("opening-hours")),
    "french-hours": Target(play=_text(parse_french_hours), seeds=_seeds("french-hours")),
    "cds-hours": Target(play=_text(parse_cds_hours), seeds=_seeds("cds-hours")),
    "levels": Target(
        play=_or_input_error(lambda data: fill_table.read_table(_lines(data), emptyings=False)), seeds=_seeds("levels")
    ),
    "bins": Target(play=_or_input_error(lambda data: fill_table.read_places(_lines(data))), seeds=_seeds("bins")),
    "counts": Target(
        play=_or_input_error(lambda data: occupancy_table.read_table(_lines(data))), seeds=_seeds("counts")
    ),
    "sites": Target(play=_or_input_error(lambda data: occupancy_table.read_sites(_lines(data))), seeds=_seeds("sites")),
}
