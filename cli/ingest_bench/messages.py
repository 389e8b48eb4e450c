"""The messages of the measurement: uplinks as network servers send them, the same number always the same message."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

# No commune has this code: on a broker that others use, nobody else's native topics are met.
COMMUNE_INSEE = "00000"
BINS, SPACES = 1000, 2000
DEVICES = BINS + SPACES
_LONGEST_STEP_S, _SPAN_S = 4.0, 20 * 86400.0
EMPTY_MM, FULL_MM = 900, 200
# A bin fills in so many readings, and is emptied.
_FILLS_IN = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """The messages of one run.

    `run` keeps its topics apart; the first was measured at `began_at`, each later one `step_s` after the one before.
    """

    run: str
    began_at: datetime
    step_s: float

    @classmethod
    def of(cls, run: str, messages: int) -> Self:
        """Return a stream of so many messages whose last event is a few minutes old."""
        step_s = min(_LONGEST_STEP_S, _SPAN_S / messages)
        end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
        return cls(run=run, began_at=end - timedelta(seconds=step_s * messages), step_s=step_s)

    def publication(self, number: int) -> tuple[str, bytes]:
        """Return topic and payload of the message `number`; its frame counter is that number."""
        device = number % DEVICES
        envelope = envelope_of(device)
        measured_at = self.began_at + timedelta(seconds=self.step_s * number)
        topic, body = _WRITERS[envelope]
        at = measured_at.isoformat(timespec="microseconds")
        return topic(self.run, eui_of(device)), body(device, number, at)


def eui_of(device: int) -> str:
    """Return the identifier of a device."""
    return f"24e1{device:012x}" if device < BINS else f"58a0{device:012x}"


def model_of(device: int) -> str:
    """Return the model of a device: bins first, then parking spaces."""
    if envelope_of(device) == "native":
        return "voirie-native"
    return "milesight-em310-udl" if device < BINS else "bosch-tps110"


def envelope_of(device: int) -> str:
    """Return the network that carries a device: half of them ChirpStack's, the others in equal parts."""
    return _NETWORKS[device % len(_NETWORKS)]


def filters(run: str) -> dict[str, str]:
    """Return the topic filter of each envelope."""
    return {name: topic(run, "+") for name, (topic, _) in _WRITERS.items()}


def _distance_mm(device: int, number: int) -> int:
    step = (number // DEVICES + device) % _FILLS_IN
    return EMPTY_MM - step * (EMPTY_MM - FULL_MM) // _FILLS_IN


def _occupied(device: int, number: int) -> bool:
    return (number // DEVICES + device) % 2 == 0


def _frame(device: int, number: int) -> tuple[bytes, int]:
    """Return what the device's radio sends, and its port."""
    if device < BINS:
        distance = _distance_mm(device, number).to_bytes(2, "little")
        return b"\x01\x75\x5c\x03\x82" + distance + b"\x04\x00\x00", 85
    return bytes((_occupied(device, number),)), 1


def _chirpstack(device: int, number: int, at: str) -> bytes:
    frame, port = _frame(device, number)
    return (
        f'{{"deduplicationId":"5c7a1e0e-33f5-4a1c-8d5b-{number:012x}","time":"{at}","deviceInfo":{{"tenantId":'
        '"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"Ville","applicationId":'
        '"9f1c6d2a-5b0e-4f57-8a57-2f8f0d0a7c11","applicationName":"voirie","deviceProfileId":'
        '"0b7d3b6e-7f55-4d47-9c2b-6f7b4d7d4b52","deviceProfileName":"capteurs","deviceName":'
        f'"CAP-{device:04d}","devEui":"{eui_of(device)}","tags":{{}}}},"devAddr":"0189a3f1","adr":true,"dr":5,'
        f'"fCnt":{number},"fPort":{port},"confirmed":false,"data":"{_base64(frame)}","rxInfo":[{{"gatewayId":"0016c001f1500812",'
        f'"uplinkId":{number},"nsTime":"{at}","rssi":-97,"snr":7.2,"channel":3,"context":"8Kp3dA==",'
        '"crcStatus":"CRC_OK"}],"txInfo":{"frequency":868100000,"modulation":{"lora":{"bandwidth":125000,'
        '"spreadingFactor":7,"codeRate":"CR_4_5"}}},"regionConfigId":"eu868"}'
    ).encode()


def _ttn(device: int, number: int, at: str) -> bytes:
    frame, port = _frame(device, number)
    eui = eui_of(device).upper()
    return (
        f'{{"end_device_ids":{{"device_id":"{eui_of(device)}","application_ids":{{"application_id":"voirie"}},"dev_eui":'
        f'"{eui}","join_eui":"70B3D57ED0000001","dev_addr":"260B3C57"}},"correlation_ids":["gs:uplink:01HP{number:08d}"],'
        f'"received_at":"{at}","uplink_message":{{"session_key_id":"AY1k2v3xYz==","f_port":{port},"f_cnt":{number},'
        f'"frm_payload":"{_base64(frame)}","rx_metadata":[{{"gateway_ids":{{"gateway_id":"mairie","eui":'
        f'"0016C001F1500812"}},"time":"{at}","timestamp":{number},"rssi":-97,"channel_rssi":-97,"snr":7.2,'
        f'"received_at":"{at}"}}],"settings":{{"data_rate":{{"lora":{{"bandwidth":125000,"spreading_factor":7,'
        f'"coding_rate":"4/5"}}}},"frequency":"868100000"}},"received_at":"{at}","consumed_airtime":"0.061696s",'
        '"network_ids":{"net_id":"000013","tenant_id":"ttn","cluster_id":"eu1"}}}'
    ).encode()


def _actility(device: int, number: int, at: str) -> bytes:
    frame, port = _frame(device, number)
    return (
        f'{{"DevEUI_uplink":{{"Time":"{at}","DevEUI":"{eui_of(device).upper()}","FPort":"{port}","FCntUp":"{number}",'
        f'"LostUplinksAS":"0","ADRbit":"1","MType":"2","FCntDn":"2","payload_hex":"{frame.hex()}","mic_hex":"38e7a3b9",'
        '"Lrcid":"00000065","LrrRSSI":"-97.000000","LrrSNR":"7.200000","LrrESP":"-98.100000","SpFact":"7","SubBand":"G1",'
        '"Channel":"LC2","Lrrid":"004A18E3","Late":"0","Lrrs":{"Lrr":[{"Lrrid":"004A18E3","Chain":"0","LrrRSSI":'
        '"-97.000000","LrrSNR":"7.200000","LrrESP":"-98.100000"}]},"DevLrrCnt":"1","CustomerID":"100000507","CustomerData":'
        f'{{"name":"CAP-{device:04d}"}},"InstantPER":"0.000000","MeanPER":"0.001","DevAddr":"0189A3F1"}}}}'
    ).encode()


def _live_objects(device: int, number: int, at: str) -> bytes:
    frame, port = _frame(device, number)
    eui = eui_of(device).upper()
    return (
        f'{{"streamId":"urn:lo:nsid:lora:{eui}","timestamp":"{at}","created":"{at}","model":"lora_v0","value":{{"payload":'
        f'"{frame.hex()}"}},"metadata":{{"source":"urn:lo:nsid:lora:{eui}","connector":"lora","network":{{"lora":{{"devEUI":'
        f'"{eui}","port":{port},"fcnt":{number},"rssi":-97,"snr":7.2,"esp":-98.1,"sf":7,"frequency":868.1,"signalLevel":4,'
        '"ack":false,"messageType":"UNCONFIRMED_DATA_UP","gatewayCnt":3}}},"tags":["voirie"]}'
    ).encode()


def _base64(frame: bytes) -> str:
    return b64encode(frame).decode()


def _native(device: int, number: int, at: str) -> bytes:
    value = (
        f'"distance_mm":{_distance_mm(device, number)}'
        if device < BINS
        else f'"occupied":{"true" if _occupied(device, number) else "false"}'
    )
    return f'{{"frame_counter":{number},"readings":[{{"measured_at":"{at}",{value},"battery_percent":92}}]}}'.encode()


_WRITERS: dict[str, tuple[Callable[[str, str], str], Callable[[int, int, str], bytes]]] = {
    "chirpstack": (lambda run, eui: f"{run}/application/9f1c6d2a/device/{eui}/event/up", _chirpstack),
    "ttn": (lambda run, eui: f"{run}/v3/voirie@ttn/devices/{eui}/up", _ttn),
    "actility": (lambda run, eui: f"{run}/actility/{eui}", _actility),
    "live_objects": (lambda run, _eui: f"{run}/fifo/voirie", _live_objects),
    "native": (lambda _run, eui: f"voirie/v1/{COMMUNE_INSEE}/{eui}/readings", _native),
}
_OTHERS = [name for name in _WRITERS if name != "chirpstack"]
_NETWORKS: Sequence[str] = [name for other in _OTHERS for name in ("chirpstack", other)]
