"""``/admin``: the operator's verbs in a guild, and the few that a guild's own managers may use about their guild.

Discord hides the command from whom it thinks may not use it; who really may is checked here, from the permissions in each interaction.
"""

from __future__ import annotations

from typing import Any, Final

from bot.commands.admin import AdminDesk
from bot.commands.admin_generators import UNSET, lines
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.render import escape
from bot.platforms.discord.wire import Interaction
from core.errors import BadOption, NotAllowed, NotFound

MANAGERS: Final = frozenset({"channel", "quota", "stats"})
"""What a guild's manager may do without being an operator: nothing here spends the operator's money."""


class AdminVerbs:
    """Translates the subcommands to the operator's desk; every change is audited there."""

    def __init__(self, engine: Engine, desk: AdminDesk) -> None:
        """``desk``: the same that the socket and the command line use."""
        self._engine, self._desk = engine, desk

    async def do(self, name: str, i: Interaction, answer: Answering, words: Words, *, is_operator: bool) -> None:
        """Carry out ``/admin name``. Raises NotAllowed, NotFound and the desk's own errors."""
        if not is_operator and not (i.manages_guild and name in MANAGERS):
            raise NotAllowed("not an operator")
        actor, chat = f"discord:{i.user_id}", f"discord:guild:{i.guild_id}"
        match name:
            case "quota":
                text = await self._quota(i, actor, chat, words, is_operator=is_operator)
            case "grant":
                args = {"who": _who(i), "credits": i.options.get("amount"), "note": i.options.get("note") or ""}
                found = await self._desk.do("grant", args, actor=actor)
                text = words.say("admin.granted", credits=found["credits"], balance=found["balance"])
            case "block":
                lift = bool(i.options.get("lift"))
                await self._desk.do("unblock" if lift else "block", {"who": _who(i)}, actor=actor)
                text = words.say("admin.unblocked" if lift else "admin.blocked")
            case "channel":
                text = await self._channel(i, actor, words)
            case "provider":
                text = await self._provider(i, actor, words)
            case "pause":
                lift = bool(i.options.get("lift"))
                await self._desk.do("resume" if lift else "pause", {"name": "intake"}, actor=actor)
                text = words.say("admin.resumed" if lift else "admin.paused")
            case "takedown":
                await self._desk.do("takedown", {"job": i.options.get("clip")}, actor=actor)
                text = words.say("admin.taken_down")
            case "stats":
                text = await self._stats(actor, chat, words, is_operator=is_operator)
            case _:
                raise NotFound("no such verb")
        await answer.say(escape(text))

    async def _channel(self, i: Interaction, actor: str, words: Words) -> str:
        """One of the two options is given: a command without any must not change anything."""
        allow, lift = i.options.get("allow"), bool(i.options.get("lift"))
        if (allow is None) is not lift:
            raise BadOption("allow", "both" if lift else "nothing", "", message_id="error.allow_or_lift")
        args = {"platform": "discord", "chat": i.guild_id, "channel": i.channel_id, "allow": allow}
        await self._desk.do("channel", args, actor=actor)
        if lift:
            return words.say("admin.channel_as_others")
        return words.say("admin.channel_on" if allow else "admin.channel_off")

    async def _provider(self, i: Interaction, actor: str, words: Words) -> str:
        """Nothing but perhaps a name: how generators are. With ``on`` or ``default``: change that."""
        name, on, default = (i.options.get(each) for each in ("name", "on", "default"))
        if on is None and default is None:
            found = await self._desk.do("providers", {"name": name}, actor=actor)
            return "\n".join(lines(found, words))
        if on is not None and default is not None:
            raise BadOption("default", "both", "", message_id="error.on_or_default")
        if default is not None:
            found = await self._desk.do("default", {"name": name if default else UNSET}, actor=actor)
            return words.say("admin.default", name=found["default"])
        if name is None:
            raise BadOption("name", "", ", ".join(self._engine.parts.providers))
        await self._desk.do("resume" if on else "pause", {"name": name}, actor=actor)
        return words.say("admin.provider_on" if on else "admin.provider_off", name=str(name))

    async def report(self, actor: str, job_id: str) -> None:
        """Anybody's word that a clip should not be here."""
        await self._desk.do("report", {"job": job_id}, actor=actor)

    async def _quota(self, i: Interaction, actor: str, chat: str, words: Words, *, is_operator: bool) -> str:
        who, amount = i.options.get("who"), i.options.get("credits")
        if who is not None and not is_operator:
            raise NotAllowed("a person's quota is the same in every server, and no manager's business")
        subject = (
            {"scope": "chat", "subject": chat} if who is None else {"scope": "person", "subject": f"discord:{who}"}
        )
        if amount is not None:
            if not is_operator:
                raise NotAllowed("only an operator sets limits")
            await self._desk.do("limit", {**subject, "period": "day", "amount": amount}, actor=actor)
        found = await self._desk.do("quota", subject, actor=actor)
        lines = []
        for each in found["now"]:
            values: dict[str, Any] = {name: each[name] for name in ("limit", "held", "spent", "left")}
            lines.append(words.say(f"admin.quota_{each['period']}", **values))
        return "\n".join(lines)

    async def _stats(self, actor: str, chat: str, words: Words, *, is_operator: bool) -> str:
        if not is_operator:
            made, spent = await self._engine.parts.store.chat_figures(chat)
            return words.say("admin.stats_here", clips=made, credits=spent)
        found = await self._desk.do("status", {}, actor=actor)
        live = sum(found.get("jobs", {}).values()) if isinstance(found.get("jobs"), dict) else found.get("jobs", 0)
        return words.say("admin.stats", live=live, alerts=len(found.get("alerts", ())))


def _who(i: Interaction) -> str:
    return f"discord:{i.options.get('who')}"
