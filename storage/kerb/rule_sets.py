"""Rules as they are stored: lists of rules, equal ones once, named by what is in them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import msgspec

from storage.model.kerb import Rule

_DIGITS = 16
_DEFAULTS = {field.name: field.default for field in fields(Rule)}
_ALWAYS = frozenset({"use", "days", "starts", "ends", "holidays", "max_stay_s", "grace_s", "priority"})


def rules_as_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the rules for a JSON document: what every reader wants always, the rest where it is said."""
    return [
        {
            name: msgspec.to_builtins(getattr(rule, name))
            for name in _DEFAULTS
            if name in _ALWAYS or getattr(rule, name) != _DEFAULTS[name]
        }
        for rule in rules
    ]


def rules_from_json(document: object) -> tuple[Rule, ...]:
    """Return the rules of a document. Raises msgspec.ValidationError when it breaks a rule of rules."""
    return msgspec.convert(document, tuple[Rule, ...])


def rule_set_id(rules: Sequence[Rule]) -> str:
    """Return the name of a list of rules: equal lists have the same."""
    text = json.dumps(rules_as_json(rules), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
