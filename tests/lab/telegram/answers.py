"""What waits for an answer: pressed buttons and inline questions. Both die after a while; how long is not documented, so it is a guess."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from tests.lab.telegram import entities, markup
from tests.lab.telegram.door import Call, Work
from tests.lab.telegram.media import Kind
from tests.lab.telegram.office import Office
from tests.lab.telegram.refusal import bad, malformed
from tests.lab.telegram.sending import Sending
from tests.lab.telegram.world import Bot, Chat, Message, User

Json = dict[str, Any]
CALLBACK_SECONDS: Final = 15.0
INLINE_SECONDS: Final = 10.0
MOST_ANSWER: Final = 200
MOST_RESULTS: Final = 50
TOO_OLD: Final = "query is too old and response timeout expired or query ID is invalid"
CACHED: Final[dict[str, Kind]] = {
    "video_file_id": "video",
    "photo_file_id": "photo",
    "document_file_id": "document",
    "mpeg4_file_id": "animation",
}


@dataclass(slots=True, eq=False)
class Query:
    """A pressed button or an inline question."""

    bot: Bot
    user: User
    born: float
    data: str
    message: Message | None = None
    id: str = field(default_factory=lambda: str(secrets.randbits(63)))
    answer: Json | None = None
    """What answerCallbackQuery or answerInlineQuery said."""
    answered_at: float | None = None


class Answers:
    """See above."""

    def __init__(self, office: Office, sending: Sending) -> None:
        self.office, self.sending = office, sending
        self.callback_seconds, self.inline_seconds = CALLBACK_SECONDS, INLINE_SECONDS
        self.queries: dict[str, Query] = {}

    def methods(self) -> dict[str, Work]:
        """By name."""
        return {"answerCallbackQuery": self.answer_callback, "answerInlineQuery": self.answer_inline}

    # --------------------------------------------------------------------------------------------------------------------- questions

    def press(self, user: User, message: Message, data: str) -> Query:
        """Somebody pressed a button."""
        bot = message.via or message.sender
        if not isinstance(bot, Bot):
            raise TypeError("only a bot's message has buttons")
        query = self._ask(bot, user, data, message)
        said: Json = {"id": query.id, "from": self.office.forms.user(user), "data": data}
        said["chat_instance"] = str(abs(hash((bot.id, message.chat.id))))
        name = next((name for name, each in self.office.world.inline_messages.items() if each is message), None)
        if name is not None:
            said["inline_message_id"] = name
        else:
            said["message"] = self.office.forms.message(bot, message)
        self.office.queues[bot.id].push("callback_query", said)
        return query

    def question(self, bot: Bot, user: User, text: str, chat: Chat | None, offset: str = "") -> Query:
        """Somebody typed ``@bot text``."""
        query = self._ask(bot, user, text, None)
        said: Json = {"id": query.id, "from": self.office.forms.user(user), "query": text, "offset": offset}
        if chat is not None:
            own = chat.kind == "private" and chat.bot is bot
            said["chat_type"] = "sender" if own else chat.kind
        self.office.queues[bot.id].push("inline_query", said)
        return query

    def _ask(self, bot: Bot, user: User, data: str, message: Message | None) -> Query:
        query = Query(bot, user, self.office.clock(), data, message)
        self.queries[query.id] = query
        return query

    def unanswered(self) -> list[Query]:
        """Pressed buttons that still turn."""
        return [each for each in list(self.queries.values()) if each.message is not None and each.answer is None]

    # ----------------------------------------------------------------------------------------------------------------------- answers

    def _answered(self, call: Call, query_id: str, seconds: float, *, inline: bool) -> Query:
        query = self.queries.get(query_id)
        now = self.office.clock()
        if query is None or query.bot is not call.bot or query.answer is not None or now - query.born > seconds:
            raise bad(TOO_OLD)
        if inline is not (query.message is None):
            raise bad(TOO_OLD)
        return query

    def _take(self, query: Query, call: Call) -> bool:
        query.answer, query.answered_at = dict(call.params), self.office.clock()
        self.office.world.journal.write("answered", user=query.user.id, seconds=query.answered_at - query.born)
        return True

    def answer_callback(self, call: Call) -> bool:
        """answerCallbackQuery."""
        query = self._answered(call, call.get("callback_query_id"), self.callback_seconds, inline=False)
        if entities.units(call.get("text", "")) > MOST_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        url = call.get("url", "")
        if url and not url.startswith((f"https://t.me/{call.bot.username}?", f"t.me/{call.bot.username}?")):
            raise bad("URL_INVALID")
        return self._take(query, call)

    def answer_inline(self, call: Call) -> bool:
        """answerInlineQuery."""
        query = self._answered(call, call.get("inline_query_id"), self.inline_seconds, inline=True)
        results = call.get("results")
        if len(results) > MOST_RESULTS:
            raise bad("too many inline query results specified")
        names = [each["id"] for each in results]
        if any(not 1 <= len(name.encode()) <= 64 for name in names):
            raise bad("RESULT_ID_INVALID")
        if len(set(names)) < len(names):
            raise bad("RESULT_ID_DUPLICATE")
        if len(call.get("next_offset", "").encode()) > 64:
            raise bad("NEXT_OFFSET_INVALID")
        for each in results:
            self._content(call.bot, each)
        return self._take(query, call)

    def _content(self, bot: Bot, result: Json) -> Json:
        """What a result becomes when it is chosen."""
        content: Json = {"markup": markup.inline(result.get("reply_markup"))}
        if "input_message_content" in result:
            said = result["input_message_content"]
            if "message_text" not in said:
                raise malformed("only text is simulated as input_message_content")
            text, found = entities.formatted(said["message_text"], said.get("parse_mode"), said.get("entities"))
            return content | {"text": text, "entities": found}
        for name, kind in CACHED.items():
            if name in result:
                caption, found = self.sending.caption(result)
                media = self.office.shelf.again(bot.id, result[name], kind)
                return content | {"media": media, "caption": caption, "entities": found}
        raise malformed(f"an inline result {result['type']!r} without a file_id is not simulated")

    def choose(self, query: Query, number: int, chat: Chat, thread: int | None, *, in_topic: bool) -> Message:
        """Somebody sends one of the results; the bot hears of it if it has asked BotFather for that."""
        result = (query.answer or {})["results"][number]
        content = self._content(query.bot, result)
        message = self.office.message(chat, query.user, via=query.bot, thread=thread, in_topic=in_topic, **content)
        name = secrets.token_urlsafe(12) if content["markup"] else None
        if name is not None:
            self.office.world.inline_messages[name] = message
        self.office.post(message)
        said: Json = {"result_id": result["id"], "from": self.office.forms.user(query.user), "query": query.data}
        said |= {"inline_message_id": name} if name else {}
        if query.bot.inline_feedback:
            self.office.queues[query.bot.id].push("chosen_inline_result", said)
        return message
