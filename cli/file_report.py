"""What became of a file that was taken in, or was not: its faults by line, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from cli.one_line import one_line

if TYPE_CHECKING:  # what reads files is imported when it runs, so that `voirie --help` answers at once
    from storage.device_file import LineError
    from storage.file_report import FileReport

EXIT_INPUT = 2


def lines_document(lines: Sequence[LineError]) -> list[dict[str, Any]]:
    """Return faults or warnings as JSON documents list them."""
    return [{"line": one.line, "reason": one.reason} | ({"column": one.column} if one.column else {}) for one in lines]


def print_lines(lines: Sequence[LineError], *, kind: str = "") -> None:
    """Print faults or warnings on standard error; `kind` stands before each reason."""
    for one in lines:
        typer.echo(one_line(f"line {one.line}{f', {one.column}' if one.column else ''}: {kind}{one.reason}"), err=True)


def print_faults(errors: Sequence[LineError]) -> None:
    """Print every fault, and that nothing was imported."""
    print_lines(errors)
    typer.echo(f"nothing was imported: {len(errors)} faults", err=True)


def print_counts(what: str, *, imported: int, updated: int, unchanged: int, dry_run: bool) -> None:
    """Print what was imported."""
    would = "would be " if dry_run else ""
    typer.echo(f"{imported} {what} {would}imported, {updated} {would}updated, {unchanged} unchanged")


def tell_import(report: FileReport, what: str, *, dry_run: bool, as_json: bool) -> None:
    """Tell what became of a file, for people or as JSON, and end with 2 where it had faults."""
    counts = {"imported": report.imported, "updated": report.updated, "unchanged": report.unchanged}
    if as_json:
        document: dict[str, Any] = counts | {"errors": lines_document(report.errors), "dry_run": dry_run}
        typer.echo(json.dumps(document, ensure_ascii=False))
    elif report.errors:
        print_faults(report.errors)
    else:
        print_counts(what, **counts, dry_run=dry_run)
    if report.errors:
        raise typer.Exit(EXIT_INPUT)
