"""python-telegram-bot, unmodified and with its own polling, lives in the simulator; what it raises is what it raises in the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedVideo,
    InputFile,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
    Update,
)
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import Application, CallbackQueryHandler, MessageHandler, TypeHandler, filters
from telegram.request import HTTPXRequest

from tests.lab.telegram import File, Telegram, picture
from tests.lab.waiting import until_async

MP4 = b"\0\0\0\x18ftypmp42" + bytes(5000)
App = Application[Any, Any, Any, Any, Any, Any]


@pytest.fixture(autouse=True)
def _of_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations as timedelta, which the library warns about otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.queue.slowing = False  # the library polls once more when it stops
        yield found


def request(**more: Any) -> HTTPXRequest:
    """Without certificates, which nobody asks for here and which take a while to load."""
    return HTTPXRequest(httpx_kwargs={"trust_env": False, "verify": False}, **more)


def client(telegram: Telegram, token: str = "", **more: Any) -> Bot:
    """A bot without polling."""
    return Bot(
        token or telegram.token,
        base_url=f"{telegram.api_url}/bot",
        base_file_url=f"{telegram.api_url}/file/bot",
        request=request(**more),
        get_updates_request=request(),
        local_mode=telegram.shelf.local,
    )


@asynccontextmanager
async def running(telegram: Telegram, *handlers: Any, wanted: Any = Update.ALL_TYPES) -> AsyncIterator[App]:
    """An application that polls."""
    builder = Application.builder().bot(client(telegram)).concurrent_updates(True).job_queue(None)
    app = cast("App", builder.build())
    app.add_handlers(list(handlers))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5, allowed_updates=wanted)
        await until_async(lambda: telegram.queue.polls == 1)
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()


async def test_a_captioned_photo_becomes_a_clip(telegram: Telegram) -> None:
    ada = telegram.add_person("ada")
    got: dict[str, Any] = {}

    async def make(update: Update, context: Any) -> None:
        message = cast("Message", update.effective_message)
        got["caption"] = message.caption
        file = await message.photo[-1].get_file()
        got["bytes"] = bytes(await file.download_as_bytearray())
        status = await message.reply_text("<b>0 %</b> of &lt;it&gt;", parse_mode="HTML", do_quote=True)
        cancel = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="cancel")]])
        for percent in (10, 50, 90):
            await status.edit_text(f"{percent} %", reply_markup=cancel)
        await context.bot.send_chat_action(message.chat_id, ChatAction.UPLOAD_VIDEO)
        got["action"] = ada.action()
        film = InputMediaVideo(
            InputFile(MP4, filename="clip.mp4", attach=True),
            caption="<i>done</i>",
            parse_mode="HTML",
            width=64,
            height=36,
            duration=4,
            supports_streaming=True,
            thumbnail=picture(320, 180),
        )
        again = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])
        done = cast("Message", await status.edit_media(film, reply_markup=again))
        assert done.video is not None
        got["file_id"] = done.video.file_id
        await message.set_reaction("🎉")

    async def pressed(update: Update, context: Any) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("one more", show_alert=True)

    async with running(telegram, MessageHandler(filters.PHOTO, make), CallbackQueryHandler(pressed)) as app:
        mine = ada.photo(picture(1600, 900), "a lighthouse")
        await until_async(lambda: ada.received() and ada.received()[0].labels == ["Again"])
        await until_async(lambda: (now := ada.look(mine)) and now.reactions == ("🎉",))
        card = ada.received()[0]
        press = ada.press(card, "Again")
        await until_async(lambda: press.answered)
        assert card.clip is not None
        telegram.clock.advance(10)  # six messages within a second would be a flood
        again = await app.bot.send_video(ada.id, got["file_id"])
    assert (press.text, press.alert) == ("one more", True)
    assert got["caption"] == "a lighthouse"
    assert got["action"] == "upload_video"
    assert mine.picture is not None
    assert mine.picture.measures[:2] == (1280, 720)
    assert got["bytes"] == mine.picture.data
    assert [moment.text for moment in ada.history(card)] == ["0 % of <it>", "10 %", "50 %", "90 %", "done"]
    assert (card.clip.data, card.clip.measures, card.reply_to) == (MP4, (64, 36, 4), mine.id)
    assert card.clip.thumbnail is not None
    assert card.marked("italic") == ["done"]
    assert again.video is not None
    assert again.video.file_unique_id == card.clip.stored.unique
    assert len(ada.notifications) == 2
    assert telegram.malformed() == []
    assert telegram.journal.of("ignored") == []


async def test_every_kind_of_update_reaches_it(telegram: Telegram) -> None:
    ada, bob = telegram.add_person("ada"), telegram.add_person("bob")
    seen: list[Update] = []

    async def note(update: Update, context: Any) -> None:
        seen.append(update)

    async with running(telegram, TypeHandler(Update, note)) as app:
        await app.bot.set_my_commands(
            [BotCommand("video", "Film")], BotCommandScopeAllPrivateChats(), language_code="de"
        )
        group = telegram.add_group("Cinema", ada, bob)
        ada.start("demo")
        ada.edit(ada.say("hm"), "oh")
        forum = telegram.add_supergroup("Clips", ada, forum=True)
        ada.enter(telegram.add_topic(forum, "Films"))
        shot = ada.photo(picture())
        ada.reply(shot, "/video@reelay_bot")
        bob.album([picture(), picture()], "/video@reelay_bot x", group)
        telegram.promote(group, ada, anonymous=True)
        ada.say("/video@reelay_bot secretly", group)
        telegram.migrate(group)
        ada.document(File("a.png", picture(form="PNG"), "image/png"), "look", ada.direct())
        bob.start()
        bob.block()
        telegram.remove_bot(forum)
        await until_async(lambda: len(telegram.queue.waiting) == 0, what="all updates")
        await until_async(lambda: len(seen) == len(telegram.queue.told))
    kinds = {next(iter(set(each.to_dict()) - {"update_id"})) for each in seen}
    assert kinds == {"message", "edited_message", "my_chat_member"}
    messages = [each.effective_message for each in seen if each.effective_message is not None]
    in_topic = next(each for each in messages if each.reply_to_message is not None and each.reply_to_message.photo)
    assert in_topic.is_topic_message
    assert in_topic.message_thread_id != 1
    assert [each.caption for each in messages if each.media_group_id] == ["/video@reelay_bot x"]
    hidden = next(each for each in messages if each.text == "/video@reelay_bot secretly")
    assert hidden.sender_chat is not None
    assert hidden.from_user is not None
    assert hidden.from_user.username == "GroupAnonymousBot"
    assert [each.migrate_to_chat_id for each in messages if each.migrate_to_chat_id]
    assert ada.menu(ada.direct()) == []
    assert telegram.account.profile(telegram.bot).menus["all_private_chats", "de"][0]["command"] == "video"
    assert telegram.malformed() == []


async def test_inline_results_and_forced_replies(telegram: Telegram) -> None:
    ada = telegram.add_person("ada", started=True)
    group = telegram.add_group("Cinema", ada)
    async with client(telegram) as bot:
        sent = await bot.send_video(ada.id, MP4, width=1, height=1, duration=1, cover=picture(640, 360))
        assert sent.video is not None
        assert [(size.width, size.height) for size in sent.video.cover] == [(90, 51), (320, 180), (640, 360)]
        asked = ada.inline("sea", group)
        updates = await bot.get_updates(timeout=1, allowed_updates=Update.ALL_TYPES)
        query = updates[-1].inline_query
        assert query is not None
        assert query.query == "sea"
        await query.answer([InlineQueryResultCachedVideo("1", sent.video.file_id, "Sea")], is_personal=True)
        shown = asked.send()
        assert shown.clip is not None
        updates = await bot.get_updates(offset=updates[-1].update_id + 1, timeout=1)
        assert updates[-1].chosen_inline_result is not None
        question = await bot.send_message(ada.id, "New words?", reply_markup=ForceReply(selective=True))
        card = ada.received(ada.direct())[-1]
        assert card.asks
        with pytest.raises(BadRequest, match="Message can't be edited"):
            await question.edit_text("no")
        ada.reply(card, "a calmer sea")
        updates = await bot.get_updates(offset=updates[-1].update_id + 1, timeout=1)
        answered = updates[-1].effective_message
        assert answered is not None
        assert answered.reply_to_message is not None
        assert answered.reply_to_message.message_id == question.message_id
        album = await bot.send_media_group(
            ada.id, [InputMediaPhoto(picture()), InputMediaPhoto(picture())], caption="two"
        )
        assert len({each.media_group_id for each in album}) == 1
    assert telegram.malformed() == []


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


async def test_a_second_poller_cuts_the_first_off(telegram: Telegram) -> None:
    async with client(telegram) as bot, client(telegram) as other:
        first = asyncio.create_task(bot.get_updates(timeout=10))
        await until_async(lambda: telegram.queue.polls == 1)
        second = asyncio.create_task(other.get_updates(timeout=1))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        assert await second == ()
        await bot.set_webhook("https://clips.example/hooks/telegram")
        with pytest.raises(Conflict, match="while webhook is active"):
            await bot.get_updates()


async def test_a_wrong_token_is_refused_at_the_start(telegram: Telegram) -> None:
    with pytest.raises(InvalidToken):
        async with client(telegram, "123456:wrong"):
            pass


async def test_large_files_and_old_links(telegram: Telegram) -> None:
    ada = telegram.add_person("ada")
    telegram.shelf.download_limit = 1000
    big = ada.document(File("a.bin", bytes(1001)))
    small = ada.document(File("b.bin", b"small"))
    async with client(telegram) as bot:
        first, second = await bot.get_updates()
        assert (first.effective_message, second.effective_message) != (None, None)
        document = cast("Message", first.effective_message).document
        other = cast("Message", second.effective_message).document
        assert document is not None
        assert other is not None
        with pytest.raises(BadRequest, match="File is too big"):
            await document.get_file()
        file = await other.get_file()
        assert bytes(await file.download_as_bytearray()) == b"small"
        telegram.clock.advance(3601)
        with pytest.raises(InvalidToken):  # what it makes of 404
            await file.download_as_bytearray()
    assert big.shown is not None
    assert small.shown is not None
