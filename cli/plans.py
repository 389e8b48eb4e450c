"""`voirie plan`: plan a day, edit what is planned, publish it, and tell why it is so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.json_file import read_json
from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from cli.registry import Desk
    from storage.model import Plan, PlanVersion

plan = typer.Typer(invoke_without_command=True, help="Plan the rounds of a day now; edit, publish and explain plans.")

PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan, or `latest`.")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does it; otherwise the system's user.", show_default=False)
]


@plan.callback()
def plan_a_day(
    context: typer.Context,
    config: ConfigOption = None,
    *,
    service_date: Annotated[
        str | None, typer.Option("--date", help="Day of service, YYYY-MM-DD; otherwise tomorrow.", show_default=False)
    ] = None,
    serve: Annotated[
        list[str] | None, typer.Option(metavar="BIN", help="Impose this bin; may be repeated.", show_default=False)
    ] = None,
    leave: Annotated[
        list[str] | None, typer.Option(metavar="BIN", help="Leave this bin; may be repeated.", show_default=False)
    ] = None,
    close: Annotated[
        list[int] | None,
        typer.Option(metavar="WAY", help="Close this OpenStreetMap way; may be repeated.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the rounds of a day now; a plan that the checker refuses is not kept."""
    if context.invoked_subcommand is not None:
        return
    settings = start(config)
    from cli.round_jobs import DayOrders
    from cli.services import plan_now

    plan_now(
        settings,
        service_date=service_date,
        as_json=as_json,
        orders=DayOrders(serve=frozenset(serve or ()), leave=frozenset(leave or ()), close=frozenset(close or ())),
    )


@plan.command("edit")
def edit(
    plan_id: PlanArgument = "latest",
    config: ConfigOption = None,
    *,
    lock: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BIN[:HOLD]", help="Keep a bin in_place, on its round or first in it.", show_default=False
        ),
    ] = None,
    move: Annotated[
        list[str] | None,
        typer.Option(metavar="BIN:VEHICLE[:N]", help="Move a bin to a round, as its N-th bin.", show_default=False),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="BIN[:VEHICLE[:N]]", help="Serve a bin, on a round, as its N-th bin.", show_default=False),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="BIN", help="Leave a bin.", show_default=False)] = None,
    crew: Annotated[
        list[str] | None, typer.Option(metavar="VEHICLE:PEOPLE", help="Send so many people.", show_default=False)
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="VEHICLE", help="Keep a vehicle at the depot.", show_default=False)
    ] = None,
    close: Annotated[
        list[int] | None, typer.Option(metavar="WAY", help="Close this OpenStreetMap way.", show_default=False)
    ] = None,
    close_line: Annotated[
        list[str] | None,
        typer.Option(metavar="LON,LAT LON,LAT...", help="Close the streets along this line.", show_default=False),
    ] = None,
    edits: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON list of edits, made before the others.", show_default=False),
    ] = None,
    by: ByOption = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish the draft at once.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a draft of a plan with edits, and tell what they change; each option may be repeated."""
    settings = start(config)
    from cli.registry import desk, who
    from cli.wiring import editor_options
    from optimise.rounds.editing.editor import edit_plan
    from optimise.rounds.warm_streets import WarmStreets
    from storage import plan_versions

    documents = [
        *_edits_of(edits),
        *(_lock(text) for text in lock or ()),
        *(_placed("move", text) for text in move or ()),
        *(_placed("add", text) for text in add or ()),
        *({"kind": "drop", "place_id": text} for text in drop or ()),
        *(_crew(text) for text in crew or ()),
        *({"kind": "without", "vehicle_id": text} for text in without or ()),
        *({"kind": "close", "way_id": way} for way in close or ()),
        *({"kind": "close", "line": _line(text)} for text in close_line or ()),
    ]
    if not documents:
        raise typer.BadParameter("nothing to edit: name an option such as --drop, or --edits FILE")
    with desk(settings) as at:
        base = _plan_id(at, plan_id)
        draft = edit_plan(
            at.connection, at.insee, base, documents, by=by or who(), options=editor_options(settings, WarmStreets())
        )
        if publish:
            plan_versions.publish(at.connection, at.insee, draft.plan_id, by=by or who(), at=draft.made_at)
        at.connection.commit()
        version = plan_versions.one(at.connection, at.insee, draft.plan_id)
    _tell(version, as_json=as_json)


@plan.command("publish")
def publish_draft(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a draft.")],
    config: ConfigOption = None,
    by: ByOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a draft the plan of its day."""
    settings = start(config)
    from cli.job_basis import present
    from cli.registry import desk, who
    from storage import communes, plan_versions

    with desk(settings) as at:
        now = present(at.connection, at.insee) or communes.clock(at.connection, at.insee).now()
        version = plan_versions.publish(at.connection, at.insee, _plan_id(at, plan_id), by=by or who(), at=now)
        at.connection.commit()
    _tell(version, as_json=as_json)


@plan.command("show")
def show(plan_id: PlanArgument = "latest", config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Tell why a plan is so: each stop, each bin left, and what it was made from and became."""
    settings = start(config)
    from cli.registry import desk
    from storage import plan_versions, plans

    with desk(settings) as at:
        found = plans.one(at.connection, at.insee, _plan_id(at, plan_id))
        version = plan_versions.one(at.connection, at.insee, found.plan_id)
    if as_json:
        typer.echo(json.dumps(_explained(found, version), ensure_ascii=False))
        return
    for line in _in_words(found, version):
        typer.echo(line)


def _explained(found: Plan, version: PlanVersion) -> dict[str, Any]:
    import msgspec

    return {
        "plan_id": str(found.plan_id),
        "service_date": found.service_date.isoformat(),
        "version": msgspec.to_builtins(version),
        "made_from": {
            "as_of": found.as_of.isoformat(),
            "engine": found.engine,
            "seed": found.seed,
            "travel_source": found.travel_source,
            "forecast_run_id": None if found.forecast_run_id is None else str(found.forecast_run_id),
            "inputs": found.inputs,
        },
        "checker": found.checker,
        "routes": [
            {
                "vehicle_id": route.vehicle_id,
                "start_at": route.start_at.isoformat(),
                "end_at": route.end_at.isoformat(),
                "distance_m": route.distance_m,
                "stops": [
                    {
                        "kind": stop.kind.value,
                        "place_id": stop.place_id,
                        "arrive_at": stop.arrive_at.isoformat(),
                        "load_l": stop.load_l,
                        "reason": None if stop.reason is None else msgspec.to_builtins(stop.reason),
                    }
                    for stop in route.stops
                ],
            }
            for route in found.routes
        ],
        "left_out": [
            {"place_id": left.place_id, "reason": msgspec.to_builtins(left.reason)} for left in found.left_out
        ],
    }


def _in_words(found: Plan, version: PlanVersion) -> list[str]:
    numbered = "" if version.version is None else f", version {version.version}"
    became = f"{version.status}{numbered}, {version.origin} by {version.made_by}"
    made_from = f"{found.engine}, {found.travel_source}, data up to {found.as_of:%Y-%m-%d %H:%M} UTC"
    lines = [f"plan {found.plan_id} of {found.service_date} ({became}): {made_from}"]
    for route in found.routes:
        lines.append(f"{route.vehicle_id}: {route.distance_m / 1000:.1f} km, {route.duration_s / 3600:.1f} h")
        lines += [
            f"  {stop.arrive_at:%H:%M} {stop.place_id}: {stop.reason.text}"
            for stop in route.stops
            if stop.reason is not None
        ]
    lines.append(f"{len(found.left_out)} bins left:")
    lines += [f"  {left.place_id}: {left.reason.text}" for left in found.left_out]
    return lines


def _plan_id(at: Desk, text: str) -> UUID:
    from storage import plans

    if text == "latest":
        found = plans.latest(at.connection, at.insee)
        if found is None:
            raise NotFoundError(f"commune {at.insee} has no plan")
        return found.plan_id
    try:
        return UUID(text)
    except ValueError as error:
        raise InputError(f"expected the id of a plan or latest, got {text!r}") from error


def _tell(version: PlanVersion, *, as_json: bool) -> None:
    import msgspec

    document = msgspec.to_builtins(version)
    typer.echo(json.dumps(document, ensure_ascii=False, indent=None if as_json else 2))


def _edits_of(file: Path | None) -> list[dict[str, Any]]:
    if file is None:
        return []
    found = read_json(file, option="--edits")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(f"--edits: expected a list of edits in {file}")
    return found


def _lock(text: str) -> dict[str, Any]:
    place_id, _, hold = text.partition(":")
    return {"kind": "lock", "place_id": place_id} | ({"hold": hold} if hold else {})


def _placed(kind: str, text: str) -> dict[str, Any]:
    place_id, *rest = text.split(":")
    document: dict[str, Any] = {"kind": kind, "place_id": place_id}
    if rest:
        document["vehicle_id"] = rest[0]
    if rest[1:]:
        document["position"] = _number(f"--{kind}", ":".join(rest[1:]))
    return document


def _crew(text: str) -> dict[str, Any]:
    vehicle_id, _, people = text.rpartition(":")
    return {"kind": "crew", "vehicle_id": vehicle_id, "people": _number("--crew", people)}


def _line(text: str) -> list[list[float]]:
    try:
        points = [[float(part) for part in point.split(",")] for point in text.split()]
    except ValueError as error:
        raise InputError(f"--close-line: expected LON,LAT LON,LAT..., got {text!r}") from error
    if any(len(point) != 2 for point in points):  # noqa: PLR2004 - a longitude and a latitude
        raise InputError(f"--close-line: expected LON,LAT LON,LAT..., got {text!r}")
    return points


def _number(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{option}: expected a whole number, got {text!r}") from error
