"""What is offered while a person types: generators with prices, own clips; within a time budget, and never without an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from bot.commands import clips
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.wire import Interaction
from core.capabilities import choices_of
from core.errors import ReelayError
from core.states import JobState

BUDGET_SECONDS: Final = 1.5
"""Discord waits 3 s for choices; half of it is for the way there and back."""
KEPT_SECONDS: Final = 30.0
SEPARATOR: Final = "/"
MOST: Final = 25


class Choices:
    """Answers autocompletions."""

    def __init__(self, engine: Engine) -> None:
        """Prices are asked of the engine and kept for half a minute, in each language by itself."""
        self._engine = engine
        self._models: dict[str, tuple[float, list[tuple[str, str]]]] = {}

    async def for_option(self, i: Interaction, words: Words) -> list[tuple[str, str]]:
        """(name, value) for the option that is being typed; none when it takes too long."""
        typed = str(i.options.get(i.focused or "") or "")
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                if i.focused == "model":
                    return ranked(await self._all_models(words), typed)
                if i.focused == "clip":
                    return ranked(await self._own_clips(i, words), typed)
        except (TimeoutError, ReelayError):
            return []
        return []

    def title(self, name: str) -> str:
        """A generator's name as people know it; one that is not configured any more has only its short one."""
        provider = self._engine.parts.providers.get(name)
        return name if provider is None else provider.capabilities.title

    def aspects(self) -> tuple[str, ...]:
        """What some generator can do."""
        return choices_of(p.capabilities for p in self._engine.parts.providers.values()).aspects

    def read_model(self, value: Any) -> dict[str, str]:
        """The fields of a choice of ours, or of what a person typed by hand: a generator, or ``generator/model``."""
        if not value:
            return {}
        name, _, model = str(value).partition(SEPARATOR)
        return {"provider": name, **({"model": model} if model else {})}

    async def _all_models(self, words: Words) -> list[tuple[str, str]]:
        now = time.monotonic()
        known = self._models.get(words.language)
        if known is not None and now - known[0] < KEPT_SECONDS:
            return known[1]
        paused = {pause.provider for pause in await self._engine.parts.store.pauses()}
        found = []
        for name, provider in self._engine.parts.providers.items():
            can = provider.capabilities
            eight = 8 if 8 in can.seconds else can.seconds[-1]
            for model in can.models:
                fields = {"provider": name, "model": model, "prompt": "x", "duration": eight}
                _, price = await self._engine.intake.offer(fields, with_picture=not can.text)
                title = can.title if len(can.models) == 1 else f"{can.title} ({model})"
                cost = words.say("model.price", credits=price, seconds=eight) if price else words.say("money.free")
                rest = f" · {words.say('health.paused')}" if name in paused else ""
                found.append(
                    (f"{title} · {cost}{rest}", name if model == can.default_model else f"{name}{SEPARATOR}{model}")
                )
        self._models[words.language] = (now, found)
        return found

    async def _own_clips(self, i: Interaction, words: Words) -> list[tuple[str, str]]:
        account = await self._engine.parts.store.find_account("discord", i.user_id)
        if account is None:
            return []
        live = i.name == "cancel"
        rows = await self._engine.parts.store.history(
            account, limit=MOST, live=live, only=None if live else "completed"
        )
        now = self._engine.parts.clock.now()
        found = []
        for row in rows:
            if live and row.job.state in (JobState.STORING, JobState.MERGING):  # there is nothing to stop any more
                continue
            _, card = await self._engine.desk.card(row.job.id)
            found.append((f"{clips.name_of(row)} · {words.text(card.state, now)}", row.job.id))
        return found


def ranked(offered: list[tuple[str, str]], typed: str) -> list[tuple[str, str]]:
    """What begins with the typed text, then what holds it, then what holds all its words; everything while nothing is typed."""
    wanted = typed.casefold().strip()
    if not wanted:
        return offered[:MOST]

    def rank(name: str) -> int | None:
        name = name.casefold()
        if name.startswith(wanted):
            return 0
        if wanted in name:
            return 1
        return 2 if all(word in name for word in wanted.split()) else None

    scored = [(rank(name), number, (name, value)) for number, (name, value) in enumerate(offered)]
    return [choice for score, _, choice in sorted((s, n, c) for s, n, c in scored if s is not None)][:MOST]
