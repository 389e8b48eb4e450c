"""A good patrol in some hundredths of a second: insertions, then exchanges, judged by exact gains. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from optimise.patrol.walks import Course, Order, Tour

_MOST_ROUNDS = 60


def built(course: Course) -> Tour:
    """Return a patrol made by inserting, each time, the site that gains most for the time that it adds."""
    empty = course.tour(())
    assert empty is not None  # standing still takes no time
    best = empty
    while True:
        found: tuple[float, Tour] | None = None
        for tour in _insertions(course, best.order):
            pace = (tour.gain - best.gain) / max(1, tour.total_s - best.total_s)
            if tour.gain > best.gain and (found is None or pace > found[0]):
                found = (pace, tour)
        if found is None:
            return best
        best = found[1]


def exchanged(course: Course, tour: Tour) -> Tour:
    """Return `tour` after insertions, moves, turned stretches and exchanges of sites, until none is better."""
    best = tour
    for _ in range(_MOST_ROUNDS):
        better = max(_neighbours(course, best.order), key=lambda one: one.merit, default=best)
        if better.merit <= best.merit:
            break
        best = better
    return best


def _neighbours(course: Course, order: Order) -> Iterator[Tour]:
    yield from _insertions(course, order)
    left = [site for site in range(len(course.task.sites)) if site not in order]
    for first, site in enumerate(order):
        before, after = order[:first], order[first + 1 :]
        without = before + after
        yield from _judged(course, ((*without[:at], site, *without[at:]) for at in range(len(order))))
        yield from _judged(course, ((*before, other, *after) for other in left))
        turned = (before + order[first : last + 1][::-1] + order[last + 1 :] for last in range(first + 1, len(order)))
        yield from _judged(course, turned)


def _insertions(course: Course, order: Order) -> Iterator[Tour]:
    for site in range(len(course.task.sites)):
        if site not in order:
            yield from _judged(course, ((*order[:at], site, *order[at:]) for at in range(len(order) + 1)))


def _judged(course: Course, orders: Iterator[Order]) -> Iterator[Tour]:
    for order in orders:
        tour = course.tour(order)
        if tour is not None:
            yield tour
