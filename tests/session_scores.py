"""How far sessions tell what was: against a simulated town's true stays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optimise.occupancy.sessions import Session, sessions_of
from tests.session_cases import SessionCase, Stay

_NEAR_S = 120.0
_MARGIN_S = 3600.0


def _span(session: Session) -> tuple[float, float]:
    end_us = session.last_seen_us if session.ended_us is None else session.ended_us
    return session.started_us / 1e6, end_us / 1e6


def _overlap(session: Session, stay: Stay) -> float:
    start, end = _span(session)
    shared = min(end, stay.left_s) - max(start, stay.arrived_s)
    whole = max(end, stay.left_s) - min(start, stay.arrived_s)
    return max(0.0, shared) / whole if whole > 0 else 0.0


def _is_whole(session: Session, stay: Stay) -> bool:
    start, end = _span(session)
    return abs(start - stay.arrived_s) <= _NEAR_S and abs(end - stay.left_s) <= _NEAR_S


def scores(case: SessionCase) -> dict[str, float]:
    """Return figures over all places, of stays that ended while the sensor lived and began after it was mounted.

    `found`: more than half of the stay and a session are the same time. `exact`: both ends within two minutes.
    `false`: the share of sessions at a time when nobody stood there. `joined`: the share that are several stays.
    `dwell_…_s`: the error of told dwells of found stays. `exact_at_…`: how many of the sessions so certain are exact.
    """
    first_s = case.world.start.timestamp() + _MARGIN_S
    stays = found = exact = 0
    sessions = false = joined = 0
    errors: list[float] = []
    certain: list[tuple[float, bool]] = []
    for place_id, truth in case.stays.items():
        until_s = case.alive_until_s[place_id] - _MARGIN_S
        made = [one for one in sessions_of(case.reports.get(place_id, [])) if first_s <= one.started_us / 1e6 < until_s]
        ours = [stay for stay in truth if stay.arrived_s >= first_s and stay.left_s < until_s]
        for stay in ours:
            best = max(made, key=lambda one, stay=stay: _overlap(one, stay), default=None)  # type: ignore[misc]
            stays += 1
            if best is None or _overlap(best, stay) <= 0.5:
                continue
            found += 1
            exact += _is_whole(best, stay)
            if best.dwell_s is not None:
                errors.append(abs(best.dwell_s - (stay.left_s - stay.arrived_s)))
        for one in made:
            start, end = _span(one)
            sessions += 1
            met = [stay for stay in truth if stay.arrived_s < end + 1 and stay.left_s > start - 1]
            false += not met
            joined += sum(_inside(stay, start, end) for stay in met) > 1
            if one.ended_us is not None:
                certain.append((one.certainty, any(_is_whole(one, stay) for stay in met)))
    figures = {
        "stays": float(stays),
        "found": found / max(stays, 1),
        "exact": exact / max(stays, 1),
        "sessions": float(sessions),
        "false": false / max(sessions, 1),
        "joined": joined / max(sessions, 1),
        "dwell_median_error_s": float(np.median(errors)) if errors else 0.0,
        "dwell_p95_error_s": float(np.quantile(errors, 0.95)) if errors else 0.0,
        "dwell_mean_error_s": float(np.mean(errors)) if errors else 0.0,
        "dwell_told": len(errors) / max(found, 1),
    }
    return figures | _by_certainty(certain)


def _inside(stay: Stay, start: float, end: float) -> bool:
    return min(end, stay.left_s) - max(start, stay.arrived_s) > 0.5 * (stay.left_s - stay.arrived_s)


def _by_certainty(certain: Iterable[tuple[float, bool]]) -> dict[str, float]:
    told = list(certain)
    figures = {}
    for name, low, high in (("90", 0.9, 1.01), ("50_to_90", 0.5, 0.9), ("below_50", 0.0, 0.5)):
        inside = [is_exact for certainty, is_exact in told if low <= certainty < high]
        figures[f"sessions_at_{name}"] = float(len(inside))
        figures[f"exact_at_{name}"] = float(np.mean(inside)) if inside else 0.0
    return figures
