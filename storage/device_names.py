"""What a device and its model may be called."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from storage.errors import InputError
from storage.model import Catalogue, KnownModel

_DEV_EUI = re.compile(r"[0-9a-f]{16}")
_NATIVE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SEPARATORS = re.compile(r"[\s:-]")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_LIKENESS = 0.5
_ROUNDED = re.compile(r"[0-9.,]+e\+?[0-9]+")


def known_model(catalogue: Catalogue, name: str) -> KnownModel:
    """Return the model; InputError names the nearest one when there is none of that name."""
    found = catalogue.get(name)
    if found is None:
        near = near_models(name, catalogue)
        raise InputError(f"no model {name!r}" + (f": did you mean {near[0]}?" if near else ""))
    return found


def near_models(name: str, models: Iterable[str]) -> list[str]:
    """Return up to three models that may be meant, the likeliest first: those whose name holds `name`, then alike ones.

    People leave the maker out, or the end (`em310`), and write underscores and spaces.
    """
    models = list(models)
    wanted = _BETWEEN_WORDS.sub("-", name.strip().lower())
    holding = [model for model in models if wanted and wanted in model]
    alike = difflib.get_close_matches(wanted, models, n=3, cutoff=_LIKENESS)
    return list(dict.fromkeys([*holding, *alike]))[:3]


def checked_eui(text: str, model: KnownModel) -> str:
    """Return the device's identifier as it is stored: a DevEUI in lower case without separators, or a native one."""
    if not model.lorawan:
        if not _NATIVE_ID.fullmatch(text):
            raise InputError(f"expected 1 to 64 of A-Z a-z 0-9 . _ - as the identifier, got {text!r}")
        return text
    eui = _SEPARATORS.sub("", text).lower()
    if not _DEV_EUI.fullmatch(eui):
        hint = ": a spreadsheet took it for a number, format the column as text" if _ROUNDED.fullmatch(eui) else ""
        raise InputError(f"expected a DevEUI of 16 hexadecimal digits, got {text!r}{hint}")
    return eui


def likely_eui(text: str) -> str:
    """Return how the identifier is stored when its model is not at hand: a DevEUI is known by its form."""
    eui = _SEPARATORS.sub("", text).lower()
    return eui if _DEV_EUI.fullmatch(eui) else text
