"""Points and distances on the ground. Pure."""

from storage.ground import distance_m

__all__ = ["distance_m", "rounded"]

_DIGITS = 4


def rounded(longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
    """Return where somebody stands or goes, to some ten metres: closer it is nobody's business."""
    return round(longitude_deg, _DIGITS), round(latitude_deg, _DIGITS)
