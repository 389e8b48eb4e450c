"""The registry of fill models."""

from __future__ import annotations

from storage.model_registry import ModelRegistry

_registry = ModelRegistry("fill_models", title="fill model")

save = _registry.save
retire_serving = _registry.retire_serving
serving = _registry.serving
fitted = _registry.fitted
latest_as_of = _registry.latest_as_of
every = _registry.every
one = _registry.one
