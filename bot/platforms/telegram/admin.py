"""``/admin``: the operator's verbs, and the few that a group's own administrators may use about their group."""

from __future__ import annotations

from bot.commands.admin import AdminDesk
from bot.engine.engine import Engine
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.members import Members
from bot.platforms.telegram.wire import Said
from bot.platforms.telegram.wishes import Wish
from core.errors import NotAllowed


class AdminVerbs:
    """Translates the subcommands to the operator's desk; every change is audited there."""

    def __init__(self, engine: Engine, desk: AdminDesk, members: Members, making: Making) -> None:
        """``desk``: the same that the socket and the command line use."""
        self._engine, self._desk, self._members, self._making = engine, desk, members, making

    async def do(self, wish: Wish, said: Said) -> None:
        """Carry out ``/admin …``. Raises RequestError kinds."""
        raise NotAllowed("not an operator")

    async def report(self, wish: Wish, said: Said) -> None:
        """Tell the operator about a clip: ``/report`` as its reply. Raises RequestError kinds."""
