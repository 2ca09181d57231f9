"""Telegram's menus: what is in them, who sees which, and that they are sent when and only when something changed."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from telegram.error import InvalidToken

from bot.clock import SystemClock
from bot.commands.verbs import Verb, verbs
from bot.engine.words import Bookshelf, languages
from bot.platforms.telegram import menus as module
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.menus import Menu, Shown, abouts, menus, send
from core.capabilities import Capabilities
from core.steps import DefaultLimits
from storage.database import Database
from storage.store import MIGRATIONS, SqliteStore
from tests.lab.telegram import Person, Telegram
from tests.lab.telegram_raw import RawBot

SHELF = Bookshelf()
VERBS = verbs([Capabilities("able", "Able", None, ("one",), speech=True)])
PRIVATE = [
    "video", "film", "animate", "extend", "talk", "jobs", "cancel", "resend", "gallery", "quota", "settings", "examples", "help", "privacy",
    "forget", "report",
]  # fmt: skip
GROUPS = [
    "video", "film", "animate", "extend", "talk", "jobs", "cancel", "resend", "gallery", "quota", "help", "privacy", "report",
]  # fmt: skip
SETTERS = ("setMyCommands", "setMyDescription", "setMyShortDescription", "deleteMyCommands")
Key = tuple[str, str | None, int | None]


def by_key(found: list[Menu]) -> dict[Key, dict[str, str]]:
    kept: dict[Key, dict[str, str]] = {(each.scope, each.language, each.chat): dict(each.commands) for each in found}
    assert len(kept) == len(found)
    return kept


# ------------------------------------------------------------------------------------------------------------------- what is wanted


@pytest.mark.parametrize(
    "scope, chat, expected",
    [
        ("default", None, GROUPS),
        ("all_private_chats", None, PRIVATE),
        ("all_group_chats", None, GROUPS),
        ("all_chat_administrators", None, [*GROUPS, "admin"]),
        ("chat", 7, [*PRIVATE, "admin"]),
        ("chat", 8, [*PRIVATE, "admin"]),
    ],
)
def test_each_scope_has_its_list_in_each_language(scope: str, chat: int | None, expected: list[str]) -> None:
    found = by_key(menus(VERBS, SHELF, ["de", "en", "fr", "es"], [7, 8, 7]))
    assert len(found) == 6 * 4
    for language in (None, "de", "fr", "es"):
        commands = found[scope, language, chat]
        assert list(commands) == expected
        words = SHELF.words(language)
        assert commands == {name: words.say(f"verb.{name}") for name in expected}


def test_a_verb_that_no_generator_can_do_is_in_no_menu() -> None:
    able = verbs([Capabilities("able", "Able", None, ("one",), image=False)])
    for commands in by_key(menus(able, SHELF, ["de"], [7])).values():
        assert not {"animate", "extend", "talk"} & set(commands)
        assert "video" in commands


@pytest.mark.parametrize(
    "given, expected",
    [
        ([], {None}),
        (["en"], {None}),
        (["de", "en", "fr"], {None, "de", "fr"}),
        (["pt_BR", "pt_PT", "es-419", "fil", "EN_gb"], {None, "pt", "es"}),
    ],
)
def test_languages_have_two_letters_and_english_is_the_one_without(given: list[str], expected: set[str | None]) -> None:
    assert {each.language for each in menus(VERBS, SHELF, given, [])} == expected
    assert {each.language for each in abouts(SHELF, given)} == expected


class Wordy:
    """A catalogue that says too much."""

    def words(self, language: str | None) -> Any:
        return self

    def say(self, message_id: str) -> str:
        return "half a word " * 100


def test_too_much_is_cut_at_a_word_and_admin_is_never_what_is_cut() -> None:
    many = [Verb(f"verb_{n}") for n in range(200)] + [Verb("Not-one"), Verb("x" * 33), Verb("secret", admin=True)]
    wordy: Any = Wordy()
    for menu in menus(many, wordy, ["de"], [7]):
        assert len(menu.commands) == 100
        assert ("admin" in dict(menu.commands)) is (menu.scope in {"chat", "all_chat_administrators"})
        for name, description in menu.commands:
            assert re.fullmatch("[a-z0-9_]{1,32}", name)
            assert name != "secret"
            assert 240 < len(description) <= 256
            assert description.rstrip("…").rsplit(" ", 1)[1] in {"half", "a", "word"}
    for about in abouts(wordy, ["de"]):
        assert len(about.text) <= {"description": 512, "short_description": 120}[about.word]
    few = menus([Verb("Not-one"), Verb("x" * 33), Verb("fine")], wordy, [], [])
    assert {name for menu in few for name, _ in menu.commands} == {"fine", "report", "admin"}


@pytest.mark.parametrize("language", languages())
def test_the_catalogue_fits_without_being_cut(language: str) -> None:
    words = SHELF.words(language)
    texts = [text for menu in menus(VERBS, SHELF, [language], [7]) for _, text in menu.commands]
    texts += [about.text for about in abouts(SHELF, [language])]
    assert not [text for text in texts if text.endswith("…")]
    assert words.say("telegram.description") in texts
    assert words.say("telegram.short_description") in texts


# ------------------------------------------------------------------------------------------------------------------------ the sending


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        yield found
        assert found.malformed() == []


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    database = await Database.open(tmp_path / "reelay.db", MIGRATIONS)
    yield SqliteStore(database, SystemClock(), DefaultLimits(None, None, None), lambda _, external: external)
    await database.close()


@pytest.fixture
async def client(telegram: Telegram) -> AsyncIterator[Client]:
    async with Client(telegram.token, telegram.api_url) as found:
        yield found


def wanted(*operators: Person, spoken: tuple[str, ...] = ("de", "fr"), able: tuple[Verb, ...] = VERBS) -> list[Shown]:
    return [*menus(able, SHELF, spoken, [each.id for each in operators]), *abouts(SHELF, spoken)]


def calls(telegram: Telegram) -> list[tuple[str, int]]:
    return [(line["operation"], line["status"]) for line in telegram.journal.requests() if line["operation"] in SETTERS]


def names(menu: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in menu]


async def test_everybody_is_offered_what_is_theirs_in_their_language(
    telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    ada, bob, eva = (
        telegram.add_person(name, language=language, started=True)
        for name, language in (("ada", "de"), ("bob", "en"), ("eva", "it"))
    )
    group = telegram.add_group("Cinema", ada, bob, eva)
    assert await send(client, store, wanted(bob))
    german, english = SHELF.words("de"), SHELF.words("en")
    assert ada.menu() == [(name, german.say(f"verb.{name}")) for name in PRIVATE]
    assert bob.menu() == [(name, english.say(f"verb.{name}")) for name in [*PRIVATE, "admin"]]
    assert eva.menu() == [(name, english.say(f"verb.{name}")) for name in PRIVATE]
    assert ada.menu(group) == [(name, german.say(f"verb.{name}")) for name in [*GROUPS, "admin"]], "she made the group"
    assert names(bob.menu(group)) == GROUPS, "an operator's menu is nobody else's business there"
    raw = RawBot(telegram)
    for language, words in (("de", german), ("it", english)):
        about = words.say("telegram.description")
        short = words.say("telegram.short_description")
        assert raw.result("getMyDescription", language_code=language) == {"description": about}
        assert raw.result("getMyShortDescription", language_code=language) == {"short_description": short}


async def test_a_second_start_sends_nothing_and_a_change_only_itself(
    telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    ada = telegram.add_person("ada", language="de", started=True)
    assert await send(client, store, wanted(ada))
    before = len(calls(telegram))
    assert before == 5 * 3 + 2 * 3
    async with Client(telegram.token, telegram.api_url) as later:
        assert not await send(later, store, wanted(ada))
        assert len(calls(telegram)) == before
        fewer = tuple(verb for verb in VERBS if verb.name != "talk")
        assert await send(later, store, wanted(ada, able=fewer))
    assert calls(telegram)[before:] == [("setMyCommands", 200)] * 15, "the words about the bot are what they were"
    assert "talk" not in names(ada.menu())


async def test_another_bot_is_told_everything(telegram: Telegram, client: Client, store: SqliteStore) -> None:
    assert await send(client, store, wanted())
    other = telegram.add_bot("other_bot")
    async with Client(other.token, telegram.api_url) as another:
        assert await send(another, store, wanted())
        assert not await send(another, store, wanted())
    assert telegram.account.profile(other).menus == telegram.account.profile(telegram.bot).menus


async def test_a_language_and_an_operator_that_are_no_more_are_taken_away(
    telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    ada = telegram.add_person("ada", language="de", started=True)
    bob = telegram.add_person("bob", started=True)
    await send(client, store, wanted(ada, bob))
    before = len(calls(telegram))
    assert await send(client, store, wanted(bob, spoken=("fr",)))
    assert sorted(set(calls(telegram)[before:])) == sorted((name, 200) for name in SETTERS if name != "setMyCommands")
    assert ada.menu() == [(name, SHELF.words("en").say(f"verb.{name}")) for name in PRIVATE]
    assert names(bob.menu())[-1] == "admin"
    profile = telegram.account.profile(telegram.bot)
    assert {language for _, language in [*profile.menus, *profile.words]} == {"", "fr"}
    assert not await send(client, store, wanted(bob, spoken=("fr",)))
    assert await send(client, store, wanted(ada, bob))
    assert ada.menu()[-1] == ("admin", SHELF.words("de").say("verb.admin")), "and what comes back is sent again"


# ---------------------------------------------------------------------------------------------------------------------- what goes wrong


async def test_a_refused_call_is_made_again_at_the_next_start_and_only_that(
    telegram: Telegram, client: Client, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.on("setMyCommands").after(4).refuse(400, "Bad Request: canary-4711")
    telegram.on("setMyShortDescription").status(502)
    assert await send(client, store, wanted())
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert vars(record)["why"] == "BadRequest, NoAnswer"
    assert "canary" not in str(vars(record))
    before = len(calls(telegram))
    assert await send(client, store, wanted())
    assert calls(telegram)[before:] == [("setMyCommands", 200), ("setMyShortDescription", 200)]
    assert not await send(client, store, wanted())


@pytest.mark.parametrize("method", ["deleteMyCommands", "setMyDescription"])
async def test_what_could_not_be_taken_away_is_taken_away_next_time(
    method: str, telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    await send(client, store, wanted())
    telegram.on(method).error_after(504)
    assert await send(client, store, wanted(spoken=("fr",)))
    before = len(calls(telegram))
    assert await send(client, store, wanted(spoken=("fr",)))
    assert calls(telegram)[before:] == [(method, 200)]
    assert not await send(client, store, wanted(spoken=("fr",)))


async def test_a_lost_deletion_does_not_pass_for_what_was_there(
    telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    ada = telegram.add_person("ada", language="de", started=True)
    await send(client, store, wanted())
    telegram.on("deleteMyCommands").times(4).error_after(504)
    await send(client, store, wanted(spoken=("fr",)))
    assert await send(client, store, wanted()), "the language is back, and what Telegram has of it is not known"
    assert ada.menu()[0] == ("video", SHELF.words("de").say("verb.video"))


async def test_an_operator_who_never_wrote_to_the_bot_is_no_error_and_gets_the_menu_once_he_has(
    telegram: Telegram, client: Client, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    ada = telegram.add_person("ada")
    assert await send(client, store, wanted(ada))
    before = len(calls(telegram))
    assert not await send(client, store, wanted(ada))
    assert calls(telegram)[before:] == [("setMyCommands", 400)], "asked once, not in every language"
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    ada.start()
    assert names(ada.menu())[-1] == "report"
    assert await send(client, store, wanted(ada))
    assert names(ada.menu())[-1] == "admin"
    assert not await send(client, store, wanted(ada))


async def test_a_chat_that_is_gone_does_not_have_to_be_emptied(
    telegram: Telegram, client: Client, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    ada = telegram.add_person("ada", started=True)
    await send(client, store, wanted(ada))
    telegram.on("deleteMyCommands").refuse(400, "Bad Request: chat not found")
    await send(client, store, wanted())
    assert not await send(client, store, wanted())
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_short_429_is_waited_for(telegram: Telegram, client: Client, store: SqliteStore) -> None:
    telegram.on("setMyCommands").after(2).rate_limit(1)
    assert await send(client, store, wanted())
    assert calls(telegram)[2:4] == [("setMyCommands", 429), ("setMyCommands", 200)]
    assert not await send(client, store, wanted())


@pytest.mark.parametrize("seconds, times, tried", [(31, 1, 1), (1, 9, 3)])
async def test_a_long_429_and_one_that_does_not_end_are_left_to_the_next_start(
    seconds: int, times: int, tried: int, telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    telegram.on("setMyCommands").after(5).times(times).rate_limit(seconds)
    assert await send(client, store, wanted())
    assert calls(telegram)[5:] == [("setMyCommands", 429)] * tried
    telegram.door.faults.rules.clear()
    before = len(calls(telegram))
    assert await send(client, store, wanted())
    assert len(calls(telegram)) - before == 4 * 3 + 2 * 3 - 5, "the first five are known to be there"


async def test_it_has_an_end(
    telegram: Telegram, client: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.5)
    telegram.on("setMyCommands").after(3).slow(5)
    assert await send(client, store, wanted())
    monkeypatch.undo()
    assert await send(client, store, wanted())
    assert not await send(client, store, wanted())


async def test_a_rejected_token_is_the_callers_business_and_what_came_before_is_known(
    telegram: Telegram, client: Client, store: SqliteStore
) -> None:
    await send(client, store, wanted())
    telegram.revoke_token()
    with pytest.raises(InvalidToken):
        await send(client, store, wanted(spoken=("fr",)))
    async with Client(telegram.token, telegram.api_url) as again:
        assert await send(again, store, wanted(spoken=("fr",)))
    assert {language for _, language in telegram.account.profile(telegram.bot).menus} == {"", "fr"}


async def test_a_process_that_dies_in_the_middle_forgets_nothing_that_it_sent(
    telegram: Telegram, client: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = itertools.count()

    async def dies(self: Menu, client: Client) -> None:
        if next(count) == 3:
            raise SystemExit
        await put(self, client)

    put = Menu.put
    monkeypatch.setattr(Menu, "put", dies)
    with pytest.raises(SystemExit):
        await send(client, store, wanted())
    monkeypatch.undo()
    note = json.loads(await store.remembered("telegram", module.NOTE) or "")
    assert len(note["sent"]) == 4 * 3 + 2 * 3
    await send(client, store, wanted(spoken=("fr",)))
    assert {language for _, language in telegram.account.profile(telegram.bot).menus} == {"", "fr"}


# ------------------------------------------------------------------------------------------------------------------------------ the lab


def test_the_lab_takes_an_empty_word_for_a_deletion_and_knows_languages_by_two_letters(telegram: Telegram) -> None:
    raw = RawBot(telegram)
    for method, field, most in (("Description", "description", 512), ("ShortDescription", "short_description", 120)):
        assert raw.result(f"setMy{method}", **{field: "films"})
        assert raw.result(f"setMy{method}", **{field: "Filme", "language_code": "de"})
        assert raw.result(f"getMy{method}", language_code="de") == {field: "Filme"}
        assert raw.result(f"setMy{method}", **{field: "", "language_code": "de"})
        assert raw.result(f"getMy{method}", language_code="de") == {field: "films"}
        assert raw.result(f"setMy{method}", **{field: "", "language_code": "de"}), "twice is no error"
        for call in (f"setMy{method}", f"getMy{method}"):
            refused = raw.refusal(call, language_code="deu")
            assert refused == "Bad Request: invalid language code specified"
        assert raw.result(f"setMy{method}", **{field: "x" * most})
        assert "TOO_LONG" in raw.refusal(f"setMy{method}", **{field: "x" * (most + 1)})


def test_the_lab_keeps_menus_for_those_only_that_the_bot_knows(telegram: Telegram) -> None:
    raw, ada, bob = RawBot(telegram), telegram.add_person("ada"), telegram.add_person("bob")
    telegram.add_group("Cinema", bob)
    menu: dict[str, Any] = {"commands": [{"command": "admin", "description": "x"}]}
    theirs = {"type": "chat", "chat_id": ada.id}
    assert raw.refusal("setMyCommands", scope=theirs, **menu) == "Bad Request: chat not found"
    assert raw.refusal("deleteMyCommands", scope=theirs) == "Bad Request: chat not found"
    assert raw.result("setMyCommands", scope=theirs | {"chat_id": bob.id}, **menu)
    ada.start()
    assert raw.result("setMyCommands", scope=theirs, **menu)
    assert (names(ada.menu()), names(bob.menu())) == (["admin"], ["admin"])
