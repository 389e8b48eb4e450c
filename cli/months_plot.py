"""The comparison of policies as a picture: kilometres against service, and how full bins are when they are emptied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage.errors import InputError

_FORMS = {".svg", ".png"}


def draw(document: dict[str, Any], file: Path) -> None:
    """Draw a document of `voirie evaluate rounds` into an SVG or PNG file. The same document gives the same picture.

    Raises InputError for another kind of file, or one that cannot be written.
    """
    if file.suffix.lower() not in _FORMS:
        raise InputError(f"expected a plot file ending in .svg or .png, got {file.name}")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = [*document["policies"], *document["references"]]
    with mpl.rc_context({"svg.hashsalt": "voirie", "font.size": 9}):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        against, fills = figure.subplots(1, 2)
        for row in rows:
            error = _half_widths(row, "km_per_day")
            against.errorbar(
                100 * (1 - row["service_level"]),
                row["km_per_day"],
                yerr=error,
                marker="o",
                linestyle="none",
                capsize=3,
                label=row["policy"],
            )
            steps = len(row["fill_histogram"])
            fills.plot(
                [10 * step + 5 for step in range(steps)],
                [100 * share for share in row["fill_histogram"]],
                marker=".",
                label=row["policy"],
            )
        promised = 100 * (1 - document["options"]["service"])
        against.axvline(promised, color="grey", linestyle=":", label="promised")
        against.set(xlabel="bin-days with an overflow (%)", ylabel="km a day", xlim=(0, None), ylim=(0, None))
        fills.set(xlabel="fill when emptied (%; the last point is a heap)", ylabel="emptyings (%)", ylim=(0, None))
        against.legend(fontsize=7)
        try:
            figure.savefig(file, metadata={"Date": None} if file.suffix.lower() == ".svg" else {})
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror}") from error


def _half_widths(row: dict[str, Any], name: str) -> float | None:
    interval = row["ci95"][name]
    return None if interval is None else (interval[1] - interval[0]) / 2
