"""``@bot words``: the person's own clips, to be posted into any chat by the handles that Telegram gave them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

from telegram import InlineQueryResultCachedVideo, InlineQueryResultsButton
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, Words
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.render import cut, escape
from bot.platforms.telegram.wire import Asked, Person, Spot
from core.errors import ReelayError
from storage.store import SqliteStore
from storage.views import JobRow

PAGE: Final = 20
"""Telegram takes 50 at once (Bot API, answerInlineQuery); each is a card to be read."""
DEADLINE_SECONDS: Final = 8.0
CACHE_SECONDS: Final = 5
"""How long Telegram itself may show the same answer again: a clip that was erased should not come back for long."""
WORDS_MOST: Final = 200
PROMPT_SHOWN: Final = 700
"""Of a caption's 1024; what keeps words from being mentions and links stands between them."""
TITLE_MOST, DESCRIPTION_MOST = 80, 100
JOB: Final = re.compile(r"[0-9a-z]{10,40}", re.ASCII)

log = logging.getLogger("reelay.telegram")


class Inline:
    """See above."""

    def __init__(
        self,
        client: Client,
        engine: Engine,
        store: SqliteStore,
        shelf: Bookshelf,
        may: Callable[[Person, Spot | None], bool],
    ) -> None:
        """``may``: whether somebody is invited."""
        self._client, self._engine, self._store, self._shelf, self._may = client, engine, store, shelf, may
        self._owner = client.token.partition(":")[0]

    async def answer(self, asked: Asked, account_id: str | None) -> None:
        """Show the clips that fit. Raises nothing: what comes too late here is worth nothing."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self._answer(asked, account_id)
        except (TelegramError, ReelayError, TimeoutError) as error:
            log.info("an inline question was not answered", extra={"error": type(error).__name__})

    async def _answer(self, asked: Asked, account_id: str | None) -> None:
        words = self._shelf.words(asked.person.language)
        is_invited = self._may(asked.person, None)
        found: Sequence[tuple[JobRow, str]] = []
        if account_id is not None and is_invited:
            before = asked.offset if JOB.fullmatch(asked.offset) else None
            found = await self._store.shared_clips(
                "telegram", self._owner, account_id, asked.text[:WORDS_MOST], PAGE, before
            )
        button = None
        if not found and is_invited and not asked.offset:
            button = InlineQueryResultsButton(words.say("telegram.inline_none"), start_parameter="demo")
        await self._client.answer_inline_query(
            asked.query_id,
            [await self._result(row, file_id, words) for row, file_id in found],
            cache_time=CACHE_SECONDS,
            is_personal=True,
            next_offset=found[-1][0].job.id if len(found) == PAGE else "",
            button=button,
        )

    async def _result(self, row: JobRow, file_id: str, words: Words) -> InlineQueryResultCachedVideo:
        _, card = await self._engine.desk.card(row.job.id)
        provider = self._engine.parts.providers.get(row.job.applied.provider)
        title = row.job.applied.provider if provider is None else provider.capabilities.title
        prompt = cut(row.job.wanted.prompt, PROMPT_SHOWN)
        made = f"<i>{escape(words.say('shared.made', generator=title))}</i>"
        return InlineQueryResultCachedVideo(
            row.job.id,
            file_id,
            cut(card.headline or words.say("card.no_prompt"), TITLE_MOST),
            description=cut(words.text(card.state, self._engine.parts.clock.now()), DESCRIPTION_MOST),
            caption=f"{escape(prompt)}\n{made}" if prompt else made,
            parse_mode=ParseMode.HTML,
        )
