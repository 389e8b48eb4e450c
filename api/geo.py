"""Distances on the ground. Pure."""

from storage.ground import distance_m

__all__ = ["distance_m"]
