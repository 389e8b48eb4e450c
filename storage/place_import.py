"""A file of places at the kerb taken into communes: all of it, or nothing and every fault with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from storage import communes, kerb_places, places, sessions
from storage.database import Connection
from storage.device_file import LineError
from storage.model import KERB_KINDS, KerbPlace, PlaceKind
from storage.place_files.lines import Defaults, PlaceForm, PlaceLine
from storage.place_files.reading import read_places
from storage.sessions import BEGINNING, SessionsDue

_MOST_LEVELS = 4
_GROUPS = (PlaceKind.DELIVERY_AREA, PlaceKind.ZONE, PlaceKind.STREET_FACE)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacesReport:
    """What became of a file. With errors nothing was written; `skipped` lines are of communes that were not meant.

    `communes` are those that were not known before, by INSEE code.
    """

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    communes: tuple[str, ...] = ()
    errors: tuple[LineError, ...] = ()
    warnings: tuple[LineError, ...] = ()


def import_places(
    connection: Connection,
    commune_insee: str | None,
    content: bytes,
    *,
    form: PlaceForm,
    defaults: Defaults | None = None,
    dry_run: bool = False,
) -> PlacesReport:
    """Take a file in, in the caller's transaction; with `dry_run` write nothing.

    Lines that name another commune than `commune_insee` are skipped; without one every line goes to the commune that it
    names, which is made if it is not known. Repeating it changes nothing; places that the file does not have stay.
    Raises NotFoundError when there is no such commune.
    """
    if commune_insee is not None:
        communes.one(connection, commune_insee)
    file = read_places(content, form, defaults)
    by_commune, skipped, errors = _sorted(file.lines, commune_insee)
    errors = [*file.errors, *errors]
    report = PlacesReport(skipped=skipped, warnings=file.warnings)
    known = {commune.commune_insee for commune in communes.every(connection)}
    missing = [insee for insee in by_commune if insee not in known]
    plans = []
    kinds_of: dict[str, dict[str, PlaceKind]] = {}
    for insee, lines in by_commune.items():
        stored = {} if insee in missing else _stored(connection, insee, lines)
        kinds = {} if insee in missing else places.kinds(connection, insee)
        errors += _contradictions(lines, stored, kinds)
        plans.append((insee, lines, stored))
        kinds_of[insee] = kinds
    if errors:
        return replace(report, errors=tuple(sorted(errors, key=lambda error: (error.line, error.column or ""))))
    for insee, lines, stored in plans:
        changed = [line.place for line in lines if stored.get(line.place.place_id) != line.place]
        new = sum(place.place_id not in stored for place in changed)
        report = replace(
            report,
            imported=report.imported + new,
            updated=report.updated + len(changed) - new,
            unchanged=report.unchanged + len(lines) - len(changed),
        )
        if dry_run or not changed:
            continue
        if insee in missing:
            name = next((line.commune_name for line in lines if line.commune_name), insee)
            communes.enter(connection, commune_insee=insee, name=name.title() if name.isupper() else name)
        kerb_places.save(connection, insee, changed)
        sessions.ask(connection, insee, _judged_anew(changed, stored, kinds_of[insee]))
    return replace(report, communes=tuple(missing))


def _sorted(
    lines: Sequence[PlaceLine], commune_insee: str | None
) -> tuple[dict[str, list[PlaceLine]], int, list[LineError]]:
    by_commune: dict[str, list[PlaceLine]] = {}
    errors = []
    skipped = 0
    for line in lines:
        of = line.commune_insee or commune_insee
        if of is None:
            errors.append(
                LineError(line=line.line, reason="the file names no commune by its INSEE code: say which one")
            )
        elif commune_insee is not None and of != commune_insee:
            skipped += 1
        else:
            by_commune.setdefault(of, []).append(line)
    return by_commune, skipped, errors[:1]


def _stored(connection: Connection, insee: str, lines: Sequence[PlaceLine]) -> dict[str, KerbPlace]:
    """Return what is known of the file's places, and all that other places may be part of."""
    found = kerb_places.of_commune(connection, insee, place_ids=[line.place.place_id for line in lines])
    found += kerb_places.of_commune(connection, insee, kinds=_GROUPS)
    return {place.place_id: place for place in found}


def _judged_anew(
    changed: Sequence[KerbPlace], stored: Mapping[str, KerbPlace], kinds: Mapping[str, PlaceKind]
) -> list[SessionsDue]:
    """Return the places whose overstays are counted by other rules now; those of a group are anybody's."""
    if any(place.kind in _GROUPS for place in changed):
        ours = [place_id for place_id, kind in kinds.items() if kind in KERB_KINDS and kind not in _GROUPS]
    else:
        ours = [place.place_id for place in changed if place.place_id in stored]
    return [SessionsDue(place_id=place_id, changed_since=BEGINNING) for place_id in ours]


def _contradictions(
    lines: Sequence[PlaceLine], stored: Mapping[str, KerbPlace], kinds: Mapping[str, PlaceKind]
) -> list[LineError]:
    """Return where the file contradicts itself or what is known: kinds, and what places are part of."""
    told = {line.place.place_id: line for line in lines}
    errors = []
    for line in lines:
        place = line.place
        known = kinds.get(place.place_id)
        if known is not None and known is not place.kind:
            reason = f"{place.place_id} is a {known} already, and a place keeps its kind"
            errors.append(LineError(line=line.line, reason=reason, column="place_id"))
        if place.part_of is None:
            continue
        above = told[place.part_of].place.kind if place.part_of in told else kinds.get(place.part_of)
        if above is None:
            reason = f"there is no place {place.part_of!r}, neither here nor in the file"
        elif above not in _GROUPS:
            reason = f"{place.part_of} is a {above}, which has no parts"
        elif _goes_round(place, told, stored):
            reason = f"{place.place_id} would be part of itself, or of more than {_MOST_LEVELS} places"
        else:
            continue
        errors.append(LineError(line=line.line, reason=reason, column="part_of"))
    return errors


def _goes_round(place: KerbPlace, told: Mapping[str, PlaceLine], stored: Mapping[str, KerbPlace]) -> bool:
    above = place.part_of
    for _ in range(_MOST_LEVELS):
        if above is None:
            return False
        if above == place.place_id:
            return True
        higher = told[above].place if above in told else stored.get(above)
        above = None if higher is None else higher.part_of
    return True
