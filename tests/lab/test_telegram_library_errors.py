"""What python-telegram-bot raises when the simulator refuses is what it raises in the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from tests.lab.telegram import Telegram
from tests.lab.telegram_ptb import client
from tests.lab.telegram_raw import MP4
from tests.lab.waiting import until_async


@pytest.fixture(autouse=True)
def _of_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations as timedelta, which the library warns about otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.queue.slowing = False
        yield found


Act = Callable[[Bot, Telegram], Awaitable[Any]]
ADA = 500_000_001


def said(description: str, status: int = 400) -> Act:
    async def act(bot: Bot, telegram: Telegram) -> None:
        telegram.refuse("sendMessage", description, status)
        await bot.send_message(ADA, "x")

    return act


async def flooded(bot: Bot, telegram: Telegram) -> None:
    for _ in range(10):
        await bot.send_message(ADA, "x")


async def long_wait(bot: Bot, telegram: Telegram) -> None:
    telegram.on("sendMessage").rate_limit(7728)
    await bot.send_message(ADA, "x")


async def same(bot: Bot, telegram: Telegram) -> None:
    sent = await bot.send_message(ADA, "x")
    await sent.edit_text("x")


async def blocked(bot: Bot, telegram: Telegram) -> None:
    telegram.people[ADA].block()
    await bot.send_message(ADA, "x")


async def kicked(bot: Bot, telegram: Telegram) -> None:
    group = telegram.add_supergroup("Cinema", telegram.people[ADA])
    telegram.remove_bot(group)
    await bot.send_message(group.id, "x")


async def moved(bot: Bot, telegram: Telegram) -> None:
    group = telegram.add_group("Cinema", telegram.people[ADA])
    telegram.migrate(group)
    await bot.send_message(group.id, "x")


async def revoked(bot: Bot, telegram: Telegram) -> None:
    telegram.revoke_token()
    await bot.send_message(ADA, "x")


async def gateway(bot: Bot, telegram: Telegram) -> None:
    telegram.fail("sendMessage", 502)
    await bot.send_message(ADA, "x")


async def too_large(bot: Bot, telegram: Telegram) -> None:
    telegram.refuse_uploads_above(1000)
    await bot.send_video(ADA, MP4)


async def late(bot: Bot, telegram: Telegram) -> None:
    telegram.on("sendVideo").slow(1.0)
    await bot.send_video(ADA, MP4, read_timeout=0.2)


async def unsent(bot: Bot, telegram: Telegram) -> None:
    telegram.on("sendVideo").cut_before()
    await bot.send_video(ADA, MP4)


async def lost(bot: Bot, telegram: Telegram) -> None:
    telegram.lose_answers("sendVideo")
    await bot.send_video(ADA, MP4)


async def bad_html(bot: Bot, telegram: Telegram) -> None:
    await bot.send_message(ADA, "<b>no", parse_mode="HTML")


async def long_data(bot: Bot, telegram: Telegram) -> None:
    button = InlineKeyboardButton("x", callback_data="é" * 33)
    await bot.send_message(ADA, "x", reply_markup=InlineKeyboardMarkup([[button]]))


async def no_thread(bot: Bot, telegram: Telegram) -> None:
    forum = telegram.add_supergroup("Clips", telegram.people[ADA], forum=True)
    await bot.send_message(forum.id, "x", message_thread_id=1)


async def reply_gone(bot: Bot, telegram: Telegram) -> None:
    kept = await bot.send_message(ADA, "x", reply_parameters=ReplyParameters(77, allow_sending_without_reply=True))
    assert kept.reply_to_message is None
    await bot.send_message(ADA, "x", reply_parameters=ReplyParameters(77))


ERRORS: dict[str, tuple[Act, type[TelegramError], str, int]] = {
    # name: (what is done, what is raised, its words, clips that arrived all the same)
    "flood": (flooded, RetryAfter, "Retry in 0:00:01", 0),
    "flood for hours": (long_wait, RetryAfter, "2:08:48", 0),
    "not modified": (same, BadRequest, "Message is not modified: specified new message content", 0),
    "blocked": (blocked, Forbidden, "bot was blocked by the user", 0),
    "kicked": (kicked, Forbidden, "bot was kicked from the supergroup chat", 0),
    "migrated": (moved, ChatMigrated, "Group migrated to supergroup", 0),
    "token": (revoked, InvalidToken, "Unauthorized", 0),
    "502": (gateway, NetworkError, "Bad Gateway", 0),
    "413": (too_large, NetworkError, "Request Entity Too Large", 0),
    "late answer": (late, TimedOut, "Timed out", 1),
    "cut before": (unsent, NetworkError, "ReadError|RemoteProtocolError", 0),
    "cut after": (lost, NetworkError, "ReadError|RemoteProtocolError", 1),
    "broken HTML": (bad_html, BadRequest, 'can\'t find end tag corresponding to start tag "b"', 0),
    "callback_data of 66 bytes": (long_data, BadRequest, "Button_data_invalid", 0),
    "General by its id": (no_thread, BadRequest, "Message thread not found", 0),
    "reply to nothing": (reply_gone, BadRequest, "Message to be replied not found", 0),
    "scripted": (said("Bad Request: chat not found"), BadRequest, "Chat not found", 0),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_it_raises_what_it_raises_in_the_world(name: str, telegram: Telegram) -> None:
    act, error, words, arrived = ERRORS[name]
    ada = telegram.add_person("ada", started=True)
    assert ada.id == ADA
    async with client(telegram) as bot:
        with pytest.raises(error, match=f"(?i){words}") as raised:
            await act(bot, telegram)
        assert type(raised.value) is error
    await until_async(lambda: len(telegram.clips(ada.direct().chat)) == arrived)
