"""The verbs that only show or set something. What is personal goes to the person alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, cast

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import account, clips, films, templates
from bot.commands.marks import Marks
from bot.commands.verbs import EXAMPLES, Verb
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.telegram import questions
from bot.platforms.telegram.admin import AdminVerbs
from bot.platforms.telegram.lists import Lists
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.questions import Form
from bot.platforms.telegram.render import card_html, escape, rows, titled, titled_pages
from bot.platforms.telegram.settings_panel import SettingsPanel
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.wire import Person, Pressed, Said, Spot
from bot.platforms.telegram.wishes import Clips, Wish
from core.errors import NotAllowed, NotFound, PlatformError, ReelayError
from storage.store import SqliteStore
from storage.views import JobRow

A_ROW: Final = 4
OF_A_CLIP: Final = re.compile(r"(job|details|remix|extend)_([0-9a-z]{10,40})", re.ASCII)
"""Behind ``/start``: what is wanted, and of which clip."""
MORE: Final = "more_"

log = logging.getLogger("reelay.telegram")


class Panels:
    """One method for each verb, by its name."""

    def __init__(
        self,
        engine: Engine,
        store: SqliteStore,
        marks: Marks,
        mine: Clips,
        making: Making,
        speaking: Speaking,
        verbs: Sequence[Verb],
        retention_days: int,
        admin: AdminVerbs,
        may: Callable[[Person, Spot | None], bool],
    ) -> None:
        """``verbs``: for the help; ``admin`` takes what somebody reports; ``may``: whether they are invited."""
        self._engine, self._store, self._marks, self._clips = engine, store, marks, mine
        self._making, self._speaking = making, speaking
        self._verbs_shown, self._retention_days, self._admin, self._may = verbs, retention_days, admin, may
        self._lists = Lists(engine, marks, mine, making, self._redraw)
        self._settings = SettingsPanel(engine, marks)

    # --------------------------------------------------------------------------------------------------------------- buttons

    def owns(self, verb: str) -> bool:
        """Whether a button of that name is one of these panels'."""
        return verb in ("example", "forget_now", "jobs_cancel") or verb.startswith(MORE) or self._settings.owns(verb)

    async def press(self, wish: Wish, pressed: Pressed, verb: str, subject: str) -> None:
        """Carry out a button of ours. Raises RequestError kinds."""
        if verb == "forget_now":
            await self._forget_now(wish, pressed, subject)
            return
        self._check_door(wish)
        if verb == "example":
            await self._example(wish, subject)
        elif verb == "jobs_cancel":
            await self._lists.stop(wish, pressed, subject)
        elif verb.startswith(MORE):
            await self._lists.turn(wish, pressed, verb.removeprefix(MORE), subject)
        elif self._settings.owns(verb):
            account_id = await self._account(wish)
            await self._settings.press(account_id, verb, subject)
            await self._redraw(wish, pressed, *await self._settings.show(wish, account_id, is_saved=True))
        else:
            raise NotFound("no such button")

    async def replace(self, wish: Wish, pressed: Pressed, html: str) -> None:
        """Put other words, without buttons, in place of the message whose button was pressed; where it is gone, nothing."""
        await self._redraw(wish, pressed, html, None)

    async def _redraw(self, wish: Wish, pressed: Pressed, html: str, keys: InlineKeyboardMarkup | None) -> None:
        if wish.spot is None or pressed.target is None:
            return
        try:
            await self._speaking.edit(wish.spot.chat_id, pressed.target.message_id, html, keys)
        except PlatformError as error:
            log.info("a panel was not redrawn", extra={"code": error.code})

    # ----------------------------------------------------------------------------------------------------------------- clips

    async def jobs(self, wish: Wish, said: Said) -> None:
        """What is being made, and what was made last."""
        del said
        await self._lists.jobs(wish)

    async def cancel(self, wish: Wish, said: Said) -> None:
        """Cancel what is answered or named, or the only one that is under way. Raises NotFound, NotAllowed, Conflict."""
        await self._lists.cancel(wish, said)

    async def resend(self, wish: Wish, said: Said) -> None:
        """Post a clip once more: what is answered or named, else the newest. Raises NotFound, NotAllowed, Conflict."""
        await self._lists.resend(wish, said)

    async def gallery(self, wish: Wish, said: Said) -> None:
        """Finished clips: the person's, the starred ones, or this group's. Raises BadOption, NotFound."""
        await self._lists.gallery(wish, said)

    async def send_again(self, wish: Wish, row: JobRow) -> None:
        """Post a clip once more where the person is; a private one to them alone. Raises NotFound, NotAllowed, Conflict."""
        await self._lists.send_again(wish, row)

    async def details(self, wish: Wish, row: JobRow) -> None:
        """The whole prompt and what was made of it, for the person alone."""
        provider = self._engine.parts.providers.get(row.job.applied.provider)
        title = None if provider is None else provider.capabilities.title
        if row.job.kind.has_credits:
            lines = clips.details(row, wish.words, title)
        else:
            lines = films.details(await self._engine.films.film(row.job.id), wish.words, title)
        pages = titled_pages(wish.words.say("action.details"), lines)
        await wish.answer.alone_in_pages(pages, start=f"details_{row.job.id}")

    async def report(self, wish: Wish, said: Said) -> None:
        """Tell the operator about the clip that is answered. Raises NotFound."""
        job_id = self._making.job_of(said.target)
        if job_id is None:
            raise NotFound("no clip of ours", message_id="error.no_clip_there")
        await self._admin.report(wish, job_id)
        await wish.answer.say(escape(wish.words.say("report.done")))

    # -------------------------------------------------------------------------------------------------------------------- me

    async def quota(self, wish: Wish, said: Said) -> None:
        """What is left today and this month."""
        del said
        account_id = await self._account(wish)
        lines = clips.quota_lines(await account.me(self._engine, account_id, account_id), wish.words)
        await wish.answer.alone(titled(wish.words.say("quota.title"), lines), start="quota")

    async def settings(self, wish: Wish, said: Said) -> None:
        """Show the person's defaults, or change what is written behind the command. Raises BadOption."""
        account_id = await self._account(wish)
        is_saved = await self._settings.write(account_id, said.text)
        text, keys = await self._settings.show(wish, account_id, is_saved=is_saved)
        await wish.answer.alone(text, keys, start="settings")

    async def forget(self, wish: Wish, said: Said) -> None:
        """Ask once more, then erase."""
        del said
        words = wish.words
        if not await account.is_known(self._engine, "telegram", wish.person.external_id, wish.account_id):
            await wish.answer.alone(escape(words.say("forget.nothing")), start="forget")
            return
        data = self._marks.button("forget_now", wish.person.external_id)
        yes = InlineKeyboardButton(words.say("forget.yes"), callback_data=data, style="danger")
        await wish.answer.alone(escape(words.say("forget.sure")), rows([yes]), start="forget")

    async def _forget_now(self, wish: Wish, pressed: Pressed, whose: str) -> None:
        words = wish.words
        if whose != wish.person.external_id:
            raise NotAllowed("another person's")
        await wish.answer.toast()  # what is live is cancelled first, which may take longer than a button turns
        erased = await account.forget(self._engine, "telegram", wish.person.external_id, wish.account_id)
        if erased is None:
            await self.replace(wish, pressed, escape(words.say("forget.nothing")))
            return
        await self.replace(wish, pressed, escape(words.say("forget.done", jobs=erased[0], clips=erased[1])))

    async def _account(self, wish: Wish) -> str:
        return wish.account_id or await self._store.open_account("telegram", wish.person.external_id)

    # ------------------------------------------------------------------------------------------------------------------ help

    async def start(self, wish: Wish, said: Said) -> None:
        """Welcome, or what a deep link asks for. Raises RequestError kinds."""
        wanted = said.text.strip()
        bare = replace(said, text="")
        of_a_clip = OF_A_CLIP.fullmatch(wanted)
        if wanted == "forget":
            await self.forget(wish, bare)
        elif of_a_clip is not None:
            self._check_door(wish)
            await self._of_a_clip(wish, of_a_clip[1], of_a_clip[2])
        elif wanted == "demo":
            self._check_door(wish)
            await self._demo(wish, bare)
        elif wanted in ("quota", "jobs", "gallery", "settings"):
            self._check_door(wish)
            shown = {"quota": self.quota, "jobs": self.jobs, "gallery": self.gallery, "settings": self.settings}
            await shown[wanted](wish, bare)
        else:
            await self.help(wish, bare)

    async def _of_a_clip(self, wish: Wish, what: str, job_id: str) -> None:
        row = await self._clips.of(wish, job_id)
        if what == "details":
            await self.details(wish, row)
        elif what != "job":
            await questions.ask(wish, cast("Form", what), row)
        elif row.clip is not None:
            await self.send_again(wish, row)
        else:
            _, card = await self._engine.desk.card(row.job.id)
            now = self._engine.parts.clock.now()
            await wish.answer.alone(card_html(card, wish.words, now, caption=False), start=f"job_{row.job.id}")

    async def _demo(self, wish: Wish, said: Said) -> None:
        """A clip at once, where it costs nothing."""
        if await self._price(wish.words) != 0:
            await self.examples(wish, said)
            return
        await self._making.check_topic(said.spot)
        await self._making.order(wish, said.spot, {"prompt": wish.words.say(EXAMPLES[0])}, reply_to=said.message_id)

    async def help(self, wish: Wish, said: Said) -> None:
        """Every verb in a line."""
        words = wish.words
        addressee = (
            "" if said.spot.is_private else f"@{wish.answer.bot_name}"
        )  # in a group a bare command may reach nobody
        lines = [f"<b>{escape(words.say('help.title'))}</b>", escape(words.say("help.start"))]
        names = list(dict.fromkeys([*(verb.name for verb in self._verbs_shown if not verb.admin), "report"]))
        lines += [f"/{name}{addressee} {escape(words.say(f'verb.{name}'))}" for name in names]
        lines.append(escape(account.privacy(self._engine, words, self._retention_days)["first_use"]))
        await wish.answer.say("\n".join(lines))

    async def examples(self, wish: Wish, said: Said) -> None:
        """Prompts that run at a press, and what one costs; templates, which are kept by ``save NAME TEXT`` and forgotten by ``drop NAME``.

        Raises BadOption, Conflict, NotFound.
        """
        words = wish.words
        done = await self._template(wish, said.text.split(None, 2))
        if done is not None:
            await wish.answer.alone(escape(done), start="examples")
            return
        price = await self._price(words)
        lines = [f"<b>{escape(words.say('examples.title'))}</b>"]
        lines += [f"{n}. {escape(words.say(message_id))}" for n, message_id in enumerate(EXAMPLES, 1)]
        if price is not None:
            lines.append(
                f"<i>{escape(words.say('examples.price', credits=price) if price else words.say('money.free'))}</i>"
            )
        lines.append(escape(await templates.listed(self._engine, words, wish.account_id)))
        buttons = [
            InlineKeyboardButton(
                words.say("examples.run", number=n + 1), callback_data=self._marks.button("example", str(n))
            )
            for n in range(len(EXAMPLES))
        ]
        await wish.answer.say("\n".join(lines), rows(buttons, A_ROW))

    async def _template(self, wish: Wish, said: list[str]) -> str | None:
        """What was done to a template, where that was asked for."""
        if not said or said[0].lower() not in ("save", "drop"):
            return None
        verb, name, text = [*said, "", ""][:3]
        asked = {"save": name, "text": text} if verb.lower() == "save" else {"drop": name or "?"}
        if verb.lower() == "save" and not name:
            asked["save"] = "?"
        return await templates.changed(self._engine, wish.words, await self._account(wish), asked)

    async def _example(self, wish: Wish, number: str) -> None:
        if not number.isdecimal() or int(number) >= len(EXAMPLES):
            raise NotFound("no such example")
        if wish.spot is None:
            raise NotFound("nobody knows where that was", message_id="error.message_gone")
        await self._making.check_topic(wish.spot)
        await self._making.order(wish, wish.spot, {"prompt": wish.words.say(EXAMPLES[int(number)])})

    async def privacy(self, wish: Wish, said: Said) -> None:
        """What is kept and who gets what."""
        del said
        found = account.privacy(self._engine, wish.words, self._retention_days)
        paragraphs = [f"<b>{escape(found['title'])}</b>", *(escape(each) for each in found["paragraphs"])]
        await wish.answer.say("\n\n".join(paragraphs))

    async def _price(self, words: Words) -> int | None:
        """What an example costs where nothing is chosen; None where the generator makes none of it."""
        try:
            _, price = await self._engine.intake.offer({"prompt": words.say(EXAMPLES[0])}, with_picture=False)
        except ReelayError:
            return None
        return price

    def _check_door(self, wish: Wish) -> None:
        """Raise NotAllowed for whom the operator did not invite: the desk lets everybody in to leave, and a link or button is more."""
        if not self._may(wish.person, wish.spot):
            raise NotAllowed("not on the operator's list", message_id="error.not_invited")
