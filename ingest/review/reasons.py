"""Why a reading is not believed, in French: people read it beside the reading."""

from __future__ import annotations

import numpy as np

from storage.model import Quality
from storage.signal_table import CODES, QUALITIES, Floats, Ints, SignalTable


def reason_of(table: SignalTable, quality: Ints, offset: Floats, row: int, *, first: int) -> str:
    """Return the reason of reading `row`, whose series begins at `first`."""
    level = table.fill_fraction[row]
    has_level = bool(np.isfinite(level))
    earlier = _before(table, quality, row, first)
    match QUALITIES[quality[row]]:
        case Quality.IMPOSSIBLE_JUMP:
            reason = f"Écho isolé : {_percent(level)} entre des mesures voisines qui concordent{earlier}."
        case Quality.UNCONFIRMED:
            reason = f"Saut à {_percent(level)}{earlier} : la mesure suivante dira s'il est réel."
        case Quality.STUCK:
            reason = f"Valeur figée à {_percent(level)} : ce capteur varie d'ordinaire, même sans remplissage."
        case Quality.BLOCKED:
            seen = f"{_percent(level)} malgré les collectes déclarées" if has_level else "zone aveugle sans relâche"
            reason = f"Vue masquée : {seen}."
        case Quality.OUT_OF_CALIBRATION if has_level:
            reason = f"Zéro décalé : les collectes laissent {_percent(offset[row])} au lieu de 0 %."
        case Quality.OUT_OF_CALIBRATION:
            bottom = table.empty_distance_mm[row]
            told = f" (fond déclaré à {bottom:.0f} mm)" if np.isfinite(bottom) else ""
            reason = f"Géométrie à revoir : {table.distance_mm[row]:.0f} mm mesurés de façon répétée{told}."
        case other:
            reason = f"Qualité : {other.value}."
    return reason


def _before(table: SignalTable, quality: Ints, row: int, first: int) -> str:
    for earlier in range(row - 1, first - 1, -1):
        if quality[earlier] == CODES[Quality.OK] and np.isfinite(table.fill_fraction[earlier]):
            return f" ({_percent(table.fill_fraction[earlier])} avant)"
    return ""


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
