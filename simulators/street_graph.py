"""Streets as a graph: cut at junctions, and keep what a vehicle can reach and come back from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class _Way(Protocol):
    @property
    def nodes(self) -> tuple[int, ...]: ...
    @property
    def coordinates(self) -> tuple[tuple[float, float], ...]: ...


class _Edge(Protocol):
    @property
    def from_node(self) -> int: ...
    @property
    def to_node(self) -> int: ...
    @property
    def forwards(self) -> bool: ...
    @property
    def backwards(self) -> bool: ...


def split_at_junctions[W: _Way](
    ways: Sequence[W],
) -> Iterator[tuple[W, tuple[int, ...], tuple[tuple[float, float], ...]]]:
    """Yield (way, nodes, coordinates) of each piece between two junctions.

    A junction is a node that ways share or pass twice, or an end of a way.
    """
    uses = Counter(node for way in ways for node in way.nodes)
    for way in ways:
        last = len(way.nodes) - 1
        cuts = [place for place, node in enumerate(way.nodes) if place in (0, last) or uses[node] > 1]
        for start, end in pairwise(cuts):
            yield way, way.nodes[start : end + 1], way.coordinates[start : end + 1]


def largest_strong_component[E: _Edge](edges: Iterable[E]) -> list[E]:
    """Return the edges within the largest strongly connected component of the directed graph they make."""
    edges = list(edges)
    if not edges:
        return []
    ends = np.array([(edge.from_node, edge.to_node) for edge in edges])
    nodes, index = np.unique(ends, return_inverse=True)
    index = index.reshape(-1, 2)
    forwards = np.array([edge.forwards for edge in edges])
    backwards = np.array([edge.backwards for edge in edges])
    tails = np.concatenate([index[forwards, 0], index[backwards, 1]])
    heads = np.concatenate([index[forwards, 1], index[backwards, 0]])
    arcs = coo_array((np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(len(nodes), len(nodes)))
    _, component = connected_components(arcs.tocsr(), directed=True, connection="strong")
    # Most edges, not most nodes, decide; of equal ones the first, so that every process picks the same.
    inside = component[index[:, 0]] == component[index[:, 1]]
    largest = np.bincount(component[index[inside, 0]]).argmax() if inside.any() else -1
    return [edge for edge, keep in zip(edges, inside & (component[index[:, 0]] == largest), strict=True) if keep]
