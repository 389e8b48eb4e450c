"""The registry of occupancy models."""

from __future__ import annotations

from storage.model_registry import ModelRegistry

_registry = ModelRegistry("bay_models", title="occupancy model")

save = _registry.save
retire_serving = _registry.retire_serving
serving = _registry.serving
fitted = _registry.fitted
latest_as_of = _registry.latest_as_of
every = _registry.every
one = _registry.one
