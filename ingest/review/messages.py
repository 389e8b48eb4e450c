"""An alert in words, French, and how soon somebody should look at it."""

from __future__ import annotations

from collections.abc import Mapping

from storage.model import AlertKind, Severity

SEVERITIES = {
    AlertKind.FIRE: Severity.URGENT,
    AlertKind.HOT: Severity.IMPORTANT,
    AlertKind.TILTED: Severity.IMPORTANT,
    AlertKind.OVERFLOW: Severity.IMPORTANT,
    AlertKind.MISSED_EMPTYING: Severity.IMPORTANT,
    AlertKind.SENSOR_FAULT: Severity.MINOR,
    AlertKind.STUCK: Severity.MINOR,
    AlertKind.BLOCKED: Severity.MINOR,
    AlertKind.OUT_OF_CALIBRATION: Severity.MINOR,
    AlertKind.SILENT: Severity.MINOR,
    AlertKind.NETWORK_SILENT: Severity.URGENT,
    AlertKind.BATTERY_LOW: Severity.MINOR,
    AlertKind.RADIO_WEAK: Severity.MINOR,
    AlertKind.CONTRADICTED: Severity.MINOR,
}


# The sentence, and the figures that may end it: the first that the evidence has is told.
_SENTENCES: dict[AlertKind, tuple[str, dict[str, str]]] = {
    AlertKind.FIRE: ("Feu probable dans la corbeille", {"highest": " : {:.0f} °C"}),
    AlertKind.HOT: ("Température anormale", {"highest": " : {:.0f} °C"}),
    AlertKind.TILTED: ("Corbeille inclinée, renversée ou déplacée", {}),
    AlertKind.OVERFLOW: ("Corbeille pleine", {"highest_percent": ", mesurée jusqu'à {:.0f} %"}),
    AlertKind.MISSED_EMPTYING: (
        "Collecte déclarée, mais le niveau n'a pas baissé",
        {"level_before_percent": " ({:.0f} % avant)"},
    ),
    AlertKind.SENSOR_FAULT: ("Le capteur parle mais ne mesure plus rien", {}),
    AlertKind.STUCK: ("Capteur figé", {"highest_percent": " à {:.0f} %"}),
    AlertKind.BLOCKED: ("Vue du capteur masquée : ce qu'il voit ne change pas avec les collectes", {}),
    AlertKind.OUT_OF_CALIBRATION: (
        "Capteur à réétalonner",
        {"highest_percent": " : corbeille vidée, il mesure encore {:.0f} %"},
    ),
    AlertKind.SILENT: ("Capteur muet", {"period_h": " : il parle d'ordinaire toutes les {:.1f} h"}),
    AlertKind.NETWORK_SILENT: ("Réseau muet", {"devices": " : {:.0f} capteurs ne sont plus entendus"}),
    AlertKind.BATTERY_LOW: ("Pile faible", {"battery_percent": " : {:.0f} %", "battery_v": " : {:.2f} V"}),
    AlertKind.RADIO_WEAK: ("Liaison radio faible", {"loss_percent": " : {:.0f} % des trames perdues"}),
    AlertKind.CONTRADICTED: ("Capteur contredit par les agents", {"checks_wrong": " : {:.0f} constats en 90 jours"}),
}


def message_of(kind: AlertKind, evidence: Mapping[str, float | None]) -> str:
    """Return the sentence that people read; a figure that `evidence` does not have is left out."""
    sentence, figures = _SENTENCES[kind]
    for name, form in figures.items():
        value = evidence.get(name)
        if value is not None:
            return f"{sentence}{form.format(value)}."
    return f"{sentence}."
