"""The observatory over HTTP says what the tables know, and its documents are what they promise to be."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from api.models.observatory import ObservatoryModel
from optimise.occupancy.advice.job import advise_commune
from optimise.occupancy.advice.options import AdviceOptions
from storage.database import Connection
from tests.api.rows import INSEE, NOW

OBSERVATORY = f"/api/v1/communes/{INSEE}/observatory"


def test_figures_by_street_with_the_period_before(client: httpx.Client, observed: Connection):
    asked = {"from": "2026-03-07", "to": "2026-03-09", "by": "street", "compare": "previous", "kind": "delivery_bay"}
    answer = client.get(OBSERVATORY, params=asked).json()
    model = ObservatoryModel.model_validate_json(client.get(OBSERVATORY, params=asked).content)
    (group,) = model.groups
    assert (group.street, group.places) == ("Avenue Émile Cossonneau", 1)
    assert (group.known_h, group.offline_h, group.occupied_share) == (72.0, 0.0, 0.5)
    assert (group.sessions, group.turnover_per_day, group.mean_dwell_s) == (72, 24.0, 1800.0)
    assert answer["groups"][0]["change"]["occupied_share"] == 0
    assert answer["known_until"] == "2026-03-09"
    # Taken half of the time: as many find no place as find one.
    assert group.refused_share == pytest.approx(0.5)
    assert group.refused == pytest.approx(72)
    assert group.refused_low is not None
    assert group.refused_low < 72


def test_hours_are_of_whole_months(client: httpx.Client, observed: Connection):
    answer = client.get(OBSERVATORY, params={"from": "2026-03-07", "to": "2026-03-08", "by": "hour,day_class"}).json()
    assert (answer["from"], answer["to"]) == ("2026-03-01", "2026-03-31")
    assert len(answer["groups"]) == 24 * 3
    assert {group["occupied_share"] for group in answer["groups"]} == {0.5}
    (sunday,) = (one for one in answer["groups"] if (one["hour"], one["day_class"]) == (14, "sunday"))
    assert (sunday["known_h"], sunday["offline_h"]) == (1.0, 1.0)  # the Sunday before, no sensor spoke yet


def test_the_table_says_the_same(client: httpx.Client, observed: Connection):
    answer = client.get(f"{OBSERVATORY}.csv", params={"by": "bay,month"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["place_id"], row["month"], row["occupied_share"]) == ("ADL-01", "2026-03", "0.5")


def test_what_is_not_known_yet_is_not_found(client: httpx.Client, rows: Connection):
    answer = client.get(OBSERVATORY)
    assert answer.status_code == 404
    assert "no figures yet" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wrong", [{"by": "moon"}, {"kind": "bin"}, {"compare": "yesterday"}, {"from": "x"}, {"from": "2026-03-10"}]
)
def test_what_cannot_be_answered_is_refused(client: httpx.Client, observed: Connection, wrong: dict[str, str]):
    asked = {"from": "2026-03-07", "to": "2026-03-09"} | wrong
    assert client.get(OBSERVATORY, params=asked).status_code == 422


def test_an_answer_that_no_server_should_hold_is_refused_whole(
    client: httpx.Client, observed: Connection, monkeypatch: pytest.MonkeyPatch
):
    asked = {"from": "2026-03-07", "to": "2026-03-08", "by": "hour,day_class"}
    monkeypatch.setattr("api.routes.observatory.MOST_LINES", 24 * 3 - 1)
    for path in (OBSERVATORY, f"{OBSERVATORY}.csv"):
        refused = client.get(path, params=asked)
        assert refused.status_code == 422
        assert "by hour,day_class: expected at most 71 lines of answer" in refused.json()["detail"]
    assert len(client.get(OBSERVATORY, params=asked | {"by": "hour"}).json()["groups"]) == 24


def test_the_last_advice_is_served_as_it_was_made(client: httpx.Client, observed: Connection):
    path = f"/api/v1/communes/{INSEE}/delivery-areas/advice"
    assert client.get(path).status_code == 404
    told = advise_commune(observed, INSEE, now=NOW, options=AdviceOptions(weeks=2, workers=1), extract=None)
    observed.commit()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["advice_id"] == told.advice_id
    assert answer.json()["areas"] == told.document["areas"]
    assert answer.json()["measures"] == told.document["measures"]
