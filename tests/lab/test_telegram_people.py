"""What people do, and what a bot is told of it: topics, administrators, migration, floods, buttons, menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.telegram import Impossible, Person, Telegram
from tests.lab.telegram_raw import MP4, RawBot, button, keyboard

Json = dict[str, Any]


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


def test_topics(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    forum = telegram.add_supergroup("Clips", ada, forum=True)
    films, other = telegram.add_topic(forum, "Films"), telegram.add_topic(forum, "Other")
    assert films.topic is not None
    assert other.topic is not None
    bot.fresh()
    asked = ada.say("/video@reelay_bot x", films)
    ada.say("/video@reelay_bot y", telegram.general(forum))
    in_topic, in_general = (each["message"] for each in bot.fresh())
    assert (in_topic["message_thread_id"], in_topic["is_topic_message"]) == (films.topic.id, True)
    assert "forum_topic_created" in in_topic["reply_to_message"], "though it answers nothing"
    assert not {"message_thread_id", "reply_to_message"} & set(in_general)
    bot.result("sendMessage", chat_id=forum.id, text="there", message_thread_id=films.topic.id)
    bot.result("sendMessage", chat_id=forum.id, text="answer", reply_parameters={"message_id": asked.id})
    bot.result("sendMessage", chat_id=forum.id, text="lost")
    assert [each.text for each in ada.received(films)] == ["there", "answer"]
    assert [each.text for each in ada.received(forum)] == ["lost"]
    bot.result("sendChatAction", chat_id=forum.id, action="upload_video", message_thread_id=films.topic.id)
    assert (ada.action(films), ada.action(other)) == ("upload_video", None)
    for thread in (1, 999):
        assert (
            bot.refusal("sendMessage", chat_id=forum.id, text="x", message_thread_id=thread)
            == "Bad Request: message thread not found"
        )
    telegram.close_topic(other)
    assert (
        bot.refusal("sendMessage", chat_id=forum.id, text="x", message_thread_id=other.topic.id)
        == "Bad Request: TOPIC_CLOSED"
    )
    telegram.delete_topic(films)
    said = bot.refusal("sendMessage", chat_id=forum.id, text="x", message_thread_id=films.topic.id)
    assert said == "Bad Request: message thread not found"
    with pytest.raises(Impossible):
        ada.say("x", films)
    room = telegram.add_supergroup("Plain", ada)
    first = ada.say("/a@reelay_bot", room)
    ada.reply(first, "/b@reelay_bot")
    row = bot.fresh()[-1]["message"]
    assert row["message_thread_id"] == first.id
    assert "is_topic_message" not in row, "a row of replies is no topic"


def test_topics_of_a_private_chat(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    topic = telegram.add_private_topic(ada, "Films")
    assert topic.topic is not None
    ada.say("in it", topic)
    assert bot.fresh()[0]["message"]["message_thread_id"] == topic.topic.id
    assert bot.result("getMe")["has_topics_enabled"]
    bot.result("sendMessage", chat_id=ada.id, text="there", message_thread_id=topic.topic.id)
    bot.result("sendMessage", chat_id=ada.id, text="beside")
    assert ([each.text for each in ada.received(topic)], [each.text for each in ada.received()]) == (
        ["there"],
        ["beside"],
    )


def test_migration_and_anonymous_administrators(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    bob = telegram.add_person("bob")
    group = telegram.add_group("Cinema", ada, bob)
    telegram.promote(group, bob, anonymous=True)
    bot.fresh()
    bob.say("/admin@reelay_bot", group)
    hidden = bot.fresh()[0]["message"]
    assert (hidden["from"]["username"], hidden["sender_chat"]["id"]) == ("GroupAnonymousBot", group.id)
    bosses = bot.result("getChatAdministrators", chat_id=group.id)
    assert [(each["status"], each["is_anonymous"]) for each in bosses] == [("creator", False), ("administrator", True)]
    assert bot.result("getChatMember", chat_id=group.id, user_id=ada.id)["status"] == "creator"
    assert bot.result("getChatMember", chat_id=group.id, user_id=telegram.add_person("eve").id)["status"] == "left"
    new = telegram.migrate(group)
    old_side, new_side = (each["message"] for each in bot.fresh())
    assert (old_side["migrate_to_chat_id"], new_side["migrate_from_chat_id"]) == (new.id, group.id)
    refused = bot.call("sendMessage", chat_id=group.id, text="x")
    assert refused["parameters"] == {"migrate_to_chat_id": new.id}
    assert refused["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert bot.result("sendMessage", chat_id=new.id, text="x")["message_id"] == 2, "its own numbers"
    assert ada.received(group)[-1].text == "x", "people are taken along"
    assert bot.result("leaveChat", chat_id=new.id) is True
    assert (
        bot.refusal("sendMessage", chat_id=new.id, text="x") == "Forbidden: bot is not a member of the supergroup chat"
    )


def test_floods(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    sent = bot.result("sendMessage", chat_id=ada.id, text="0")
    for number in range(1, 5):
        bot.result("editMessageText", chat_id=ada.id, message_id=sent["message_id"], text=str(number))
    refused = bot.call("sendMessage", chat_id=ada.id, text="x")
    assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 1})
    assert refused["description"] == "Too Many Requests: retry after 1"
    assert bot.result("sendChatAction", chat_id=ada.id, action="typing")
    telegram.clock.advance(1)
    assert bot.result("sendMessage", chat_id=ada.id, text="x")
    group = telegram.add_group("Cinema", ada)
    for number in range(20):
        bot.result("sendMessage", chat_id=group.id, text=str(number))
        telegram.clock.advance(0.5)
    assert bot.call("sendMessage", chat_id=group.id, text="x")["parameters"]["retry_after"] in {50, 51}
    assert len(telegram.rate_limited()) == 2 == telegram.limits.refused
    telegram.clock.advance(51)
    assert bot.result("sendMessage", chat_id=group.id, text="x")
    telegram.clock.advance(60)
    many = [telegram.add_person(f"p{number}", started=True) for number in range(31)]
    statuses = [bot.call("sendMessage", chat_id=each.id, text="x").get("error_code", 200) for each in many]
    assert statuses == [200] * 30 + [429]


def test_buttons(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    bot.result(
        "sendMessage",
        chat_id=ada.id,
        text="card",
        reply_markup=keyboard(button(), {"text": "Copy", "copy_text": {"text": "p"}}),
    )
    card = ada.received()[0]
    press = ada.press(card, "x")
    assert telegram.complaints() == ["a pressed button was not answered: x"]
    query = bot.fresh()[0]["callback_query"]
    assert (query["data"], query["message"]["message_id"], query["from"]["id"]) == ("x", card.id, ada.id)
    assert "lab" not in bot.refusal("answerCallbackQuery", callback_query_id=query["id"], text="x" * 201)
    assert bot.result("answerCallbackQuery", callback_query_id=query["id"], text="so")
    assert (press.text, press.alert) == ("so", False)
    assert telegram.complaints() == ["answerCallbackQuery: Bad Request: MESSAGE_TOO_LONG"]
    late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert bot.refusal("answerCallbackQuery", callback_query_id=query["id"]) == late
    ada.press(card, "x")
    query = bot.fresh()[0]["callback_query"]
    telegram.clock.advance(16)
    assert bot.refusal("answerCallbackQuery", callback_query_id=query["id"]) == late
    with pytest.raises(Impossible):
        ada.press(card, "Copy")
    with pytest.raises(Impossible, match="is not one of"):
        ada.press(card, "Again")
    telegram.delete_message(card)
    assert ada.look(card) is None
    with pytest.raises(Impossible):
        ada.press(card, "x")


def test_inline(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    film = bot.result("sendVideo", {"video": ("a.mp4", MP4)}, chat_id=ada.id)["video"]["file_id"]
    group = telegram.add_group("Cinema", ada)
    bot.fresh()
    asked = ada.inline("sea", group)
    query = bot.fresh()[0]["inline_query"]
    result = {
        "type": "video",
        "id": "1",
        "video_file_id": film,
        "title": "Sea",
        "caption": "<b>sea</b>",
        "parse_mode": "HTML",
    }
    assert (
        bot.refusal("answerInlineQuery", inline_query_id=query["id"], results=[result] * 2)
        == "Bad Request: RESULT_ID_DUPLICATE"
    )
    many = [result | {"id": str(number)} for number in range(51)]
    assert (
        bot.refusal("answerInlineQuery", inline_query_id=query["id"], results=many)
        == "Bad Request: too many inline query results specified"
    )
    shown = result | {"reply_markup": keyboard(button())}
    assert bot.result("answerInlineQuery", inline_query_id=query["id"], results=[shown])
    seen = asked.send()
    assert (seen.text, seen.sender, seen.clip is not None) == ("sea", "Ada", True)
    chosen, mine = bot.fresh()[::-1]
    assert mine["message"]["via_bot"]["id"] == telegram.bot.id
    name = chosen["chosen_inline_result"]["inline_message_id"]
    assert bot.result("editMessageCaption", inline_message_id=name, caption="new") is True
    assert [each.text for each in ada.history(seen)] == ["sea", "new"]
    ada.inline("late")
    query = bot.fresh()[0]["inline_query"]
    telegram.clock.advance(11)
    assert "too old" in bot.refusal("answerInlineQuery", inline_query_id=query["id"], results=[])


def test_actions(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    def act() -> None:
        assert bot.result("sendChatAction", chat_id=ada.id, action="upload_video") is True

    act()
    assert ada.action() == "upload_video"
    telegram.clock.advance(5.1)
    assert ada.action() is None, "it ends by itself"
    act()
    bot.result("sendMessage", chat_id=ada.id, text="x")
    assert ada.action() is None, "a message ends it"


def test_a_chat_that_is_held(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    bob = telegram.add_person("bob", started=True)
    telegram.limits.on = False
    telegram.limits.hold(ada.direct().chat, 7728)
    for _ in range(2):
        assert bot.call("sendMessage", chat_id=ada.id, text="x")["parameters"] == {"retry_after": 7728}
    assert bot.result("sendMessage", chat_id=bob.id, text="x")
    telegram.clock.advance(7729)
    assert bot.result("sendMessage", chat_id=ada.id, text="x")


def test_menus(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    def menu(word: str, **scope: Any) -> Json:
        return {"commands": [{"command": word, "description": word}]} | scope

    group = telegram.add_group("Cinema", ada, telegram.add_person("bob"))
    bot.result("setMyCommands", **menu("all"))
    bot.result("setMyCommands", **menu("alle", language_code="de"))
    bot.result("setMyCommands", **menu("boss", scope={"type": "all_chat_administrators"}))
    assert ada.menu() == [("all", "all")]
    assert ada.menu(group) == [("boss", "boss")]
    bob, eva = telegram.people[ada.id + 1], telegram.add_person("eva", language="de")
    assert (bob.menu(group), eva.menu()) == ([("all", "all")], [("alle", "alle")])
    assert bot.result("getMyCommands", language_code="de")[0]["command"] == "alle"
    assert bot.result("deleteMyCommands", language_code="de")
    assert eva.menu() == [("all", "all")]
    assert bot.refusal("setMyCommands", **menu("Big")) == "Bad Request: BOT_COMMAND_INVALID"
    assert bot.result("setMyShortDescription", short_description="Films")
    assert bot.result("getMyShortDescription") == {"short_description": "Films"}
    assert telegram.account.profile(telegram.bot).syncs == 4


def test_a_deep_link_and_the_journal(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    ada.block()
    ada.follow("https://t.me/reelay_bot?start=job_1")
    kinds = [set(each) - {"update_id"} for each in bot.fresh()]
    assert kinds == [{"my_chat_member"}, {"my_chat_member"}, {"message"}]
    with pytest.raises(Impossible):
        ada.follow("https://t.me/other_bot?start=x")
    bot.result("sendMessage", chat_id=ada.id, text="hi", disable_notification=True)
    bot.result("sendMessage", chat_id=ada.id, text="loud")
    assert [each.text for each in ada.notifications] == ["loud"]
    assert [line["text"] for line in telegram.journal.of("created", sender="Reelay")] == ["hi", "loud"]
    assert telegram.token not in "".join(telegram.journal.texts())
