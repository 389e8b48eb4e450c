"""Decoders: what devices' bytes mean. One module a family; a device's model names its decoder."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.decoders.bosch_tps110 import decode_tps110
from ingest.decoders.decoded import Decoded, Decoder, Info, Measurement
from ingest.decoders.milesight_em310_udl import decode_em310_udl
from ingest.decoders.voirie_native import decode_native

__all__ = ["Decoded", "Decoder", "Info", "Measurement", "built_in_decoders"]


def built_in_decoders() -> Mapping[str, Decoder]:
    """Return the decoder of every model that this version reads, by model."""
    return {
        "bosch-tps110": decode_tps110,
        "milesight-em310-udl": decode_em310_udl,
        "voirie-native": decode_native,
    }
