"""Reading Telegram's updates: from the raw object of a poll or a webhook to plain values, or to nothing where it is none of our business.

Pure, and tolerant of what it does not know: the library's own parser gives up on a whole batch because of one odd update (22.8), and an
update that nobody can read would come again for ever. Field names: Bot API 10.0, "Update", "Message".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Raw = Mapping[str, Any]

WANTED: Final = ("message", "callback_query", "inline_query", "my_chat_member")
"""What Telegram is asked for, each time, because it remembers the last list. Not edited messages: nobody pays for mending a typo."""
GENERAL: Final = 1
"""The topic of a forum that is always there: nothing may be sent to it by its number (tdlib/telegram-bot-api#447)."""
PICTURE_TYPES: Final = ("image/",)
PHOTO_NAME: Final = "photo.jpg"
SOUND_TYPES: Final = ("audio/", "application/ogg")
SOUND_NAME, SOUND_TYPE = "song", "audio/mpeg"
"""Of what Telegram tells no name or type of; what it really is, its bytes tell."""
HERE: Final = frozenset({"member", "administrator", "creator", "restricted"})


class Malformed(ValueError):
    """Not an update that we can read; the text names what is missing and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are, as getMe tells."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a message."""

    file_id: str
    name: str
    mime: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Sound:
    """An audio file, a voice message, or a document that is one."""

    file_id: str
    name: str
    mime: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who did it."""

    id: int
    name: str
    language: str
    chat_id: int | None = None
    """The chat in whose name they wrote: an anonymous administrator, or a channel."""

    @property
    def external_id(self) -> str:
        """By which an account is known. Whoever writes as a chat is that chat: nobody is told who they are."""
        return str(self.id if self.chat_id is None else self.chat_id)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it happened."""

    chat_id: int
    is_private: bool
    thread: int | None = None
    """The topic, where one has to be named."""

    @property
    def chat(self) -> str | None:
        """The chat whose members all see what is posted here (``telegram:chat:-1``); None in private."""
        return None if self.is_private else f"telegram:chat:{self.chat_id}"


@dataclass(frozen=True, slots=True)
class Target:
    """The message that somebody answered, or whose button was pressed."""

    message_id: int
    is_ours: bool
    text: str = ""
    person: Person | None = None
    pictures: tuple[Picture, ...] = ()
    sound: Sound | None = None
    has_video: bool = False
    marks: tuple[str, ...] = ()
    """What its buttons carry: whose they are, their signature tells."""
    links: tuple[str, ...] = ()
    """Addresses behind its words; only of a message of ours."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message to us."""

    update_id: str
    message_id: int
    person: Person
    spot: Spot
    date: int
    """Unix seconds."""
    text: str = ""
    """Behind the command, if there is one."""
    command: str | None = None
    is_named: bool = False
    """Whether the command names us (``/video@reelay_bot``)."""
    pictures: tuple[Picture, ...] = ()
    sound: Sound | None = None
    album: str | None = None
    target: Target | None = None
    has_other: bool = False
    """Whether it carries something that is neither words nor a picture, whatever stands under it."""
    is_forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that was pressed. Without ``target`` the message is out of reach."""

    update_id: str
    query_id: str
    person: Person
    data: str
    spot: Spot | None = None
    target: Target | None = None
    original: Said | None = None
    """What the message with the button answered, as it stood when the button was pressed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``@bot words`` while it is typed."""

    update_id: str
    query_id: str
    person: Person
    text: str
    offset: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A group has become a supergroup."""

    update_id: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Membership:
    """The bot was let in, taken out, blocked, or taken back."""

    update_id: str
    spot: Spot
    person: Person
    is_here: bool
    was_here: bool


Event = Said | Pressed | Asked | Moved | Membership


@dataclass(frozen=True, slots=True)
class _Words:
    text: str = ""
    entities: Sequence[Raw] = field(default_factory=tuple)


def read_update(raw: Raw, bot: Bot) -> Event | None:
    """Read an update; None when it does not concern us. Raises Malformed."""
    try:
        return _read(raw, bot)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Malformed(f"an update without what it needs ({type(error).__name__})") from error


def _read(raw: Raw, bot: Bot) -> Event | None:
    update_id = str(int(raw["update_id"]))
    if "message" in raw:
        return _message(update_id, raw["message"], bot)
    if "callback_query" in raw:
        return _pressed(update_id, raw["callback_query"], bot)
    if "inline_query" in raw:
        asked = raw["inline_query"]
        return Asked(update_id, str(asked["id"]), _person(asked), str(asked["query"]), str(asked["offset"]))
    if "my_chat_member" in raw:
        changed = raw["my_chat_member"]
        old, new = (str(changed[name]["status"]) for name in ("old_chat_member", "new_chat_member"))
        return Membership(update_id, _spot(changed), _person(changed), new in HERE, old in HERE)
    return None


def _message(update_id: str, raw: Raw, bot: Bot) -> Said | Moved | None:
    if "migrate_to_chat_id" in raw:
        return Moved(update_id, int(raw["chat"]["id"]), int(raw["migrate_to_chat_id"]))
    if raw.get("is_automatic_forward") or "from" not in raw:
        return None
    said = read_message(update_id, raw, bot)
    if said is None:
        return None
    return said if said.spot.is_private or _is_for_us(said) else None


def read_message(update_id: str, raw: Raw, bot: Bot) -> Said | None:
    """A message of a person, as an order would read it; None for one that a bot brought, ours included."""
    if raw.get("from", {}).get("is_bot") and "sender_chat" not in raw:
        return None
    if "via_bot" in raw:  # such as a clip that was chosen by our own inline mode
        return None
    words = _words(raw)
    named = _command(words, bot)
    if named is None:  # to another bot
        return None
    command, is_named, text = named
    pictures = _pictures(raw)
    reply = raw.get("reply_to_message")
    return Said(
        update_id=update_id,
        message_id=int(raw["message_id"]),
        person=_person(raw),
        spot=_spot(raw),
        date=int(raw["date"]),
        text=text,
        command=command,
        is_named=is_named,
        pictures=pictures,
        sound=_sound(raw),
        album=None if raw.get("media_group_id") is None else str(raw["media_group_id"]),
        target=None if reply is None or "forum_topic_created" in reply else _target(reply, bot),
        has_other=not pictures and any(name in raw for name in OTHER),
        is_forwarded="forward_origin" in raw,
    )


OTHER: Final = (
    "video",
    "animation",
    "audio",
    "document",
    "sticker",
    "voice",
    "video_note",
    "contact",
    "location",
    "poll",
)
"""What a person may send besides; everything else is a word of Telegram's own, such as that somebody came."""


def _is_for_us(said: Said) -> bool:
    """In a group: a command, a reply to a question of ours, or a picture that may belong to an album with a command."""
    if said.command is not None or (said.album is not None and said.pictures):
        return True
    return said.target is not None and said.target.is_ours and bool(said.target.links) and bool(said.text)


def _command(words: _Words, bot: Bot) -> tuple[str | None, bool, str] | None:
    """(command, whether it names us, what follows); None for a command to somebody else."""
    first = next(
        (each for each in words.entities if each.get("offset") == 0 and each.get("type") == "bot_command"), None
    )
    if first is None:
        return None, False, words.text
    length = int(first["length"])  # in UTF-16 units, and a command has nothing but ASCII
    name, _, addressee = words.text[1:length].partition("@")
    if addressee and addressee.lower() != bot.username.lower():
        return None
    return name.lower(), bool(addressee), words.text[length:].strip()


def _words(raw: Raw) -> _Words:
    if "text" in raw:
        return _Words(str(raw["text"]), tuple(raw.get("entities") or ()))
    return _Words(str(raw.get("caption") or ""), tuple(raw.get("caption_entities") or ()))


def _pictures(raw: Raw) -> tuple[Picture, ...]:
    sizes = raw.get("photo")
    if sizes:  # the same picture in several sizes, the largest last
        best = sizes[-1]
        return (Picture(str(best["file_id"]), PHOTO_NAME, "image/jpeg", best.get("file_size")),)
    document = raw.get("document")
    if document is not None and str(document.get("mime_type") or "").startswith(PICTURE_TYPES):
        name = str(document.get("file_name") or "picture")
        mime = str(document["mime_type"])
        return (Picture(str(document["file_id"]), name[:200], mime[:100], document.get("file_size")),)
    return ()


def _sound(raw: Raw) -> Sound | None:
    document = raw.get("document")
    if document is not None and not str(document.get("mime_type") or "").startswith(SOUND_TYPES):
        document = None
    found = raw.get("audio") or raw.get("voice") or document
    if found is None:
        return None
    name = str(found.get("file_name") or SOUND_NAME)
    mime = str(found.get("mime_type") or SOUND_TYPE)
    return Sound(str(found["file_id"]), name[:200], mime[:100], found.get("file_size"))


def _target(raw: Raw, bot: Bot) -> Target:
    words, sender = _words(raw), raw.get("from") or {}
    is_ours = sender.get("id") == bot.id
    rows = (raw.get("reply_markup") or {}).get("inline_keyboard") or ()
    marks = tuple(str(each["callback_data"]) for row in rows for each in row if "callback_data" in each)
    links = tuple(str(each["url"]) for each in words.entities if each.get("type") == "text_link") if is_ours else ()
    return Target(
        message_id=int(raw["message_id"]),
        is_ours=is_ours,
        text=words.text,
        person=_person(raw) if sender and (not sender.get("is_bot") or "sender_chat" in raw) else None,
        pictures=_pictures(raw),
        sound=_sound(raw),
        has_video="video" in raw or "animation" in raw,
        marks=marks if is_ours or (raw.get("via_bot") or {}).get("id") == bot.id else (),
        links=links,
    )


def _pressed(update_id: str, raw: Raw, bot: Bot) -> Pressed:
    message = raw.get("message")
    spot = target = original = None
    if message is not None:
        spot = _spot(message)
        if int(message.get("date") or 0) > 0:  # 0: too old to be shown to us (Bot API, "InaccessibleMessage")
            target = _target(message, bot)
            reply = message.get("reply_to_message")
            if reply is not None and "from" in reply:
                original = read_message(update_id, reply, bot)
        else:
            target = Target(int(message["message_id"]), is_ours=True)
    return Pressed(update_id, str(raw["id"]), _person(raw), str(raw.get("data") or ""), spot, target, original)


def _spot(raw: Raw) -> Spot:
    chat = raw["chat"]
    thread = raw.get("message_thread_id") if raw.get("is_topic_message") else None
    return Spot(int(chat["id"]), chat["type"] == "private", None if thread in (None, GENERAL) else int(thread))


def _person(raw: Raw) -> Person:
    sender, chat = raw["from"], raw.get("sender_chat")
    name = str((chat or {}).get("title") or sender.get("first_name") or "?")
    language = str(sender.get("language_code") or "en")
    return Person(int(sender["id"]), name[:64], language[:16], None if chat is None else int(chat["id"]))
