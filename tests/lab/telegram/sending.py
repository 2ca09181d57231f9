"""The methods that send."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from tests.lab.telegram import bodies, entities, markup
from tests.lab.telegram.door import Call, Work
from tests.lab.telegram.media import PHOTO, Kind, Media, Stored, Upload, is_mp4
from tests.lab.telegram.office import Office
from tests.lab.telegram.refusal import bad, malformed
from tests.lab.telegram.world import GENERAL, SUPERGROUP, Bot, Chat, Message

Json = dict[str, Any]
MOST_TEXT: Final = 4096
MOST_CAPTION: Final = 1024
MOST_ALBUM: Final = 10
ACTIONS: Final = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
UNKNOWN: Final = ("business_connection_id", "direct_messages_topic_id", "suggested_post_parameters")
RIGHTS: Final = {"photo": "can_send_photos", "video": "can_send_videos", "document": "can_send_documents"}


@dataclass(slots=True)
class Address:
    """Where a message goes."""

    chat: Chat
    thread: int | None = None
    in_topic: bool = False
    reply_to: Message | None = None


class Sending:
    """See above."""

    def __init__(self, office: Office) -> None:
        self.office, self.world, self.shelf = office, office.world, office.shelf

    def methods(self) -> dict[str, Work]:
        """By name."""
        return {
            "sendMessage": self.send_message,
            "sendPhoto": lambda call: self._send_media(call, "photo"),
            "sendVideo": lambda call: self._send_media(call, "video"),
            "sendDocument": lambda call: self._send_media(call, "document"),
            "sendAnimation": lambda call: self._send_media(call, "animation"),
            "sendMediaGroup": self.send_album,
            "sendChatAction": self.send_action,
        }

    # -------------------------------------------------------------------------------------------------------------------- addresses

    def address(self, call: Call, right: str = "") -> Address:
        """Where a request wants to write to, if it may."""
        for name in UNKNOWN:
            if name in call.params:
                raise malformed(f"{name} is not simulated")
        chat = self.office.reach(call.bot, call.get("chat_id"), right)
        reply = self._reply(call, chat)
        thread, in_topic = self._thread(call.bot, chat, call.get("message_thread_id"), reply)
        return Address(chat, thread, in_topic, reply)

    def _reply(self, call: Call, chat: Chat) -> Message | None:
        wanted = call.get("reply_parameters")
        if wanted is None:
            return None
        if "quote" in wanted or wanted.get("chat_id", chat.id) != chat.id:
            raise malformed("quotes and replies across chats are not simulated")
        found = self.world.message(chat, wanted["message_id"])
        if found is None and not wanted.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        return found

    def _thread(self, bot: Bot, chat: Chat, wanted: int | None, reply: Message | None) -> tuple[int | None, bool]:
        """Without a wish a reply goes to where its message stands."""
        if wanted is None:
            if reply is None:
                return None, False
            rows = chat.kind == SUPERGROUP and not chat.forum
            return (reply.thread or reply.id if rows else reply.thread), reply.in_topic
        topic = chat.topics.get(wanted)
        if topic is None and not chat.forum and chat.kind == SUPERGROUP and self.world.message(chat, wanted):
            return wanted, False
        if topic is None or topic.deleted or wanted == GENERAL:
            raise bad("message thread not found")
        if topic.closed and not self.office.may(bot, chat, "can_manage_topics"):
            raise bad("TOPIC_CLOSED")
        return wanted, True

    # ----------------------------------------------------------------------------------------------------------------------- sending

    def send_message(self, call: Call) -> Json:
        """sendMessage."""
        address = self.address(call, "can_send_messages")
        text, found = entities.formatted(call.get("text"), call.get("parse_mode"), call.get("entities"))
        if not text:
            raise bad("message text is empty")
        if entities.units(text) > MOST_TEXT:
            raise bad("message is too long")
        return self._post(call, address, text=text, entities=found, preview=call.get("link_preview_options"))

    def _send_media(self, call: Call, kind: Kind) -> Json:
        address = self.address(call, RIGHTS.get(kind, "can_send_other_messages"))
        caption, found = self.caption(call.params)
        media = self.media(call, kind, call.params | {"media": call.get(kind)}, kind)
        more = {"above": bool(call.get("show_caption_above_media")), "spoiler": bool(call.get("has_spoiler"))}
        return self._post(call, address, media=media, caption=caption, entities=found, **more)

    def _post(self, call: Call, address: Address, **content: Any) -> Json:
        buttons, keyboard = markup.split(call.get("reply_markup"))
        self.office.limits.take(call.bot, address.chat)
        message = self._written(call, address, markup=buttons, keyboard=keyboard, **content)
        return self.office.forms.message(call.bot, self.office.post(message))

    def _written(self, call: Call, address: Address, **content: Any) -> Message:
        return self.office.message(
            address.chat,
            call.bot,
            thread=address.thread,
            in_topic=address.in_topic,
            reply_to=address.reply_to,
            protected=bool(call.get("protect_content")),
            silent=bool(call.get("disable_notification")),
            **content,
        )

    @staticmethod
    def caption(said: Json) -> tuple[str | None, list[Json]]:
        """A caption and its entities. 400 above 1024."""
        caption, found = entities.formatted(
            said.get("caption", ""), said.get("parse_mode"), said.get("caption_entities")
        )
        if entities.units(caption) > MOST_CAPTION:
            raise bad("message caption is too long")
        return caption or None, found

    def send_album(self, call: Call) -> list[Json]:
        """sendMediaGroup: a message for each."""
        address = self.address(call)
        items = call.get("media")
        if len(items) > MOST_ALBUM:
            raise bad("too many messages to send as an album")
        if len(items) < 2:
            raise malformed("an album has 2 to 10 items")
        kinds = {item["type"] for item in items}
        if len(kinds) > 1 and "document" in kinds:
            raise bad("document can't be mixed with other media types")
        album, made = secrets.token_hex(8), []
        for item in items:
            caption, found = self.caption(item)
            media = self.media(call, item["type"], item)
            more = {"above": bool(item.get("show_caption_above_media")), "spoiler": bool(item.get("has_spoiler"))}
            made.append({"media": media, "caption": caption, "entities": found, "album": album, **more})
        self.office.limits.take(call.bot, address.chat, len(made))
        posted = [self.office.post(self._written(call, address, **each)) for each in made]
        return [self.office.forms.message(call.bot, each) for each in posted]

    def send_action(self, call: Call) -> bool:
        """sendChatAction."""
        if call.get("action").lower() not in ACTIONS:
            raise bad("wrong parameter action in request")
        chat = self.office.reach(call.bot, call.get("chat_id"), "can_send_messages")
        wanted = call.get("message_thread_id")
        thread = None if wanted == GENERAL and chat.forum else self._thread(call.bot, chat, wanted, None)[0]
        if self.office.limits.actions:
            self.office.limits.take(call.bot, chat)
        self.office.act(chat, thread, call.get("action"))
        return True

    # ------------------------------------------------------------------------------------------------------------------------- files

    def media(self, call: Call, kind: Kind, said: Json, part: str | None = None) -> Media:
        """What a request wants to show: a new file, or one that is known already."""
        text = said.get("media")
        upload = self._upload(call, text, part)
        if upload is None:
            if not text:
                raise bad(f"there is no {kind} in the request")
            return self.shelf.again(call.bot.id, text, kind)
        if upload.size == 0:
            raise bad("file must be non-empty")
        if kind == "photo":
            if upload.size > PHOTO:
                raise bad(f"file of size {upload.size} bytes is too big for a photo")
            return self.shelf.photo(upload)
        return self._moving(call, kind, said, upload)

    def _upload(self, call: Call, text: str | None, part: str | None) -> Upload | None:
        if text is None:
            return call.file(part) if part else None
        if text.startswith("attach://"):
            found = call.file(text.removeprefix("attach://"))
            if found is None:
                raise bad(f"file {text!r} was not sent")
            return found
        return bodies.nearby(text, self.shelf)

    def _moving(self, call: Call, kind: Kind, said: Json, upload: Upload) -> Media:
        stored = self.shelf.put(upload)
        if kind != "document" and not is_mp4(stored.path):
            kind = "document"  # the server sends as a file what is no MPEG-4
        if kind != "document":
            stored.mime = "video/mp4"
            stored.width, stored.height = said.get("width", 0), said.get("height", 0)
        media = Media(kind, [stored], duration=said.get("duration", 0), streaming=bool(said.get("supports_streaming")))
        media.thumbnail = self._thumbnail(call, said)
        if kind == "video":
            media.cover, media.start = self._cover(call, said), said.get("start_timestamp")
        return self.shelf.know(media)

    def _thumbnail(self, call: Call, said: Json) -> Stored | None:
        text = said.get("thumbnail")
        upload = (
            self._upload(call, text, "thumbnail") if text is None or text.startswith(("attach:", "file:")) else None
        )
        if upload is None:
            if text is not None:
                self._ignored(call, "a thumbnail can only be uploaded")
            return None
        found = self.shelf.thumbnail(upload)
        if isinstance(found, str):
            self._ignored(call, found)
            return None
        return found

    def _ignored(self, call: Call, why: str) -> None:
        """The real server drops a thumbnail that it does not like without a word: here it is written down."""
        self.world.journal.write("ignored", operation=call.method, what_is="thumbnail", why=why)

    def _cover(self, call: Call, said: Json) -> list[Stored]:
        text = said.get("cover")
        upload = self._upload(call, text, "cover")
        if upload is not None:
            return self.shelf.photo(upload).files
        return self.shelf.again(call.bot.id, text, "photo").files if text else []
