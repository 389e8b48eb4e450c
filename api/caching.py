"""Answers that anybody may keep for some seconds: one question, one answer, and 304 where it still holds."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from fastapi import Request, Response

MAX_AGE_S = 15


def kept(request: Request, content: bytes, *, media_type: str, max_age_s: int = MAX_AGE_S) -> Response:
    """Return `content` for whoever has not got it yet, 304 for who has. Other sites' pages may read it."""
    headers = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    return unless_held(request, content, media_type=media_type, max_age_s=max_age_s, headers=headers)


def unless_held(
    request: Request, content: bytes, *, media_type: str, headers: Mapping[str, str], max_age_s: int = MAX_AGE_S
) -> Response:
    """Return `content` with `headers`, for anybody to keep for `max_age_s`; 304 for who has it."""
    told = dict(headers) | {
        "ETag": f'W/"{sha256(content).hexdigest()[:20]}"',
        "Cache-Control": f"public, max-age={max_age_s}, stale-while-revalidate={2 * max_age_s}",
    }
    held = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if "*" in held or told["ETag"].removeprefix("W/") in held:
        return Response(status_code=304, headers=told)
    return Response(content, media_type=media_type, headers=told)
