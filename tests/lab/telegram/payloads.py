"""What there is, as the Bot API says it to one bot: file ids are each bot's own."""

from __future__ import annotations

from typing import Any, Final

from tests.lab.telegram.media import Media, Shelf, Stored
from tests.lab.telegram.world import PRIVATE, Bot, Chat, Member, Message, User, World

Json = dict[str, Any]
RIGHTS: Final = [
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
]
"""Of an administrator of a group."""
PERMISSIONS: Final = [
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
]
"""Of somebody who is restricted."""


class Forms:
    """See above."""

    def __init__(self, world: World, shelf: Shelf) -> None:
        self.world, self.shelf = world, shelf

    # -------------------------------------------------------------------------------------------------------------- people and chats

    @staticmethod
    def user(user: User) -> Json:
        """A User."""
        said: Json = {"id": user.id, "is_bot": user.is_bot, "first_name": user.name}
        said |= {"username": user.username} if user.username else {}
        said |= {"language_code": user.language} if user.language else {}
        return said | ({"is_premium": True} if user.premium else {})

    def me(self, bot: Bot) -> Json:
        """What getMe says."""
        return self.user(bot) | {
            "can_join_groups": True,
            "can_read_all_group_messages": bot.sees_all,
            "supports_inline_queries": bot.inline,
            "supports_guest_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": bot.private_topics,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
        }

    @staticmethod
    def chat(chat: Chat) -> Json:
        """A Chat."""
        said: Json = {"id": chat.id, "type": chat.kind}
        if chat.kind == PRIVATE and chat.user is not None:
            said |= {"first_name": chat.user.name}
            return said | ({"username": chat.user.username} if chat.user.username else {})
        said |= {"title": chat.title}
        said |= {"username": chat.username} if chat.username else {}
        return said | ({"is_forum": True} if chat.forum else {})

    def chat_full(self, chat: Chat) -> Json:
        """What getChat says."""
        gifts = ["unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"]
        said = self.chat(chat) | {"accent_color_id": 1, "max_reaction_count": 11}
        said["accepted_gift_types"] = dict.fromkeys(gifts, False)
        if chat.reactions is not None:
            said["available_reactions"] = [{"type": "emoji", "emoji": each} for each in sorted(chat.reactions)]
        return said

    def member(self, member: Member) -> Json:
        """A ChatMember."""
        said: Json = {"status": member.status, "user": self.user(member.user)}
        if member.boss:
            said["is_anonymous"] = member.anonymous
        if member.status == "administrator":
            said |= {"can_be_edited": False} | {right: right in member.rights for right in RIGHTS}
            said["can_manage_chat"] = True
        elif member.status == "restricted":
            said |= {right: right in member.rights for right in PERMISSIONS}
            said |= {"is_member": True, "until_date": 0}
        elif member.status == "kicked":
            said["until_date"] = 0
        return said

    # -------------------------------------------------------------------------------------------------------------------------- files

    def size(self, bot: Bot, stored: Stored) -> Json:
        """A PhotoSize."""
        return self._file(bot, stored, "photo") | {"width": stored.width, "height": stored.height}

    def _file(self, bot: Bot, stored: Stored, kind: str) -> Json:
        return {
            "file_id": self.shelf.file_id(bot.id, stored, kind),
            "file_unique_id": stored.unique,
            "file_size": stored.size,
        }

    def sizes(self, bot: Bot, media: Media) -> list[Json]:
        """A photo in all its sizes, the largest last."""
        return [self.size(bot, each) for each in media.files]

    def media(self, bot: Bot, media: Media) -> Json:
        """What a message shows, under the names it has there."""
        if media.kind == "photo":
            return {"photo": self.sizes(bot, media)}
        main = media.main
        said = self._file(bot, main, media.kind) | {"mime_type": main.mime}
        said |= {"file_name": main.name} if main.name else {}
        said |= {"thumbnail": self.size(bot, media.thumbnail)} if media.thumbnail else {}
        if media.kind == "document":
            return {"document": said}
        if media.kind in ("audio", "voice"):
            said |= {"duration": media.duration}
            return {media.kind: said if media.kind == "audio" else {n: said[n] for n in said if n != "file_name"}}
        said |= {"width": main.width, "height": main.height, "duration": media.duration}
        if media.kind == "animation":
            return {"animation": said, "document": {name: said[name] for name in said if name not in _MOVING}}
        said |= {"cover": [self.size(bot, each) for each in media.cover]} if media.cover else {}
        return {"video": said | ({"start_timestamp": media.start} if media.start is not None else {})}

    # ----------------------------------------------------------------------------------------------------------------------- messages

    def message(self, bot: Bot, message: Message, depth: int = 1) -> Json:
        """A Message; what it replies to is told one level deep."""
        said: Json = {"message_id": message.id, "date": message.date, "chat": self.chat(message.chat)}
        if message.sender is not None:
            said["from"] = self.user(message.sender)
        if message.sender_chat is not None:
            said["sender_chat"] = self.chat(message.sender_chat)
        if message.thread is not None:
            said["message_thread_id"] = message.thread
            said |= {"is_topic_message": True} if message.in_topic else {}
        answered = self._answered(message) if depth else None
        if answered is not None:
            said["reply_to_message"] = self.message(bot, answered, depth - 1)
        said |= self._content(bot, message)
        said |= {"media_group_id": message.album} if message.album else {}
        said |= {"edit_date": message.edited} if message.edited is not None else {}
        said |= {"via_bot": self.user(message.via)} if message.via else {}
        said |= {"reply_markup": message.markup} if message.markup else {}
        said |= {"has_protected_content": True} if message.protected else {}
        return said

    def _answered(self, message: Message) -> Message | None:
        """What is in a topic and answers nothing is said to answer the message that tells of the topic."""
        if message.reply_to is not None:
            return None if message.reply_to.deleted else message.reply_to
        if not message.in_topic or message.thread in {None, message.id}:
            return None
        return self.world.message(message.chat, message.thread or 0)

    def _content(self, bot: Bot, message: Message) -> Json:
        if message.service is not None:
            return dict(message.service)
        said: Json = {}
        if message.text is not None:
            said |= {"text": message.text}
            said |= {"entities": self._entities(message)} if message.entities else {}
            return said | ({"link_preview_options": message.preview} if message.preview else {})
        if message.media is not None:
            said |= self.media(bot, message.media)
        if message.caption:
            said |= {"caption": message.caption}
            said |= {"caption_entities": self._entities(message)} if message.entities else {}
            said |= {"show_caption_above_media": True} if message.above else {}
        return said | ({"has_media_spoiler": True} if message.spoiler else {})

    @staticmethod
    def _entities(message: Message) -> list[Json]:
        return [dict(each) for each in message.entities]


_MOVING: Final = {"width", "height", "duration"}
