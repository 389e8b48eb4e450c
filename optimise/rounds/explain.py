"""Why each bin is served or left out: a code, a French sentence and the figures behind it.

The reasons of left-out bins come from tests on the finished rounds: where would this one bin fit best, what would it
cost, and which rule stands in its way. Nobody asks the engine, so a reason stays true whichever engine made the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimise.rounds.barriers import Barrier, Barriers, access_of, hours_of
from optimise.rounds.insertion import gaps, insertions
from optimise.rounds.policy import Decision
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.saving import savings
from optimise.rounds.solution import Solution
from optimise.rounds.travel import Cutoff
from storage.errors import InputError
from storage.model import Reason

_NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainOptions:
    """From where on to call it what.

    `full_probability`: of being full at the time of service, to say "full today". `on_the_way_m`: a bin whose detour
    is at most this is on the way when its risk of overflowing by the next round is below `risk_probability`.
    """

    full_probability: float = 0.5
    risk_probability: float = 0.3
    on_the_way_m: float = 150.0

    def __post_init__(self) -> None:
        for name in ("full_probability", "risk_probability"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise InputError(f"expected {name} in (0, 1], got {value}")


def served_reasons(
    problem: Problem, solution: Solution, decisions: Sequence[Decision], *, options: ExplainOptions
) -> dict[int, Reason]:
    """Return the reason of each served bin; `decisions` are in the order of the problem's stops."""
    found: dict[int, Reason] = {}
    for route in solution.routes:
        for saving in savings(problem, route):
            found[saving.stop] = _served(
                decisions[saving.stop],
                saving.distance_m,
                imposed=bool(problem.must[saving.stop]),
                options=options,
                asks=_asked(problem, saving.stop),
            )
    return found


def _asked(problem: Problem, stop: int) -> str:
    """Return what the round had to respect at a served bin, as sentences; empty when nothing."""
    hours, access = hours_of(problem, stop), access_of(problem, stop)
    return (f" Heures d'accès : {hours}." if hours else "") + (f" Accès : {access}." if access else "")


def _served(decision: Decision, detour_m: int, *, imposed: bool, options: ExplainOptions, asks: str) -> Reason:
    outlook = decision.outlook
    full, risk = outlook.at_service.probability_full, outlook.at_next.probability_full
    fill = _percent(outlook.at_service.p50)
    if imposed:
        code, text = "must", f"Imposée : à vider quoi qu'il arrive (remplissage prévu {fill})."
    elif full >= options.full_probability:
        code = "full_today"
        text = f"Sans doute pleine au passage : {_percent(full)} de probabilité, remplissage prévu {fill}."
    elif risk < options.risk_probability and detour_m <= options.on_the_way_m:
        code = "on_the_way"
        text = (
            f"Sur le chemin : {_metres(detour_m)} de détour seulement. Remplissage prévu {fill}, "
            f"risque de débordement avant la prochaine tournée {_percent(risk)}."
        )
    else:
        code = "overflow_risk"
        text = (
            f"Risque de débordement avant la prochaine tournée : {_percent(risk)}. Remplissage prévu au passage {fill}."
        )
    return Reason(code=code, text=text + asks, figures=_figures(decision) | {"detour_m": float(detour_m)})


def left_out_reasons(problem: Problem, solution: Solution, decisions: Sequence[Decision]) -> dict[int, Reason]:
    """Return the reason of each bin that the problem knows and the solution leaves out."""
    if not solution.left_out:
        return {}
    if not solution.routes:
        barriers = Barriers(problem)
        return {stop: _left_without_rounds(problem, barriers, stop, decisions[stop]) for stop in solution.left_out}
    left = np.array(solution.left_out)
    options = insertions(problem, gaps(problem, solution), left)
    barriers = Barriers(problem)
    found: dict[int, Reason] = {}
    for row, stop in enumerate(solution.left_out):
        fits, cost = options.fits[row], options.cost[row]
        if not cost.size:
            found[stop] = _left_without_rounds(problem, barriers, stop, decisions[stop])
            continue
        # The detour told is that of the cheapest place that obeys the rules; where none does, of the cheapest at all.
        best = int(np.where(fits, cost, np.iinfo(np.int64).max).argmin() if fits.any() else cost.argmin())
        worth = (cost < problem.prize[stop]) | bool(problem.must[stop])
        barred = problem.must_not[stop] or problem.must[stop] or (worth.any() and not (worth & fits).any())
        code = barriers.among(stop, options, row, worth).value if barred else "not_worth_it"
        found[stop] = _left(
            code,
            decisions[stop],
            detour_m=int(options.detour_m[row, best]),
            detour_s=int(options.detour_s[row, best]),
            cost=int(cost[best]),
            told=_asks(problem, stop),
        )
    return found


def _left_without_rounds(problem: Problem, barriers: Barriers, stop: int, decision: Decision) -> Reason:
    """Explain a bin on a day when nothing is worth a round: the detour is a round of its own."""
    row = int(problem.location[stop])
    alone = []
    for vehicle, who in enumerate(problem.vehicles):
        travel = problem.travel(vehicle)
        sites = [(site.location, site.unload_s) for site in problem.disposals] or [(who.home, 0)]
        for site, unload_s in sites:
            legs = ((who.depot, row), (row, site), (site, who.home))
            distance_m = sum(int(travel.distance_m[leg]) for leg in legs)
            work_s = sum(int(travel.duration_s[leg]) for leg in legs) + int(problem.service_s[stop]) + unload_s
            cost = problem.drive_cost(distance_m, work_s, vehicle=vehicle) + problem.prices_of(vehicle).per_vehicle
            alone.append((not problem.allowed[stop, vehicle], cost, distance_m, work_s))
    _, cost, detour_m, detour_s = min(alone)
    worth = bool(problem.must[stop]) or bool(problem.must_not[stop]) or cost < problem.prize[stop]
    code = (barriers.alone(stop) or Barrier.SHIFT).value if worth else "not_worth_it"
    return _left(code, decision, detour_m=detour_m, detour_s=detour_s, cost=cost, told=_asks(problem, stop))


def _asks(problem: Problem, stop: int) -> dict[str, str]:
    """Return what a bin asks for, for the sentences that say so."""
    return {
        "access": access_of(problem, stop) or "aucun chemin ou aucune équipe",
        "hours": hours_of(problem, stop) or "selon l'exutoire",
    }


_LEFT_TEXTS = {
    "not_worth_it": "Peut attendre : la vider demanderait {detour} de détour et {work} de travail.",
    "must_not": "Laissée sur consigne du jour.",
    "access": "Aucun véhicule disponible n'y a accès ({access}) : elle aurait demandé {detour} de détour.",
    "capacity": "Plus de place dans les bennes : elle aurait demandé {detour} de détour et {work} de travail.",
    "range": "Hors d'autonomie des véhicules : elle aurait demandé {detour} de détour et {work} de travail.",
    "shift": "Plus de temps dans les tournées : elle aurait demandé {detour} de détour et {work} de travail.",
    "window": "Aucune tournée ne peut y passer à ses heures ({hours}) : elle aurait demandé {detour} de détour.",
}


def _left(code: str, decision: Decision, *, detour_m: int, detour_s: int, cost: int, told: Mapping[str, str]) -> Reason:
    outlook = decision.outlook
    text = (
        _LEFT_TEXTS[code].format(detour=_metres(detour_m), work=_duration(detour_s), **told)
        + f" Remplissage prévu {_percent(outlook.at_service.p50)}, risque de débordement avant la prochaine tournée "
        f"{_percent(outlook.at_next.probability_full)}."
    )
    figures = {"detour_m": float(detour_m), "detour_s": float(detour_s), "detour_eur": round(cost / EURO, 2)}
    return Reason(code=code, text=text, figures=_figures(decision) | figures)


def no_forecast() -> Reason:
    """Return the reason of a bin for which the forecast run holds nothing."""
    return Reason(code="no_forecast", text="Aucune prévision pour cette corbeille : rien ne dit qu'il faille y aller.")


def cut_off(cause: Cutoff, *, snap_m: float) -> Reason:
    """Return the reason of a bin that the vehicle cannot reach."""
    if cause is Cutoff.FAR_FROM_STREETS:
        text = f"Inaccessible au véhicule : à {_metres(snap_m)} de la rue carrossable la plus proche."
    else:
        text = "Inaccessible au véhicule : aucun chemin n'y mène depuis le dépôt et l'exutoire, ou n'en revient."
    return Reason(code="unreachable", text=text, figures={"snap_m": round(snap_m, 1)})


def _figures(decision: Decision) -> dict[str, float]:
    outlook = decision.outlook
    return {
        "fill_p50": round(outlook.at_service.p50, 3),
        "fill_p90": round(outlook.at_service.p90, 3),
        "probability_full": round(outlook.at_service.probability_full, 4),
        "probability_full_next": round(outlook.at_next.probability_full, 4),
        "leaving_eur": round(decision.prize / EURO, 2),
        "demand_l": float(decision.demand_l),
    }


def _percent(share: float) -> str:
    """Write a share as French people do, without claiming certainty."""
    percent = round(share * 100)
    if percent == 0 and share > 0:
        return f"moins de 1{_NBSP}%"
    if percent == 100 and share < 1:  # noqa: PLR2004 - a hundred per cent
        return f"plus de 99{_NBSP}%"
    return f"{percent}{_NBSP}%"


def _metres(metres: float) -> str:
    if metres < 1000:  # noqa: PLR2004 - metres below a kilometre
        return f"{round(metres)}{_NBSP}m"
    return f"{metres / 1000:.1f}{_NBSP}km".replace(".", ",")


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - seconds below a minute
        return f"{round(seconds)}{_NBSP}s"
    return f"{round(seconds / 60)}{_NBSP}min"
