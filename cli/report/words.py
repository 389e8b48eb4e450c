"""The report's words, in French, and numbers as French readers write them."""

from __future__ import annotations

NBSP = "\u00a0"
THIN = "\u202f"

SIMPLE = {
    "global_mean": "moyenne de tous les niveaux",
    "weekday_hour_mean": "moyenne du jour et de l'heure",
    "time_since_emptying_x_kind_rate": "temps depuis le vidage, au rythme du type de corbeille",
    "time_since_emptying_x_nearest_rate": "temps depuis le vidage, au rythme de trois voisines",
    "nearest_level": "niveau de trois voisines",
    "nearest_bins": "ce que disent les corbeilles les plus proches",
    "knn_place_features": "ce que disent les corbeilles aux lieux semblables",
    "kriging": "krigeage des autres corbeilles",
    "own_seasonal_mean": "moyenne de la corbeille au même jour et à la même heure",
    "persistence": "dernier niveau mesuré, gardé tel quel",
}
THEMES = {"kind": "Type de corbeille", "street": "Rue", "pace": "Vitesse de remplissage"}
GROUPS = {
    "street": {"main": "grande rue", "residential": "rue résidentielle", "foot": "voie piétonne"},
    "pace": {"slow": "lente", "middling": "moyenne", "fast": "rapide"},
    "kind": {
        "unknown": "inconnu",
        "other": "autre",
        "street": "rue",
        "park": "parc",
        "transport_stop": "arrêt de transport",
    },
}
DRIVERS = {
    "own_sensor": ("Le capteur de la corbeille elle-même", "son dernier niveau et tout son passé"),
    "emptying_times": ("Quand la corbeille a été vidée", "les vidages déclarés par les équipes"),
    "crew_looks": ("Ce que les équipes ont vu en vidant", "« à moitié », « pleine » : un geste sur la tablette"),
    "rhythm": ("Le rythme des heures et des jours", "matin, midi, week-end, jours d'affluence"),
    "half_of_sensors": ("La moitié des capteurs", "la même commune avec deux fois moins de capteurs"),
    "surroundings": ("Les alentours sur la carte", "commerces, restaurants, écoles, arrêts, rue"),
    "neighbours": ("La place parmi les voisines", "ce que mesurent les corbeilles proches"),
}
STAGES = {
    "fitting": "apprentissage",
    "held_out_bins": "essais sur des corbeilles cachées",
    "held_out_times": "essais sur des jours cachés",
    "withheld": "ce que vaut chaque connaissance",
    "placing_sensors": "où poser les prochains capteurs",
}


def number(value: float, digits: int = 0) -> str:
    """Return a number with a decimal comma and thin spaces between thousands."""
    text = f"{value:,.{digits}f}".replace(",", THIN).replace(".", ",")
    return text.replace("-", "\u2212")


def percent(share: float, digits: int = 0) -> str:
    """Return a share 0..1 in percent."""
    return f"{number(share * 100, digits)}{NBSP}%"


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign."""
    return f"+{number(value, digits)}" if value > 0 else number(value, digits)


def count(value: int, one: str, many: str) -> str:
    """Return `value` with the word for one or for many; in French nothing and one go with the singular."""
    return f"{number(value)}{NBSP}{one if abs(value) <= 1 else many}"


def simple(name: str) -> str:
    """Return what a simple method does."""
    return SIMPLE.get(name, name.replace("_", " "))


def group(theme: str, name: str) -> str:
    """Return a group's name."""
    return GROUPS.get(theme, {}).get(name, name.replace("_", " "))


def reason(fact: str, value: float, *, worst: bool) -> str:
    """Return a fact that sets a bin apart as words."""
    said = {
        "nearest_sensor_m": f"capteur le plus proche à {number(value)}{NBSP}m",
        "crew_looks": f"{'seulement ' if worst else ''}{count(round(value), 'constat', 'constats')} des équipes",
        "undeclared_share": f"{percent(value)} des vidages vus par le capteur n'ont pas été déclarés",
        "heard_share": f"capteur muet {percent(1 - value)} du temps",
        "irregularity": (
            f"{'jours très inégaux' if worst else 'jours réguliers'} (écart de {percent(value)} de la moyenne)"
        ),
        "fill_per_day": f"se remplit {'vite' if worst else 'lentement'} ({percent(value)} par jour)",
        "interval_h": f"vidée rarement (toutes les {number(value)}{NBSP}h)",
    }
    return said.get(fact, f"{fact} {number(value, 2)}")


def bias(mean: float, mae: float) -> str | None:
    """Return that a bin is always forecast too low or too high, None when errors go both ways."""
    if abs(mean) < max(0.6 * mae, 3.0):
        return None
    way = "sous-estimée" if mean < 0 else "surestimée"
    return f"presque toujours {way} (de {number(abs(mean))}{NBSP}points)"
