from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.device_cells import escaped, unescaped, write_devices
from storage.device_file import COLUMNS, MOST_LINES, TOLD_BY_US, DeviceFile, read_devices
from storage.errors import InputError
from storage.local_time import parse_time
from storage.model import BinShape, DeviceNow, DeviceStatus, Geometry, Orientation, PlaceKind

PARIS = ZoneInfo("Europe/Paris")


def read(text: str) -> DeviceFile:
    return read_devices(text.encode(), zone=PARIS)


def faults(text: str | bytes) -> list[tuple[int, str | None, str]]:
    content = text.encode() if isinstance(text, str) else text
    file = read_devices(content, zone=PARIS)
    assert all(error.reason for error in file.errors)
    return [(error.line, error.column, error.reason) for error in file.errors]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("eui,model,place_id\r\na,b,c\r\n", id="comma"),
        pytest.param("eui;model;place_id\na;b;c\n", id="semicolon"),
        pytest.param("eui\tmodel\tplace_id\na\tb\tc", id="tab, and no last line end"),
        pytest.param("\ufeffEUI;Model;PLACE_ID\na;b;c\n", id="byte-order mark, capitals"),
        pytest.param('"eui","model","place_id"\n"a","b","c"\n', id="quotes"),
        pytest.param("place_id,model,eui\nc,b,a\n", id="another order"),
        pytest.param("eui,model,place_id\n\n , ,\na,b,c\n\n", id="blank lines"),
        pytest.param("eui,model,place_id,last_seen_at,battery_percent\na,b,c,x,y\n", id="what an export tells besides"),
    ],
)
def test_files_as_people_make_them(text: str):
    file = read(text)
    assert not file.errors
    ((eui, model, place_id),) = [(line.eui, line.model, line.place_id) for line in file.lines]
    assert (eui, model, place_id) == ("a", "b", "c")


def test_all_columns_are_read():
    header = ";".join(COLUMNS)
    (line,) = read(
        f"{header}\ns;voirie-native;mounted;COR-1;01/03/2026 10:30;;900;100;950;850;up;tapered;0,8;Été; oui\n".replace(
            "Été; oui", '"Été; oui"'
        )
    ).lines
    assert (line.status, line.comment) == (DeviceStatus.MOUNTED, "Été; oui")
    assert line.mounted_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert line.geometry == Geometry(
        empty_distance_mm=900,
        full_distance_mm=100,
        mounting_height_mm=950,
        full_height_mm=850,
        orientation=Orientation.UP,
        bin_shape=BinShape.TAPERED,
        bottom_ratio=0.8,
    )


def test_every_bad_line_is_named_with_its_number():
    text = (
        "eui,model,place_id,status,mounted_at,empty_distance_mm,comment\n"
        "a,b,c,mounted,2026-03-01,900,\n"
        ",b,c,,,,\n"
        'x,y,z,,,,"a quoted\nline"\n'
        "a,b,c,lost,yesterday,9.5,\n"
        "a,b\n"
        "a,b,,mounted,,,\n"
        "a,b,c,retired,,,\n"
        "a,b,,,2026-03-01,12,\n"
        f"a,b,c,,,,{'x' * 1001}\n"
        "a,b,c\0,,,,\n"
    )
    file = read(text)
    assert [line.line for line in file.lines] == [2, 4]
    assert [(error.line, error.column) for error in file.errors] == [
        (3, "eui"),
        (6, "status"), (6, "mounted_at"), (6, "empty_distance_mm"),
        (7, None),
        (8, "place_id"),
        (9, "status"),
        (10, "place_id"), (10, "place_id"),
        (11, "comment"),
        (12, "place_id"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        pytest.param("", 1, None, "expected a header", id="empty"),
        pytest.param("\n\n", 1, None, "expected a header", id="blank"),
        pytest.param("eui,place_id\na,b\n", 1, "model", "expected a column model", id="a column is missing"),
        pytest.param("eui,model,colour\na,b,c\n", 1, "colour", "unknown column 'colour'", id="unknown column"),
        pytest.param("eui,model,EUI\na,b,c\n", 1, "eui", "there twice", id="a column twice"),
        pytest.param("eui,model\na,b\nc,d,e\n", 3, None, "expected 2 fields, got 3", id="too many fields"),
        pytest.param('eui,model\na,"b\n', 2, None, "not CSV", id="a quote that never ends"),
        pytest.param("eui,model\na,b\né,c\n".encode("latin-1"), 3, None, "expected UTF-8", id="another encoding"),
        pytest.param("eui,model\na,b\n".encode("utf-16"), 1, None, "expected UTF-8", id="UTF-16"),
        pytest.param(b"x" * (8 * 1024 * 1024 + 1), 1, None, "expected at most 8388608 bytes", id="too large"),
        pytest.param("eui,model\na," + "b" * 200_000 + "\n", 2, None, "field larger than", id="an endless field"),
    ],
)
def test_files_that_are_none(text: str | bytes, line: int, column: str | None, reason: str):
    ((found_line, found_column, found_reason),) = faults(text)
    assert (found_line, found_column) == (line, column)
    assert reason in found_reason


def test_a_file_has_a_longest_length():
    body = "".join(f"d{n},m\n" for n in range(MOST_LINES))
    assert len(read(f"eui,model\n{body}").lines) == MOST_LINES
    ((line, _, reason),) = faults(f"eui,model\n{body}one,more\n")
    assert (line, reason) == (MOST_LINES + 2, f"expected at most {MOST_LINES} devices: split the file")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T10:30:00+01:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01 10:30", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("1/7/2026", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("01/07/2026 08:05:09", datetime(2026, 7, 1, 6, 5, 9, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(text: str, moment: datetime):
    assert parse_time(text, zone=PARIS) == moment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("soon", "expected a time like"),
        ("31/02/2026", "expected a time like"),
        ("03/14/2026", "expected a time like"),
        ("2026-03-29 02:30", "does not exist in Europe/Paris"),
        ("2026-10-25 02:30", "is twice in Europe/Paris"),
        ("0001-01-01", "expected a time of this age"),
        ("0001-01-01T00:00+14:00", "expected a time of this age"),
    ],
)
def test_times_that_are_none(text: str, reason: str):
    with pytest.raises(InputError, match=reason):
        parse_time(text, zone=PARIS)


@given(st.text())
def test_any_cell_comes_back(text: str):
    assert unescaped(escaped(text)) == text
    assert not escaped(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.binary(max_size=300) | st.text(alphabet="eui,model;place_id\n\r\"'=\x00é ", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_with_reasons(content: bytes):
    file = read_devices(content, zone=PARIS)
    assert all(error.reason and error.line >= 1 for error in file.errors)


_printable = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
_geometry = st.just(Geometry()) | st.builds(
    Geometry,
    empty_distance_mm=st.integers(1, 20_000),
    full_distance_mm=st.none() | st.integers(0, 20_000),
    orientation=st.sampled_from(Orientation),
    bin_shape=st.just(BinShape.TAPERED),
    bottom_ratio=st.floats(0, 5),
)


@given(eui=_printable, model=_printable, comment=st.none() | _printable, geometry=_geometry)
def test_what_is_written_is_read_again(eui: str, model: str, comment: str | None, geometry: Geometry):
    device = DeviceNow(
        eui=eui,
        model=model,
        status=DeviceStatus.MOUNTED,
        comment=comment,
        place_id="COR-0001",
        place_kind=PlaceKind.BIN,
        mounted_at=datetime(2026, 3, 1, 9, 30, 1, 5, tzinfo=UTC),
        geometry=geometry,
        last_seen_at=None,
        battery_percent=91.5,
        battery_v=None,
    )
    text = write_devices([device], (*COLUMNS, *TOLD_BY_US))
    cells = list(csv.reader(io.StringIO(text)))[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    (line,) = read(text).lines
    assert (line.eui, line.model, line.comment, line.mounted_at) == (eui, model, comment, device.mounted_at)
    assert (line.status, line.place_id, line.geometry or Geometry()) == (DeviceStatus.MOUNTED, "COR-0001", geometry)
