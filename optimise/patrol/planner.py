"""Plans patrols: walks between the places, a good patrol by exchanges, a better one by OR-Tools where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from optimise.patrol.cpsat import SearchLimits, searched
from optimise.patrol.exchange import built, exchanged
from optimise.patrol.walks import Course, Order, Walks
from optimise.rounds.travel import NO_WAY, Travel
from storage.kerb.patrol import Patrol, PatrolSite, PatrolTask, Point


@dataclass(frozen=True, kw_only=True)
class PatrolPlanner:
    """Plans patrols on foot; `travel` measures walks, at most `most_sites` of the best near ones are considered.

    `on_streets`: whether `travel` knows the streets, so that the patrol has a line along them. `pace`: a walk takes so
    many times what `travel` says, whose feet may be faster or slower than these officers'.
    """

    travel: Travel
    on_streets: bool = False
    pace: float = 1.0
    limits: SearchLimits = field(default_factory=SearchLimits)
    most_sites: int = 30

    def __call__(self, task: PatrolTask) -> Patrol:
        """Return the best patrol found within the limits."""
        task = self._narrowed(task)
        course = Course(task, self._walks(task))
        best = exchanged(course, built(course))
        order = searched(course, best.order, limits=self.limits) if task.sites else None
        other = None if order is None else course.tour(order)
        if other is not None:
            best = max(best, exchanged(course, other), key=lambda tour: tour.merit)
        patrol = course.patrol(best)
        if not self.on_streets or not best.order:
            return patrol
        return replace(patrol, line=_line(self.travel, task, best.order))

    def _walks(self, task: PatrolTask) -> Walks:
        if not task.sites:  # OSRM measures nothing between one point and itself
            return Walks(duration_s=((0,),), distance_m=((0,),), source=self.travel.source)
        points = [task.start, *(site.point for site in task.sites)]
        measured = self.travel.matrices(points, kerb=[False] * len(points))
        return Walks(
            duration_s=tuple(
                tuple(None if walk == NO_WAY else round(self.pace * walk) for walk in row)
                for row in measured.duration_s.tolist()
            ),
            distance_m=tuple(tuple(max(0, walk) for walk in row) for row in measured.distance_m.tolist()),
            source=self.travel.source,
        )

    def _narrowed(self, task: PatrolTask) -> PatrolTask:
        """Return the task with the sites that gain most at their best: more than an officer could go to."""
        useful = [site for site in task.sites if max(site.gains) > 0]
        chosen = sorted(useful, key=_best_gain, reverse=True)[: self.most_sites]
        return PatrolTask(
            start=task.start,
            sites=tuple(chosen),
            within_s=task.within_s,
            back=task.back,
            check_s=task.check_s,
            wait_s=task.wait_s,
        )


def _best_gain(site: PatrolSite) -> float:
    return max(site.gains)


def _line(travel: Travel, task: PatrolTask, order: Order) -> tuple[Point, ...]:
    """Return the way from the start through the places, and back if asked, as `travel` goes it."""
    points = [task.start, *(task.sites[site].point for site in order), *([task.start] if task.back else [])]
    return travel.way(points, kerb=[False] * len(points)).geometry
