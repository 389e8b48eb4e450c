"""Watching the devices themselves: who fell silent, whose battery or radio is weak. Reads, has it judged, tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.battery import battery_is_low, chemistry_of
from ingest.review.messages import SEVERITIES, message_of
from ingest.review.radio import radio_is_weak
from ingest.review.silence import Heard, Silence, judge_silence
from storage import alerts, health
from storage.database import Connection
from storage.health import WatchedDevice
from storage.model import Alert, AlertKind, ClosedBy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_DEVICES = {
    AlertKind.SENSOR_FAULT,
    AlertKind.STUCK,
    AlertKind.BLOCKED,
    AlertKind.OUT_OF_CALIBRATION,
    AlertKind.SILENT,
    AlertKind.BATTERY_LOW,
    AlertKind.RADIO_WEAK,
    AlertKind.CONTRADICTED,
}


def watch(connection: Connection, commune_insee: str, *, now: datetime, options: AlarmOptions) -> tuple[int, int]:
    """Open and close the alerts about devices and networks as they are at `now`; return (opened, closed)."""
    devices = health.watched(connection, commune_insee, at=now)
    known = alerts.open_now(connection, commune_insee)
    changes = _Changes(now)
    _judge_silence(devices, known, changes, options)
    changes.excuse(connection, commune_insee)
    _judge_health(devices, known, changes, options)
    watched = {f"device:{device.device_id}" for device in devices}
    for alert in known:
        if alert.kind in _OF_DEVICES and alert.subject not in watched:
            changes.closes.append((alert.alert_id, now, ClosedBy.WITHDRAWN))  # taken down, or put into stock
    closed = alerts.close(connection, commune_insee, changes.closes)
    return alerts.open_once(connection, commune_insee, changes.opens), closed


class _Changes:
    """What a watch found."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.opens: list[Alert] = []
        self.closes: list[tuple[int, datetime, ClosedBy]] = []
        self.excused: list[str] = []

    def open(
        self,
        kind: AlertKind,
        *,
        since: datetime,
        evidence: dict[str, float | None],
        device: WatchedDevice | None = None,
        network: str | None = None,
    ) -> None:
        """Open an alert about a device, or about a network."""
        self.opens.append(
            Alert(
                kind=kind,
                subject=f"network:{network}" if device is None else f"device:{device.device_id}",
                severity=SEVERITIES[kind],
                place_id=None if device is None else device.place_id,
                device_id=None if device is None else device.device_id,
                network=network or None,
                opened_at=min(since, self.now),
                noticed_at=self.now,
                message=message_of(kind, evidence),
                evidence={name: value for name, value in evidence.items() if value is not None},
            )
        )

    def excuse(self, connection: Connection, commune_insee: str) -> None:
        """Give the devices of networks that came back their whole time again."""
        if self.excused:
            health.excuse(connection, commune_insee, self.excused, until=self.now)


def _judge_silence(
    devices: Sequence[WatchedDevice], known: Sequence[Alert], changes: _Changes, options: AlarmOptions
) -> None:
    names = sorted({device.network or "" for device in devices})
    number = {name: index for index, name in enumerate(names)}
    silent = {alert.device_id: alert for alert in known if alert.kind is AlertKind.SILENT}
    outages = {alert.network or "": alert for alert in known if alert.kind is AlertKind.NETWORK_SILENT}
    for name, alert in outages.items():
        if name not in number:
            changes.closes.append((alert.alert_id, changes.now, ClosedBy.WITHDRAWN))
    if not devices:
        return
    heard = Heard(
        heard_s=np.array([_seconds(device.heard_at or device.mounted_at) for device in devices]),
        before_s=np.array([_seconds(device.heard_before_at, missing=np.nan) for device in devices]),
        limit_s=np.array([device.silent_after_s or options.silent_unknown_s for device in devices]),
        excused_s=np.array([_seconds(device.excused_until, missing=-np.inf) for device in devices]),
        network=np.array([number[device.network or ""] for device in devices], dtype=np.int64),
        silent_since_s=np.array(
            [
                _seconds(silent[device.device_id].opened_at if device.device_id in silent else None, missing=np.nan)
                for device in devices
            ]
        ),
    )
    out = np.array([name in outages for name in names], dtype=np.bool_)
    verdict = judge_silence(heard, network_out=out, now_s=changes.now.timestamp(), options=options)
    _tell_networks(names, outages, devices, verdict, changes)
    for index in np.flatnonzero(verdict.opens).tolist():
        device = devices[index]
        period_h = None if device.period_s is None else round(device.period_s / 3600, 2)
        changes.open(
            AlertKind.SILENT,
            device=device,
            since=_moment(max(heard.heard_s[index], heard.excused_s[index]) + heard.limit_s[index]),
            evidence={
                "period_h": period_h,
                "silent_after_h": round(float(heard.limit_s[index]) / 3600, 2),
                "heard_s": None if device.heard_at is None else round(device.heard_at.timestamp()),
            },
        )
    for index in np.flatnonzero(verdict.closes).tolist():
        alert = silent[devices[index].device_id]
        changes.closes.append((alert.alert_id, _moment(heard.heard_s[index]), ClosedBy.RECOVERED))


def _tell_networks(
    names: Sequence[str],
    outages: dict[str, Alert],
    devices: Sequence[WatchedDevice],
    verdict: Silence,
    changes: _Changes,
) -> None:
    for index, name in enumerate(names):
        if verdict.network_opens[index]:
            changes.open(
                AlertKind.NETWORK_SILENT,
                network=name,
                since=_moment(verdict.outage_since_s[index]),
                evidence={"devices": sum((device.network or "") == name for device in devices)},
            )
        elif verdict.network_closes[index]:
            changes.closes.append((outages[name].alert_id, _moment(verdict.outage_since_s[index]), ClosedBy.RECOVERED))
            changes.excused.append(name)


def _judge_health(
    devices: Sequence[WatchedDevice], known: Sequence[Alert], changes: _Changes, options: AlarmOptions
) -> None:
    low = {alert.device_id: alert for alert in known if alert.kind is AlertKind.BATTERY_LOW}
    weak = {alert.device_id: alert for alert in known if alert.kind is AlertKind.RADIO_WEAK}
    contradicted = {alert.device_id: alert for alert in known if alert.kind is AlertKind.CONTRADICTED}
    for device in devices:
        if device.heard_at is None:
            continue
        is_wrong = device.checks_wrong >= options.contradicted_checks and device.checks_wrong > device.checks_right
        checked = {"checks_wrong": float(device.checks_wrong), "checks_right": float(device.checks_right)}
        _switch(
            AlertKind.CONTRADICTED,
            device,
            changes,
            is_on=is_wrong,
            alert=contradicted.get(device.device_id),
            evidence={**checked},
        )
        is_low = battery_is_low(
            percent=device.battery_percent,
            volts=device.battery_v,
            chemistry=chemistry_of(device.model),
            was_low=device.device_id in low,
            options=options,
        )
        battery = {
            "battery_percent": device.battery_percent,
            "battery_v": device.battery_v,
            "empty_s": None if device.battery_empty_at is None else device.battery_empty_at.timestamp(),
        }
        _switch(AlertKind.BATTERY_LOW, device, changes, is_on=is_low, alert=low.get(device.device_id), evidence=battery)
        is_weak = radio_is_weak(
            rssi_dbm=device.rssi_dbm,
            snr_db=device.snr_db,
            loss_fraction=device.loss_fraction,
            was_weak=device.device_id in weak,
            options=options,
        )
        lost = device.loss_fraction
        radio = {
            "rssi_dbm": device.rssi_dbm,
            "snr_db": device.snr_db,
            "loss_percent": None if lost is None or lost < options.loss_low else round(100 * lost, 1),
        }
        _switch(AlertKind.RADIO_WEAK, device, changes, is_on=is_weak, alert=weak.get(device.device_id), evidence=radio)


def _switch(
    kind: AlertKind,
    device: WatchedDevice,
    changes: _Changes,
    *,
    is_on: bool | None,
    alert: Alert | None,
    evidence: dict[str, float | None],
) -> None:
    assert device.heard_at is not None  # who was never heard has no battery and no radio to judge
    if is_on and alert is None:
        changes.open(kind, device=device, since=device.heard_at, evidence=evidence)
    elif is_on is False and alert is not None:
        changes.closes.append((alert.alert_id, device.heard_at, ClosedBy.RECOVERED))


def _seconds(moment: datetime | None, *, missing: float = 0.0) -> float:
    return missing if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=float(seconds))
