"""The report's page: well-formed, needing nothing from elsewhere, told in words too, and safe from hostile names."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from cli.report import words
from cli.report.page import Heading, render
from optimise.fill.report.placement import PlacementOptions
from optimise.fill.report.whole import ReportOptions, make_report
from optimise.fill.training import TrainingData
from simulators.streets import default_extract
from tests.sensing import commune

HOSTILE = '"><script>alert(1)</script><img src=x onerror="alert(2)">{{ 7*7 }}'
VOID = {"meta", "link", "br", "hr", "img", "input"}


@pytest.fixture(scope="module")
def data() -> TrainingData:
    known = commune(seed=32, bins=90, days=8).heard(np.random.default_rng(2).permutation(90)[:45])
    hostile = tuple(replace(item, street=HOSTILE, bin_kind=HOSTILE) for item in known.bins)
    return replace(known, bins=hostile)


@pytest.fixture(scope="module")
def page(data: TrainingData) -> str:
    report = make_report(data, ReportOptions(placement=PlacementOptions(sensors=3)))
    return render(report, Heading(town=f"Ville {HOSTILE}", model_version="m", run_id="r", extract=default_extract()))


class Reader(HTMLParser):
    """Notes every element, and any that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"an attribute twice in {self.get_starttag_text()}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")
        else:
            self.open.pop()


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_the_page_is_well_formed(page: str):
    reader = read(page)
    assert (reader.faults, reader.open) == ([], [])
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_asks_for_nothing_from_elsewhere(page: str):
    assert not re.search(r"https?:|//[\w.]+/|url\(|@import", page)
    asking = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image", "foreignobject"}
    for tag, attributes in read(page).elements:
        assert tag not in asking
        assert not {"src", "href", "xlink:href", "srcset"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)


def test_every_figure_has_its_words(page: str):
    reader = read(page)
    figures = [attributes for tag, attributes in reader.elements if tag == "svg"]
    assert len(figures) >= 10
    for attributes in figures:
        assert attributes["role"] == "img"
        for name in str(attributes["aria-labelledby"]).split():
            found = re.search(rf'<(title|desc) id="{name}">([^<]*)</', page)
            assert found
            assert len(found[2].strip()) > 10
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().split()


def test_hostile_names_are_text(page: str):
    assert "<script" not in page
    assert "49" not in re.findall(r"\{\{.*?\}\}|&#34;&gt;[^<]*49[^<]*", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page


def test_a_town_without_history_or_streets_gets_a_page_that_says_so(data: TrainingData):
    young = data.at(data.start_s + 3600)
    page = render(make_report(young, ReportOptions()), Heading(town="Ville"))
    assert read(page).faults == []
    assert "Trop peu de niveaux" in page
    assert "Où poser les prochains capteurs" in page


def test_one_bin_is_a_town(data: TrainingData):
    alone = commune(seed=32, bins=90, days=8).heard([0])
    one = replace(
        alone,
        bins=alone.bins[:1],
        hourly=replace(alone.hourly, level=alone.hourly.level[:1], gained=alone.hourly.gained[:1]),
        declared=alone.declared.where(alone.declared.bin_row == 0),
        detected=alone.detected.where(alone.detected.bin_row == 0),
    )
    assert read(render(make_report(one, ReportOptions()), Heading(town="Ville"))).faults == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.number(1234.56, 1), "1\u202f234,6"),
        (words.number(-0.5, 1), "\u22120,5"),
        (words.percent(0.805), "80\u00a0%"),
        (words.signed(0.25, 1), "+0,2"),
        (words.count(1, "corbeille", "corbeilles"), "1\u00a0corbeille"),
        (words.count(0, "essai", "essais"), "0\u00a0essai"),
        (words.bias(-9.0, 10.0), "presque toujours sous-estimée (de 9\u00a0points)"),
        (words.bias(2.0, 10.0), None),
    ],
)
def test_words_are_french(said: str | None, expected: str | None):
    assert said == expected
