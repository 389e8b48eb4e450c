"""A few marks and axes as inline SVG: no script, no font, no file from elsewhere; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

type Point = tuple[float, float]


@dataclass(kw_only=True)
class Plot:
    """A plot of `width` x `height` units (about pixels on a phone), with x and y from the first to the second value."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 360
    height: int = 240
    left: int = 44
    right: int = 24
    top: int = 24
    bottom: int = 40
    _parts: list[Markup] = field(default_factory=list)

    def at(self, x: float, y: float) -> Point:
        """Return where (x, y) is on the drawing."""
        across, up = self.x[1] - self.x[0], self.y[1] - self.y[0]
        return (
            round(self.left + (x - self.x[0]) / across * (self.width - self.left - self.right), 1),
            round(self.height - self.bottom - (y - self.y[0]) / up * (self.height - self.top - self.bottom), 1),
        )

    def add(self, template: str, *values: object) -> None:
        """Add a mark; `values` are escaped."""
        self._parts.append(mark(template, *values))

    def line(self, points: Sequence[Point], style: str) -> None:
        """Add a line through `points` (x, y)."""
        self.add('<polyline class="{}" points="{}"/>', style, _points(self.at(*point) for point in points))

    def area(self, points: Sequence[Point], style: str) -> None:
        """Add a closed shape."""
        self.add('<polygon class="{}" points="{}"/>', style, _points(self.at(*point) for point in points))

    def dot(self, x: float, y: float, style: str, *, radius: float = 4, told: str = "") -> None:
        """Add a dot that tells `told` when pointed at."""
        across, up = self.at(x, y)
        dot = '<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>'
        self.add(dot, style, across, up, radius, told)

    def text(self, x: float, y: float, text: str, *, anchor: str = "start", style: str = "") -> None:
        """Write `text` at (x, y)."""
        across, up = self.at(x, y)
        self.add('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>', style, across, up, anchor, text)

    def axes(
        self,
        *,
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        x_label: str = "",
        y_label: str = "",
    ) -> None:
        """Draw the grid with what stands at its lines."""
        right, bottom = self.width - self.right, self.height - self.bottom
        for value, label in y_ticks:
            up = self.at(self.x[0], value)[1]
            self.add('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>', self.left, right, up, up)
            self.add('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>', self.left - 5, up + 4, label)
        for value, label in x_ticks:
            across = self.at(value, self.y[0])[0]
            self.add('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>', across, across, bottom, bottom + 4)
            self.add('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>', across, bottom + 17, label)
        if x_label:
            middle = (self.left + right) / 2
            label = '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>'
            self.add(label, middle, self.height - 4, x_label)
        if y_label:
            self.add('<text class="axis" x="2" y="12">{}</text>', y_label)

    def draw(self, name: str, *, title: str, told: str) -> Markup:
        """Return the picture, with `title` and what it shows in words for those who do not see it."""
        return picture(name, self.width, self.height, title=title, told=told, inside=self._parts)


def mark(template: str, *values: object) -> Markup:
    """Return an element made of `template`, which is this room's own, and `values`, which are escaped."""
    return Markup(template).format(*values)  # noqa: S704 - never called with a template that came from outside


def picture(
    name: str, width: float, height: float, *, title: str, told: str, inside: Sequence[Markup], style: str = "plot"
) -> Markup:
    """Return an SVG element with its text alternative; `name` is unique on the page."""
    return Markup(
        '<svg class="{4}" viewBox="0 0 {1} {2}" role="img" aria-labelledby="{0}-t {0}-d">'
        '<title id="{0}-t">{3}</title><desc id="{0}-d">{5}</desc>{6}</svg>'
    ).format(name, round(width), round(height), title, style, told, Markup("\n").join(inside))


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
