"""The verbs that only show or set something. What is personal goes to the person alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.commands import account
from bot.commands.marks import Marks
from bot.commands.verbs import Verb
from bot.engine.engine import Engine
from bot.platforms.telegram.admin import AdminVerbs
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.render import titled
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.wire import Person, Pressed, Said, Spot
from bot.platforms.telegram.wishes import Clips, Wish
from core.errors import NotFound
from storage.store import SqliteStore
from storage.views import JobRow


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
        self._verbs_shown, self._retention_days, self._admin = verbs, retention_days, admin
        self._may = may

    def owns(self, verb: str) -> bool:
        """Whether a button of that name is one of these panels'."""
        return False

    async def press(self, wish: Wish, pressed: Pressed, verb: str, subject: str) -> None:
        """Carry out a button of ours. Raises RequestError kinds."""
        raise NotFound("no such button")

    async def replace(self, wish: Wish, pressed: Pressed, html: str) -> None:
        """Put other words in place of the message whose button was pressed."""

    async def send_again(self, wish: Wish, row: JobRow) -> None:
        """Post a clip once more where the person is. Raises RequestError kinds."""

    async def start(self, wish: Wish, said: Said) -> None:
        """Welcome, or what a deep link asks for."""
        await self.help(wish, said)

    async def help(self, wish: Wish, said: Said) -> None:
        """Every verb in a line."""
        words = wish.words
        lines = [words.say("help.start")]
        lines += [f"/{verb.name} {words.say(f'verb.{verb.name}')}" for verb in self._verbs_shown]
        lines.append(account.privacy(self._engine, words, self._retention_days)["first_use"])
        await wish.answer.say(titled(words.say("help.title"), lines))

    async def examples(self, wish: Wish, said: Said) -> None:
        """Prompts that run at a press."""

    async def privacy(self, wish: Wish, said: Said) -> None:
        """What is kept and who gets what."""

    async def jobs(self, wish: Wish, said: Said) -> None:
        """What is being made, and what was made last."""

    async def cancel(self, wish: Wish, said: Said) -> None:
        """Cancel a job."""

    async def resend(self, wish: Wish, said: Said) -> None:
        """Post a clip once more."""

    async def gallery(self, wish: Wish, said: Said) -> None:
        """Finished clips."""

    async def quota(self, wish: Wish, said: Said) -> None:
        """What is left today and this month."""

    async def settings(self, wish: Wish, said: Said) -> None:
        """The person's defaults."""

    async def forget(self, wish: Wish, said: Said) -> None:
        """Ask once more, then erase."""

    async def report(self, wish: Wish, said: Said) -> None:
        """Tell the operator about a clip."""
