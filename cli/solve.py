"""`voirie solve`: rounds for a problem that a file states, without a database or settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.one_line import one_line
from cli.options import JsonOption
from storage.errors import InputError

if TYPE_CHECKING:  # what computes is imported when it runs, so that `voirie --help` answers at once
    from optimise.rounds.check import Verdict
    from optimise.rounds.engines import Improvement
    from optimise.rounds.formats import Task
    from optimise.rounds.solution import Solution

_EXIT_REFUSED = 1
_TOLD_EVERY_S = 0.5
_LEAST_S = 0.2
_CHECK_SHARE = 0.01  # of the time, kept for the checker and the answer
_CHECK_S = (0.1, 1.0)  # at least and at most
_BOUND_SHARE = 0.015  # of the time, for a bound on the cost
_BOUND_S = 1.0  # at most, and with --iterations
_PICTURES = {".png", ".svg"}


def solve(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="VRPLIB, Solomon's format, waste collection of Kim et al., or JSON (docs/rounds-problem.md).",
        ),
    ],
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="Wall time for all of it, reading and checking too.")] = 60.0,
    iterations: Annotated[
        int | None,
        typer.Option(min=1, help="Iterations of each process instead: a seed then reproduces.", show_default=False),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Processes that search.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=1_000_000, help="The same seed searches the same way.")] = 0,
    engine: Annotated[str, typer.Option(help="best, ortools or pyvrp.")] = "best",
    out: Annotated[Path | None, typer.Option(help="Write the answer here too, as JSON.", show_default=False)] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the rounds and the cost over time: FILE.png or FILE.svg.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Solve the rounds that a file states; Ctrl-C ends the search with the best plan so far."""
    began = time.monotonic()
    if plot is not None and plot.suffix.lower() not in _PICTURES:
        raise InputError(f"--plot {plot}: expected a name that ends in .png or .svg")
    from cli.stopping import stop_on_signals
    from optimise.rounds.check import check
    from optimise.rounds.engines import Limits
    from optimise.rounds.engines.choice import engine_named

    chosen = engine_named(engine, threads=threads)
    stop = stop_on_signals()
    task = _read(file)
    history: list[Improvement] = []
    spent_s = time.monotonic() - began
    bound_s = _BOUND_S if iterations is not None else min(seconds * _BOUND_SHARE, _BOUND_S)
    keep_s = min(max(_CHECK_S[0], seconds * _CHECK_SHARE), _CHECK_S[1]) + bound_s
    limits = Limits(
        solve_s=None if iterations is not None else max(_LEAST_S, seconds - spent_s - keep_s), iterations=iterations
    )
    solution = chosen.solve(
        task.problem, limits=limits, seed=seed, improved=_teller(task, history, spent_s), stopped=stop.is_set
    )
    verdict = check(task.problem, solution)
    document = (
        _document(task, solution, verdict, history, spent_s=spent_s)
        | _bound(task, verdict, bound_s)
        | {
            "seed": seed,
            "stopped": stop.is_set(),
            "seconds": round(time.monotonic() - began, 3),
        }
    )
    _answer(document, task, solution, out=out, plot=plot, as_json=as_json)
    if not verdict.accepted:
        told = "; ".join(str(violation) for violation in verdict.violations[:3])
        typer.echo(one_line(f"voirie: the checker does not accept the plan: {told}"), err=True)
        raise typer.Exit(_EXIT_REFUSED)


def _read(file: Path) -> Task:
    from optimise.rounds.formats import BYTES_AT_MOST, read_task

    try:
        size = file.stat().st_size
        if size > BYTES_AT_MOST:
            raise InputError(f"{file}: expected at most {BYTES_AT_MOST} bytes, got {size}")
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{file.name}: line {line}: expected text in UTF-8, got byte {content[error.start]:#04x}"
        ) from error
    return read_task(text, file.name)


def _teller(task: Task, history: list[Improvement], spent_s: float) -> Callable[[Improvement], None]:
    """Return what keeps each improvement, and tells some of them on standard error."""
    told_s = -_TOLD_EVERY_S

    def tell(found: Improvement) -> None:
        nonlocal told_s
        history.append(found)
        now_s = found.elapsed_s + spent_s
        if now_s - told_s >= _TOLD_EVERY_S:
            told_s = now_s
            typer.echo(f"{now_s:7.1f} s  {_cost_so_far(task, found):>14,.10g}  {found.phase}", err=True)

    return tell


def _cost_so_far(task: Task, found: Improvement) -> float:
    return task.unit.so_far(found.cost)


def _document(
    task: Task, solution: Solution, verdict: Verdict, history: list[Improvement], *, spent_s: float
) -> dict[str, Any]:
    from dataclasses import asdict

    problem = task.problem
    return {
        "name": task.name,
        "format": task.file_format,
        "cost": task.unit.cost_of(verdict),
        "unit": task.unit.name,
        "routes": [task.visited(route) for route in solution.routes],
        "unserved": [task.place_id(problem.stop_ids[stop]) for stop in solution.left_out],
        "vehicles": len(solution.routes),
        "checker": {
            "accepted": verdict.accepted,
            "violations": [asdict(violation) for violation in verdict.violations],
            "distance": verdict.distance_m,
            "duration": verdict.duration_s,
            "rules": [rule.value for rule in _rules()],
        },
        "engine": solution.engine,
        "timetable": [_timetable(task, solution, number) for number in range(len(solution.routes))],
        "history": [
            {
                "seconds": round(one.elapsed_s + spent_s, 3),
                "cost": round(_cost_so_far(task, one), 6),
                "phase": one.phase,
            }
            for one in history
        ],
    }


def _bound(task: Task, verdict: Verdict, seconds: float) -> dict[str, Any]:
    """Return the bound on the cost, nothing where none is to be had in so many seconds."""
    from optimise.rounds.bound import cost_bound

    of_distance = task.unit.of_distance
    best = verdict.distance_m if of_distance else verdict.cost
    found = cost_bound(task.problem, best=best, seconds=seconds, of_distance=of_distance)
    return {} if found is None else {"bound": task.unit.told(found)}


def _rules() -> Any:
    from optimise.rounds.check import Rule

    return Rule


def _timetable(task: Task, solution: Solution, number: int) -> dict[str, Any]:
    from optimise.rounds.solution import VisitKind

    route, problem = solution.routes[number], task.problem
    visits = []
    for visit in route.visits:
        name = None
        if visit.kind is VisitKind.STOP:
            name = task.place_id(problem.stop_ids[visit.index])
        elif visit.kind is VisitKind.DISPOSAL:
            name = task.place_id(problem.disposals[visit.index].place_id)
        visits.append(
            {
                "kind": visit.kind.value,
                "place": name,
                "arrive": visit.arrive_s,
                "depart": visit.depart_s,
                "load": visit.load_l,
            }
        )
    return {
        "vehicle": problem.vehicles[route.vehicle].vehicle_id,
        "start": route.start_s,
        "end": route.end_s,
        "visits": visits,
    }


def _answer(
    document: dict[str, Any], task: Task, solution: Solution, *, out: Path | None, plot: Path | None, as_json: bool
) -> None:
    import msgspec

    encoded = msgspec.json.encode(document)
    try:
        if out is not None:
            out.write_bytes(encoded + b"\n")
        if plot is not None:
            from cli.solve_picture import draw

            draw(plot, task, solution, document)
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}") from error
    if as_json:
        typer.echo(encoded.decode())
        return
    left = document["unserved"]
    typer.echo(f"{document['name']} ({document['format']}): {document['cost']:,.10g} {document['unit']}")
    typer.echo(f"{document['vehicles']} vehicles, {len(left)} left, {document['seconds']:.1f} s, {document['engine']}")
    if "bound" in document:
        typer.echo(f"no plan costs less than {document['bound']:,.10g}")
    typer.echo(f"checker: {'accepted' if document['checker']['accepted'] else 'refused'}")
    for number, route in enumerate(document["routes"], start=1):
        typer.echo(f"route {number}: {' '.join(str(place) for place in route)}")
    if left:
        typer.echo(f"left: {' '.join(str(place) for place in left)}")
