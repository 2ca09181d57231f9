"""The verbs that only show or set something; their answers are for the person alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, cast

from bot.commands import account, clips, templates
from bot.commands.clips import Acting, Listed
from bot.commands.verbs import EXAMPLES, Verb
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.choices import Choices
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.orders import Orders
from bot.platforms.discord.render import ACTION_ROW, BUTTON, SECONDARY, escape, plain
from bot.platforms.discord.sight import Sight
from bot.platforms.discord.wire import Interaction
from core.errors import NotAllowed, NotFound
from core.jobs import Place

PAGES_LOOKED_AT: Final = 5
"""Of a server's clips for one page of the list: in a server of secret channels most are not for whoever asks."""
MOST_BUTTONS: Final = 5
MOST_ROWS: Final = 2
LINES_MOST: Final = 3800


class Panels:
    """One method for each verb, by its name; ``check_channel`` stands before those that make something."""

    def __init__(
        self,
        engine: Engine,
        marks: Marks,
        orders: Orders,
        choices: Choices,
        sight: Sight,
        verbs: Sequence[Verb],
        retention_days: int,
    ) -> None:
        """``verbs``: for the help."""
        self._engine, self._marks, self._orders, self._choices = engine, marks, orders, choices
        self._sight = sight
        self._verbs_shown, self._retention_days = verbs, retention_days

    async def check_channel(self, i: Interaction) -> None:
        """Raise NotAllowed where the guild's managers do not want it."""
        if i.guild_id is None:
            return
        channels = [channel for channel in (i.channel_id, i.parent_id) if channel]
        if not await self._engine.parts.store.chat_allowed("discord", i.guild_id, channels):
            raise NotAllowed("not in this channel", message_id="error.not_in_channel")

    # ------------------------------------------------------------------------------------------------------------------ clips

    async def jobs(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """What is being made, and what was made last."""
        del i
        found = await clips.jobs(self._engine, words, who.account_id)
        body = plain(self._listed(words.say("jobs.title"), words.say("jobs.none"), found), private=True)
        buttons = [
            self._button(words, "cancel", each.job_id, f"{words.say('action.cancel')}: {each.headline}")
            for each in found
            if each.is_live
        ]
        await answer.show(_with_buttons(body, buttons))

    async def cancel(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Cancel by name."""
        row = await clips.the_clip(self._engine, who, str(i.options.get("clip")))
        job = await self._engine.cancel(row.job.id)
        await answer.say(escape(words.say("cancel.done" if job.state.value == "cancelled" else "cancel.asked")))

    async def resend(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Post a clip once more."""
        await self.check_channel(i)
        row = await clips.the_clip(self._engine, who, str(i.options.get("clip")), only_owner=True)
        await self._orders.resend(i, answer, words, row)

    async def gallery(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Finished clips: the person's, the starred ones, or what was posted publicly in this server."""
        await self._gallery(i, answer, words, who, str(i.options.get("which") or "mine"), None)

    async def more(self, i: Interaction, answer: Answering, words: Words, who: Acting, which: str, before: str) -> None:
        """The next page of a gallery."""
        await self._gallery(i, answer, words, who, which, before)

    async def _gallery(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, which: str, before: str | None
    ) -> None:
        if which == "server":
            if i.chat is None:
                raise NotFound("not in a server", message_id="error.no_server")
            sees = await self._sight.of(i)
            found, after = await self._of_server(i, i.chat, words, before, sees)
            links = [await self._link(each, lambda place: place.shown_in == i.chat and sees(place)) for each in found]
        else:
            which = "favourites" if which == "favourites" else "mine"
            found = await clips.gallery(
                self._engine, words, who.account_id, cast("Literal['mine', 'favourites']", which), before
            )
            links = [await self._link(each, lambda _: True) for each in found]
            after = found[-1].job_id if len(found) == clips.LISTED else None
        text = self._listed(words.say(f"gallery.{which}"), words.say("gallery.none"), found, links)
        buttons = []
        if which != "server":
            buttons = [
                self._button(words, "resend", each.job_id, f"{words.say('action.resend')}: {each.headline}")
                for each in found[: MOST_BUTTONS - 1]
            ]
        if after is not None:
            buttons.append(self._button(words, f"more_{which}", after, words.say("gallery.more")))
        await answer.show(_with_buttons(plain(text, private=True), buttons))

    async def _of_server(
        self, i: Interaction, chat: str, words: Words, before: str | None, sees: Callable[[Place], bool]
    ) -> tuple[list[Listed], str | None]:
        """A page of a server's clips, without those of channels that the person does not see; and where the next page begins."""
        found: list[Listed] = []
        for _ in range(PAGES_LOOKED_AT):
            page = await clips.server_gallery(self._engine, words, chat, before, with_nsfw=i.nsfw)
            for each in page:
                before = each.job_id
                if sees(each.row.job.place):
                    found.append(each)
                if len(found) == clips.LISTED:
                    return found, before
            if len(page) < clips.LISTED:
                return found, None
        return found, before

    async def _link(self, listed: Listed, may_see: Callable[[Place], bool]) -> str | None:
        """Where a clip was posted, of the places that may be told here."""
        for delivery in reversed(await self._engine.parts.store.deliveries_of_job(listed.job_id)):
            receipt = delivery.receipt
            if receipt is None or receipt.place.platform != "discord" or not may_see(receipt.place):
                continue
            if receipt.message.isdecimal():
                guild = receipt.place.details.get("guild") or "@me"
                return f"https://discord.com/channels/{guild}/{receipt.place.chat}/{receipt.message}"
        return None

    # --------------------------------------------------------------------------------------------------------------------- me

    async def quota(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """What is left today and this month."""
        account_id = who.account_id or await self._engine.parts.store.open_account("discord", i.user_id)
        found = await account.me(self._engine, account_id, account_id)
        lines = clips.quota_lines(found, words)
        await answer.say("\n".join([f"**{escape(words.say('quota.title'))}**", *(escape(line) for line in lines)]))

    async def settings(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Show or change the person's defaults."""
        account_id = who.account_id or await self._engine.parts.store.open_account("discord", i.user_id)
        fields = {"notify": "notify", "aspect": "aspect_ratio", "seconds": "duration", "resolution": "resolution"}
        changes: dict[str, Any] = {fields[name]: i.options[name] for name in fields if name in i.options}
        changes |= {
            key: value for key, value in self._choices.read_model(i.options.get("model")).items() if key == "provider"
        }
        if changes:
            await account.change_settings(self._engine, account_id, changes)
        found = (await account.me(self._engine, account_id, account_id))["settings"]
        lines = [f"**{escape(words.say('settings.saved' if changes else 'settings.title'))}**"]
        for name, key in (*fields.items(), ("model", "provider")):
            value = found.get(key)
            lines.append(f"{escape(words.say(f'settings.{name}'))}: {escape(_value(value, words))}")
        await answer.say("\n".join(lines))

    async def privacy(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """What is kept and who gets what."""
        del i, who
        found = account.privacy(self._engine, words, self._retention_days)
        await answer.say(
            "\n\n".join([f"**{escape(found['title'])}**", *(escape(each) for each in found["paragraphs"])])
        )

    async def forget(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Ask once more, then erase."""
        if not await account.is_known(self._engine, "discord", i.user_id, who.account_id):
            await answer.say(escape(words.say("forget.nothing")))
            return
        body = plain(escape(words.say("forget.sure")), private=True)
        yes = self._button(words, "forget_now", "me", words.say("forget.yes"))
        await answer.show(_with_buttons(body, [yes]))

    async def forget_now(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Erase the person."""
        await answer.defer(private=True)
        erased = await account.forget(self._engine, "discord", i.user_id, who.account_id)
        if erased is None:
            await answer.finish(escape(words.say("forget.nothing")))
            return
        await answer.finish(escape(words.say("forget.done", jobs=erased[0], clips=erased[1])))

    # ------------------------------------------------------------------------------------------------------------------- help

    async def help(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Every verb in a line."""
        del i, who
        lines = [f"**{escape(words.say('help.title'))}**", escape(words.say("help.start"))]
        for verb in self._verbs_shown:
            name = words.say(f"verb.{verb.name}.name")  # as Discord shows it to this person
            lines.append(f"`/{name}` {escape(words.say(f'verb.{verb.name}'))}")
        lines.append(escape(account.privacy(self._engine, words, self._retention_days)["first_use"]))
        await answer.say("\n".join(lines))

    async def examples(self, i: Interaction, answer: Answering, words: Words, who: Acting) -> None:
        """Prompts that run at a press, and templates, which are kept and forgotten here. Raises BadOption, Conflict, NotFound."""
        if any(i.options.get(name) for name in ("save", "drop")):
            account_id = who.account_id or await self._engine.parts.store.open_account("discord", i.user_id)
            await answer.say(escape(await templates.changed(self._engine, words, account_id, i.options) or ""))
            return
        texts = [words.say(message_id) for message_id in EXAMPLES]
        lines = [
            f"**{escape(words.say('examples.title'))}**",
            *(f"{n}. {escape(text)}" for n, text in enumerate(texts, 1)),
            escape(await templates.listed(self._engine, words, who.account_id)),
        ]
        buttons = [
            self._button(words, "example", str(n), words.say("examples.run", number=n + 1))
            for n in range(len(EXAMPLES))
        ]
        await answer.show(_with_buttons(plain("\n".join(lines), private=True), buttons))

    # ------------------------------------------------------------------------------------------------------------------ shapes

    def _button(self, words: Words, verb: str, job_id: str, label: str) -> dict[str, Any]:
        del words
        return {"type": BUTTON, "style": SECONDARY, "label": label[:80], "custom_id": self._marks.button(verb, job_id)}

    @staticmethod
    def _listed(title: str, nothing: str, found: Sequence[Listed], links: Sequence[str | None] = ()) -> str:
        if not found:
            return escape(nothing)
        lines = [f"**{escape(title)}**"]
        for number, each in enumerate(found):
            link = links[number] if number < len(links) else None
            name = f"[{escape(each.headline)}]({link})" if link else escape(each.headline)
            lines.append(f"- {name}\n-# {escape(each.state)}")
        return "\n".join(lines)[:LINES_MOST]


def _with_buttons(body: dict[str, Any], buttons: Sequence[dict[str, Any]]) -> dict[str, Any]:
    for start in range(0, min(len(buttons), MOST_ROWS * MOST_BUTTONS), MOST_BUTTONS):
        body["components"].append({"type": ACTION_ROW, "components": list(buttons[start : start + MOST_BUTTONS])})
    return body


def _value(value: Any, words: Words) -> str:
    """A setting's value as a person reads it."""
    if value is None:
        return words.say("settings.unset")
    return words.say("settings.on" if value else "settings.off") if isinstance(value, bool) else str(value)
