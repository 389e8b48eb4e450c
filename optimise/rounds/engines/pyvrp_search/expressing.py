"""What PyVRP cannot express of a problem."""

from __future__ import annotations

from optimise.rounds.engines.pyvrp_search.rest_time import rest_clocks
from optimise.rounds.problem import Problem


def is_exact(problem: Problem) -> bool:
    """Whether PyVRP can express all that the problem asks for, but for what finishing a plan sees to by itself."""
    wishes, vehicles = problem.wishes, problem.vehicles
    total_l = int(problem.demand_l.sum())
    return (
        problem.traffic is None
        and not (wishes.per_longest_second or wishes.per_split or wishes.per_unfamiliar_stop)
        and (len(rest_clocks(vehicles)) == 1 or not any(problem.windows))
        # The way home over a disposal site knows no hours, and waiting there is paid.
        and not any(site.windows for site in problem.disposals if problem.prices.per_second)
        and not any(
            who.day_stops is not None and 2 * len(problem.stop_ids) > who.day_stops * len(vehicles) for who in vehicles
        )
        and not any(who.range_m is not None and who.day_l is not None and who.day_l < total_l for who in vehicles)
    )
