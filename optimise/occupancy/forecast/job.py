"""The forecast of a commune's bays as a job: the present, by the model in service, in place of the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats
from optimise.occupancy.forecast.groups import Group, wider_groups
from optimise.occupancy.forecast.loading import Town, load_town
from optimise.occupancy.forecast.packing import PackedOccupancyError, unpack_usual
from optimise.occupancy.forecast.questions import AHEAD_MIN
from optimise.occupancy.forecast.registry import METHOD, serving
from optimise.occupancy.forecast.serving import BayChances, GroupCounts, Present, add_up, foretell
from optimise.occupancy.forecast.usual import WEEK, Usual
from optimise.occupancy.trial.clock import DAY_S, local_s
from optimise.occupancy.trial.field import SLOTS
from storage import bay_forecasts, bay_scores
from storage.bay_sample import SAMPLED_MIN, BaySample
from storage.database import Connection
from storage.kerb.admission import admits, use_of
from storage.kerb_now import known_of
from storage.model import BayEvidence, BayForecast, BayForecastRun, BayGroupForecast

SIMPLE = "fading-persistence"
_SAMPLE_S = 1800
"""One forecast in so many seconds is kept until its day is judged."""


def forecast_bays(connection: Connection, commune_insee: str, *, as_of: datetime) -> BayForecastRun | None:
    """Forecast every bay and space of the commune and every group of them; in the caller's transaction.

    None when another worker is at it, or there is no bay. Raises NotFoundError for a commune that is not served.
    """
    if not bay_forecasts.lock(connection, commune_insee):
        return None
    town = load_town(connection, commune_insee, now=as_of)
    if not town.places:
        return None
    record, model = serving(connection, commune_insee)
    present = present_of(town, _usual(connection, town, as_of), as_of)
    foretold = foretell(model, present)
    groups = [*town.stretches, *wider_groups(town.places, bay_forecasts.above(connection, commune_insee))]
    counts = add_up(model, present, foretold, [group.members for group in groups])
    run = BayForecastRun(
        as_of=as_of,
        made_at=datetime.now(UTC),
        model_id=None if record is None else record.model_id,
        method=SIMPLE if record is None else METHOD,
        ahead_min=AHEAD_MIN,
        places=len(town.places),
        sensed=int((~np.isnan(present.now)).sum()),
    )
    bay_forecasts.save(
        connection,
        commune_insee,
        run,
        bays=_bays(town, present, foretold),
        groups=_groups(town, present, groups, counts),
    )
    slot = datetime.fromtimestamp(int(as_of.timestamp()) // _SAMPLE_S * _SAMPLE_S, UTC)
    if not bay_scores.is_sampled(connection, commune_insee, since=slot, until=slot + timedelta(seconds=_SAMPLE_S)):
        bay_scores.save_sample(connection, commune_insee, _sample(town, present, foretold, as_of))
    return run


def _sample(town: Town, present: Present, foretold: BayChances, as_of: datetime) -> BaySample:
    """Return what is said at the moments that are judged, of bays of which anything is."""
    told = np.array([evidence is not BayEvidence.NOTHING for evidence in foretold.evidence], dtype=bool)
    steps = [AHEAD_MIN.index(minutes) for minutes in SAMPLED_MIN]
    return BaySample(
        as_of=as_of,
        place_id=np.array([place.place_id for place in town.places], dtype=object)[told],
        use=np.array([use_of(place).value for place in town.places], dtype=object)[told],
        evidence=np.array([evidence.value for evidence in foretold.evidence], dtype=object)[told],
        free=present.now[told],
        chance=foretold.chance[told][:, steps].T,
    )


def present_of(town: Town, usual: Usual, as_of: datetime) -> Present:
    """Return what is known of a town's bays at `as_of`."""
    now, held_s = np.full(len(town.places), np.nan), np.full(len(town.places), np.nan)
    for row, place in enumerate(town.places):
        known = known_of(place, as_of)
        if known.occupied is not None:
            now[row] = float(not known.occupied)
            held_s[row] = 0.0 if known.since is None else max(0.0, (as_of - known.since).total_seconds())
    return Present(
        bays=town.bays,
        asked_s=int(as_of.timestamp()),
        now=now,
        held_s=held_s,
        usual=usual,
        usable=_usable(town, as_of),
    )


def _usable(town: Town, as_of: datetime) -> NDArray[np.bool_]:
    """Return (ahead, p) whether the rules admit a bay's own vehicles then."""
    moments = [as_of + timedelta(minutes=minutes) for minutes in AHEAD_MIN]
    told: dict[tuple[int, str], list[bool]] = {}
    columns = []
    for place in town.places:
        timetable, use = town.view.timetables.of(place), use_of(place)
        key = (id(timetable), use.value)
        if key not in told:
            told[key] = [admits(timetable.at(moment).rule, use) for moment in moments]
        columns.append(told[key])
    return np.array(columns, dtype=bool).T


def _usual(connection: Connection, town: Town, as_of: datetime) -> Usual:
    """Return what is usual at the town's bays, NaN at those that came since it was learnt, or where nothing was."""
    zone = town.zone.key
    share = np.full((len(town.places), WEEK * SLOTS), np.nan, dtype=np.float32)
    today = int(local_s(np.array([int(as_of.timestamp())]), zone)[0] // DAY_S)
    content = bay_forecasts.usual(connection, town.commune_insee)
    if content is None:
        return Usual(share=share, first_day=today, time_zone=zone, repeats=True)
    try:
        place_ids, usual = unpack_usual(content, time_zone=zone)
    except PackedOccupancyError:
        return Usual(share=share, first_day=today, time_zone=zone, repeats=True)
    row_of = {place_id: row for row, place_id in enumerate(place_ids)}
    for row, place in enumerate(town.places):
        known = row_of.get(place.place_id)
        if known is not None:
            share[row] = usual.share[known]
    return Usual(share=share, first_day=usual.first_day, time_zone=zone, repeats=True)


def _bays(town: Town, present: Present, foretold: BayChances) -> Iterator[BayForecast]:
    for row, place in enumerate(town.places):
        evidence = foretold.evidence[row]
        sensed = evidence is BayEvidence.SENSOR
        nothing = evidence is BayEvidence.NOTHING
        yield BayForecast(
            place_id=place.place_id,
            use=use_of(place),
            evidence=evidence,
            occupied=present.now[row] == 0 if sensed else None,
            chance=None if nothing else _rounded(foretold.chance[row]),
            if_changed=_rounded(foretold.if_changed[row]) if sensed else None,
            chance_low=None if sensed or nothing else _rounded(foretold.low[row]),
            chance_high=None if sensed or nothing else _rounded(foretold.high[row]),
        )


def _groups(
    town: Town, present: Present, groups: Sequence[Group], counts: Sequence[GroupCounts]
) -> Iterator[BayGroupForecast]:
    for group, count in zip(groups, counts, strict=True):
        members = [town.places[row] for row in group.members]
        yield BayGroupForecast(
            group_id=group.group_id,
            scope=group.scope,
            use=group.use,
            name=group.name,
            longitude_deg=float(np.mean([place.longitude_deg for place in members])),
            latitude_deg=float(np.mean([place.latitude_deg for place in members])),
            place_ids=tuple(place.place_id for place in members),
            sensed=int((~np.isnan(present.now[group.members])).sum()),
            known=tuple(map(int, count.places)),
            expected=_rounded(count.expected),
            low=tuple(map(int, count.low)),
            high=tuple(map(int, count.high)),
            chance=_rounded(count.chance),
        )


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(each), 4) for each in values)
