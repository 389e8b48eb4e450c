"""`voirie decode`: what one frame of a device says, without a database, a broker or settings."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import JsonOption
from storage.errors import InputError

if TYPE_CHECKING:  # what decodes is imported when it runs, so that `voirie --help` answers at once
    from ingest.decoders import Decoded, DeviceModel, Info, Measurement
    from ingest.envelopes import Uplink

_STANDARD_INPUT = "-"
_BETWEEN_BYTES = re.compile(r"[\s:]+")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]*")
_LONGEST_QUOTE = 40
_WIDTH_OF_FILES = 240


def decode(
    payload: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HEX",
            help="The frame's bytes: 0175 or 01 75, 01:75, 0x01 0x75; JSON for decoded values; - reads standard input.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The device's model, as --list names it.", show_default=False)
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=255, help="The frame's fPort.", show_default=False)] = None,
    *,
    list_models: Annotated[bool, typer.Option("--list", help="List the models that this version reads.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decode one frame of a device, or list the models; needs no settings."""
    from ingest.decoders import built_in_models

    models = built_in_models()
    if list_models:
        if payload or model is not None:
            raise InputError("--list takes neither a model nor a frame")
        _print_models(models.values(), as_json=as_json)
        return
    document = decoded_document(_known(models, model), _text(payload), port=port)
    if as_json:
        _print_json(document)
    else:
        _print_document(document)
    if document["errors"] and not document["readings"] and not document["info"]:
        raise typer.Exit(1)


def decoded_document(model: DeviceModel, text: str, *, port: int | None = None) -> dict[str, Any]:
    """Return what the frame says: `readings`, `info`, and `errors` for what could not be read of it.

    Raises InputError when `text` is no frame: neither hexadecimal nor, where values may come decoded, JSON.
    """
    from ingest.decoders import Decoded, decode_uplink
    from ingest.refusal import RefusedError

    uplink = uplink_of(model, text, port=port)
    try:
        decoded = decode_uplink(model, uplink)
        errors = [refused.detail for refused in decoded.unreadable]
    except RefusedError as refused:
        hint = " (no --port was given)" if port is None and uplink.payload else ""
        decoded, errors = Decoded(), [f"{refused.detail}{hint}"]
    except Exception as error:  # noqa: BLE001 - the collector keeps such a frame as refused; here the sentence is enough
        decoded, errors = Decoded(), [f"the decoder of {model.name} failed: {type(error).__name__}: {error}"]
    return {"readings": _readings(decoded), "info": _merged(decoded.infos), "errors": errors}


def uplink_of(model: DeviceModel, text: str, *, port: int | None) -> Uplink:
    """Return the frame as a network would deliver it: bytes, or JSON that is decoded values already."""
    from ingest.envelopes import Uplink

    if model.takes_records:
        return Uplink(device_eui="", records=_records(text))
    if text.lstrip().startswith("{"):
        return Uplink(device_eui="", decoded=_json(text), f_port=port)
    return Uplink(device_eui="", payload=bytes_of(text), f_port=port)


def bytes_of(text: str) -> bytes:
    """Return the bytes of hexadecimal text; its groups may be apart by spaces or colons, and begin with 0x."""
    groups = [group[2:] if group[:2] in {"0x", "0X"} else group for group in _BETWEEN_BYTES.split(text.strip())]
    for group in groups:
        if not _HEX_DIGITS.fullmatch(group):
            raise InputError(f"expected hexadecimal digits, got {_short(group)}")
        if len(group) % 2:
            raise InputError(f"expected two hexadecimal digits for each byte, got {len(group)} in {_short(group)}")
    digits = "".join(groups)
    if not digits:
        raise InputError("expected a frame in hexadecimal digits, got an empty text")
    return bytes.fromhex(digits)


def _records(text: str) -> tuple[bytes, ...]:
    """Return the records of native JSON: a whole message, a list of its readings, or one reading."""
    import msgspec

    content = _json(text)
    if isinstance(content, dict):
        content = content.get("readings", [content])
    if not isinstance(content, list) or not content:
        raise InputError("expected a reading, or readings, in JSON as docs/mqtt.md describes them")
    return tuple(msgspec.json.encode(record) for record in content)


def _json(text: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"expected JSON, got {_short(text)}: {error}") from error


def _known(models: Mapping[str, DeviceModel], name: str | None) -> DeviceModel:
    from storage.device_names import near_models

    if name is None:
        raise InputError("--model is missing: `voirie decode --list` names the models")
    if name not in models:
        near = near_models(name, models)
        advice = f"did you mean {' or '.join(near)}?" if near else "`voirie decode --list` names the models"
        raise InputError(f"there is no model {_short(name)}: {advice}")
    return models[name]


def _text(payload: list[str] | None) -> str:
    if not payload:
        raise InputError("the frame is missing: give its bytes in hexadecimal digits, or - to read standard input")
    if payload == [_STANDARD_INPUT]:
        return sys.stdin.buffer.read().decode(errors="replace")
    return " ".join(payload)


def _short(text: str) -> str:
    """Return foreign text as it may stand in a sentence."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}...")


def _readings(decoded: Decoded) -> list[dict[str, Any]]:
    return [_reading(measurement) for measurement in decoded.measurements]


def _reading(measurement: Measurement) -> dict[str, Any]:
    """Return the reading in our names and units, without what is unknown: no level or state where none was measured.

    What the collector would not believe is left out as it does: a temperature that no street has, 255 % of a battery.
    """
    from ingest.quality import plausible_battery_percent, plausible_temperature_c
    from storage.model import Quality

    measured = measurement.quality is Quality.OK
    fraction = measurement.own_fill_fraction
    values = {
        "measured_at": None if measurement.measured_at is None else measurement.measured_at.isoformat(),
        "distance_mm": measurement.distance_mm if measured else None,
        "fill_percent": round(fraction * 100, 6) if measured and fraction is not None else None,
        "occupied": measurement.occupied if measured else None,
        "temperature_c": plausible_temperature_c(measurement.temperature_c),
        "battery_percent": plausible_battery_percent(measurement.battery_percent),
        "battery_v": measurement.battery_v,
        "tilted": measurement.tilted,
        "fire": measurement.fire,
        "full": measurement.full,
        "quality": measurement.quality.value,
    }
    return {name: value for name, value in values.items() if _finite(value)}


def _finite(value: Any) -> bool:
    """Whether there is a value that JSON can say: a device may send a float that is no number."""
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _merged(infos: Iterable[Info]) -> dict[str, Any]:
    """Return all that the device said of itself as one object; `kind` is the first's, `kinds` names all of several.

    A name that two of them give differently keeps the first's value; the other stands as `{its kind}.{name}`.
    """
    infos = list(infos)
    merged: dict[str, Any] = {}
    if infos:
        merged["kind"] = infos[0].kind
    if len(infos) > 1:
        merged["kinds"] = [info.kind for info in infos]
    for info in infos:
        for name, value in info.detail.items():
            merged[name if merged.get(name, value) == value else f"{info.kind}.{name}"] = value
    return merged


def _print_json(document: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(document).decode())


def _print_models(models: Iterable[DeviceModel], *, as_json: bool) -> None:
    listed = [
        {"name": model.name, "title": model.title, "measures": model.measures, "source": model.source}
        for model in models
    ]
    if as_json:
        _print_json({"models": listed})
    else:
        _print_table(("model", "device", "measures"), [(one["name"], one["title"], one["measures"]) for one in listed])


def _print_document(document: dict[str, Any]) -> None:
    """Print a table of what was measured, one of what the device says of itself, and the errors."""
    readings = document["readings"]
    names = list(dict.fromkeys(name for reading in readings for name in reading))
    if readings:
        _print_table(names, [[_shown(reading.get(name)) for name in names] for reading in readings])
    if document["info"]:
        _print_table(("info", ""), [(name, _shown(value)) for name, value in document["info"].items()])
    for error in document["errors"]:
        typer.echo(f"not read: {error}")
    if not any(document.values()):
        typer.echo("the frame says nothing")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _print_table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        # As text: a device's words are no markup.
        table.add_row(*(Text(cell) for cell in row))
    # A file or another program takes long lines; a person's screen has its own width.
    Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES).print(table)
