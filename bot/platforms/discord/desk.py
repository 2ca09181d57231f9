"""What is done with each interaction: which verb it means, and which of our rooms carries it out.

The same desk serves the gateway and the HTTP endpoint; it decides nothing about jobs, money or words.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from bot.commands import clips
from bot.commands.clips import Acting
from bot.commands.doors import Doors
from bot.commands.verbs import LAST_IMAGE, SONG, Verb, by_name
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, Words
from bot.platforms.discord.admin import AdminVerbs
from bot.platforms.discord.ages import ANSWER_SECONDS
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.api import DiscordApi
from bot.platforms.discord.attachments import Attachments
from bot.platforms.discord.buttons import Buttons
from bot.platforms.discord.choices import Choices
from bot.platforms.discord.definitions import ANIMATE_AVATAR, ANIMATE_THIS, REPORT
from bot.platforms.discord.orders import Orders, attachment_of, refusal_text
from bot.platforms.discord.panels import Panels
from bot.platforms.discord.render import escape
from bot.platforms.discord.wire import Attached, Interaction, Malformed, read_interaction
from core.errors import BadOption, NotFound, ReelayError
from core.jobs import JobKind

AT_ONCE: Final = 20_000
"""Interactions in hand; more than Discord ever delivers at once. Beyond, they are dropped and counted."""
KNOWN_MOST: Final = 5000
"""Interactions remembered, so that one which comes twice is done once: a grant, unlike an order, has no other key."""
HANDLE_SECONDS: Final = 120.0
UNANSWERED_MOST: Final = 256
"""Interactions that are on the way to their first answer at the same time. The others wait in line: of a flood that is too large, those who
came first are answered in time, where with everybody at once nobody would be (tests/benchmarks/discord_flood.py)."""
MAKING: Final = frozenset({"video", "film", "animate", "extend", "talk"})

log = logging.getLogger("reelay.discord")


class Desk:
    """Built by ``bot/app.py``; ``receive`` is called with each raw interaction."""

    def __init__(
        self,
        engine: Engine,
        api: DiscordApi,
        shelf: Bookshelf,
        doors: Doors,
        orders: Orders,
        buttons: Buttons,
        panels: Panels,
        choices: Choices,
        admin: AdminVerbs,
        attachments: Attachments,
        verbs: Iterable[Verb],
    ) -> None:
        """``verbs``: what works with the configured generators."""
        self._engine, self._api, self._shelf, self._doors = engine, api, shelf, doors
        self._orders, self._buttons, self._panels = orders, buttons, panels
        self._choices, self._admin, self._attachments = choices, admin, attachments
        self._verbs = by_name(verbs)
        english = shelf.words("en")
        self._menus = frozenset({english.say(ANIMATE_THIS), english.say(ANIMATE_AVATAR)})
        self._report_menu = english.say(REPORT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: OrderedDict[str, asyncio.Task[None]] = OrderedDict()
        self._turns = asyncio.Semaphore(UNANSWERED_MOST)

    # ------------------------------------------------------------------------------------------------------------ both entries

    def receive(self, raw: Mapping[str, Any]) -> asyncio.Task[None] | None:
        """Take one interaction; the task ends when it is answered and done. None when it cannot be read or too much is in hand."""
        try:
            interaction = read_interaction(raw)
        except Malformed as error:
            self._count("unknown", "unreadable")
            log.warning("an interaction could not be read", extra={"why": str(error)})
            return None
        known = self._known.get(interaction.id)
        if known is not None:  # a resumed session may bring it again, and whoever recorded a signed call may
            return known
        if len(self._tasks) >= AT_ONCE:
            self._count(interaction.kind, "dropped")
            return None
        task = asyncio.create_task(self._bounded(interaction), name=f"discord {interaction.kind}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._known[interaction.id] = task
        while len(self._known) > KNOWN_MOST:
            self._known.popitem(last=False)
        return task

    async def stop(self, seconds: float) -> None:
        """Let what is in hand end within ``seconds``."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)

    async def _bounded(self, i: Interaction) -> None:
        began = self._engine.parts.clock.monotonic()
        turn = _Turn(self._turns)
        answer = Answering(self._api, i, lambda: self._acknowledged(began, turn))
        words = self._shelf.words(language_of(i))
        try:
            async with asyncio.timeout(HANDLE_SECONDS), turn:
                if self._engine.parts.clock.monotonic() - began >= ANSWER_SECONDS:
                    self._count(
                        i.kind, "late"
                    )  # its person has been told that it failed: nothing is made, nothing is owed
                    return
                await self._handle(i, answer, words)
            self._count(i.kind, "answered")
        except ReelayError as error:
            self._count(i.kind, "refused")
            if i.kind == "autocomplete":
                await answer.choose([])
            else:
                await answer.refuse(refusal_text(error, words, self._engine.parts.clock.now()))
        except Exception:
            self._count(i.kind, "broke")
            log.exception("an interaction broke", extra={"kind": i.kind})
            if i.kind != "autocomplete":
                await answer.refuse(words.say("error.internal"))

    def _count(self, kind: str, outcome: str) -> None:
        self._engine.parts.figures.command("discord", kind, outcome)

    def _acknowledged(self, began: float, turn: _Turn) -> None:
        turn.end()
        parts = self._engine.parts
        parts.figures.acknowledged("discord", parts.clock.monotonic() - began)

    async def _handle(self, i: Interaction, answer: Answering, words: Words) -> None:
        self._check_door(i)
        match i.kind:
            case "autocomplete":
                await answer.choose(await self._choices.for_option(i, words))
            case "component":
                await self._buttons.press(i, answer, words, await self.acting(i))
            case "modal":
                await self._buttons.submit(i, answer, words, await self.acting(i))
            case "command":
                await self._command(i, answer, words)
            case _:
                return

    def _check_door(self, i: Interaction) -> None:
        """Raise NotAllowed for whom the operator did not invite; everybody may always see, leave and forget their own things."""
        if (i.kind == "command" and i.name in ("privacy", "forget", "help")) or i.custom_id.startswith(
            "v1:forget_now:"
        ):
            return
        subjects = [f"discord:user:{i.user_id}"]
        if i.chat is not None:
            subjects.append(i.chat)
        self._doors.check("discord", i.user_id, subjects)

    async def acting(self, i: Interaction) -> Acting:
        """The person of an interaction, as far as clips are concerned."""
        account = await self._engine.parts.store.find_account("discord", i.user_id)
        moderates = frozenset({i.chat}) if i.chat is not None and i.is_moderator else frozenset()
        return Acting(account, moderates, self._doors.is_admin("discord", i.user_id))

    # --------------------------------------------------------------------------------------------------------------- commands

    async def _command(self, i: Interaction, answer: Answering, words: Words) -> None:
        if i.name in self._menus:
            await self._animate_target(i, answer, words)
            return
        if i.name == self._report_menu:
            await self._report(i, answer, words)
            return
        name, _, rest = i.name.partition(" ")
        if name == "admin":
            await self._admin.do(rest, i, answer, words, is_operator=self._doors.is_admin("discord", i.user_id))
            return
        verb = self._verbs.get(name)
        if verb is None:
            raise BadOption("command", name, ", ".join(self._verbs))
        if name in MAKING:
            await self._make(verb, i, answer, words)
            return
        run: Callable[..., Awaitable[None]] = getattr(self._panels, name)
        await run(i, answer, words, await self.acting(i))

    async def _make(self, verb: Verb, i: Interaction, answer: Answering, words: Words) -> None:
        await self._panels.check_channel(i)
        fields = {
            option.field: i.options[option.name] for option in verb.options if option.field and option.name in i.options
        }
        fields |= self._choices.read_model(i.options.get("model"))
        pictures = [each.name for each in verb.options if each.kind == "picture" and each.name in i.attachments]
        was_private = False
        if verb.name == "extend":
            row = await clips.the_clip(self._engine, await self.acting(i), str(i.options.get("clip")), only_owner=True)
            fields |= clips.extend_fields(row, fields.get("prompt"))
            was_private = row.job.place.visibility == "only_owner"
        song = i.attachments.get(SONG.name)
        await self._orders.take(
            i,
            answer,
            fields,
            words,
            kind=JobKind.FILM if verb.name == "film" else JobKind.CLIP,
            song=None if song is None else attachment_of(song),
            pictures=[i.attachments[name] for name in pictures],
            ends_with_last=LAST_IMAGE.name in pictures,
            private=bool(i.options.get("private", was_private)),
            is_admin=self._doors.is_admin("discord", i.user_id),
        )

    async def _animate_target(self, i: Interaction, answer: Answering, words: Words) -> None:
        await self._panels.check_channel(i)
        target = i.target
        clip_of = self._buttons.clip_of(target)
        if target is not None and clip_of is not None and not target.pictures:
            frame = await clips.last_frame(self._engine, await self.acting(i), clip_of, i.chat)
            await self._orders.take(i, answer, {"parent_id": clip_of}, words, attachment=frame)
            return
        if target is None or not target.pictures:
            raise NotFound("nothing to animate", message_id="error.no_picture_there")
        first = target.pictures[0]
        url = self._attachments.address(first.url)
        picture = Attached(url, first.name, first.mime, first.bytes, first.channel, first.message)
        await self._orders.take(i, answer, {}, words, pictures=[picture])

    async def _report(self, i: Interaction, answer: Answering, words: Words) -> None:
        clip_of = self._buttons.clip_of(i.target)
        if clip_of is None:
            raise NotFound("no clip of ours", message_id="error.no_clip_there")
        row = await clips.seen_clip(self._engine, await self.acting(i), clip_of, i.chat)
        await answer.defer(private=True)  # telling the operators may take longer than Discord waits
        await self._admin.report(f"discord:{i.user_id}", row.job.id)
        await answer.finish(escape(words.say("report.done")))


def language_of(i: Interaction) -> str:
    """The person's own language, for what only they see. What all of a guild see: ``card_language``."""
    return i.locale


class _Turn:
    """One interaction's place among those that are on the way to their first answer; whoever takes too long for one gives it up."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._turns.acquire()
        self._timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.end)

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The next one may come; said more than once it means the same."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._turns.release()
