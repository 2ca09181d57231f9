"""The operator's verbs for generators: how each is, stopping and resuming them, and which one makes what nobody names one for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from bot.commands.admin_args import Args, Result, one_of, text
from bot.engine.engine import Engine
from bot.engine.status import iso
from bot.engine.words import Words
from core.audit import Doing
from core.health import WELL
from providers.registry import real_name
from storage.operating import OperatorStore

INTAKE: Final = "intake"
EVERY: Final = "*"
UNSET: Final = "unset"
MISSING: Final = "not configured"
"""State of a generator that the settings have lost while jobs of it live."""
STATE_WORDS: Final[Mapping[str, str]] = {
    "ok": "health.ok",
    "paused": "health.paused",
    "unhealthy": "health.unavailable",
    "probing": "health.probing",
    MISSING: "health.missing",
}


class GeneratorVerbs:
    """Part of the operator's desk. Raises RequestError and StorageError kinds."""

    def __init__(self, engine: Engine, operators: OperatorStore) -> None:
        """``operators``: the store's operator side."""
        self._engine, self._operators, self._store = engine, operators, engine.parts.store
        self.verbs: dict[str, Callable[[str, Args], Awaitable[Result]]] = {
            "providers": self._list,
            "default": self._default,
            "pause": self._pause,
            "resume": self._resume,
        }

    async def _list(self, actor: str, args: Args) -> Result:
        """Every configured generator, and those that are not and have live jobs."""
        del actor
        providers, look = self._engine.parts.providers, await self._store.look()
        lost = sorted(await self._store.providers_in_use() - set(providers))
        names = [*providers, *lost]
        if args.get("name") is not None:
            names = [one_of(args, "name", names)]
        figures, default = await self._store.figures_of(names), self._default_now(look.default)
        found = []
        for name in names:
            can = providers[name].capabilities if name in providers else None
            standing, seen = look.standings.get(name, WELL), figures[name]
            found.append(
                {
                    "name": name,
                    "title": name if can is None else can.title,
                    "models": [] if can is None else list(can.models),
                    "default": name == default,
                    "state": standing.state if can is not None else MISSING,
                    "since": iso(standing.since),
                    "until": iso(standing.until),
                    "why": standing.why,
                    "running": seen.running,
                    "waiting": seen.waiting,
                    "unclear": seen.unclear,
                    "outcomes": dict(Counter(seen.outcomes)),
                    "cost_today": seen.cost,
                    "charged_today": seen.charged,
                }
            )
        return {"default": default, "chosen": look.default, "configured": self._configured, "generators": found}

    @property
    def _configured(self) -> str:
        return self._engine.runner.health.configured_default

    def _default_now(self, chosen: str | None) -> str:
        return chosen if chosen is not None and chosen in self._engine.parts.providers else self._configured

    async def _default(self, actor: str, args: Args) -> Result:
        """Choose the generator of new orders that name none; ``unset``: as the settings say."""
        providers = list(self._engine.parts.providers)
        wanted = args.get("name")
        name = real_name(wanted, providers) if isinstance(wanted, str) else None
        if name is None and wanted != UNSET:
            one_of(args, "name", [*providers, UNSET])
        await self._operators.choose_default(Doing(actor, "default", {"name": name or UNSET}), name)
        await self._engine.runner.health.look(fresh=True)
        return {"default": self._default_now(name), "chosen": name, "configured": self._configured}

    async def _pause(self, actor: str, args: Args) -> Result:
        names = self._stoppable(args)
        reason = text(args, "reason", most=200, default="paused by the operator")
        await self._operators.pause(Doing(actor, "pause", {"names": shown(names), "reason": reason}), names, reason)
        await self._changed()
        return {"paused": shown(names), **await self.pauses()}

    async def _resume(self, actor: str, args: Args) -> Result:
        names = self._stoppable(args)
        ended = await self._operators.resume(Doing(actor, "resume", {"names": shown(names)}), names)
        await self._changed()
        return {"resumed": shown(ended), **await self.pauses()}

    async def _changed(self) -> None:
        """What waits may go on, here or elsewhere."""
        await self._engine.runner.health.look(fresh=True)
        self._engine.scheduler.hint()

    def _stoppable(self, args: Args) -> list[str]:
        generators = list(self._engine.parts.providers)
        if args.get("name") is None:
            return generators
        name = one_of(args, "name", [INTAKE, *generators])
        return [EVERY if name == INTAKE else name]

    async def pauses(self) -> Result:
        """The pauses that hold now."""
        rows = await self._store.pauses()
        return {
            "pauses": [
                {
                    "name": shown([row.provider])[0],
                    "until": iso(row.until),
                    "reason": row.reason,
                    "since": iso(row.since),
                }
                for row in rows
            ]
        }


def shown(names: Iterable[str]) -> list[str]:
    """As an operator names them."""
    return [INTAKE if name == EVERY else name for name in names]


def lines(found: Mapping[str, Any], words: Words) -> list[str]:
    """The answer of ``providers`` as a chat tells it, a line for each generator."""
    told = []
    for each in found["generators"]:
        state = words.say(STATE_WORDS[each["state"]])
        if each["why"]:
            state += f" ({each['why']})"
        values = {name: each[name] for name in ("title", "name", "running", "waiting")}
        line = words.say("admin.generator", state=state, cost=each["cost_today"], **values)
        told.append(f"★ {line}" if each["default"] else line)
    return told
