"""Buttons and modals. Their ids name verb and job and are signed, so they work after any restart and cannot be made up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.commands import clips, films
from bot.commands.clips import Acting
from bot.commands.pages import pages
from bot.commands.verbs import EXAMPLES
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.choices import Choices
from bot.platforms.discord.forms import FILE_UPLOAD, STRING_SELECT, field, text_input
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.orders import Orders
from bot.platforms.discord.panels import Panels
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord.render import ACTION_ROW, BUTTON, DANGER, LOOKS, SECONDARY, TEXT_MOST, escape, plain
from bot.platforms.discord.storyboards import VERBS as FILM_VERBS
from bot.platforms.discord.storyboards import Storyboards
from bot.platforms.discord.wire import Interaction, Target
from core.errors import NotFound
from core.jobs import JobKind
from core.requests import NEGATIVE_CHARACTERS, PROMPT_CHARACTERS
from storage.views import JobRow

MODALS: Final = frozenset({"remix", "edit_prompt"})
MAKING: Final = frozenset({"again", "remix", "edit_prompt", "extend", "example", "resend"})
"""What posts something here, so only where the guild's managers want it; ``with_`` a generator as well."""
ONLY_OWNER: Final = frozenset({"favourite", "unfavourite", "again", "other_generator", "resend"})
"""What a moderator may not do in somebody's name: it would cost them, or fill their gallery."""

log = logging.getLogger("reelay.discord")


class Buttons:
    """Carries out what a button or a modal asks for."""

    def __init__(
        self, engine: Engine, platform: DiscordPlatform, marks: Marks, orders: Orders, panels: Panels, choices: Choices
    ) -> None:
        """The verbs are found by name below."""
        self._engine, self._platform, self._marks = engine, platform, marks
        self._orders, self._panels, self._choices = orders, panels, choices
        self._storyboards = Storyboards(engine, marks, orders)
        self._verbs: Mapping[str, Callable[[Interaction, Answering, Words, Acting, JobRow], Awaitable[None]]] = {
            "cancel": self._cancel,
            "stop_waiting": self._cancel,
            "again": self._again,
            "remix": self._remix,
            "edit_prompt": self._remix,
            "extend": self._extend,
            "favourite": self._star,
            "unfavourite": self._unstar,
            "delete": self._ask_delete,
            "delete_now": self._delete,
            "details": self._details,
            "other_generator": self._other_generator,
            "check_again": self._check_again,
            "resend": self._resend,
        }

    async def press(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """A button was pressed. Raises NotAllowed for other people's clips, NotFound for what is gone."""
        verb, job_id = self._read(i.custom_id)
        if verb in MAKING or verb.startswith("with_"):
            await self._panels.check_channel(i)
        if verb == "example":
            await self._example(i, answer, words, job_id)
            return
        if verb == "forget_now":
            await self._panels.forget_now(i, answer, words, who)
            return
        if verb.startswith("more_"):
            await self._panels.more(i, answer, words, who, verb.removeprefix("more_"), job_id)
            return
        if verb.startswith("with_"):
            row = await clips.the_clip(self._engine, who, job_id, only_owner=True)
            fields = clips.other_fields(row, verb.removeprefix("with_"))
            await self._orders.take(i, answer, fields, words, private=_is_private(row))
            return
        if films.read_step(verb) is not None or films.read_priced(verb)[0] in FILM_VERBS:
            await self._storyboards.press(i, answer, words, who, verb, job_id)
            return
        if verb not in self._verbs:
            raise NotFound("no such button")
        row = await clips.the_clip(self._engine, who, job_id, only_owner=verb in ONLY_OWNER)
        await self._verbs[verb](i, answer, words, who, row)

    async def submit(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """A modal was sent."""
        verb, job_id = self._read(i.custom_id)
        step = films.read_step(verb)
        if step is not None:
            await self._storyboards.submit(i, answer, words, who, step, job_id)
            return
        if verb not in MODALS and verb != "extend":
            raise NotFound("no such form")
        await self._panels.check_channel(i)
        row = await clips.the_clip(self._engine, who, job_id)
        fields: dict[str, Any] = clips.again_fields(row)
        for name in ("prompt", "negative_prompt", "seed", "aspect_ratio"):
            if name in i.values:
                fields[name] = i.values[name]
        fields["seed"] = _seed(fields.get("seed"))
        pictures = tuple(i.attachments.values())
        if pictures:
            fields.pop("reuse_image_of", None)
        if (
            who.account_id != row.job.account_id
        ):  # a moderator remixes at their own cost, without the other person's picture
            fields.pop("reuse_image_of", None)
        if verb == "extend":
            fields = clips.extend_fields(row, i.values.get("prompt"))
        await self._orders.take(i, answer, fields, words, pictures=pictures, private=_is_private(row))

    def clip_of(self, target: Target | None) -> str | None:
        """The job of the card that a menu was opened on; None when its buttons are not ours, whatever they claim."""
        for custom_id in () if target is None else target.custom_ids:
            found = self._marks.read_button(custom_id)
            if found is not None and films.read_priced(found[0])[0] in LOOKS:
                return found[1]
        return None

    def _read(self, custom_id: str) -> tuple[str, str]:
        found = self._marks.read_button(custom_id)
        if found is None:
            raise NotFound("a button that is not ours")
        return found

    # ------------------------------------------------------------------------------------------------------------------ verbs

    async def _cancel(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del words, who
        await self._orders.pressed(i, answer, row.job.id)
        await self._engine.cancel(row.job.id)

    async def _again(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        if row.job.kind is not JobKind.FILM:
            await self._orders.take(i, answer, clips.again_fields(row), words, private=_is_private(row))
            return
        film = await films.the_film(self._engine, who, row.job.id)
        fields, picture, song = await films.again(self._engine, film)
        private = _is_private(row)
        await self._orders.take(
            i, answer, fields, words, kind=JobKind.FILM, attachment=picture, song=song, private=private
        )

    async def _example(self, i: Interaction, answer: Answering, words: Words, number: str) -> None:
        if not number.isdecimal() or int(number) >= len(EXAMPLES):
            raise NotFound("no such example")
        await self._orders.take(i, answer, {"prompt": words.say(EXAMPLES[int(number)])}, words)

    async def _remix(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del who, i
        wanted = row.job.wanted
        aspects = self._choices.aspects()
        parts: list[dict[str, Any]] = [
            field(words.say("form.prompt"), text_input("prompt", wanted.prompt, PROMPT_CHARACTERS, paragraph=True)),
            field(
                words.say("form.negative"), text_input("negative_prompt", wanted.negative_prompt, NEGATIVE_CHARACTERS)
            ),
            field(words.say("form.seed"), text_input("seed", "", 10)),
            field(
                words.say("form.aspect"),
                {
                    "type": STRING_SELECT,
                    "custom_id": "aspect_ratio",
                    "required": False,
                    "options": [
                        {"label": each, "value": each, "default": each == row.job.applied.aspect_ratio}
                        for each in aspects
                    ],
                },
            ),
            field(
                words.say("form.picture"),
                {"type": FILE_UPLOAD, "custom_id": "image", "min_values": 0, "max_values": 1, "required": False},
            ),
        ]
        await answer.ask(self._marks.button("remix", row.job.id), words.say("form.remix"), parts)

    async def _extend(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del i, who
        parts = [field(words.say("form.extend"), text_input("prompt", "", PROMPT_CHARACTERS, paragraph=True))]
        await answer.ask(self._marks.button("extend", row.job.id), words.say("action.extend"), parts)

    async def _star(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del words
        await self._orders.pressed(i, answer, row.job.id)
        await clips.star(self._engine, row, who.account_id or row.job.account_id, on=True)

    async def _unstar(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del words
        await self._orders.pressed(i, answer, row.job.id)
        await clips.star(self._engine, row, who.account_id or row.job.account_id, on=False)

    async def _ask_delete(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del i, who
        body = plain(escape(words.say("delete.sure")), private=True)
        yes = {
            "type": BUTTON,
            "style": DANGER,
            "label": words.say("delete.yes"),
            "custom_id": self._marks.button("delete_now", row.job.id),
        }
        body["components"].append({"type": ACTION_ROW, "components": [yes]})
        await answer.show(body)

    async def _delete(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del i, who
        await answer.defer_update()  # a live one is cancelled first, which may take longer than Discord waits
        await clips.take_away(self._engine, row.job.id)
        await answer.finish(escape(words.say("delete.done")))

    async def _details(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del i, who
        title = self._choices.title(row.job.applied.provider)
        if row.job.kind.has_credits:
            lines = clips.details(row, words, title)
        else:
            lines = films.details(await self._engine.films.film(row.job.id), words, title)
        for page in pages((escape(line) for line in lines), room):
            await answer.say(page)

    async def _other_generator(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del i, who
        offers = await clips.offers(self._engine, row)
        if not offers:
            raise NotFound("no other generator", message_id="error.no_other_generator")
        body = plain(escape(words.say("other.which")), private=True)
        buttons = [
            {
                "type": BUTTON,
                "style": SECONDARY,
                "label": words.say("other.offer", generator=title, credits=price)[:80],
                "custom_id": self._marks.button(f"with_{name}", row.job.id),
            }
            for name, title, price in offers[:5]
        ]
        body["components"].append({"type": ACTION_ROW, "components": buttons})
        await answer.show(body)

    async def _check_again(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del words, who
        await self._orders.pressed(i, answer, row.job.id)
        await clips.check_again(self._engine, row)

    async def _resend(self, i: Interaction, answer: Answering, words: Words, who: Acting, row: JobRow) -> None:
        del who
        await self._orders.resend(i, answer, words, row)


def room(text: str) -> int:
    """How much of a text Discord takes in a message; it ends nowhere between a backslash and the sign that it keeps from being markup."""
    end = min(len(text), TEXT_MOST)
    return end - 1 if end < len(text) and (end - len(text[:end].rstrip("\\"))) % 2 else end


def _is_private(row: JobRow) -> bool:
    return row.job.place.visibility == "only_owner"


def _seed(text: Any) -> Any:
    """A seed left empty is drawn anew."""
    return None if text is None or not str(text).strip() else str(text).strip()
