"""The methods that change what stands there: edits, deletions, reactions."""

from __future__ import annotations

from typing import Any, Final

from tests.lab.telegram import entities, markup
from tests.lab.telegram.door import Call, Work
from tests.lab.telegram.office import Office
from tests.lab.telegram.refusal import Refusal, bad
from tests.lab.telegram.sending import MOST_TEXT, Sending
from tests.lab.telegram.world import PRIVATE, Chat, Message

Json = dict[str, Any]
DELETE_SECONDS: Final = 48 * 3600
EMOJI: Final = (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤️‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕"
    " 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂️ 🤷 🤷‍♀️ 😡"
)
REACTIONS: Final = frozenset(EMOJI.split())
SAME: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply"
    " markup of the message"
)


class Editing:
    """See above."""

    def __init__(self, office: Office, sending: Sending) -> None:
        self.office, self.world, self.sending = office, office.world, sending

    def methods(self) -> dict[str, Work]:
        """By name."""
        return {
            "editMessageText": self.edit_text,
            "editMessageCaption": self.edit_caption,
            "editMessageMedia": self.edit_media,
            "editMessageReplyMarkup": self.edit_markup,
            "deleteMessage": self.delete,
            "deleteMessages": self.delete_many,
            "setMessageReaction": self.react,
        }

    # ------------------------------------------------------------------------------------------------------------------------- edits

    def _target(self, call: Call) -> Message:
        inline = call.get("inline_message_id")
        if inline is not None:
            found = self.world.inline_messages.get(inline)
            if found is None or found.via is not call.bot:
                raise bad("MESSAGE_ID_INVALID")
            return found
        if "chat_id" not in call.params:
            raise bad("chat_id is empty")
        if "message_id" not in call.params:
            raise bad("message identifier is not specified")
        chat = self.office.reach(call.bot, call.get("chat_id"))
        message = self.world.message(chat, call.get("message_id"))
        if message is None:
            raise bad("message to edit not found")
        if message.sender is not call.bot or message.keyboard is not None or message.service is not None:
            raise bad("message can't be edited")
        self.office.limits.take(call.bot, chat)
        return message

    def _changed(self, call: Call, message: Message, *, hidden: bool = False, **content: Any) -> Any:
        """Take what is new, if anything is. What the request does not say about buttons takes them away."""
        content["markup"] = markup.inline(call.get("reply_markup"))
        if all(getattr(message, name) == value for name, value in content.items()):
            raise bad(SAME)
        for name, value in content.items():
            setattr(message, name, value)
        self.office.revised(message, hidden=hidden)
        return True if call.get("inline_message_id") else self.office.forms.message(call.bot, message)

    def edit_text(self, call: Call) -> Any:
        """editMessageText."""
        message = self._target(call)
        text, found = entities.formatted(call.get("text"), call.get("parse_mode"), call.get("entities"))
        if not text:
            raise bad("message text is empty")
        if entities.units(text) > MOST_TEXT:
            raise bad("MESSAGE_TOO_LONG")
        if message.text is None:
            raise bad("there is no text in the message to edit")
        return self._changed(call, message, text=text, entities=found, preview=call.get("link_preview_options"))

    def edit_caption(self, call: Call) -> Any:
        """editMessageCaption."""
        message = self._target(call)
        caption, found = self.sending.caption(call.params)
        if message.media is None:
            raise bad("there is no caption in the message to edit")
        above = bool(call.get("show_caption_above_media"))
        return self._changed(call, message, caption=caption, entities=found, above=above)

    def edit_media(self, call: Call) -> Any:
        """editMessageMedia: also a text becomes a film."""
        said = call.get("media")
        message = self._target(call)
        caption, found = self.sending.caption(said)
        if call.get("inline_message_id") and call.files:
            raise bad("invalid message content specified")
        if message.album and message.media and message.media.kind != said["type"]:
            raise bad("can't change media type in the album")
        media = self.sending.media(call, said["type"], said)
        more = {"above": bool(said.get("show_caption_above_media")), "spoiler": bool(said.get("has_spoiler"))}
        return self._changed(
            call, message, text=None, preview=None, media=media, caption=caption, entities=found, **more
        )

    def edit_markup(self, call: Call) -> Any:
        """editMessageReplyMarkup."""
        return self._changed(call, self._target(call), hidden=True)

    # --------------------------------------------------------------------------------------------------------------------- deletions

    def delete(self, call: Call) -> bool:
        """deleteMessage."""
        chat = self.world.chat(call.bot, call.get("chat_id"))
        self.office.inside(call.bot, chat)
        message = self.world.message(chat, call.get("message_id"))
        if message is None:
            raise bad("message to delete not found")
        self._may_delete(call, chat, message)
        self.world.drop(message)
        return True

    def _may_delete(self, call: Call, chat: Chat, message: Message) -> None:
        rules = chat.kind == PRIVATE or message.sender is call.bot
        if not rules and not self.office.may(call.bot, chat, "can_delete_messages"):
            raise bad("message can't be deleted")
        own_in_private = chat.kind == PRIVATE and message.sender is call.bot
        if not own_in_private and self.office.clock() - message.date > DELETE_SECONDS:
            raise bad("message can't be deleted for everyone")

    def delete_many(self, call: Call) -> bool:
        """deleteMessages: what is not there or may not be deleted is passed over."""
        chat = self.world.chat(call.bot, call.get("chat_id"))
        self.office.inside(call.bot, chat)
        wanted = call.get("message_ids")
        if not 1 <= len(wanted) <= 100:
            raise bad(
                "message identifiers are not specified" if not wanted else "too many message identifiers specified"
            )
        for number in wanted:
            message = self.world.message(chat, number)
            if message is not None:
                try:
                    self._may_delete(call, chat, message)
                except Refusal:
                    continue
                self.world.drop(message)
        return True

    # --------------------------------------------------------------------------------------------------------------------- reactions

    def react(self, call: Call) -> bool:
        """setMessageReaction: one for a bot, of those that everybody has."""
        chat = self.office.reach(call.bot, call.get("chat_id"))
        message = self.world.message(chat, call.get("message_id"))
        if message is None:
            raise bad("message to react not found")
        wanted = call.get("reaction", [])
        if len(wanted) > 1:
            raise bad("REACTIONS_TOO_MANY")
        for each in wanted:
            allowed = each["type"] == "emoji" and each["emoji"] in REACTIONS
            if not allowed or (chat.reactions is not None and each["emoji"] not in chat.reactions):
                raise bad("REACTION_INVALID")
        if wanted:
            message.reactions[call.bot.id] = wanted[0]["emoji"]
        else:
            message.reactions.pop(call.bot.id, None)
        self.world.seen("reacted", message)
        return True
