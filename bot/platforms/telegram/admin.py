"""``/admin``: the operator's verbs, and the few that a group's own administrators may use about their group.

A menu hides the command from whom Telegram thinks may not use it; who really may is asked of Telegram each time (``members.py``).
"""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.commands.admin import AdminDesk
from bot.commands.admin_generators import UNSET, lines
from bot.engine.engine import Engine
from bot.platforms.telegram.making import GENERAL_TOPIC, Making
from bot.platforms.telegram.members import Members
from bot.platforms.telegram.orders import OWN
from bot.platforms.telegram.render import escape
from bot.platforms.telegram.wire import Said, Spot
from bot.platforms.telegram.wishes import Wish
from core.errors import BadOption, NotAllowed, NotFound

BOSSES: Final = frozenset({"topic", "quota", "stats", "limit"})
"""What a group's administrator may do without being an operator: nothing here spends the operator's money."""
SHOWN: Final[Mapping[str, tuple[str, str]]] = {
    "quota": ("[ID|here] [300|unlimited|unset]", "verb.admin.quota"),
    "limit": ("300|unlimited|unset", "telegram.admin.limit"),
    "topic": ("on|off|lift", "telegram.admin.topic"),
    "stats": ("", "verb.admin.stats"),
    "grant": ("ID 100 [note]", "verb.admin.grant"),
    "block": ("ID", "telegram.admin.block"),
    "unblock": ("ID", "telegram.admin.unblock"),
    "provider": ("[NAME on|off|default] [unset]", "verb.admin.provider"),
    "pause": ("", "telegram.admin.pause"),
    "resume": ("", "telegram.admin.resume"),
    "takedown": ("[JOB]", "verb.admin.takedown"),
}
"""The subcommands in the order of the overview: what stands behind each, and its sentence."""
HERE: Final = "here"
"""Whose quota: this group's."""
LIMITS: Final = frozenset({"unlimited", "unset"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Order:
    """One ``/admin`` command: its words, and who gives it where."""

    wish: Wish
    said: Said
    name: str
    words: tuple[str, ...]
    """Behind the subcommand."""

    @property
    def actor(self) -> str:
        """As whom it is audited."""
        return actor_of(self.wish)

    @property
    def person(self) -> str | None:
        """Who wrote the message that is answered (``telegram:1``)."""
        target = self.said.target
        return None if target is None or target.person is None else f"telegram:{target.person.external_id}"

    def wrong(self) -> BadOption:
        """What is wrong with it: it is written otherwise."""
        legal = f"{self.name} {SHOWN[self.name][0]}".strip()
        return BadOption("admin", " ".join((self.name, *self.words)), legal)


class AdminVerbs:
    """Translates the subcommands to the operator's desk; every change is audited there."""

    def __init__(self, engine: Engine, desk: AdminDesk, members: Members, making: Making) -> None:
        """``desk``: the same that the socket and the command line use."""
        self._engine, self._desk, self._members, self._making = engine, desk, members, making
        self._verbs: Mapping[str, Callable[[Order], Awaitable[str]]] = {
            "quota": self._quota,
            "limit": self._limit,
            "topic": self._topic,
            "stats": self._stats,
            "grant": self._grant,
            "block": self._block,
            "unblock": self._block,
            "provider": self._provider,
            "pause": self._pause,
            "resume": self._pause,
            "takedown": self._takedown,
        }

    async def do(self, wish: Wish, said: Said) -> None:
        """Carry out ``/admin …``. Raises RequestError kinds, and what the desk raises."""
        if not wish.is_operator and not await self._members.is_administrator(wish.person, said.spot):
            raise NotAllowed("neither an operator nor the group's administrator")
        able = [name for name in SHOWN if wish.is_operator or name in BOSSES]
        first, *rest = said.text.split() or [""]
        name = first.lower()
        if not name:
            await wish.answer.say(self._overview(wish, able))
            return
        if name not in SHOWN:
            raise BadOption("admin", first, ", ".join(able))
        if name not in able:
            raise NotAllowed("not an operator")
        order = Order(wish, said, name, tuple(rest))
        text = escape(await self._verbs[name](order))
        if wish.is_operator and name in ("quota", "stats", "grant", "block", "unblock"):
            await wish.answer.alone(text)  # about persons, or about everybody
        else:
            await wish.answer.say(text)

    async def report(self, wish: Wish, job_id: str) -> None:
        """Anybody's word that a clip should not be here. Raises NotFound."""
        await self._desk.do("report", {"job": job_id}, actor=actor_of(wish))

    @staticmethod
    def _overview(wish: Wish, able: list[str]) -> str:
        lines = [f"<b>{escape(wish.words.say('telegram.admin.title'))}</b>"]
        for name in able:
            behind, message_id = SHOWN[name]
            command = f"/admin {name} {behind}".strip()
            lines.append(f"<code>{html.escape(command)}</code> {escape(wish.words.say(message_id))}")
        return "\n".join(lines)

    # ----------------------------------------------------------------------------------------------------------------- money

    async def _quota(self, order: Order) -> str:
        """Of a person, or of this group; everybody's in a private chat."""
        who, amount = self._whose(order)
        if who is not None and not order.wish.is_operator:
            raise NotAllowed("a person's quota is the same in every group, and no administrator's business")
        chat = order.said.spot.chat
        if who is not None:
            subject = {"scope": "person", "subject": who}
        else:
            subject = {"scope": "everybody"} if chat is None else {"scope": "chat", "subject": chat}
        if amount is not None:
            if not order.wish.is_operator:
                raise NotAllowed("only an operator sets limits")
            await self._desk.do("limit", {**subject, "period": "day", "amount": amount}, actor=order.actor)
        found = await self._desk.do("quota", subject, actor=order.actor)
        lines = self._lines(order, found["now"])
        if who is None and chat is not None:
            lines += await self._own(order, chat)
        return "\n".join(lines)

    def _whose(self, order: Order) -> tuple[str | None, str | None]:
        """(whose quota, the new limit); None for the group, and for no new limit."""
        match order.words:
            case ():
                return order.person, None
            case (word,) if word.lower() in LIMITS or (order.person is not None and _NUMBER.fullmatch(word)):
                return order.person, word.lower()
            case (word,):
                return self._who(word), None
            case (who, amount):
                return self._who(who), amount.lower()
        raise order.wrong()

    async def _limit(self, order: Order) -> str:
        """The group's own limit, which its administrators set beside the operator's: the smaller one holds."""
        chat = self._group(order.said.spot)
        if len(order.words) > 1:
            raise order.wrong()
        if order.words:
            args = {
                "scope": "role",
                "subject": f"{chat}{OWN}",
                "period": "day",
                "amount": order.words[0].lower(),
            }
            await self._desk.do("limit", args, actor=order.actor)
        return "\n".join(await self._own(order, chat))

    async def _own(self, order: Order, chat: str) -> list[str]:
        args = {"scope": "role", "subject": f"{chat}{OWN}"}
        found = await self._desk.do("quota", args, actor=order.actor)
        today = [each for each in found["now"] if each["period"] == "day"]
        return [order.wish.words.say("telegram.admin.own_limit"), *self._lines(order, today)]

    @staticmethod
    def _lines(order: Order, allowances: list[dict[str, Any]]) -> list[str]:
        return [
            order.wish.words.say(
                f"admin.quota_{each['period']}", **{name: each[name] for name in ("limit", "held", "spent", "left")}
            )
            for each in allowances
        ]

    async def _grant(self, order: Order) -> str:
        who, words = order.person, order.words
        if who is None or (len(words) > 1 and _NUMBER.fullmatch(words[1])):
            if len(words) < 2:
                raise order.wrong()
            who, words = self._who(words[0]), words[1:]
        if who is None or not words or _NUMBER.fullmatch(words[0]) is None:
            raise order.wrong()
        args = {"who": who, "credits": int(words[0]), "note": " ".join(words[1:])}
        found = await self._desk.do("grant", args, actor=order.actor)
        return order.wish.words.say("admin.granted", credits=found["credits"], balance=found["balance"])

    # ---------------------------------------------------------------------------------------------------------------- people

    async def _block(self, order: Order) -> str:
        if len(order.words) > 1:
            raise order.wrong()
        who = self._who(order.words[0]) if order.words else order.person
        if who is None:
            raise order.wrong()
        await self._desk.do(order.name, {"who": who}, actor=order.actor)
        return order.wish.words.say("admin.blocked" if order.name == "block" else "admin.unblocked")

    @staticmethod
    def _who(word: str) -> str | None:
        """Somebody as the desk knows them: by Telegram's number, or as the desk itself writes it. None: this group."""
        if word.lower() == HERE:
            return None
        return f"telegram:{word}" if _NUMBER.fullmatch(word) else word

    # --------------------------------------------------------------------------------------------------------- group, generators

    async def _topic(self, order: Order) -> str:
        """Of a group without topics it is the whole group."""
        self._group(order.said.spot)
        spot, words = order.said.spot, order.wish.words
        choices: dict[tuple[str, ...], bool | None] = {("on",): True, ("off",): False, ("lift",): None}
        word = tuple(each.lower() for each in order.words)
        if word not in choices:
            raise order.wrong()
        allow = choices[word]
        topic = GENERAL_TOPIC if spot.thread is None else str(spot.thread)
        args = {"platform": "telegram", "chat": str(spot.chat_id), "channel": topic, "allow": allow}
        await self._desk.do("channel", args, actor=order.actor)
        if allow is None:
            return words.say("telegram.admin.topic_as_others")
        return words.say("telegram.admin.topic_on" if allow else "telegram.admin.topic_off")

    async def _provider(self, order: Order) -> str:
        """Without a word: how the generators are. ``unset``: the default one is again what the settings say."""
        words, said = tuple(word.lower() for word in order.words), order.wish.words
        match words:
            case ():
                return "\n".join(lines(await self._desk.do("providers", {}, actor=order.actor), said))
            case ("unset",) | ("default", "unset"):
                found = await self._desk.do("default", {"name": UNSET}, actor=order.actor)
                return said.say("admin.default", name=found["default"])
            case (name, "default") | ("default", name):
                found = await self._desk.do("default", {"name": name}, actor=order.actor)
                return said.say("admin.default", name=found["default"])
            case (name, ("on" | "off") as state):
                await self._desk.do("resume" if state == "on" else "pause", {"name": name}, actor=order.actor)
                return said.say("admin.provider_on" if state == "on" else "admin.provider_off", name=name)
        raise order.wrong()

    async def _pause(self, order: Order) -> str:
        if order.words:
            raise order.wrong()
        await self._desk.do(order.name, {"name": "intake"}, actor=order.actor)
        return order.wish.words.say("admin.paused" if order.name == "pause" else "admin.resumed")

    async def _takedown(self, order: Order) -> str:
        if len(order.words) > 1:
            raise order.wrong()
        job_id = order.words[0].lower() if order.words else self._making.job_of(order.said.target)
        if job_id is None:
            if order.said.target is None:
                raise order.wrong()
            raise NotFound("no clip of ours", message_id="error.no_clip_there")
        await self._desk.do("takedown", {"job": job_id}, actor=order.actor)
        return order.wish.words.say("admin.taken_down")

    async def _stats(self, order: Order) -> str:
        words, chat = order.wish.words, order.said.spot.chat
        lines = []
        if chat is not None:
            made, spent = await self._engine.parts.store.chat_figures(chat)
            lines.append(words.say("telegram.admin.stats_here", clips=made, credits=spent))
        if order.wish.is_operator:
            found = await self._desk.do("status", {}, actor=order.actor)
            live = sum(found.get("jobs", {}).values()) if isinstance(found.get("jobs"), dict) else found.get("jobs", 0)
            lines.append(words.say("admin.stats", live=live, alerts=len(found.get("alerts", ()))))
        return "\n".join(lines)

    @staticmethod
    def _group(spot: Spot) -> str:
        if spot.chat is None:
            raise NotFound("not in a group", message_id="error.no_group")
        return spot.chat


def actor_of(wish: Wish) -> str:
    """As whom somebody's doings stand in the audit trail."""
    return f"telegram:{wish.person.external_id}"
