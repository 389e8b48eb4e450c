"""Answers that anybody may keep for some seconds: one question, one answer, and 304 where it still holds."""

from __future__ import annotations

from hashlib import sha256

from fastapi import Request, Response

MAX_AGE_S = 15


def kept(request: Request, content: bytes, *, media_type: str) -> Response:
    """Return `content` for whoever has not got it yet, 304 for who has. Other sites' pages may read it."""
    headers = {
        "ETag": f'W/"{sha256(content).hexdigest()[:20]}"',
        "Cache-Control": f"public, max-age={MAX_AGE_S}, stale-while-revalidate={2 * MAX_AGE_S}",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    told = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if "*" in told or headers["ETag"].removeprefix("W/") in told:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
