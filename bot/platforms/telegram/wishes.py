"""What every verb is given: who wishes something, where, in which words, and by which rows of the inbox it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.commands import clips
from bot.commands.clips import Acting
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.telegram.answering import Answering
from bot.platforms.telegram.members import Members
from bot.platforms.telegram.wire import Person, Spot
from core.errors import NotAllowed
from core.jobs import InboxRow
from storage.views import JobRow


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that somebody wants."""

    person: Person
    spot: Spot | None
    """None where Telegram does not tell: a button under a message that is out of reach."""
    words: Words
    answer: Answering
    rows: Sequence[InboxRow]
    account_id: str | None
    is_operator: bool
    message_id: int | None = None
    """What they wrote; None for a button."""

    @property
    def acting(self) -> Acting:
        """The person as far as clips are concerned; not yet as a moderator."""
        return Acting(self.account_id, frozenset(), self.is_operator)


class Clips:
    """Finds the clip that somebody means, and whether they may."""

    def __init__(self, engine: Engine, members: Members) -> None:
        """Telegram is asked who is an administrator only about other people's clips."""
        self._engine, self._members = engine, members

    async def of(self, wish: Wish, job_id: str, *, only_owner: bool = False) -> JobRow:
        """The job, if they may act on it. Raises NotFound, NotAllowed."""
        try:
            return await clips.the_clip(self._engine, wish.acting, job_id, only_owner=only_owner)
        except NotAllowed:
            chat = None if wish.spot is None else wish.spot.chat
            if only_owner or chat is None or not await self._members.is_administrator(wish.person, wish.spot):
                raise
            return await clips.the_clip(self._engine, Acting(wish.account_id, frozenset({chat})), job_id)
