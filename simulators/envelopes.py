"""ChirpStack v4's uplink event as JSON, with the fields that real ones have.

From ChirpStack's documentation of its events and integration.proto: JSON by the protocol buffers' mapping, in which a
field that is 0, false or empty is absent (so fCnt, dr, adr or confirmed), and bytes are base64.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

_TENANT_ID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "tenant.voirie.example"))
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "simulated.voirie.example")
FREQUENCIES_HZ = tuple(range(868_100_000, 868_500_001, 200_000)) + tuple(range(867_100_000, 867_900_001, 200_000))
"""The channels of EU868 that gateways listen on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """An application of the network server."""

    name: str

    @property
    def application_id(self) -> str:
        """Its UUID."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Radio:
    """How an uplink reached the network server."""

    rssi: int
    snr: float
    channel: int
    uplink_id: int


class Sender:
    """A device's place in the network server: writes its uplinks. The parts that never change are formatted once."""

    __slots__ = ("_between", "_head", "_spreading", "_tail", "topic")

    def __init__(
        self,
        *,
        application: Application,
        profile: str,
        device_name: str,
        dev_eui: str,
        dev_addr: str,
        tags: dict[str, str],
        gateway_id: str,
        gateway_lonlat: tuple[float, float],
        spreading_factor: int,
    ) -> None:
        self.topic = f"application/{application.application_id}/device/{dev_eui}/event/up"
        device_info = {
            "tenantId": _TENANT_ID,
            "tenantName": "Voirie",
            "applicationId": application.application_id,
            "applicationName": application.name,
            "deviceProfileId": str(uuid.uuid5(_NAMESPACE, profile)),
            "deviceProfileName": profile,
            "deviceName": device_name,
            "devEui": dev_eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": tags,
        }
        # dr 0 is spreading factor 12 in EU868, and 0 is absent.
        data_rate = f'"dr":{12 - spreading_factor},' if spreading_factor < 12 else ""  # noqa: PLR2004 - see above
        self._spreading = spreading_factor
        self._head = f'","deviceInfo":{_compact(device_info)},"devAddr":"{dev_addr}","adr":true,{data_rate}'
        location = {"latitude": gateway_lonlat[1], "longitude": gateway_lonlat[0], "altitude": 32.0}
        self._between = f'","rxInfo":[{{"gatewayId":"{gateway_id}","uplinkId":'
        self._tail = (
            f',"location":{_compact(location)},"context":"E3OWOQ==",'
            '"metadata":{"region_config_id":"eu868","region_common_name":"EU868"},"crcStatus":"CRC_OK"}],'
            '"txInfo":{"frequency":'
        )

    def uplink(
        self, *, deduplication_id: str, time: str, f_cnt: int, f_port: int, data_base64: str, radio: Radio
    ) -> bytes:
        """Return the event's JSON; `time` is RFC 3339 with nanoseconds, as the server writes it."""
        counter = f'"fCnt":{f_cnt},' if f_cnt else ""
        channel = f'"channel":{radio.channel},' if radio.channel else ""
        return (
            f'{{"deduplicationId":"{deduplication_id}","time":"{time}{self._head}{counter}"fPort":{f_port},'
            f'"data":"{data_base64}{self._between}{radio.uplink_id},"gwTime":"{time}","rssi":{radio.rssi},'
            f'"snr":{radio.snr:.2f},{channel}"rfChain":1{self._tail}{FREQUENCIES_HZ[radio.channel]},'
            f'"modulation":{{"lora":{{"bandwidth":125000,"spreadingFactor":{self._spreading},'
            '"codeRate":"CR_4_5"}}},"regionConfigId":"eu868"}'
        ).encode()


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
