"""A clip by words, by picture, by reply and by album, wherever it is asked for: one card, and it becomes the clip."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House

pytestmark = pytest.mark.journey


def test_words_in_private_become_a_clip(home: House) -> None:
    card = home.running()
    assert home.now(card).labels == ["✖ Cancel"]
    home.vendor.finish("whale")
    seen = home.clip_of(card)
    assert "Made with" in seen.text
    assert home.ada.received() == [seen]
    home.end()
