"""Asking for words: a message whose answer Telegram opens by itself. Which clip it is about stands behind its link."""

from __future__ import annotations

import html
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

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
    question = words.say("telegram.remix" if form == "remix" else "telegram.extend")
    await put(wish, f"{form}_{row.job.id}", question, prompt, hint=prompt or words.say("form.extend"))


async def put(wish: Wish, start: str, question: str, text: str, *, hint: str) -> None:
    """Ask a question. ``start`` stands behind its address and says what it is about; ``text``: what there is now, to be copied."""
    address = f"https://t.me/{wish.answer.bot_name}?start={start}"
    lines = [link(question, address)]
    in_group = wish.spot is not None and not wish.spot.is_private
    if in_group:  # there the field opens for whom the message mentions
        lines[0] = f"{mention(wish.person.name, wish.person.id)}: {lines[0]}"
    if text:  # as it is: nothing in it comes alive between these marks, and it is there to be copied
        lines.append(f"<code>{html.escape(cut(text, PROMPT_SHOWN), quote=False)}</code>")
    placeholder = cut(hint, PLACEHOLDER_MOST)
    await wish.answer.say("\n".join(lines), ForceReply(selective=in_group, input_field_placeholder=placeholder))


def start_of(address: str) -> str:
    """What stands behind the address of a question of ours; nothing where nothing does."""
    return parse_qs(urlsplit(address).query).get("start", [""])[0]
