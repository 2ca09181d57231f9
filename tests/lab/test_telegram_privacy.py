"""Privacy mode: what a bot is told of a group, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.telegram import Person, Telegram, picture
from tests.lab.telegram_raw import RawBot


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.queue.slowing = False
        yield found


@pytest.fixture
def bot(telegram: Telegram) -> RawBot:
    return RawBot(telegram)


@pytest.fixture
def ada(telegram: Telegram) -> Person:
    return telegram.add_person("ada", started=True)


def test_privacy_mode(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    group = telegram.add_supergroup("Cinema", ada)
    ada.enter(group)
    bot.fresh()
    for text in (
        "hello",
        "@reelay_bot hello",
        "/video x",
        "/video@other_bot x",
        "/video@reelay_bot x",
        "say /Video@Reelay_Bot",
    ):
        ada.say(text)
    assert bot.heard() == ["/video@reelay_bot x", "say /Video@Reelay_Bot"], "no mentions, no bare commands"
    shot = ada.photo(picture(), "plain")
    ada.photo(picture(), "/video@reelay_bot x")
    ada.reply(shot, "/video@reelay_bot y")
    found = bot.fresh()
    assert [each["message"].get("caption") for each in found] == ["/video@reelay_bot x", None]
    assert "photo" in found[1]["message"]["reply_to_message"]
    card = bot.result("sendMessage", chat_id=group.id, text="card")
    ada.say("/video bare")
    ada.reply(ada.received()[0], "a reply")
    assert bot.heard() == ["/video bare", "a reply"], "it was the last bot to write, and was answered"
    other = RawBot(telegram, telegram.add_bot("other_bot"))
    telegram.founding.join(group, other.bot, ada.user)
    other.result("sendMessage", chat_id=group.id, text="me now")
    bot.fresh()
    ada.say("/video bare")
    assert bot.heard() == []
    ada.album([picture(), picture()], "/video@reelay_bot z", order=[1, 0])
    assert bot.heard() == ["/video@reelay_bot z"], "only the picture whose caption names it"
    telegram.promote(group)
    ada.say("anything")
    ada.album([picture(), picture()], "all", order=[1, 0])
    assert bot.heard() == ["anything", "-", "all"]
    assert card["chat"]["type"] == "supergroup"


def test_what_it_did_by_itself(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    forum = telegram.add_supergroup("Clips", ada, forum=True)
    telegram.promote(forum)
    bot.fresh()
    topic = bot.result("createForumTopic", chat_id=forum.id, name="Mine")
    bot.result("sendMessage", chat_id=forum.id, text="x", message_thread_id=topic["message_thread_id"])
    bot.result("leaveChat", chat_id=forum.id)
    found = bot.fresh()
    assert "forum_topic_created" in found[0]["message"]
    assert found[1]["message"]["left_chat_member"]["id"] == telegram.bot.id
    assert found[2]["my_chat_member"]["new_chat_member"]["status"] == "left"
    assert len(found) == 3, "not what it wrote"


def test_privacy_off_holds_for_groups_entered_since(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    before = telegram.add_group("Before", ada)
    telegram.bot.sees_all = True
    after = telegram.add_group("After", ada)
    bot.fresh()
    ada.say("one", before)
    ada.say("two", after)
    assert bot.heard() == ["two"]
    assert bot.result("getMe")["can_read_all_group_messages"]
    telegram.remove_bot(before)
    telegram.add_bot_to(before)
    kinds = [set(each) - {"update_id"} for each in bot.fresh()]
    assert kinds.count({"my_chat_member"}) == 2
    ada.say("three", before)
    assert bot.heard() == ["three"]
