"""CSV as towns write it: read whole, with the number of each record's first line. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

MOST_COLUMNS = 500
MOST_CELL_CHARACTERS = 131_072
"""Of one cell, the limit of Python's own reader: a quote without an end takes in what follows it."""


class BrokenCsvError(Exception):
    """Quotes or fields that no reader of CSV can make sense of."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.line = line


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, with or without a byte-order mark. Raises BrokenCsvError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenCsvError("expected UTF-8: save the file as “CSV UTF-8”", line=line) from error


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the number of its first line. Raises BrokenCsvError.

    The separator is a comma, a semicolon or a tab, whichever the first line has most.
    """
    head = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    try:
        for record in reader:
            number, before = before + 1, reader.line_num
            if len(record) > MOST_COLUMNS:
                raise BrokenCsvError(f"expected at most {MOST_COLUMNS} columns, got {len(record)}", line=number)
            if any(value.strip() for value in record):
                yield number, record
    except csv.Error as error:
        raise BrokenCsvError(f"not CSV: {error}", line=before + 1) from error
