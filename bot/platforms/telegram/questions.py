"""Asking for words: a message whose answer Telegram opens by itself. Which clip it is about stands behind its link."""

from __future__ import annotations

from typing import Final, Literal

from telegram import ForceReply

from bot.platforms.telegram.render import cut, escape, link
from bot.platforms.telegram.wishes import Wish
from storage.views import JobRow

Form = Literal["remix", "extend"]
PLACEHOLDER_MOST: Final = 64
"""Characters of what a forced reply shows in the empty field (Bot API, ForceReply)."""
PROMPT_SHOWN: Final = 3000


async def ask(wish: Wish, form: Form, row: JobRow) -> None:
    """Ask what a clip is to be remixed to, or how it goes on; ``Making.form`` reads the answer."""
    words = wish.words
    prompt = row.job.wanted.prompt if form == "remix" else ""
    address = f"https://t.me/{wish.answer.bot_name}?start={form}_{row.job.id}"
    lines = [link(words.say("telegram.remix" if form == "remix" else "telegram.extend"), address)]
    if prompt:
        lines.append(f"<code>{escape(cut(prompt, PROMPT_SHOWN))}</code>")
    hint = cut(prompt or words.say("form.extend"), PLACEHOLDER_MOST)
    await wish.answer.say("\n".join(lines), ForceReply(selective=True, input_field_placeholder=hint))
