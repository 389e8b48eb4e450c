"""Large answers packed fast: for megabytes of a live map the quickest gzip beats the tightest one on any network.

An answer comes in parts, and each is packed on another core while the next one is made: zlib lets other threads run
meanwhile. Together they are one stream (RFC 1952): all but the last end on a byte, and the next goes on from there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from fastapi import Request, Response

_LEVEL = 1
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # deflate, no name, no time, fastest, any system
_packers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="packing")


def packed(request: Request, parts: Iterable[bytes], *, media_type: str) -> Response:
    """Return the parts as one body, by gzip where the client takes it; the middleware leaves what is packed already."""
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(gzipped(parts), media_type=media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(b"".join(parts), media_type=media_type, headers=headers)


def gzipped(parts: Iterable[bytes]) -> bytes:
    """Return the parts, one after the other, by gzip."""
    done: list[Future[bytes]] = []
    last, crc, size = b"", 0, 0
    for part in parts:
        if last:
            done.append(_packers.submit(_deflated, last, zlib.Z_FULL_FLUSH))
        last = part
        crc, size = zlib.crc32(part, crc), size + len(part)
    end = _deflated(last, zlib.Z_FINISH)
    return b"".join((_HEAD, *(one.result() for one in done), end, struct.pack("<LL", crc, size % 2**32)))


def _deflated(part: bytes, end: int) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(end)
