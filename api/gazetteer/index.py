"""Finds names by what somebody types: some letters, without accents, with a slip of the finger. Pure.

Words of the query are compared with the distinct words of all names: with those that hold them, and only where there
is none with those that are alike. A name answers as well as its words do, and loses a little for each word more.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from functools import lru_cache

from api.gazetteer.names import Named, NameKind, Names
from api.gazetteer.spelling import NUMBER, alikeness, holds, pieces, with_suffixes, words_of

_LEAST = 0.6
_UNASKED = 0.012
_PLACE_BEHIND_STREET = 0.01
_REMEMBERED = 4096
_SHORTEST = 2


class Index:
    """An index of names; `find` may be called by many threads."""

    def __init__(self, names: Names) -> None:
        self._named = names.named
        self._numbers = names.numbers
        self._words = [frozenset(words_of(one.name)) for one in names.named]
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        self._by_piece: defaultdict[str, list[str]] = defaultdict(list)
        for row, words in enumerate(self._words):
            for word in words:
                self._holders[word].append(row)
        for word in self._holders:
            for piece in pieces(word):
                self._by_piece[piece].append(word)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._find)

    def __len__(self) -> int:
        return len(self._named)

    def find(self, typed: str, *, limit: int) -> list[Named]:
        """Return what `typed` may mean, the likeliest first; nothing for less than two letters."""
        words = tuple(with_suffixes(words_of(typed)))
        if sum(map(len, words)) < _SHORTEST:
            return []
        return list(self._remembered(words, limit))

    def _find(self, words: tuple[str, ...], limit: int) -> tuple[Named, ...]:
        number = next((word for word in words if NUMBER.fullmatch(word)), None)
        asked = [word for word in words if word != number]
        if not asked:
            asked, number = list(words), None
        found = [(score, row) for row, score in self._scores(asked).items() if score >= _LEAST]
        if number is not None:
            found = [(score + self._with_number(row, number), row) for score, row in found]
        found.sort(key=lambda item: (-item[0], len(self._named[item[1]].name), self._named[item[1]].name))
        return tuple(self._told(row, number) for _, row in found[:limit])

    def _scores(self, asked: list[str]) -> dict[int, float]:
        """Return by row how well its name answers, if every word that was asked for is in it."""
        total: dict[int, float] = {}
        for position, word in enumerate(asked):
            best: dict[int, float] = {}
            for other, score in self._answers(word):
                for row in self._holders[other]:
                    if position == 0 or row in total:
                        best[row] = max(score, best.get(row, 0.0))
            total = {row: total.get(row, 0.0) + score for row, score in best.items()}
        return {
            row: score / len(asked)
            - _UNASKED * max(0, len(self._words[row]) - len(asked))
            - (_PLACE_BEHIND_STREET if self._named[row].kind is NameKind.PLACE else 0.0)
            for row, score in total.items()
        }

    def _answers(self, word: str) -> list[tuple[str, float]]:
        """Return words of names that hold `word`, else those that are alike, each with how well it answers."""
        own = pieces(word)
        shared = Counter(other for piece in own for other in self._by_piece.get(piece, ()))
        holding = [(other, holds(word, other)) for other, count in shared.items() if count == len(own)]
        holding = [(other, score) for other, score in holding if score > 0]
        if holding:
            return holding
        # A slip takes away two pairs, rarely three.
        least = math.ceil(len(own) / 2)
        told = [(other, alikeness(word, other)) for other, count in shared.items() if count >= least]
        return [(other, score) for other, score in told if score > 0]

    def _with_number(self, row: int, number: str) -> float:
        """Return what a number that was asked for adds: a street that has it, or a name with that word in it."""
        one = self._named[row]
        if number in self._words[row]:
            return 2 * _UNASKED
        has = one.kind is NameKind.STREET and number in self._numbers.get(one.name, ())
        return _UNASKED if has else 0.0

    def _told(self, row: int, number: str | None) -> Named:
        one = self._named[row]
        point = None
        if number is not None and one.kind is NameKind.STREET and number not in self._words[row]:
            point = self._numbers.get(one.name, {}).get(number)
        if point is None:
            return one
        return Named(
            name=f"{number} {one.name}",
            kind=NameKind.ADDRESS,
            longitude_deg=point[0],
            latitude_deg=point[1],
        )
