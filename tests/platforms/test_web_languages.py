"""Which language a browser gets."""

from __future__ import annotations

import pytest

from bot.platforms.web.languages import MOST_TAGS, preferred

KNOWN = ["de", "en", "es", "fr", "pt_BR"]


@pytest.mark.parametrize(
    "header, language",
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("DE-at", "de"),
        ("es-419", "es"),
        ("pt-BR,en;q=0.5", "pt_BR"),
        ("pt, fr;q=0.4", "fr"),
        ("zh-Hant-TW, ja;q=0.9, fr;q=0.3, de;q=0.2", "fr"),
        ("en;q=0.5, fr;q=0.7", "fr"),
        ("fr, de", "fr"),
        ("de;q=0, en", "en"),
        ("de;q=0", "en"),
        ("de;q=2, fr;q=0.1", "fr"),
        ("de ; q=0.9", "de"),
        ("../de, <script>, \x00, fr;q=x, es;q=0.1", "es"),
        ("de" * 4000, "en"),
        ("xx," * MOST_TAGS + "de", "en"),
    ],
)
def test_the_language_that_is_asked_for_most_and_known(header: str | None, language: str) -> None:
    assert preferred(header, KNOWN) == language
