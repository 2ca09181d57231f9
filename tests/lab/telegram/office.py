"""Puts messages, edits and deletions into the world, and tells the bots that may know of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tests.lab.telegram.limits import Limits
from tests.lab.telegram.media import Shelf
from tests.lab.telegram.payloads import Forms
from tests.lab.telegram.privacy import sees
from tests.lab.telegram.refusal import bad, forbidden
from tests.lab.telegram.updates import Queue
from tests.lab.telegram.world import PRIVATE, Bot, Chat, Message, User, World

Json = dict[str, Any]
ACTION_SECONDS: Final = 5.0


class Office:
    """See above."""

    def __init__(self, world: World, forms: Forms, shelf: Shelf, limits: Limits) -> None:
        self.world, self.forms, self.shelf, self.limits = world, forms, shelf, limits
        self.clock = world.clock
        self.queues: dict[int, Queue] = {}
        """By bot."""
        self.whole_albums = False
        """Whether one visible picture shows a bot in privacy mode the album; nobody documents it, so by default it does not."""
        self._actions: dict[tuple[Chat, int | None], tuple[str, float]] = {}

    # ----------------------------------------------------------------------------------------------------------------------- posting

    def message(self, chat: Chat, sender: User | None, **more: Any) -> Message:
        """A message that nobody has seen yet."""
        return Message(self.world.number(chat), chat, sender, int(self.clock()), **more)

    def post(self, message: Message) -> Message:
        """Show it to everybody."""
        chat, sender = message.chat, message.sender
        self.world.add(message)
        if isinstance(sender, Bot):
            chat.last_writer = sender
        self._actions.pop((chat, message.thread if message.in_topic else None), None)
        self.world.seen("created", message)
        self.tell("message", message)
        return message

    def announce(self, chat: Chat, actor: User, **service: Any) -> Message:
        """A service message."""
        return self.post(self.message(chat, actor, service=service))

    def revised(self, message: Message, *, hidden: bool = False, told: bool = False) -> Message:
        """It has another face now. ``hidden``: nothing is shown as edited, as with new buttons only; ``told``: bots hear of it."""
        message.edits.append(self.clock())
        if not hidden:
            message.edited = int(self.clock())
        self.world.seen("edited", message)
        if told:
            self.tell("edited_message", message)
        return message

    def tell(self, kind: str, message: Message, to: Iterable[Bot] | None = None) -> None:
        """Tell the bots that see it."""
        for bot in self.world.bots_in(message.chat) if to is None else to:
            if sees(bot, message, whole_albums=self.whole_albums and bool(message.album)):
                self.queues[bot.id].push(kind, self.forms.message(bot, message))

    # ------------------------------------------------------------------------------------------------------------------------ rights

    def reach(self, bot: Bot, chat_id: int | str, right: str = "") -> Chat:
        """A chat that a bot may write to. Raises Refusal with the server's words for why not."""
        chat = self.world.chat(bot, chat_id)
        if chat.kind == PRIVATE:
            user = chat.user
            if user is not None and user.deactivated:
                raise forbidden("user is deactivated")
            if chat.blocked:
                raise forbidden("bot was blocked by the user")
            if not chat.started:
                raise forbidden("bot can't initiate conversation with a user")
            return chat
        self.inside(bot, chat)
        member = chat.members[bot.id]
        if right and member.status == "restricted" and right not in member.rights:
            what = right.removeprefix("can_send_").replace("messages", "text messages").replace("_", " ")
            raise bad(f"not enough rights to send {what} to the chat")
        return chat

    @staticmethod
    def inside(bot: Bot, chat: Chat) -> None:
        """Raises Refusal 403 where the bot is not in a group."""
        member = chat.member(bot)
        if chat.kind == PRIVATE or (member is not None and member.here):
            return
        if member is not None and member.status == "kicked":
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        raise forbidden(f"bot is not a member of the {chat.kind} chat")

    @staticmethod
    def may(bot: User, chat: Chat, right: str) -> bool:
        """Whether somebody administrates a group and has a right there."""
        member = chat.member(bot)
        return member is not None and (
            member.status == "creator" or (member.status == "administrator" and right in member.rights)
        )

    # ----------------------------------------------------------------------------------------------------------------------- actions

    def act(self, chat: Chat, thread: int | None, action: str) -> None:
        """It says so for five seconds, or until a message comes."""
        self._actions[chat, thread] = (action, self.clock() + ACTION_SECONDS)

    def action(self, chat: Chat, thread: int | None = None) -> str | None:
        """What stands there now."""
        action, end = self._actions.get((chat, thread), ("", 0.0))
        return action if self.clock() < end else None
