"""A step as a sentence."""

from __future__ import annotations

from api.phrases.catalogue import Catalogue
from storage.model import Manoeuvre, Modifier, PlannedStop, Step


def sentence(step: Step, *, to: PlannedStop, phrases: Catalogue) -> str:
    """Return what the driver is told at a step of the leg that leads to the stop `to`."""
    modifier = step.modifier
    pattern = phrases.steps[step.manoeuvre]
    if modifier is not None:
        pattern = phrases.steps.get((step.manoeuvre, modifier), pattern)
    elif step.manoeuvre is Manoeuvre.ARRIVE:
        pattern = phrases.steps[Manoeuvre.ARRIVE, Modifier.STRAIGHT]
    text = pattern.format(
        way=phrases.ways[modifier or Modifier.STRAIGHT],
        destination=destination(to, phrases),
        exit=_exit(step.exit, phrases),
    )
    leads_on = step.manoeuvre not in {Manoeuvre.ARRIVE, Manoeuvre.DIRECT}
    return text + (phrases.onto.format(street=step.street) if leads_on and step.street else "")


def destination(stop: PlannedStop, phrases: Catalogue) -> str:
    """Return what a stop is called: its kind, and which one."""
    kind = phrases.stops[stop.kind]
    return kind if stop.place_id is None else f"{kind} {stop.place_id}"


def _exit(number: int | None, phrases: Catalogue) -> str:
    return phrases.first_exit if number in {None, 1} else phrases.nth_exit.format(number=number)
