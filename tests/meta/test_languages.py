"""Every language says everything, in its own words, with the same values; and Discord takes its names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from bot.commands.verbs import EXAMPLES
from bot.engine.words import Bookshelf, Words, languages
from bot.platforms.discord.definitions import ANIMATE_AVATAR, ANIMATE_THIS, LOCALES, definitions
from bot.platforms.discord.panels import MOST_BUTTONS, MOST_ROWS
from media.scenery.words import read
from tests.lab.discord.commands import check
from tests.meta.discord_names import described, every_verb, named
from tests.meta.test_catalogue import FORMATS, LANGUAGES, catalogue, fields_of, put_together

OTHERS = [language for language in LANGUAGES if language != "en"]
NAME_MOST, DESCRIPTION_MOST, MENU_MOST, CHOICE_MOST = 32, 100, 32, 100
FORM_MOST, BUTTON_MOST = 45, 80
"""Discord, "Application Commands", "Component Reference" (2026-08)."""
SAME_IN = {
    "de": {
        "action.details", "action.remix", "details.prompt", "form.prompt", "form.remix", "page.card.clip", "page.credits.title",
        "page.details.seed", "page.options.generator", "page.options.seed", "page.sidebar.videos", "page.verb.details",
        "details.model", "page.details.size", "settings.model", "unit.size", "verb.option.clip.name", "verb.option.prompt.name",
        "verb.option.seed.name", "verb.video.name", "verb.film.name", "verb.option.text.name", "verb.option.song.name",
        "page.mode.clip", "page.mode.film",
    },
    "fr": {
        "action.remix", "form.prompt", "form.remix", "page.details.size", "page.sidebar.images", "unit.clips", "verb.option.clip.name",
        "verb.option.image.name", "verb.option.image2.name", "verb.option.image3.name", "verb.option.prompt.name",
        "verb.film.name", "verb.option.character_image.name", "verb.option.transition.name",
        "page.mode.clip", "page.mode.film", "page.options.times", "page.sidebar.films",
    },
    "es": {
        "action.remix", "details.prompt", "form.prompt", "form.remix", "page.card.clip", "page.sidebar.videos", "unit.clips",
        "unit.size", "verb.option.clip.name", "verb.option.prompt.name", "verb.video.name", "verb.option.idea.name",
        "page.mode.clip", "page.options.times",
    },
}  # fmt: skip
"""Ids whose words are the English ones in that language too; all others must differ."""


def test_there_are_four_languages() -> None:
    assert {"en", "de", "fr", "es"} <= set(LANGUAGES)
    assert languages() == LANGUAGES


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_everything_in_the_order_of_the_english(language: str) -> None:
    assert list(catalogue(language)) == list(catalogue("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_empty_or_has_stray_space(language: str) -> None:
    wrong = [
        name for name, forms in catalogue(language).items() if any(not text or text != text.strip() for text in forms)
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_all_forms_of_its_language(language: str) -> None:
    """Each form stands for itself: all values in every form, and as many forms as the head of the catalogue says."""
    wanted = {name: len(forms) for name, forms in catalogue("en").items() if len(forms) > 1}
    assert len(wanted) > 10
    for name in wanted:
        forms = catalogue(language)[name]
        assert len(forms) == plural_forms(language), name
        assert len({frozenset(fields_of(text)) for text in forms}) == 1, name


def plural_forms(language: str) -> int:
    head = vars(Words(language)._translations)["_info"]["plural-forms"]
    return int(re.search(r"nplurals=(\d)", head)[1])  # type: ignore[index]


@pytest.mark.parametrize("language", OTHERS)
def test_the_values_of_a_sentence_keep_their_format(language: str) -> None:
    """An ordinal may become a number ("Platz 3"); a duration, a sum or an hour is never shown raw."""
    english, wrong = catalogue("en"), []
    for name, forms in catalogue(language).items():
        wanted = {pair for text in english[name] for pair in fields_of(text) if pair[1] != "ordinal"}
        found = {pair for text in forms for pair in fields_of(text) if pair[1] != "ordinal"}
        free = {field for text in english[name] for field, spec in fields_of(text) if spec == "ordinal"}
        if {pair for pair in found if pair[0] not in free} != wanted:
            wrong.append(f"{name}: {sorted(found ^ wanted)}")
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_it_is_translated_and_not_copied(language: str) -> None:
    english = catalogue("en")
    same = {
        name
        for name, forms in catalogue(language).items()
        if forms == english[name] and any(has_words(text) for text in forms)
    }
    assert same == SAME_IN.get(language, set())


def has_words(text: str) -> bool:
    """Whether there is anything to translate apart from units."""
    plain = "".join(part for part, *_ in Formatter().parse(text))
    return any(word not in ("s", "min", "h") for word in re.findall(r"[^\W\d_]+", plain))


# ---- what Discord takes


def commands() -> list[dict[str, Any]]:
    return definitions(every_verb(), Bookshelf(), LANGUAGES, can_animate=True)


def locales() -> list[str]:
    return sorted(locale for language in OTHERS for locale in LOCALES[language])


def test_every_language_of_ours_is_one_of_discords() -> None:
    assert [language for language in OTHERS if language not in LOCALES] == []


def test_discord_takes_every_command() -> None:
    for command in commands():
        check(command, command["name"], in_guild=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_and_descriptions_are_within_discords_limits(language: str) -> None:
    """In the catalogue itself: what is sent is cut to fit, and a cut sentence is none."""
    texts = {name: forms[0] for name, forms in catalogue(language).items()}
    names = {name: texts[name] for name in named()}
    assert {n: t for n, t in names.items() if not re.fullmatch(r"[-_'\w]{1,32}", t) or t != t.lower()} == {}
    assert too_long(texts, described(), DESCRIPTION_MOST) == {}
    assert too_long(texts, [ANIMATE_THIS, ANIMATE_AVATAR], MENU_MOST) == {}
    assert too_long(texts, [name for name in texts if name.startswith("choice.")], CHOICE_MOST) == {}


def too_long(texts: dict[str, str], names: list[str], most: int) -> dict[str, str]:
    assert names
    return {name: texts[name] for name in names if not 1 <= len(texts[name]) <= most}


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_of_forms_and_buttons_are_not_cut(language: str) -> None:
    words, texts = Words(language), catalogue(language)
    labels = [name for name in texts if name.startswith("action.")]
    labels += ["delete.yes", "forget.yes", "gallery.more", "examples.run", "other.offer"]
    forms = [name for name in texts if name.startswith("form.")] + ["action.extend"]
    for names, most in ((labels, BUTTON_MOST), (forms, FORM_MOST)):
        for name in names:
            values = {field: 1000 if spec else "Generator" for field, spec in fields_of(texts[name][0])}
            assert len(words.say(name, **values)) <= most, name


def test_the_words_of_discord_are_there_in_every_locale() -> None:
    """Names that are the same as in English are left to Discord's default."""
    described_things = [thing for thing in things(commands()) if thing.get("description")]
    assert len(described_things) > 40
    assert [each["name"] for each in described_things if sorted(each["description_localizations"]) != locales()] == []
    menus = [command for command in commands() if command["type"] != 1]
    assert [sorted(menu["name_localizations"]) for menu in menus] == [locales()] * 3
    choices = [
        choice for thing in things(commands()) for choice in thing.get("choices", ()) if "name_localizations" in choice
    ]
    assert len(choices) == 7
    assert [sorted(choice["name_localizations"]) for choice in choices] == [locales()] * 7


def things(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in found:
        yield each
        yield from things(each.get("options", []))


@pytest.mark.parametrize("locale", ["", *locales()])
def test_no_two_of_a_kind_have_one_name(locale: str) -> None:
    """Commands of one type, options of one command, choices of one option: in each locale, and against the English names."""
    found = commands()
    for kind in (1, 2, 3):
        assert twice([command for command in found if command["type"] == kind], locale) == []
    for thing in things(found):
        assert twice(thing.get("options", []), locale) == []
        assert twice(thing.get("choices", []), locale) == []


def twice(siblings: list[dict[str, Any]], locale: str) -> list[str]:
    names = [(each.get("name_localizations") or {}).get(locale, each["name"]) for each in siblings]
    english = {each["name"] for each in siblings}
    own = {each["name"]: name for each, name in zip(siblings, names, strict=True)}
    taken = [name for default, name in own.items() if name != default and name in english]
    return [name for name in set(names) if names.count(name) > 1] + taken


def test_the_help_names_commands_as_discord_shows_them() -> None:
    for command in commands():
        if command["type"] != 1 or command["name"] == "admin":
            continue
        for language in OTHERS:
            shown = Words(language).say(f"verb.{command['name']}.name")
            for locale in LOCALES[language]:
                assert command["name_localizations"].get(locale, command["name"]) == shown


# ---- examples


def test_there_are_enough_examples_and_room_for_their_buttons() -> None:
    assert 6 <= len(EXAMPLES) <= MOST_ROWS * MOST_BUTTONS
    assert set(EXAMPLES) == {name for name in catalogue("en") if name.startswith("example.")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_and_the_chat_begin_with_the_same_examples(language: str) -> None:
    texts = catalogue(language)
    pages = [name for name in sorted(put_together()) if name.startswith("page.example.")]
    assert [texts[name] for name in pages] == [texts[name] for name in EXAMPLES[: len(pages)]]


@pytest.mark.parametrize("language", OTHERS)
def test_an_example_draws_the_same_in_every_language(language: str) -> None:
    for name in EXAMPLES:
        english, translated = read(Words("en").say(name)), read(Words(language).say(name))
        assert translated.language == language, name
        assert translated.elements == english.elements, name
        assert len(english.elements) >= 2, name


# ---- the rules see


def test_every_format_is_tried() -> None:
    used = {spec for forms in catalogue("en").values() for text in forms for _, spec in fields_of(text)}
    assert used <= set(FORMATS)
    assert set(FORMATS) - used == set()
