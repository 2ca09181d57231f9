"""The routes of channels and their messages, by the bot's own token (resources/channel, resources/message)."""

from __future__ import annotations

from typing import Any, Final

from tests.lab.discord import bodies
from tests.lab.discord.bodies import Rules
from tests.lab.discord.forms import Forms
from tests.lab.discord.permissions import May, may, need, need_sight, need_voice
from tests.lab.discord.refusal import Refusal, wrong
from tests.lab.discord.rest import Answer, Call, Route
from tests.lab.discord.world import (
    FORUM,
    MIB,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    THREAD,
    TIERS,
    V2,
    Channel,
    Message,
    User,
    World,
)

Json = dict[str, Any]
NEW_FLAGS: Final = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | V2
EDIT_FLAGS: Final = SUPPRESS_EMBEDS | V2
NONCE_SECONDS: Final = 300.0
MESSAGES: Final = "/channels/{channel_id}/messages"


class Channels:
    """What the bot may do in a channel."""

    def __init__(self, world: World, forms: Forms) -> None:
        self.world, self.forms = world, forms
        self.request_bytes: int | None = None
        self._nonces: dict[tuple[str, str], Message] = {}

    def routes(self) -> list[Route]:
        """All of them."""
        one, channel = MESSAGES + "/{message_id}", ("channel_id",)
        return [
            Route("GET", "/channels/{channel_id}", self.get_channel, major=channel),
            Route("GET", MESSAGES, self.list, major=channel),
            Route("POST", MESSAGES, self.create, major=channel),
            Route("GET", one, self.get, major=channel),
            Route("PATCH", one, self.edit, major=channel, edits=True),
            Route("DELETE", one, self.delete, major=channel),
            Route("POST", one + "/threads", self.thread, major=channel),
            Route("POST", "/channels/{channel_id}/typing", self.typing, major=channel),
            Route("POST", "/users/@me/channels", self.direct),
        ]

    def _channel(self, call: Call) -> Channel:
        channel = self.world.channel(call.path["channel_id"])
        need_sight(self.world, channel)
        return channel

    def _message(self, call: Call, channel: Channel) -> Message:
        message = self.world.message(channel, call.path["message_id"])
        if channel.guild is not None:
            need(self.world, channel, May.READ_MESSAGE_HISTORY)
        return message

    def _rules(self, channel: Channel, flags: int) -> Rules:
        limit = 10 * MIB if channel.guild is None else TIERS[channel.guild.tier]
        return Rules(flags, limit, self.request_bytes)

    def get_channel(self, call: Call) -> Answer:
        """The channel."""
        return 200, self.forms.channel(self._channel(call))

    def list(self, call: Call) -> Answer:
        """Newest first; ``before``, ``after``, ``around`` and ``limit``."""
        channel = self._channel(call)
        if channel.guild is not None and not may(self.world.bot, channel, May.READ_MESSAGE_HISTORY):
            return 200, []
        limit = int(call.query.get("limit", 50))
        found = [message for message in reversed(self.world.in_channel(channel)) if message.only is None]
        if "before" in call.query:
            found = [message for message in found if int(message.id) < int(call.query["before"])]
        if "after" in call.query:
            found = [message for message in found if int(message.id) > int(call.query["after"])][-limit:]
        if "around" in call.query:
            found = sorted(found, key=lambda m: abs(int(m.id) - int(call.query["around"])))[:limit]
            found.sort(key=lambda m: -int(m.id))
        return 200, [self.forms.message(message) for message in found[:limit]]

    def get(self, call: Call) -> Answer:
        """One message."""
        return 200, self.forms.message(self._message(call, self._channel(call)))

    def create(self, call: Call) -> Answer:
        """A new message. A nonce that is known and enforced brings back the message that it made."""
        channel, data = self._channel(call), call.body.fields()
        if channel.kind == FORUM:
            raise Refusal(50001)
        reply = data.get("message_reference")
        need_voice(self.world, channel, files=bool(call.body.files), reply=bool(reply))
        if channel.archived and channel.locked and not may(self.world.bot, channel, May.MANAGE_THREADS):
            raise Refusal(50083)
        nonce = data.get("nonce")
        if data.get("enforce_nonce") and (nonce is None or nonce == ""):
            raise wrong("nonce", "enforce_nonce needs a nonce", "BASE_TYPE_REQUIRED")
        if nonce is not None and data.get("enforce_nonce") and (known := self._by_nonce(channel, nonce)) is not None:
            return 200, self.forms.message(known)
        message = Message(self.world.ids(), channel, self.world.bot, nonce=nonce)
        if reply:
            self._reply(channel, message, reply)
        bodies.write(self.world, message, data, call.body.files, self._rules(channel, NEW_FLAGS), new=True)
        channel.archived = False
        if nonce is not None:
            self._nonces[channel.id, str(nonce)] = message
        self.world.messages[message.id] = message
        self.world.seen("created", message)
        return 200, self.forms.message(message)

    def _by_nonce(self, channel: Channel, nonce: str | int) -> Message | None:
        message = self._nonces.get((channel.id, str(nonce)))
        since = self.world.clock() - NONCE_SECONDS
        return message if message is not None and not message.deleted and self.world.born(message) > since else None

    def _reply(self, channel: Channel, message: Message, reply: Json) -> None:
        known = self.world.messages.get(str(reply["message_id"]))
        if str(reply.get("channel_id") or channel.id) != channel.id:
            raise wrong(
                "message_reference", "the message is in another channel", "REPLIES_CANNOT_REPLY_ACROSS_CHANNELS"
            )
        if known is None or known.channel is not channel or known.only is not None:
            if reply.get("fail_if_not_exists") is not False:
                raise wrong("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
            return
        message.reply_to, message.kind = known, 19
        message.replied = {"type": 0, "channel_id": channel.id, "message_id": known.id}
        if channel.guild is not None:
            message.replied["guild_id"] = channel.guild.id

    def edit(self, call: Call) -> Answer:
        """Edit a message of the bot's own."""
        channel = self._channel(call)
        message = self.world.message(channel, call.path["message_id"])
        if message.author is not self.world.bot:
            raise Refusal(50005)
        if channel.archived:
            raise Refusal(50083)
        if call.body.files and channel.guild is not None:
            need(self.world, channel, May.ATTACH_FILES)
        bodies.write(
            self.world, message, call.body.fields(), call.body.files, self._rules(channel, EDIT_FLAGS), new=False
        )
        message.edited = self.world.clock()
        message.edits.append(message.edited)
        self.world.seen("edited", message)
        return 200, self.forms.message(message)

    def delete(self, call: Call) -> Answer:
        """Delete a message: one's own, or with MANAGE_MESSAGES."""
        channel = self._channel(call)
        message = self.world.message(channel, call.path["message_id"])
        if message.author is not self.world.bot:
            need(self.world, channel, May.MANAGE_MESSAGES)
        if channel.archived:
            raise Refusal(50083)
        self.world.drop_message(message)
        return 204, None

    def typing(self, call: Call) -> Answer:
        """Say that something is being written."""
        channel = self._channel(call)
        need_voice(self.world, channel, files=False, reply=False)
        return 204, None

    def thread(self, call: Call) -> Answer:
        """Open a thread under a message; it has the message's id."""
        channel = self._channel(call)
        message = self._message(call, channel)
        need(self.world, channel, May.CREATE_PUBLIC_THREADS)
        if message.id in self.world.channels or channel.guild is None:
            raise wrong("", "a thread is there already", "THREAD_ALREADY_CREATED")
        name = call.body.fields()["name"]
        thread = Channel(message.id, THREAD, name, channel.guild, channel, owner=self.world.bot)
        self.world.channels[thread.id] = channel.guild.channels[thread.id] = thread
        self.world.emit("THREAD_CREATE", self.forms.channel(thread), channel.guild)
        return 201, self.forms.channel(thread)

    def direct(self, call: Call) -> Answer:
        """The direct message with somebody. It can be opened even when it cannot be written to."""
        user: User = self.world.user(str(call.body.fields().get("recipient_id")))
        if user.bot:
            raise Refusal(50007)
        return 200, self.forms.channel(self.world.direct(user))
