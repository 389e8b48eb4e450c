"""Radio: frames that are lost, and signals near the limit of what a gateway hears."""

from __future__ import annotations

from ingest.review.alarm_options import AlarmOptions


def radio_is_weak(
    *,
    rssi_dbm: float | None,
    snr_db: float | None,
    loss_fraction: float | None,
    was_weak: bool,
    options: AlarmOptions,
) -> bool | None:
    """Return whether the radio is weak, given that it `was_weak`; None when nothing is known of it.

    A weak signal alone loses nothing where the noise is low too: LoRa is heard down to -20 dB of signal to noise at its
    slowest. Both must be weak, or frames be missing.
    """
    if rssi_dbm is None and snr_db is None and loss_fraction is None:
        return None
    margin = options.radio_margin_db if was_weak else 0.0
    faint = (
        rssi_dbm is not None
        and snr_db is not None
        and rssi_dbm < options.rssi_weak_dbm + margin
        and snr_db < options.snr_weak_db + margin
    )
    limit = options.loss_low if was_weak else options.loss_high
    return faint or (loss_fraction is not None and loss_fraction >= limit)
