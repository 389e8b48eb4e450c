"""What is packed in halves unpacks to what it was, in one stream."""

from __future__ import annotations

import gzip
import random
import zlib
from itertools import pairwise

import pytest

from api.packing import gzipped


@pytest.mark.parametrize("cuts", [[], [0], [1], [0, 0, 3], [5, 900_000], [1000, 1000, 700_000, 2_999_999, 3_000_003]])
def test_parts_are_one_stream_that_unpacks_to_the_same(cuts: list[int]):
    size = 3_000_003 if cuts else 0
    body = (random.Random(1).randbytes(size // 2) + b"aires de livraison " * (size // 38 + 1))[:size]
    packed = gzipped(body[since:until] for since, until in pairwise([0, *cuts, size]))
    assert gzip.decompress(packed) == body
    # A browser reads one member of a stream, and nothing after it.
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(packed) == body
    assert reader.eof
    assert reader.unused_data == b""
