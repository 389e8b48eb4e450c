"""Decoders: what devices' bytes mean. One module a family, found by its `MODELS`; a model names its decoder."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from ingest.decoders.decoded import Decoded, Decoder, DeviceModel, Info, Measurement, ObjectReader
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.model import RefusalReason

__all__ = [
    "Decoded",
    "Decoder",
    "DeviceModel",
    "Info",
    "Measurement",
    "ObjectReader",
    "built_in_models",
    "decode_uplink",
]


@cache
def built_in_models() -> Mapping[str, DeviceModel]:
    """Return every model that this version reads, by name: those that this folder's modules list in their `MODELS`.

    Raises ValueError when two modules claim one name.
    """
    models: dict[str, DeviceModel] = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        for model in getattr(import_module(f"{__name__}.{module}"), "MODELS", ()):
            if model.name in models:
                raise ValueError(f"two decoders claim the model {model.name!r}")
            models[model.name] = model
    return dict(sorted(models.items()))


def decode_uplink(model: DeviceModel, uplink: Uplink) -> Decoded:
    """Return what the uplink says: from the device's bytes when it carries them, else from the network's object.

    Raises RefusedError(MALFORMED_PAYLOAD) when it cannot be read at all.
    """
    if uplink.records is None and model.takes_records:
        raise RefusedError(
            RefusalReason.MALFORMED_PAYLOAD, f"the device's model is {model.name}, but the message carries no records"
        )
    if uplink.decoded is not None and not uplink.payload and uplink.records is None:
        if model.read_object is None:
            raise RefusedError(
                RefusalReason.MALFORMED_PAYLOAD,
                f"{model.name} is read from its bytes, and the network sent only what it decoded itself",
            )
        return model.read_object(uplink.decoded)
    if uplink.records is not None and not model.takes_records:
        raise RefusedError(
            RefusalReason.MALFORMED_PAYLOAD, f"{model.name} is read from its bytes, and the message carries records"
        )
    return model.decode(uplink)
