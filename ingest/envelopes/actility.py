"""Actility ThingPark's uplink report in JSON (docs.thingpark.com, "Uplink Message", "LRC-AS tunnel interface").

Older platforms write every number as text ("FPort": "1"), newer ones as a number: both are read. `Time` is the base
station's time of the frame, with the offset of the operator's zone; it is the only one there is, and the right one for
a late report (`Late` 1), which a base station kept while it had no connection. An absent FPort or FCntUp is unknown:
this is no proto3.
"""

from __future__ import annotations

import msgspec

from ingest.envelopes.fields import (
    NOTHING,
    Counter,
    Decibels,
    Eui,
    Port,
    agreed_eui,
    best,
    from_hex,
    instant,
    malformed,
    names_in,
    network_object,
    read,
    without_reading,
)
from ingest.envelopes.uplink import Uplink
from ingest.refusal import quoted

_WHAT = "ThingPark's uplink report"
_REPORT_PREFIX = "DevEUI_"


class _Reception(msgspec.Struct, frozen=True, gc=False, rename={"rssi": "LrrRSSI", "snr": "LrrSNR"}):
    rssi: Decibels | None = None
    snr: Decibels | None = None


class _Receptions(msgspec.Struct, frozen=True, rename={"receptions": "Lrr"}):
    receptions: list[_Reception] = []


class _Frame(
    msgspec.Struct,
    frozen=True,
    rename={
        "time": "Time",
        "dev_eui": "DevEUI",
        "f_port": "FPort",
        "f_cnt_up": "FCntUp",
        "rssi": "LrrRSSI",
        "snr": "LrrSNR",
        "stations": "Lrrs",
        "payload_encryption": "PayloadEncryption",
    },
):
    # As text: a decoder that reads numbers in text would take one for a time, too.
    time: str
    dev_eui: Eui
    f_port: Port | None = None
    f_cnt_up: Counter | None = None
    payload_hex: str | None = None
    payload: msgspec.Raw = NOTHING
    rssi: Decibels | None = None
    snr: Decibels | None = None
    stations: _Receptions | None = None
    payload_encryption: int = 0


class _Report(msgspec.Struct, frozen=True, rename={"uplink": "DevEUI_uplink"}):
    uplink: _Frame | None = None


_DECODER = msgspec.json.Decoder(_Report, strict=False)
_FRAME_DECODER = msgspec.json.Decoder(_Frame, strict=False)


def open_actility(topic_eui: str | None, payload: bytes) -> Uplink:
    """Return the device's bytes with the base station's time; RefusedError when the JSON is not an uplink report."""
    frame = read(_DECODER, payload, _WHAT).uplink or _bare_frame(payload)
    if frame.payload_encryption:
        raise malformed("the frame is encrypted with the device's AppSKey: give the key to ThingPark, which decrypts")
    data = from_hex(frame.payload_hex, _WHAT) if frame.payload_hex else b""
    decoded = None if data else network_object(frame.payload, _WHAT)
    rssi_dbm, snr_db = best(frame.stations.receptions) if frame.stations else (None, None)
    if rssi_dbm is None:
        rssi_dbm, snr_db = frame.rssi, frame.snr
    return Uplink(
        device_eui=agreed_eui(topic_eui, frame.dev_eui),
        payload=data if decoded is None else None,
        decoded=decoded,
        network_time=instant(frame.time, _WHAT),
        f_port=frame.f_port,
        frame_counter=frame.f_cnt_up,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
    )


def _bare_frame(payload: bytes) -> _Frame:
    """Return the report of a connection with `sendMetadata`, which takes the outer name away."""
    names = names_in(payload, _WHAT)
    reports = sorted(name for name in names if name.startswith(_REPORT_PREFIX))
    if reports:
        raise without_reading(f"ThingPark's report {quoted(reports[0])} carries no reading")
    if "DevEUI" not in names:
        raise malformed(f"not {_WHAT}: there is neither DevEUI_uplink nor DevEUI in it")
    return read(_FRAME_DECODER, payload, _WHAT)
