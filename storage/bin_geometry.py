"""From a distance to a fill: what a bin's shape and its sensor's mounting make of it. Decides alone.

Distances are what the sensor reads, so the sensor's housing, its offset and a beam at an angle are in them: along a
straight beam the distance to the contents changes in proportion to their height. `h` is that height as a share of the
full line's, and the fill is the share of the volume below it:

- straight: h.
- tapered (a cone's or a pyramid's stump whose width grows in proportion to the height, from r at the bottom to 1 at the
  full line): (w^3 - r^3) / (1 - r^3) with w = r + (1 - r) h, the integral of w^2.
- lying cylinder (h over its diameter): (arccos(1 - 2h) - 2 (1 - 2h) sqrt(h - h^2)) / pi, the circular segment's area.

Above the full line all of them tell h: what lies there is a heap outside of the bin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from storage.errors import InputError
from storage.model import BinShape, Geometry, Mounting, Orientation, PlaceKind, Quality

MOST_DISTANCE_MM = 20_000
_MOST_RATIO = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelRules:
    """What a level may be.

    `bottom_tolerance_fraction`, `bottom_tolerance_mm`: a distance beyond the bin's bottom by more than the larger of
    the two (the first as a share of the bin's depth) is no bin's bottom. `max_fill_fraction`: no heap stands higher.
    """

    bottom_tolerance_fraction: float = 0.10
    bottom_tolerance_mm: float = 50
    max_fill_fraction: float = 1.5

    def __post_init__(self) -> None:
        for name in ("bottom_tolerance_fraction", "bottom_tolerance_mm"):
            if getattr(self, name) < 0:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")
        if self.max_fill_fraction < 1:
            raise ValueError(f"expected max_fill_fraction >= 1, got {self.max_fill_fraction}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """What a measurement says of a bin's level: `fill_fraction` is None unless the quality is OK and it is known."""

    quality: Quality
    fill_fraction: float | None


IMPLAUSIBLE = Level(quality=Quality.IMPLAUSIBLE, fill_fraction=None)


def judge_distance(
    distance_mm: int, mounting: Mounting | Geometry, *, tilted: bool, from_below: bool, rules: LevelRules
) -> Level:
    """Return the level that a good measurement of `distance_mm` stands for.

    `from_below`: the device says that it sits under the contents, whatever its mounting says. Without the mounting's
    distances the level is unknown, and the measurement is not bad.
    """
    # A tilted sensor looks elsewhere: the lid is open, or the bin lies on its side.
    if distance_mm < 0 or tilted:
        return IMPLAUSIBLE
    empty_mm, full_mm = mounting.empty_distance_mm, mounting.full_distance_mm
    if empty_mm is None or full_mm is None:
        return Level(quality=Quality.OK, fill_fraction=None)
    depth_mm = empty_mm - full_mm
    tolerance_mm = max(rules.bottom_tolerance_mm, rules.bottom_tolerance_fraction * depth_mm)
    if mounting.orientation is Orientation.ACROSS:
        return _judge_across(distance_mm, mounting, tolerance_mm)
    from_below = from_below or mounting.orientation is Orientation.UP
    height = (distance_mm if from_below else empty_mm - distance_mm) / depth_mm
    if not -tolerance_mm / depth_mm <= height <= rules.max_fill_fraction:
        return IMPLAUSIBLE
    return Level(quality=Quality.OK, fill_fraction=volume_fraction(height, mounting))


def _judge_across(distance_mm: int, mounting: Mounting | Geometry, tolerance_mm: float) -> Level:
    """Return the level at the sensor's own height once something stands before it; below, it sees nothing of it."""
    empty_mm, full_mm = mounting.empty_distance_mm, mounting.full_distance_mm
    height_mm, full_height_mm = mounting.mounting_height_mm, mounting.full_height_mm
    assert empty_mm is not None  # the caller looked
    assert full_mm is not None
    if distance_mm > empty_mm + tolerance_mm:
        return IMPLAUSIBLE
    if distance_mm > full_mm or height_mm is None or full_height_mm is None:
        return Level(quality=Quality.OK, fill_fraction=None)
    return Level(quality=Quality.OK, fill_fraction=volume_fraction(height_mm / full_height_mm, mounting))


def volume_fraction(height: float, shape: Mounting | Geometry) -> float:
    """Return the share of the volume below `height` (a share of the full line's height); the module says how."""
    if height <= 0:
        return 0.0
    if height >= 1 or shape.bin_shape is BinShape.STRAIGHT:
        return height
    if shape.bin_shape is BinShape.LYING_CYLINDER:
        across = 1 - 2 * height
        # Next to the bottom the difference of the two is less than what rounding takes.
        return max(0.0, math.acos(across) - 2 * across * math.sqrt(height - height * height)) / math.pi
    ratio = 1.0 if shape.bottom_ratio is None else shape.bottom_ratio
    if math.isclose(ratio, 1.0, abs_tol=1e-6):  # a cylinder after all: the formula would divide nothing by nothing
        return height
    width = ratio + (1 - ratio) * height
    cubed: float = ratio**3
    return (width**3 - cubed) / (1 - cubed)


def completed(geometry: Geometry) -> Geometry:
    """Return the geometry with the distances that follow from its heights, where they are not given."""
    empty_mm, full_mm = geometry.empty_distance_mm, geometry.full_distance_mm
    height_mm, full_height_mm = geometry.mounting_height_mm, geometry.full_height_mm
    match geometry.orientation:
        case Orientation.DOWN:
            if empty_mm is None:
                empty_mm = height_mm
            if full_mm is None and height_mm is not None and full_height_mm is not None:
                full_mm = height_mm - full_height_mm
        case Orientation.UP:
            if empty_mm is None and full_mm is None and full_height_mm is not None:
                empty_mm, full_mm = full_height_mm, 0
        case Orientation.ACROSS:
            if full_mm is None and empty_mm is not None:
                full_mm = empty_mm // 2
    return replace(geometry, empty_distance_mm=empty_mm, full_distance_mm=full_mm)


def complaints(geometry: Geometry) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a completed geometry: the field at fault, and the rule that it breaks."""
    for name in ("empty_distance_mm", "full_distance_mm", "mounting_height_mm", "full_height_mm"):
        value = getattr(geometry, name)
        lowest = 0 if name == "full_distance_mm" else 1
        if value is not None and not lowest <= value <= MOST_DISTANCE_MM:
            yield name, f"expected {lowest} to {MOST_DISTANCE_MM} mm, got {value}"
    empty_mm, full_mm = geometry.empty_distance_mm, geometry.full_distance_mm
    if (empty_mm is None) is not (full_mm is None):
        given, missing = ("full", "empty") if empty_mm is None else ("empty", "full")
        yield f"{missing}_distance_mm", f"expected a {missing}_distance_mm beside the {given}_distance_mm, got none"
    elif empty_mm is not None and full_mm is not None and full_mm >= empty_mm:
        yield (
            "full_distance_mm",
            f"expected less than empty_distance_mm ({empty_mm}), got {full_mm}: full is nearer than empty",
        )
    yield from _complaints_of_shape(geometry)


def _complaints_of_shape(geometry: Geometry) -> Iterator[tuple[str, str]]:
    if geometry.orientation is Orientation.ACROSS:
        for name in ("empty_distance_mm", "mounting_height_mm", "full_height_mm"):
            if getattr(geometry, name) is None:
                yield name, "expected a value: a sensor that looks across needs the opposite wall and both heights"
    if geometry.bin_shape is BinShape.TAPERED:
        if geometry.bottom_ratio is None:
            yield "bottom_ratio", "expected a value: a tapered bin needs the width of its bottom over that of its top"
        elif not 0 <= geometry.bottom_ratio <= _MOST_RATIO:  # also false for what is not a number
            yield "bottom_ratio", f"expected 0 to {_MOST_RATIO:g}, got {geometry.bottom_ratio}"
    elif geometry.bottom_ratio is not None:
        yield "bottom_ratio", f"expected none: it is for tapered bins, and this one is {geometry.bin_shape}"


def checked(geometry: Geometry, kind: PlaceKind) -> Geometry:
    """Return the geometry completed; InputError names the first rule that it breaks."""
    if kind is not PlaceKind.BIN:
        if geometry != Geometry():
            raise InputError(f"expected no geometry: it is for bins, and this place is a {kind}")
        return geometry
    whole = completed(geometry)
    for name, rule in complaints(whole):
        raise InputError(f"{name}: {rule}")
    return whole


def rejudged(
    stored: Level, distance_mm: int, *, tilted: bool, was: Geometry, now: Geometry, rules: LevelRules
) -> Level:
    """Return the level that was judged with `was` as it is with `now`.

    Whether the device sits under its contents is not stored: the old geometry tells which of the two readings of the
    distance it was. A verdict that it does not explain is the decoder's own, and stays.
    """
    for from_below in (False, True):
        expected = judge_distance(distance_mm, was, tilted=tilted, from_below=from_below, rules=rules)
        if same_level(expected, stored):
            return judge_distance(distance_mm, now, tilted=tilted, from_below=from_below, rules=rules)
    if stored.quality is Quality.OK:  # judged by a geometry that nobody remembers
        return judge_distance(distance_mm, now, tilted=tilted, from_below=False, rules=rules)
    return stored


def same_level(one: Level, other: Level) -> bool:
    """Whether the two are one level, but for what a column of single precision loses."""
    if one.quality is not other.quality or one.fill_fraction is None or other.fill_fraction is None:
        return one == other
    return math.isclose(one.fill_fraction, other.fill_fraction, rel_tol=1e-6, abs_tol=1e-6)
