"""python-telegram-bot, unmodified and with its own polling, lives in the simulator; what it raises is what it raises in the world."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from telegram import (
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
    Update,
)
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    Conflict,
    InvalidToken,
)
from telegram.ext import CallbackQueryHandler, MessageHandler, TypeHandler, filters

from tests.lab.telegram import File, Telegram, picture
from tests.lab.telegram_ptb import client, running
from tests.lab.telegram_raw import MP4
from tests.lab.waiting import until_async


@pytest.fixture(autouse=True)
def _of_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations as timedelta, which the library warns about otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.queue.slowing = False  # the library polls once more when it stops
        yield found


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
        assert [(size.width, size.height) for size in sent.video.cover or ()] == [(90, 51), (320, 180), (640, 360)]
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
