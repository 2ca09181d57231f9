"""The way in: who we are, the menus, then updates until cancelled: by our own long poll, or by webhook.

Our own loop instead of the library's: that one tells Telegram to forget updates which are only in memory, and ends without a word at the
first thing that it does not expect (22.8, ``ext/_updater.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from telegram.error import Conflict, InvalidToken, TelegramError

from bot.engine.alerts import Alerts
from bot.platforms.telegram.client import POLL_SECONDS, Client
from bot.platforms.telegram.inbox import Inbox
from bot.platforms.telegram.transport import TooFast
from bot.platforms.telegram.wire import WANTED, Bot
from core.errors import Forbidden, StorageError, Unreachable
from core.ports import Clock

FIRST_POLL_SECONDS: Final = 5
"""How long the first poll waits for updates: one that nobody has ended until then shows that we are the only ones who poll."""
POLL_MARGIN: Final = 25.0
"""Seconds after which a poll that should have ended has been lost on the way."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
DEAF_SECONDS: Final = 90.0
"""So long without an answer, and the platform is not ready."""
TAKEN_SECONDS: Final = 60.0
"""How long another program that polls with our token is left alone. Nobody wins that quarrel: each poll ends the other one."""
TAKEN_TRIES: Final = 3
"""Conflicts in a row that may still be the poll of a process that was killed a moment ago."""
REFUSED_SECONDS: Final = 15 * 60.0
"""How long a token that Telegram does not know is left alone."""
STOP_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 300.0
"""How often it is looked whether the webhook still stands."""
PENDING_MANY: Final = 100
TOKEN_CAUSE, TAKEN_CAUSE, HOOK_CAUSE = "telegram token", "telegram poll", "telegram webhook"

log = logging.getLogger("reelay.telegram")


class Receiving:
    """Raises out of ``run`` what keeps this platform from being ready, with the pause that it should have."""

    def __init__(
        self,
        client: Client,
        inbox: Inbox,
        alerts: Alerts,
        clock: Clock,
        send_menus: Callable[[], Awaitable[object]],
        connected: Callable[[int], None],
        *,
        webhook: tuple[str, str] | None = None,
    ) -> None:
        """``webhook``: its address and secret, where updates come by it. ``connected`` is told whether any come, by 1 or 0."""
        self._client, self._inbox, self._alerts, self._clock = client, inbox, alerts, clock
        self._send_menus, self._connected, self._webhook = send_menus, connected, webhook
        self.is_known = False
        """Whether Telegram takes our token."""

    async def run(self) -> None:
        """Receive until cancelled. Raises Forbidden for a token that is refused, Unreachable while Telegram is not there."""
        try:
            await self._client.initialize_requests()
            self._inbox.bot = await self._who()
            await self._alerts.clear(TOKEN_CAUSE)
            left = await self._inbox.take_leftovers()
            if left:
                log.info("updates from before the restart", extra={"updates": left})
            menus = asyncio.create_task(self._menus(), name="telegram menus")
            try:
                await (self._poll() if self._webhook is None else self._serve(*self._webhook))
            finally:
                menus.cancel()
        except InvalidToken:
            self.is_known = False
            await self._alerts.raise_once(TOKEN_CAUSE, "Telegram refuses the bot: check TELEGRAM_TOKEN")
            log.error("Telegram refuses the bot: check TELEGRAM_TOKEN")
            raise Forbidden("the token is refused", retry_after=REFUSED_SECONDS) from None
        finally:
            self._connected(0)
            await self._inbox.stop(STOP_SECONDS)

    async def _who(self) -> Bot:
        me = await self._ask(self._client.raw("getMe"))
        self.is_known = True
        told = {
            "sees_all": bool(me.get("can_read_all_group_messages")),
            "inline": bool(me.get("supports_inline_queries")),
        }
        log.info("Telegram knows us", extra={"bot": int(me["id"]), **told})
        return Bot(int(me["id"]), str(me["username"]))

    async def _ask(self, call: Awaitable[Any]) -> Any:
        """A call at the start. Raises InvalidToken, and Unreachable for whatever else keeps us from beginning."""
        try:
            return await call
        except InvalidToken:
            raise
        except TelegramError as error:
            wait = error.seconds if isinstance(error, TooFast) else None
            raise Unreachable(type(error).__name__, retry_after=wait) from None

    async def _menus(self) -> None:
        try:
            await self._send_menus()
        except (TelegramError, StorageError) as error:
            log.warning("the menus could not be sent", extra={"error": type(error).__name__})

    # ------------------------------------------------------------------------------------------------------------------ polling

    async def _poll(self) -> None:
        """Each poll confirms what the one before has brought, which is durable by then."""
        await self._drop_webhook()
        offset, pause, conflicts, is_ours = 0, FIRST_PAUSE, 0, False
        heard = self._clock.monotonic()
        while True:  # until cancelled; each round waits for Telegram
            try:
                raws = await self._updates(offset, POLL_SECONDS if is_ours else FIRST_POLL_SECONDS)
                await self._inbox.take(raws)
            except Conflict as error:
                conflicts += 1
                await self._taken(error, conflicts)
                continue
            except InvalidToken:
                raise
            except TooFast as error:
                await self._clock.sleep(min(error.seconds, LONGEST_PAUSE))
                continue
            except (TelegramError, StorageError, TimeoutError, ValueError, KeyError, TypeError) as error:
                # Whatever it is, a loop that ends here without a word would leave a bot that is deaf.
                log.warning("updates could not be fetched", extra={"error": type(error).__name__})
                if self._clock.monotonic() - heard > DEAF_SECONDS:
                    raise Unreachable("no updates for a while", retry_after=LONGEST_PAUSE) from None
                await self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if conflicts or not is_ours:
                await self._alerts.clear(TAKEN_CAUSE)
                await self._alerts.clear(HOOK_CAUSE)
            self._connected(1)
            heard, pause, conflicts, is_ours = self._clock.monotonic(), FIRST_PAUSE, 0, True
            if raws:
                offset = int(raws[-1]["update_id"]) + 1

    async def _updates(self, offset: int, wait: int) -> Sequence[Mapping[str, Any]]:
        params: dict[str, Any] = {"timeout": wait, "allowed_updates": list(WANTED)}
        if offset:
            params["offset"] = offset
        async with asyncio.timeout(wait + POLL_MARGIN):
            found = await self._client.raw("getUpdates", params, seconds=wait + POLL_MARGIN)
        if not isinstance(found, list):
            raise TypeError("no list of updates")
        known = [each for each in found if isinstance(each, Mapping) and isinstance(each.get("update_id"), int)]
        if found and not known:  # nothing of it can be confirmed, so it would come again at once
            raise ValueError("updates without numbers")
        return known

    async def _taken(self, error: Conflict, times: int) -> None:
        """Somebody else receives our updates: another program, or a webhook that somebody has set."""
        if "webhook" in str(error).lower():
            await self._drop_webhook()
            return
        if times < TAKEN_TRIES:
            await self._clock.sleep(FIRST_PAUSE)
            return
        text = "another program receives the updates of this Telegram bot: stop it, or give one of the two a bot of its own"
        await self._alerts.raise_once(TAKEN_CAUSE, text)
        log.error("another program polls with TELEGRAM_TOKEN")
        raise Unreachable("another program polls", retry_after=TAKEN_SECONDS)

    async def _drop_webhook(self) -> None:
        """Nothing is dropped with it: what has come meanwhile is polled."""
        await self._ask(self._client.raw("deleteWebhook", {"drop_pending_updates": False}))

    # ------------------------------------------------------------------------------------------------------------------ webhook

    async def _serve(self, address: str, secret: str) -> None:
        """Tell Telegram where we are, and look from time to time whether it still knows."""
        params = {
            "url": address,
            "secret_token": secret,
            "allowed_updates": list(WANTED),
            "drop_pending_updates": False,
        }
        told = False
        while True:  # until cancelled; each round waits
            known = await self._ask(self._client.raw("getWebhookInfo"))
            if not told or known.get("url") != address:
                await self._ask(self._client.raw("setWebhook", params))
                told = True
                await self._alerts.clear(TAKEN_CAUSE)
                self._connected(1)
            waiting = int(known.get("pending_update_count") or 0)
            if waiting > PENDING_MANY and known.get("last_error_date"):
                await self._alerts.raise_once(
                    HOOK_CAUSE, "Telegram does not reach the webhook: check REELAY_PUBLIC_URL"
                )
            else:
                await self._alerts.clear(HOOK_CAUSE)
            await self._clock.sleep(LOOK_SECONDS)
