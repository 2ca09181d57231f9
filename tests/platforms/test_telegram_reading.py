"""Reading updates: what concerns us, who and where it was, and that nothing which Telegram may say is more than unreadable."""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.telegram.wire import Asked, Bot, Malformed, Membership, Moved, Pressed, Said, Sound, read_update

BOT = Bot(7, "reelay_bot")
ADA = {"id": 5, "is_bot": False, "first_name": "Ada", "language_code": "de"}
PRIVATE = {"id": 5, "type": "private", "first_name": "Ada"}
GROUP = {"id": -100, "type": "supergroup", "title": "Cinema"}
US = {"id": 7, "is_bot": True, "first_name": "Reelay", "username": "reelay_bot"}
Json = dict[str, Any]


def message(text: str | None = None, *, chat: Json = PRIVATE, **more: Any) -> Json:
    """An update that tells of a message; a command in it is marked as Telegram does."""
    said: Json = {"message_id": 9, "date": 1_700_000_000, "chat": chat, "from": ADA, **more}
    if text is not None:
        name = "caption" if "photo" in more else "text"
        said[name] = text
        if text.startswith("/"):
            entity = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
            said["caption_entities" if name == "caption" else "entities"] = [entity]
    return {"update_id": 1, "message": said}


PHOTO = [{"file_id": "small", "width": 9, "height": 9}, {"file_id": "large", "width": 90, "height": 90, "file_size": 7}]


@pytest.mark.parametrize(
    "update, command, text",
    [
        (message("a fox"), None, "a fox"),
        (message("/video a fox"), "video", "a fox"),
        (message("/VIDEO@Reelay_Bot a fox"), "video", "a fox"),
        (message("/video@reelay_bot\na fox\nin snow", chat=GROUP), "video", "a fox\nin snow"),
        (message("/video@reelay_bot it moves", chat=GROUP, photo=PHOTO), "video", "it moves"),
        (message(photo=PHOTO), None, ""),
    ],
)
def test_what_is_for_us(update: Json, command: str | None, text: str) -> None:
    said = read_update(update, BOT)
    assert isinstance(said, Said)
    assert (said.command, said.text) == (command, text)
    assert said.person.external_id == "5"
    assert [each.file_id for each in said.pictures] == (["large"] if "photo" in update["message"] else [])


@pytest.mark.parametrize(
    "update",
    [
        message("/video@other_bot a fox", chat=GROUP),
        message("/video@other_bot a fox"),
        message("just talking", chat=GROUP),
        message("look", chat=GROUP, photo=PHOTO),
        message("mine", via_bot=US),
        message("from a channel", is_automatic_forward=True),
        message("a bot", **{"from": {**US, "id": 8}}),
        message("in reply to a card", chat=GROUP, reply_to_message=message("x", **{"from": US})["message"]),
        {"update_id": 1, "edited_message": message("/video a fox")["message"]},
        {"update_id": 1, "poll": {"id": "1"}},
        {"update_id": 1},
    ],
)
def test_what_is_none_of_our_business(update: Json) -> None:
    assert read_update(update, BOT) is None


def test_what_was_passed_on_or_has_something_else_is_known() -> None:
    forwarded = read_update(message("a fox", forward_origin={"type": "hidden_user"}), BOT)
    film = read_update(message("LOL", video={"file_id": "x"}), BOT)
    plain = read_update(message("a fox"), BOT)
    found = [(each.is_forwarded, each.has_other) for each in (forwarded, film, plain) if isinstance(each, Said)]
    assert found == [(True, False), (False, True), (False, False)]


AUDIO: Json = {"file_id": "a", "mime_type": "audio/mpeg", "file_name": "song.mp3", "file_size": 5, "duration": 3}
VOICE: Json = {"file_id": "v", "mime_type": "audio/ogg", "file_size": 6, "duration": 3}


@pytest.mark.parametrize(
    "sent, sound",
    [
        ({"audio": AUDIO}, Sound("a", "song.mp3", "audio/mpeg", 5)),
        ({"audio": {"file_id": "a"}}, Sound("a", "song", "audio/mpeg", None)),
        ({"voice": VOICE}, Sound("v", "song", "audio/ogg", 6)),
        ({"document": AUDIO}, Sound("a", "song.mp3", "audio/mpeg", 5)),
        ({"document": {**AUDIO, "mime_type": "application/ogg"}}, Sound("a", "song.mp3", "application/ogg", 5)),
        ({"document": {**AUDIO, "mime_type": "application/pdf"}}, None),
        ({"video": AUDIO}, None),
        ({}, None),
    ],
)
def test_a_song_is_found_in_a_message_and_in_what_it_answers(sent: Json, sound: Sound | None) -> None:
    caption: Json = {"caption": "/film a fox", "caption_entities": [{"type": "bot_command", "offset": 0, "length": 5}]}
    said = read_update(message(**sent, **caption), BOT)
    answer = read_update(
        message("/film@reelay_bot a fox", chat=GROUP, reply_to_message=message(**sent)["message"]), BOT
    )
    assert isinstance(said, Said)
    assert (said.command, said.text, said.sound, said.has_other) == ("film", "a fox", sound, bool(sent))
    assert isinstance(answer, Said)
    assert answer.target is not None
    assert (answer.sound, answer.target.sound) == (None, sound)


def test_whoever_writes_as_the_group_is_the_group() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    update = message("/admin", chat=GROUP, sender_chat=GROUP, **{"from": anonymous})
    said = read_update(update, BOT)
    assert isinstance(said, Said)
    assert said.person.external_id == "-100"
    assert said.person.chat_id == -100


@pytest.mark.parametrize(
    "thread, in_topic, wanted", [(5, True, 5), (1, True, None), (5, False, None), (None, False, None)]
)
def test_a_topic_is_named_only_where_it_has_to_be(thread: int | None, in_topic: bool, wanted: int | None) -> None:
    more: Json = {"is_topic_message": True} if in_topic else {}
    more |= {} if thread is None else {"message_thread_id": thread}
    said = read_update(message("/video@reelay_bot x", chat=GROUP, **more), BOT)
    assert isinstance(said, Said)
    assert said.spot.thread == wanted


def test_a_button_brings_what_its_message_answered() -> None:
    card = message("card", **{"from": US}, reply_to_message=message("/video a fox")["message"])["message"]
    update = {"update_id": 1, "callback_query": {"id": "77", "from": ADA, "data": "x", "message": card}}
    pressed = read_update(update, BOT)
    assert isinstance(pressed, Pressed)
    assert pressed.original is not None
    assert pressed.original.text == "a fox"


def test_a_button_of_a_message_that_is_too_old_to_be_shown() -> None:
    old = {"chat": GROUP, "message_id": 9, "date": 0}
    pressed = read_update(
        {"update_id": 1, "callback_query": {"id": "7", "from": ADA, "data": "x", "message": old}}, BOT
    )
    assert isinstance(pressed, Pressed)
    assert pressed.spot is not None
    assert pressed.target is not None


WHOLE = (
    (message("/video@reelay_bot a fox", chat=GROUP, photo=PHOTO, media_group_id="3", message_thread_id=4), Said),
    (message(migrate_to_chat_id=-200, chat=GROUP), Moved),
    ({"update_id": 1, "inline_query": {"id": "1", "from": ADA, "query": "x", "offset": ""}}, Asked),
    (
        {
            "update_id": 1,
            "my_chat_member": {
                "chat": GROUP,
                "from": ADA,
                "date": 1,
                "old_chat_member": {"status": "left", "user": US},
                "new_chat_member": {"status": "member", "user": US},
            },
        },
        Membership,
    ),
    (
        {"update_id": 1, "callback_query": {"id": "7", "from": ADA, "data": "v1", "message": message("c")["message"]}},
        Pressed,
    ),
)
ODD: tuple[Any, ...] = (None, 0, -1, True, "", "x" * 50, [], {}, [None], {"id": "x"}, 2**70, 1.5, "\ud800")


@pytest.mark.parametrize("update, kind", WHOLE)
def test_each_kind(update: Json, kind: type) -> None:
    assert isinstance(read_update(update, BOT), kind)


@given(st.sampled_from([update for update, _ in WHOLE]), st.randoms(use_true_random=False))
def test_whatever_is_missing_or_odd_it_is_read_or_malformed(update: Json, dice: random.Random) -> None:
    broken = copy.deepcopy(update)
    for _ in range(dice.randint(1, 3)):
        _break(broken, dice)
    with contextlib.suppress(Malformed):
        read_update(broken, BOT)


def _break(update: Json, dice: random.Random) -> None:
    """Take something out somewhere, or put something odd there."""
    node: Any = update
    for _ in range(dice.randint(0, 5)):
        inside = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
        deeper = [each for each in inside if isinstance(each, dict | list) and each]
        if not deeper:
            break
        node = dice.choice(deeper)
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = dice.choice(keys)
    if dice.random() < 0.4:
        del node[key]
    else:
        node[key] = copy.deepcopy(dice.choice(ODD))
