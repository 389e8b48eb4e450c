"""Plates are refused wherever somebody may type; what officers usually write is not."""

from __future__ import annotations

import pytest

from storage.identifying import looks_like_plate


@pytest.mark.parametrize(
    "text",
    [
        "AB-123-CD", "ab 123 cd", "camionnette AB123CD mal garée", "1234 AB 75", "123ABC2A", "12 AB 971",
        "AB12 CDE", "1234 BCD", "B-AB 1234", "1-ABC-234", "12-ABC-3", "AB-12-34",
        "\uff21\uff22\uff0d123\uff0d\uff23\uff24",
        "plaque:AB·123·CD", "VF1RFB00X56789012", "ZH 123456",
    ],
)  # fmt: skip
def test_plates_are_seen(text: str):
    assert looks_like_plate(text)


@pytest.mark.parametrize(
    "text",
    [
        "capteur décollé, voir avec la voirie", "ADL-01 : le panneau a disparu", "parti à 10h30", "STA-0001",
        "12 rue Voltaire", "livraison de 3 palettes, 20 min", "rappeler le 15/03", "carte mobilité inclusion",
        "travaux jusqu'au 12 mars 2026", "2 véhicules pour 1 place", "AIRE-7-A", "zone A, places 12 à 15",
    ],
)  # fmt: skip
def test_words_are_not(text: str):
    assert not looks_like_plate(text)
