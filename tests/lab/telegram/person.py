"""Somebody with a Telegram client: writes, sends pictures, presses buttons, and sees what there is to see.

The client is honest: what it does not offer raises ``Impossible``. Nothing here waits for the bot; a ``Press`` or an ``Asked`` is
looked at until it has what a test wants (``tests.lab.waiting``). ``place`` is a chat, a topic, or nothing: where the person is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.lab.telegram import entities
from tests.lab.telegram.founding import ANONYMOUS
from tests.lab.telegram.gestures import Asked, File, Impossible, Press
from tests.lab.telegram.media import Media
from tests.lab.telegram.sight import Seen, look
from tests.lab.telegram.world import GENERAL, PRIVATE, SUPERGROUP, Chat, Message, Moment, Place, User

if TYPE_CHECKING:
    from tests.lab.telegram.server import Telegram

Where = Place | Chat | None
Target = Seen | Message
MOST_TEXT: Final = 4096
MOST_CAPTION: Final = 1024


class Person:
    """See above."""

    def __init__(self, telegram: Telegram, user: User) -> None:
        self.telegram, self.user = telegram, user
        self.notifications: list[Message] = []
        """Messages that rang. Edits never ring, nor does what was sent silently."""
        self._place: Place | None = None

    @property
    def id(self) -> int:
        """The user id."""
        return self.user.id

    # ------------------------------------------------------------------------------------------------------------------------ places

    def direct(self) -> Place:
        """The private chat with the bot."""
        return Place(self.telegram.world.direct(self.telegram.bot, self.user))

    def enter(self, place: Where) -> Person:
        """Go to a chat or topic, and do there whatever follows; None: the private chat with the bot."""
        self._place = self.direct() if place is None else self._where(place)
        return self

    def _where(self, place: Where) -> Place:
        found = Place(place) if isinstance(place, Chat) else place or self._place or self.direct()
        chat = found.chat
        return Place(chat.upgraded, found.topic) if chat.upgraded is not None else found

    @staticmethod
    def thread(place: Place) -> tuple[int | None, bool]:
        """(thread id, whether that is a topic). General has none."""
        return (place.topic.id, True) if place.topic is not None and place.topic.id != GENERAL else (None, False)

    def _open(self, place: Where) -> Place:
        """Where something can be written."""
        found = self._where(place)
        chat, topic = found.chat, found.topic
        if chat.kind == PRIVATE:
            if chat.blocked:
                raise Impossible("unblock the bot first")
            chat.started = True
            return found
        member = chat.member(self.user)
        if member is None or not member.here:
            raise Impossible("not in that group")
        if topic is not None and (topic.deleted or (topic.closed and not member.boss)):
            raise Impossible("that topic is closed")
        return found

    # ---------------------------------------------------------------------------------------------------------------------- writing

    def say(self, text: str, place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Write something."""
        text, found = entities.trimmed(text, [])
        if not text or entities.units(text) > MOST_TEXT:
            raise Impossible("a message has 1 to 4096 characters")
        return self._send(place, reply_to, text=text, entities=found)

    def start(self, payload: str = "") -> Seen:
        """Press START, or follow ``t.me/<bot>?start=<payload>``; a bot that was blocked is taken back first."""
        self.block(blocked=False)
        return self.say(f"/start {payload}".strip(), self.direct())

    def follow(self, url: str) -> Seen:
        """Open a deep link to the bot."""
        parts = urlsplit(url)
        wanted = parse_qs(parts.query).get("start")
        if parts.netloc != "t.me" or parts.path.strip("/") != self.telegram.bot.username or not wanted:
            raise Impossible(f"{url} leads elsewhere")
        return self.start(wanted[0])

    def reply(self, target: Target, text: str) -> Seen:
        """Answer a message where it stands."""
        message = _message(target)
        return self.say(text, self._beside(message), reply_to=message)

    def photo(self, data: bytes, caption: str = "", place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Send a picture as a photo (``media.picture`` makes one)."""
        return self._media(self.telegram.shelf.photo(data), caption, place, reply_to)

    def document(self, file: File, caption: str = "", place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Send a file as it is."""
        return self._media(self._file("document", file), caption, place, reply_to)

    def audio(self, file: File, caption: str = "", place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Send a piece of music."""
        return self._media(self._file("audio", file), caption, place, reply_to)

    def voice(self, file: File, caption: str = "", place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Send a voice message."""
        return self._media(self._file("voice", file), caption, place, reply_to)

    def video(self, file: File, caption: str = "", place: Where = None, *, reply_to: Target | None = None) -> Seen:
        """Send a film."""
        return self._media(self._file("video", file), caption, place, reply_to)

    def album(
        self,
        pictures: Sequence[bytes | File],
        caption: str = "",
        place: Where = None,
        *,
        order: Sequence[int] | None = None,
        pause: float = 0.0,
        reply_to: Target | None = None,
    ) -> list[Seen]:
        """Several at once: photos as bytes, documents as ``File``. The caption stands under the first. The bot is told of each by itself,
        in any ``order`` and with a ``pause`` between them, as it happens.
        """
        if not 2 <= len(pictures) <= 10:
            raise Impossible("an album has 2 to 10 pictures")
        album, sent = secrets.token_hex(8), []
        shelf = self.telegram.shelf
        for number in order or range(len(pictures)):
            each = pictures[number]
            media = shelf.photo(each) if isinstance(each, bytes) else self._file("document", each)
            sent.append(self._media(media, caption if number == 0 else "", place, reply_to, album))
            time.sleep(pause)
        return sent

    def _file(self, kind: Any, file: File) -> Media:
        shelf = self.telegram.shelf
        return shelf.know(Media(kind, [shelf.put(file.data, file.name, file.mime)]))

    def _media(
        self, media: Media, caption: str, place: Where, reply_to: Target | None, album: str | None = None
    ) -> Seen:
        caption, found = entities.trimmed(caption, [])
        if entities.units(caption) > MOST_CAPTION:
            raise Impossible("a caption has up to 1024 characters")
        return self._send(place, reply_to, media=media, caption=caption or None, entities=found, album=album)

    def _send(self, place: Where, reply_to: Target | None, **content: Any) -> Seen:
        answered = None if reply_to is None else _message(reply_to)
        there = self._open(place if place is not None or answered is None else self._beside(answered))
        chat, (thread, in_topic) = there.chat, self.thread(there)
        if answered is not None and not in_topic and chat.kind == SUPERGROUP and not chat.forum:
            thread = answered.thread or answered.id  # a row of replies has a thread id too, and is no topic
        office = self.telegram.office
        member = chat.member(self.user)
        hidden = member is not None and member.anonymous
        message = office.message(
            chat,
            ANONYMOUS if hidden else self.user,
            sender_chat=chat if hidden else None,
            thread=thread,
            in_topic=in_topic,
            reply_to=answered,
            **content,
        )
        return look(office.post(message))

    @staticmethod
    def _beside(message: Message) -> Place:
        topic = message.chat.topics.get(message.thread or GENERAL)
        return Place(message.chat, topic)

    # --------------------------------------------------------------------------------------------------------------------- changing

    def edit(self, target: Target, text: str) -> Seen:
        """Change the words of one's own message."""
        message = _message(target)
        if message.sender is not self.user:
            raise Impossible("only one's own")
        text, message.entities = entities.trimmed(text, [])
        if message.text is not None:
            message.text = text
        else:
            message.caption = text or None
        return look(self.telegram.office.revised(message, told=True))

    def delete(self, target: Target) -> None:
        """Delete a message: one's own, in private any, as an administrator any. No bot is told of that."""
        message = _message(target)
        member = message.chat.member(self.user)
        boss = message.chat.kind == PRIVATE or (member is not None and member.boss)
        if message.sender is not self.user and not boss:
            raise Impossible("not allowed to delete that")
        self.telegram.world.drop(message)

    def press(self, target: Target, button: str) -> Press:
        """Press a button (see ``Seen.button``) as the message stands now."""
        message = _message(target)
        if message.deleted:
            raise Impossible("that message is gone")
        try:
            found = look(message).button(button)
        except LookupError as error:
            raise Impossible(str(error)) from None
        if found.data is None:
            raise Impossible(f"{button!r} asks the bot nothing")
        return Press(self.telegram.answers.press(self.user, message, found.data))

    def inline(self, text: str, place: Where = None) -> Asked:
        """Type ``@bot text`` somewhere."""
        there, bot = self._where(place), self.telegram.bot
        if not bot.inline:
            raise Impossible("the bot is not for that")
        return Asked(self, self.telegram.answers.question(bot, self.user, text, there.chat), there)

    def react(self, target: Target, emoji: str = "") -> None:
        """Put an emoji under a message, or take it away."""
        self.telegram.reacted(self.user, _message(target), emoji)

    def block(self, *, blocked: bool = True) -> None:
        """Block the bot, or take it back."""
        self.telegram.founding.block(self.direct().chat, blocked=blocked)

    def leave(self, chat: Chat) -> None:
        """Leave a group."""
        self.telegram.founding.part(chat, self.user, self.user)

    # ----------------------------------------------------------------------------------------------------------------------- seeing

    def messages(self, place: Where = None) -> list[Seen]:
        """What stands there, oldest first; of a forum without a topic, what stands in General."""
        there = self._where(place)
        thread = self.thread(there)[0]
        return [
            look(each)
            for each in self.telegram.world.within(there.chat)
            if not there.chat.topics or (each.thread if each.in_topic else None) == thread
        ]

    def received(self, place: Where = None) -> list[Seen]:
        """Of these, what the bot wrote."""
        return [each for each in self.messages(place) if each.message.sender is self.telegram.bot]

    def look(self, target: Target) -> Seen | None:
        """A message as it is now; None when it is gone."""
        message = _message(target)
        return None if message.deleted else look(message)

    @staticmethod
    def history(target: Target) -> list[Moment]:
        """A message from its first appearance through every edit."""
        return list(_message(target).history)

    def action(self, place: Where = None) -> str | None:
        """What the bot seems to be doing there now."""
        there = self._where(place)
        return self.telegram.office.action(there.chat, self.thread(there)[0])

    def menu(self, place: Where = None) -> list[tuple[str, str]]:
        """What is offered after a slash: (command, description)."""
        found = self.telegram.account.menu(self.telegram.bot, self.user, self._where(place).chat)
        return [(each["command"], each["description"]) for each in found]


def _message(target: Target) -> Message:
    return target.message if isinstance(target, Seen) else target
