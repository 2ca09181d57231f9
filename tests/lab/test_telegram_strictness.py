"""What Telegram refuses is refused in its words, and the mended twin is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.telegram import Person, Telegram, picture
from tests.lab.telegram.entities import formatted, part, units
from tests.lab.telegram.refusal import Refusal
from tests.lab.telegram_raw import MP4, RawBot, button, keyboard

Json = dict[str, Any]
ADA = 500_000_001


class World:
    """One simulator for all tests of this file."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram, self.bot = telegram, RawBot(telegram)
        telegram.limits.on = False
        self.ada: Person = telegram.add_person("ada", started=True)
        self.text = self.sent("sendMessage", text="a text", reply_markup=keyboard(button()))
        self.film = self.sent("sendVideo", {"video": ("a.mp4", MP4)}, caption="a film")
        self.asking = self.sent("sendMessage", text="?", reply_markup={"force_reply": True})
        self.foreign = self.ada.say("mine", self.ada.direct()).id
        self.file_id: str = self.bot.result("sendPhoto", {"photo": ("a.jpg", picture())}, chat_id=ADA)["photo"][-1][
            "file_id"
        ]

    def sent(self, method: str, files: Any = None, **params: Any) -> int:
        return int(self.bot.result(method, files, chat_id=ADA, **params)["message_id"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Telegram() as telegram:
        yield World(telegram)


def markup(*buttons: Json) -> Json:
    return {"text": "x", "reply_markup": keyboard(*buttons)}


LAB = "lab: "
SENT: dict[str, tuple[str, Json, str, Json]] = {
    # name: (method, refused, its words, taken)
    "no text": ("sendMessage", {}, "message text is empty", {"text": "x"}),
    "only white space": ("sendMessage", {"text": " \n"}, "message text is empty", {"text": " x"}),
    "only a tag": (
        "sendMessage",
        {"text": "<b></b>", "parse_mode": "HTML"},
        "message text is empty",
        {"text": "<b></b>"},
    ),
    "4097 characters": ("sendMessage", {"text": "x" * 4097}, "message is too long", {"text": "x" * 4096}),
    "4097 units of UTF-16": ("sendMessage", {"text": "😀" * 2049}, "message is too long", {"text": "😀" * 2048}),
    "tags do not count": (
        "sendMessage",
        {"text": f"<b>{'x' * 4097}</b>", "parse_mode": "HTML"},
        "message is too long",
        {"text": f"<b>{'&lt;' * 4096}</b>", "parse_mode": "HTML"},
    ),
    "an unknown parse mode": (
        "sendMessage",
        {"text": "x", "parse_mode": "html5"},
        "unsupported parse_mode",
        {"text": "x"},
    ),
    "an unknown parameter": (
        "sendMessage",
        {"text": "x", "reply_to_message_id": 1},
        LAB + "sendMessage has no",
        {"text": "x"},
    ),
    "a parameter of another type": ("sendMessage", {"text": "x", "disable_notification": "maybe"}, LAB, {"text": "x"}),
    "an unknown name inside": (
        "sendMessage",
        {"text": "x", "reply_parameters": {"message": 1}},
        LAB + "sendMessage: reply_parameters: ReplyParameters has no 'message'",
        {"text": "x"},
    ),
    "a reply to nothing": (
        "sendMessage",
        {"text": "x", "reply_parameters": {"message_id": 9999}},
        "message to be replied not found",
        {"text": "x", "reply_parameters": {"message_id": 9999, "allow_sending_without_reply": True}},
    ),
    "a thread that is none": (
        "sendMessage",
        {"text": "x", "message_thread_id": 7},
        "message thread not found",
        {"text": "x"},
    ),
    "callback_data of 65 bytes": (
        "sendMessage",
        markup(button(callback_data="x" * 65)),
        "BUTTON_DATA_INVALID",
        markup(button(callback_data="x" * 64)),
    ),
    "a button without a deed": ("sendMessage", markup({"text": "x"}), "Text buttons are unallowed", markup(button())),
    "a button of two minds": (
        "sendMessage",
        markup(button(callback_data="x", url="https://example.com/")),
        LAB,
        markup(button(url="https://example.com/")),
    ),
    "a button without words": (
        "sendMessage",
        markup(button(text=" ", callback_data="x")),
        "must be non-empty",
        markup(button()),
    ),
    "a link that leads nowhere": ("sendMessage", markup(button(url="nowhere")), "Wrong HTTP URL", markup(button())),
    "257 characters to copy": (
        "sendMessage",
        markup(button(copy_text={"text": "x" * 257})),
        "BUTTON_COPY_TEXT_INVALID",
        markup(button(copy_text={"text": "x" * 256})),
    ),
    "a style that is none": (
        "sendMessage",
        markup(button(callback_data="x", style="pink")),
        "Invalid button style",
        markup(button(callback_data="x", style="danger")),
    ),
    "101 buttons": (
        "sendMessage",
        {"text": "x", "reply_markup": {"inline_keyboard": [[button()] * 8] * 13}},
        "reply markup is too long",
        {"text": "x", "reply_markup": {"inline_keyboard": [[button()] * 8] * 12}},
    ),
    "a caption of 1025": ("sendVideo", {"caption": "x" * 1025}, "message caption is too long", {"caption": "x" * 1024}),
    "an action that is none": (
        "sendChatAction",
        {"action": "dance"},
        "wrong parameter action",
        {"action": "upload_video"},
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent(name: str, world: World) -> None:
    method, refused, words, taken = SENT[name]
    files = {"video": ("a.mp4", MP4)} if method == "sendVideo" else None
    assert words in world.bot.refusal(method, files, chat_id=ADA, **refused)
    assert world.bot.result(method, files, chat_id=ADA, **taken)


def test_what_is_edited(world: World) -> None:
    def text(message_id: int, words: str = "new", **more: Any) -> str:
        return world.bot.refusal("editMessageText", chat_id=ADA, message_id=message_id, text=words, **more)

    same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
    assert text(9999) == "Bad Request: message to edit not found"
    assert text(world.foreign) == text(world.asking) == "Bad Request: message can't be edited"
    assert text(world.film) == "Bad Request: there is no text in the message to edit"
    assert text(world.text, "x" * 4097) == "Bad Request: MESSAGE_TOO_LONG"
    assert text(world.text, "a text", reply_markup=keyboard(button())).startswith(same)
    assert world.bot.refusal("editMessageText", text="x", message_id=1) == "Bad Request: chat_id is empty"
    assert (
        world.bot.refusal("editMessageText", text="x", chat_id=ADA)
        == "Bad Request: message identifier is not specified"
    )
    assert text(world.text, "x", reply_markup={"force_reply": True}).startswith("Bad Request: lab: ")
    changed = world.bot.result("editMessageText", chat_id=ADA, message_id=world.text, text="a text")
    assert "reply_markup" not in changed, "what is not said about buttons takes them away"
    assert text(world.text, "a text").startswith(same)
    caption = world.bot.refusal("editMessageCaption", chat_id=ADA, message_id=world.text, caption="x")
    assert caption == "Bad Request: there is no caption in the message to edit"
    film = {"type": "video", "media": "attach://film", "width": 3, "height": 2, "duration": 1}
    attached = {"film": ("b.mp4", MP4)}
    became = world.bot.result("editMessageMedia", attached, chat_id=ADA, message_id=world.text, media=film)
    assert "text" not in became
    assert became["video"]["width"] == 3
    assert text(world.text) == "Bad Request: there is no text in the message to edit"
    other = {"type": "video", "media": "attach://film2"}
    assert "was not sent" in world.bot.refusal(
        "editMessageMedia", attached, chat_id=ADA, message_id=world.text, media=other
    )
    again = {"type": "video", "media": became["video"]["file_id"]}
    assert world.bot.refusal("editMessageMedia", chat_id=ADA, message_id=world.text, media=again).startswith(same)


def test_what_is_deleted_and_reacted_to(world: World) -> None:
    message = world.sent("sendMessage", text="short-lived")
    assert (
        world.bot.refusal("deleteMessage", chat_id=ADA, message_id=9999) == "Bad Request: message to delete not found"
    )
    assert world.bot.result("deleteMessages", chat_id=ADA, message_ids=[message, 9999]) is True
    assert world.telegram.world.message(world.ada.direct().chat, message) is None

    def react(message_id: int, *emoji: str) -> Json:
        reaction = [{"type": "emoji", "emoji": each} for each in emoji]
        return world.bot.call("setMessageReaction", chat_id=ADA, message_id=message_id, reaction=reaction)

    assert react(world.foreign, "👀")["ok"]
    assert world.ada.messages(world.ada.direct())
    assert react(world.foreign, "✅")["description"] == "Bad Request: REACTION_INVALID"
    assert react(world.foreign, "👀", "🎉")["description"] == "Bad Request: REACTIONS_TOO_MANY"
    assert react(9999, "👀")["description"] == "Bad Request: message to react not found"
    assert react(world.foreign)["ok"]


def test_a_file_id_belongs_to_one_bot_and_one_kind(world: World) -> None:
    assert world.bot.result("sendPhoto", chat_id=ADA, photo=world.file_id)["photo"]
    other = RawBot(world.telegram, world.telegram.add_bot("other_bot"))
    world.telegram.world.direct(other.bot, world.ada.user).started = True
    wrong = "Bad Request: wrong file identifier/HTTP URL specified"
    assert other.refusal("sendPhoto", chat_id=ADA, photo=world.file_id) == wrong
    assert other.refusal("getFile", file_id=world.file_id) == "Bad Request: invalid file_id"
    assert (
        world.bot.refusal("sendVideo", chat_id=ADA, video=world.file_id)
        == "Bad Request: can't use file of type Photo as Video"
    )
    assert world.bot.refusal("sendVideo", chat_id=ADA, video="AgADunknown") == wrong
    assert world.bot.refusal("sendVideo", chat_id=ADA) == "Bad Request: there is no video in the request"


def test_who_may_be_written_to(world: World) -> None:
    telegram, bot = world.telegram, world.bot
    eve, dan = telegram.add_person("eve"), telegram.add_person("dan", started=True)
    group = telegram.add_group("Cinema", world.ada, eve)
    assert bot.refusal("sendMessage", chat_id=1, text="x") == "Bad Request: chat not found"
    assert (
        bot.refusal("sendMessage", chat_id=eve.id, text="x") == "Forbidden: bot can't initiate conversation with a user"
    )
    dan.block()
    assert bot.refusal("sendMessage", chat_id=dan.id, text="x") == "Forbidden: bot was blocked by the user"
    dan.block(blocked=False)
    telegram.deactivate(dan)
    assert bot.refusal("sendMessage", chat_id=dan.id, text="x") == "Forbidden: user is deactivated"
    telegram.restrict_bot(group, "can_send_messages")
    assert bot.result("sendMessage", chat_id=group.id, text="x")
    films = {"video": ("a.mp4", MP4)}
    assert (
        bot.refusal("sendVideo", films, chat_id=group.id) == "Bad Request: not enough rights to send videos to the chat"
    )
    room = telegram.add_supergroup("Cinema", world.ada, bots=[])
    assert (
        bot.refusal("sendMessage", chat_id=room.id, text="x") == "Forbidden: bot is not a member of the supergroup chat"
    )
    telegram.remove_bot(group)
    assert bot.refusal("getChat", chat_id=group.id) == "Forbidden: bot was kicked from the group chat"


def test_tokens_methods_and_pages(world: World) -> None:
    bot = world.bot
    assert bot.raw("GET", f"/bot{bot.bot.token.replace(':', '%3A')}/GETME")[0] == 200, "case and escapes do not matter"
    for path, status, words in (
        (f"/bot{bot.bot.token}/getYou", 404, "Not Found"),
        ("/bot1:2/getMe", 401, "Unauthorized"),
        ("/botx/getMe", 401, "Unauthorized: invalid token"),
        ("/", 404, "Not Found"),
        (f"/file/bot{bot.bot.token}/photos/file_9999.jpg", 404, "Not Found"),
        (f"/bot{bot.bot.token}/sendDice?chat_id={ADA}", 400, "lab: sendDice is not simulated"),
    ):
        found, body = bot.raw("GET", path)
        assert (found, words in body.decode()) == (status, True), path
    world.telegram.fail("getMe", 504)
    status, page = bot.raw("GET", f"/bot{bot.bot.token}/getMe")
    assert (status, b"<html>" in page) == (504, True)


HTML = {
    "<b>x": 'Can\'t find end tag corresponding to start tag "b"',
    "<b>x</i>": 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
    "x</b>": "Unexpected end tag at byte offset 1",
    "é <ниk>": 'Unsupported start tag "ниk" at byte offset 3',
    "<br/>": 'Unsupported start tag "br/" at byte offset 0',
    "a < b": 'Unsupported start tag "" at byte offset 2',
    "a <": "Unclosed start tag at byte offset 2",
    "<b": "Unclosed start tag at byte offset 0",
    "<b>x</b": "Unclosed end tag at byte offset 4",
    '<a href="x>': "Unclosed start tag at byte offset 0",
    "<a =x>y</a>": 'Empty attribute name in the tag "a" at byte offset 0',
    "<a href=x/y>y</a>": "Unexpected end of name token at byte offset 8",
    "<span>x</span>": 'Tag "span" must have class "tg-spoiler" at byte offset 0',
}


@pytest.mark.parametrize("text", HTML)
def test_html_that_is_none(text: str) -> None:
    with pytest.raises(Refusal) as raised:
        formatted(text, "HTML", None)
    assert raised.value.description == f"Bad Request: can't parse entities: {HTML[text]}"


def test_html_that_is_read() -> None:
    text, found = formatted(
        '  😀<b>x &amp; <i>y</i></b>&#33; <a href="https://example.com/">z</a> /go@reelay_bot ', "html", None
    )
    assert text == "😀x & y! z /go@reelay_bot"
    assert [(each["type"], part(text, each)) for each in found] == [
        ("bold", "x & y"),
        ("italic", "y"),
        ("text_link", "z"),
        ("bot_command", "/go@reelay_bot"),
    ]
    assert units("😀é") == 3
    assert formatted('<pre><code class="language-py">x</code></pre>', "HTML", None)[1][0]["language"] == "py"
    assert formatted("&unknown; &lt;b&gt;", "HTML", None)[0] == "&unknown; <b>"
    assert formatted("<blockquote expandable>x</blockquote>", "HTML", None)[1][0]["type"] == "expandable_blockquote"
