"""The picture of who recurs in a film, attached to the card that waits for its person: sent once, and then left where it is."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from bot.platforms.discord.api import Upload
from bot.platforms.discord.render import PORTRAIT_NAME
from core.errors import NotFound
from core.ports import ClipStore

MOST_BYTES: Final = 8 << 20
"""Below the least that any place takes (10 MiB): a card must not fail for its picture."""
KNOWN: Final = 2000


@dataclass(frozen=True, slots=True)
class Portrait:
    """``files``: what has to be sent so that it is shown; nothing when it stands there already."""

    is_shown: bool = False
    files: tuple[Upload, ...] = ()


NO_PORTRAIT: Final = Portrait()


class Portraits:
    """Knows which message shows which picture; after a restart it is sent once more, with the next storyboard only."""

    def __init__(self, clips: ClipStore) -> None:
        """``clips`` has the pictures."""
        self._clips = clips
        self._shown: OrderedDict[str, str] = OrderedDict()

    @contextlib.asynccontextmanager
    async def of(self, message: str | None, key: str, *, may_send: bool) -> AsyncIterator[Portrait]:
        """The picture ``key`` for a message that stands already, or a new one."""
        if message is not None and self._shown.get(message) == key:
            yield Portrait(is_shown=True)
            return
        size = await self._clips.size(key) if may_send else None
        if size is None or size > MOST_BYTES:
            yield NO_PORTRAIT
            return
        async with contextlib.AsyncExitStack() as stack:
            try:
                path = await stack.enter_async_context(self._clips.checkout(key))
            except NotFound:
                yield NO_PORTRAIT
                return
            yield Portrait(is_shown=True, files=(Upload(path, PORTRAIT_NAME, "image/png", size),))

    def shown(self, message: str, key: str) -> None:
        """The message has it now."""
        self._shown[message] = key
        self._shown.move_to_end(message)
        while len(self._shown) > KNOWN:
            self._shown.popitem(last=False)
