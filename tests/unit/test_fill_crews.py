"""What crews say is evidence, weighed by how well they see."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.fill.crews import CrewEye, Looks, calibrate_eye, rate_evidence
from optimise.fill.readings import Floats

VOLUME_L = 100.0


def evidence(found: list[float], *, paced_h: float = 40.0) -> tuple[float, float]:
    looks = Looks(bin_row=np.zeros(len(found), np.int64), found=np.array(found), paced_h=np.full(len(found), paced_h))
    log_rate, variance = rate_evidence(
        looks,
        eye=CrewEye(offset=0.0, blur=0.1),
        centre=np.zeros(2),
        volume_l=np.full(2, VOLUME_L),
        dispersion_l=1.0,
        day_variance=0.02,
    )
    assert np.isinf(variance[1]), "nobody looked at the second bin"
    return float(np.exp(log_rate[0])), float(variance[0])


def test_a_bin_half_full_after_forty_hours_gets_its_half_in_forty_hours() -> None:
    rate, _ = evidence([0.5, 0.5, 0.5, 0.5])
    assert rate == pytest.approx(0.5 * VOLUME_L / 40, rel=0.15)


def test_more_looks_are_more_evidence() -> None:
    variances = [evidence([0.5] * looks)[1] for looks in (1, 3, 10)]
    assert variances[0] > 2 * variances[1] > 4 * variances[2]


def test_full_says_at_least_and_empty_at_most() -> None:
    full, _ = evidence([1.0, 1.0, 1.0])
    nearly, _ = evidence([0.75, 0.75, 0.75])
    empty, _ = evidence([0.0, 0.0, 0.0])
    assert full > 1.0 * VOLUME_L / 40 > nearly
    assert empty < 0.125 * VOLUME_L / 40


def test_one_wrong_look_does_not_overrule_nine() -> None:
    right, _ = evidence([0.25] * 9)
    mixed, _ = evidence([0.25] * 9 + [1.0])
    assert mixed < 1.35 * right


def looked_at(count: int, *, offset: float, blur: float) -> tuple[Floats, Floats]:
    random = np.random.default_rng(3)
    level = random.uniform(0, 1, count)
    return level, np.clip(np.round(4 * (level + offset + random.normal(0, blur, count))) / 4, 0, 1)


def test_the_eye_of_crews_is_learnt_where_a_sensor_knew_better() -> None:
    low, high = (calibrate_eye(*looked_at(4000, offset=offset, blur=0.1)) for offset in (-0.05, 0.1))
    seen = [eye.offset + eye.slope * 0.4 for eye in (low, high)]
    assert seen == pytest.approx([0.35, 0.5], abs=0.05)
    blurred = calibrate_eye(*looked_at(4000, offset=0.0, blur=0.2))
    assert blurred.blur > high.blur


def test_few_pairs_teach_no_habit() -> None:
    assert calibrate_eye(*looked_at(10, offset=0.3, blur=0.1)) == CrewEye()
