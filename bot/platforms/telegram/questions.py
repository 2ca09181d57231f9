"""Asking for words: a message whose answer Telegram opens by itself. Which clip it is about stands behind its link."""

from __future__ import annotations

import html
from typing import Final, Literal

from telegram import ForceReply

from bot.platforms.telegram.render import cut, link, mention
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
    in_group = wish.spot is not None and not wish.spot.is_private
    if in_group:  # there the field opens for whom the message mentions
        lines[0] = f"{mention(wish.person.name, wish.person.id)}: {lines[0]}"
    if prompt:  # as it is: nothing in it comes alive between these marks, and it is there to be copied
        lines.append(f"<code>{html.escape(cut(prompt, PROMPT_SHOWN), quote=False)}</code>")
    hint = cut(prompt or words.say("form.extend"), PLACEHOLDER_MOST)
    await wish.answer.say("\n".join(lines), ForceReply(selective=in_group, input_field_placeholder=hint))
