"""What a driver is told between two stops, without a language: the sentence is made where somebody reads it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Manoeuvre(StrEnum):
    """What is to be done at a point of the way. DIRECT: the streets are not known, go as they allow."""

    DEPART = "depart"
    TURN = "turn"
    NEW_NAME = "new_name"
    CONTINUE = "continue"
    MERGE = "merge"
    ON_RAMP = "on_ramp"
    OFF_RAMP = "off_ramp"
    FORK = "fork"
    END_OF_ROAD = "end_of_road"
    ROUNDABOUT = "roundabout"
    EXIT_ROUNDABOUT = "exit_roundabout"
    ROUNDABOUT_TURN = "roundabout_turn"
    ARRIVE = "arrive"
    DIRECT = "direct"


class Modifier(StrEnum):
    """Which way: of a turn, the side of an arrival, or the point of the compass of DEPART and DIRECT."""

    UTURN = "uturn"
    SHARP_LEFT = "sharp_left"
    LEFT = "left"
    SLIGHT_LEFT = "slight_left"
    STRAIGHT = "straight"
    SLIGHT_RIGHT = "slight_right"
    RIGHT = "right"
    SHARP_RIGHT = "sharp_right"
    NORTH = "north"
    NORTH_EAST = "north_east"
    EAST = "east"
    SOUTH_EAST = "south_east"
    SOUTH = "south"
    SOUTH_WEST = "south_west"
    WEST = "west"
    NORTH_WEST = "north_west"


COMPASS = (
    Modifier.NORTH, Modifier.NORTH_EAST, Modifier.EAST, Modifier.SOUTH_EAST,
    Modifier.SOUTH, Modifier.SOUTH_WEST, Modifier.WEST, Modifier.NORTH_WEST,
)  # fmt: skip
"""The points of the compass, clockwise from north."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A manoeuvre, and the way from it to the next one.

    `street` is the one that it leads into. `duration_s` is without traffic. `exit` is the roundabout's, counted from 1.
    `point_index` is where the manoeuvre is: its number in the geometry of the round.
    """

    manoeuvre: Manoeuvre
    distance_m: float
    duration_s: float
    point_index: int
    modifier: Modifier | None = None
    street: str | None = None
    exit: int | None = None
