"""The library's ``Bot``, which does not show its token, and does not put it into what it hands out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken
from telegram.request import BaseRequest

from bot.platforms.telegram.transport import POLL_CONNECTIONS, AiohttpRequest, TooFast
from core.errors import Gone

POLL_SECONDS: Final = 50
"""A long poll's own length, the longest that Telegram takes."""


class Client(Bot):
    """A bot over two pools, so that a crowd of calls never keeps the poll for updates waiting, nor it them."""

    def __init__(
        self, token: str, root: str, *, proxy: str | None = None, count: Callable[[str], None] | None = None
    ) -> None:
        """``root``: of the Bot API, without a slash at the end; files come from the same root. Connects to nothing.

        ``count`` is told how each call went: ok, limited, refused or failed.
        """
        calls = AiohttpRequest(proxy=proxy)
        super().__init__(
            token,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=calls,
            get_updates_request=AiohttpRequest(POLL_CONNECTIONS, proxy=proxy),
        )
        self._calls, self._count = calls, count

    @property
    def calls(self) -> AiohttpRequest:
        """The pool of everything but the poll."""
        return self._calls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.token.partition(':')[0]})"

    async def _do_post(self, *args: Any, **kwargs: Any) -> Any:
        """Where every call of the library comes by."""
        outcome = "failed"
        try:
            found = await super()._do_post(*args, **kwargs)
            outcome = "ok"
        except TooFast:
            outcome = "limited"
            raise
        except (BadRequest, Forbidden, InvalidToken, Conflict, ChatMigrated):
            outcome = "refused"
            raise
        finally:
            if self._count is not None:
                self._count(outcome)
        return found

    async def initialize_requests(self) -> None:
        """Open both pools, without asking Telegram anything; more than once is harmless."""
        for request in self._request:
            await request.initialize()

    async def raw(self, method: str, params: dict[str, Any] | None = None, *, seconds: float | None = None) -> Any:
        """Call ``method`` and return what Telegram says, as plain JSON: the library's own objects fail on what they do not expect.

        ``seconds``: how long the answer may take. Raises TelegramError.
        """
        return await self._post(method, params, read_timeout=BaseRequest.DEFAULT_NONE if seconds is None else seconds)

    async def close_requests(self) -> None:
        """Close both pools; calls under way end with an error."""
        for request in self._request:
            await request.shutdown()

    async def path_of(self, file_id: str) -> str:
        """Where a file lies, as Telegram tells it; fit for ``Files``. Raises Gone, and as any call.

        The library's own ``get_file`` makes an address of it, which holds the token and is shown by its ``repr``; and where a file of the
        same name lies in the working folder it would hand out that one (22.8, ``_bot.py`` 4131).
        """
        found: Any = await self._post("getFile", {"file_id": file_id})
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str) or not path:
            raise Gone("a file without a path", message_id="error.picture_gone")
        return path
