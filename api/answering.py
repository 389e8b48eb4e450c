"""Long answers, written by the model that made them."""

from __future__ import annotations

from fastapi import Response

from api.models.common import Model


def answer(model: Model) -> Response:
    """Return a long answer that is not checked a second time: it was made by its model, and is written by it.

    FastAPI would check each part again, make plain objects of it and then text, which took longer than the rest.
    """
    return Response(model.model_dump_json(by_alias=True), media_type="application/json")
