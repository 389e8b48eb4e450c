"""Who is compared: each policy's name, its sensors, and what its dial means."""

from __future__ import annotations

from dataclasses import dataclass

from optimise.rounds.months.options import MonthsOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A policy with its dial: what it is called, the share of bins with a sensor, where the dial begins, what it is."""

    name: str
    kind: str
    sensors: float
    first: float
    dial: str


def contenders(options: MonthsOptions) -> tuple[Contender, ...]:
    """Return the policies that are compared, in the order in which they are told."""
    calendar = "service asked of the calendar over the past"
    money = "euros for a bin full for a day"
    ours = {f"ours_{round(100 * share)}": share for share in (0.0, options.sensors, 1.0)}
    return (
        Contender(name="fixed", kind="fixed", sensors=0.0, first=1.0, dial=calendar),
        Contender(name="threshold", kind="threshold", sensors=1.0, first=2.5, dial="level from which a bin is emptied"),
        *(Contender(name=name, kind="ours", sensors=share, first=320.0, dial=money) for name, share in ours.items()),
        Contender(name="perfect", kind="perfect", sensors=0.0, first=60.0, dial=money),
        Contender(name="informed", kind="informed", sensors=1.0, first=160.0, dial=money),
        Contender(name="fixed_hot", kind="fixed_hot", sensors=0.0, first=1.0, dial=calendar),
    )


def dial_value(contender: Contender, dial: float, options: MonthsOptions) -> float:
    """Return what a position of the dial means: euros, a level, a service level."""
    match contender.kind:
        case "fixed" | "fixed_hot":
            return 1 - (1 - options.service) / dial
        case "threshold":
            return 1 / (1 + dial)
        case _:
            return dial
