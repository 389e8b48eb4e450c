"""The report as one JSON document."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from optimise.fill.report.by_bin import BinError
from optimise.fill.report.whole import Part, Report


def document_of(report: Report) -> dict[str, Any]:
    """Return the report's figures; errors are in points of fill, shares 0..1."""
    data = report.data
    return {
        "data": {
            "bins": len(data.bins),
            "bins_with_sensor": int(data.has_sensor.sum()),
            "hours": data.hours,
            "readings": len(data.readings),
            "emptyings_declared": len(data.declared),
            "emptyings_detected": len(data.detected),
            "looks_of_crews": int(np.isfinite(data.declared.found).sum()),
        },
        "unsensored": _part(report.unsensored),
        "sensored": _part(report.sensored),
        "drivers": [asdict(one) for one in report.drivers],
        "worst": [_bin_error(report, one) for one in report.worst],
        "best": [_bin_error(report, one) for one in report.best],
        "sensors": {
            "error_now": report.advice.error_now,
            "advised": [
                _place(report, placed.row)
                | {
                    "lowers_own_by": placed.own,
                    "lowers_others_by": placed.others,
                    "helped": placed.helped,
                    "error_after": after,
                }
                for placed, after in zip(report.advice.placed, report.advice.error_after, strict=True)
            ],
        },
        "bins": _bins(report),
    }


def _part(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    made = part.made
    low, high = made.quantiles[:, 1], made.quantiles[:, 3]
    simple_mae = float(made.simple_error.mean())
    return {
        "n": len(made),
        "bins": len(np.unique(made.bin_row)),
        "mae": float(made.error.mean()),
        "best_baseline": made.simple_name,
        "best_baseline_mae": simple_mae,
        "skill_vs_best": 1 - float(made.error.mean()) / max(simple_mae, 1e-9),
        "coverage_80": float(made.inside(0.8).mean()),
        "coverage_90": float(made.inside(0.9).mean()),
        "width_80": float((high - low).mean() * 100),
        "rounds": None if part.rounds is None else asdict(part.rounds),
        "below": [asdict(point) for point in part.below],
        "full": [asdict(point) for point in part.full],
        "ahead": [asdict(one) for one in part.ahead],
        "groups": [asdict(one) for one in part.groups],
    }


def _bins(report: Report) -> list[dict[str, Any]]:
    measured = {one.row: one for one in report.errors}
    sensed = report.data.has_sensor
    found = []
    for row in range(len(report.data.bins)):
        error = measured.get(row)
        found.append(
            _place(report, row)
            | {
                "has_sensor": bool(sensed[row]),
                "mae": None if error is None else error.mae,
                "bias": None if error is None else error.bias,
                "coverage_80": None if error is None else error.coverage_80,
                "n": 0 if error is None else error.n,
                "expected_error": float(report.expected_error[row]),
                "fill_per_day": float(report.rate_per_day[row]),
                "surprise": float(report.surprise[row]),
            }
        )
    return found


def _bin_error(report: Report, error: BinError) -> dict[str, Any]:
    return _place(report, error.row) | {
        "n": error.n,
        "mae": error.mae,
        "bias": error.bias,
        "best_baseline_mae": error.simple_mae,
        "coverage_80": error.coverage_80,
        "reasons": [{"fact": fact, "value": value} for fact, value in error.reasons if math.isfinite(value)],
    }


def _place(report: Report, row: int) -> dict[str, Any]:
    item = report.data.bins[row]
    return {
        "place_id": item.place_id,
        "street": item.street,
        "longitude_deg": item.longitude_deg,
        "latitude_deg": item.latitude_deg,
    }
