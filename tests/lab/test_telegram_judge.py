"""The simulator is held against the official document too: what it says wrongly fails the test that uses it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.lab.telegram import Telegram, spec
from tests.lab.telegram_raw import RawBot

Json = dict[str, Any]
CHAT: Json = {"id": 1, "type": "private", "first_name": "Ada"}
MESSAGE: Json = {"message_id": 1, "date": 1, "chat": CHAT}


def test_the_document_is_the_one_that_it_says_it_is() -> None:
    assert len(spec.methods()) == 176
    assert "managed_bot" in spec.update_kinds()


@pytest.mark.parametrize(
    "value, wrong",
    [
        ({**MESSAGE, "text": "x"}, []),
        ({**MESSAGE, "words": "x"}, ["Message: Message has no 'words'"]),
        ({"message_id": 1, "date": 1}, ["Message: Message needs 'chat'"]),
        ({**MESSAGE, "message_id": "1"}, ["Message.message_id must be Integer"]),
        ({**MESSAGE, "message_id": True}, ["Message.message_id must be Integer"]),
        ({**MESSAGE, "photo": {}}, ["Message.photo must be an array"]),
        ({**MESSAGE, "photo": [{"file_id": "x"}]}, 3),
        (
            {**MESSAGE, "reply_to_message": {**MESSAGE, "chat": {"id": 1}}},
            ["Message.reply_to_message.chat: Chat needs 'type'"],
        ),
    ],
)
def test_values_of_a_type(value: Json, wrong: list[str] | int) -> None:
    found = spec.faults("Message", value)
    assert (len(found) if isinstance(wrong, int) else found) == wrong


@pytest.mark.parametrize(
    "kind, value, clean",
    [
        (
            "ChatMember",
            {"status": "creator", "user": {"id": 1, "is_bot": False, "first_name": "A"}, "is_anonymous": False},
            True,
        ),
        (
            "ChatMember",
            {"status": "left", "user": {"id": 1, "is_bot": False, "first_name": "A"}, "is_anonymous": False},
            False,
        ),
        ("InputMedia", {"type": "video", "media": "attach://x", "width": 1}, True),
        ("InputMedia", {"type": "photo", "media": "attach://x", "width": 1}, False),
        ("ReactionType", {"type": "emoji", "emoji": "👀"}, True),
        ("ReactionType", {"type": "custom_emoji", "emoji": "👀"}, False),
        ("BotCommandScope", {"type": "all_private_chats"}, True),
        ("BotCommandScope", {"type": "chat"}, False),
    ],
)
def test_one_of_several_types(kind: str, value: Json, clean: bool) -> None:
    assert (spec.faults(kind, value) == []) is clean


def test_a_wrong_answer_of_its_own_fails_the_test() -> None:
    with pytest.raises(AssertionError, match=r"the simulator itself was wrong.*'surname'"), Telegram() as telegram:
        telegram.door.methods["getMe"] = lambda call: {"id": 1, "is_bot": True, "first_name": "R", "surname": "x"}
        RawBot(telegram).result("getMe")


def test_a_wrong_update_of_its_own_fails_the_test() -> None:
    with pytest.raises(AssertionError, match=r"the simulator itself was wrong.*'wrong'"), Telegram() as telegram:
        telegram.queue.push("callback_query", {"id": "1", "wrong": 1})


def test_a_malformed_request_is_found_in_the_journal() -> None:
    with Telegram() as telegram:
        bot = RawBot(telegram)
        bot.refusal("sendMessage", chat_id=1, text="x", colour="red")
        bot.refusal("sendMessage", chat_id=1, text="x")
        assert [line["body"]["colour"] for line in telegram.malformed()] == ["red"]


def test_it_is_light() -> None:
    program = (
        "import time, aiohttp.web; begun = time.process_time()\n"
        "from tests.lab.telegram import Telegram\n"
        "with Telegram() as telegram: print(time.process_time() - begun)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) < 0.6, "seconds of CPU over aiohttp's own; 0.13 on a free machine"
