"""How often somebody may come: an allowance for each, that comes back with time. Pure, and bounded in memory.

The generic cell rate algorithm (ITU-T I.371): one number a key, the moment at which its allowance is whole again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

_MOST_KEYS = 50_000


class Allowances:
    """`burst` at once for each key, coming back at `per_s`; whoever was longest quiet is forgotten past `most_keys`.

    Who is forgotten starts with a whole allowance again: a flood from very many keys is bounded in memory, not in
    number. Threads may share it: at worst one counts what another did, too, as one.
    """

    def __init__(self, *, burst: int, per_s: float, most_keys: int = _MOST_KEYS) -> None:
        if burst < 1:
            raise ValueError(f"expected burst >= 1, got {burst}")
        if not 0 < per_s < math.inf:
            raise ValueError(f"expected per_s > 0, got {per_s}")
        if most_keys < 1:
            raise ValueError(f"expected most_keys >= 1, got {most_keys}")
        self._each_s = 1.0 / per_s
        self._tolerance_s = burst / per_s
        self._most_keys = most_keys
        self._whole_at_s: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._whole_at_s)

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """Take one of the key's allowance and return 0, or return how many seconds to wait until there is one.

        `now_s`: seconds of a clock that never goes back.
        """
        known_s = self._whole_at_s.get(key)
        whole_at_s = (now_s if known_s is None or known_s < now_s else known_s) + self._each_s
        # What rounding makes of a moment must not refuse the last one of a burst.
        excess_s = whole_at_s - now_s - self._tolerance_s
        if excess_s > self._each_s * 1e-6:
            return excess_s
        if known_s is None and len(self._whole_at_s) >= self._most_keys:
            self._forget(now_s)
        self._whole_at_s[key] = whole_at_s
        return 0.0

    def _forget(self, now_s: float) -> None:
        """Forget whose allowance is whole; where that frees too little, the half that used the least."""
        left = {key: at_s for key, at_s in self._whole_at_s.items() if at_s > now_s}
        if len(left) > self._most_keys // 2:
            used = sorted(left.items(), key=lambda item: item[1], reverse=True)
            left = dict(used[: self._most_keys // 2])
        self._whole_at_s = left
