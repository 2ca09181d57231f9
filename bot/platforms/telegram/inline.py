"""``@bot words``: the person's own clips, to be posted into any chat."""

from __future__ import annotations

from collections.abc import Callable

from bot.engine.engine import Engine
from bot.engine.words import Bookshelf
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.wire import Asked, Person, Spot
from storage.store import SqliteStore


class Inline:
    """See above."""

    def __init__(
        self,
        client: Client,
        engine: Engine,
        store: SqliteStore,
        shelf: Bookshelf,
        bot_name: Callable[[], str],
        may: Callable[[Person, Spot | None], bool],
    ) -> None:
        """``bot_name``: our username; ``may``: whether somebody is invited."""
        self._client, self._engine, self._store, self._shelf = client, engine, store, shelf
        self._bot_name, self._may = bot_name, may

    async def answer(self, asked: Asked, account_id: str | None) -> None:
        """Show the clips that fit. Raises nothing."""
