"""What is packed in halves unpacks to what it was, in one stream."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from api.packing import gzipped


@pytest.mark.parametrize("size", [0, 1, 499_999, 500_000, 500_001, 3_000_003])
def test_halves_are_one_stream_that_unpacks_to_the_same(size: int):
    body = random.Random(size).randbytes(size // 2) + b"aires de livraison " * (size // 38 + 1)
    packed = gzipped(body[:size])
    assert gzip.decompress(packed) == body[:size]
    # A browser reads one member of a stream, and nothing after it.
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(packed) == body[:size]
    assert reader.eof
    assert reader.unused_data == b""
