"""Webhooks: each update is posted until somebody answers 2xx.

The real server wants https on a public address. So that a program which believes to be at ``https://clips.example`` can be reached,
``proxies`` says where such an address leads to on this machine, as its operator's reverse proxy would.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from tests.lab.journal import Journal
from tests.lab.telegram.refusal import bad, conflict
from tests.lab.telegram.updates import Hook, Pending, Queue

Json = dict[str, Any]
PORTS: Final = {443, 80, 88, 8443}
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
ANSWER_SECONDS: Final = 60.0


class Hooks:
    """All bots' webhooks."""

    def __init__(self, journal: Journal, local: Callable[[], bool]) -> None:
        self.journal, self._local = journal, local
        self.proxies: dict[str, str] = {}
        """Beginning of a public address: where that is on this machine."""
        self.first_retry, self.longest_retry = 0.1, 5.0
        """Seconds; they double."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def set(self, queue: Queue, params: Json) -> None:
        """setWebhook; an empty address takes it away."""
        url = params["url"]
        if url:
            self._check(url, params)
            queue.cut(conflict("terminated by setWebhook request"))
        queue.hook = Hook(
            url,
            params.get("secret_token", ""),
            min(max(params.get("max_connections", 40), 1), 100),
            params.get("ip_address"),
        )
        queue.want(params.get("allowed_updates"))
        if params.get("drop_pending_updates"):
            queue.confirm(lambda each: True)
        self.carry(queue)

    def _check(self, url: str, params: Json) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise bad("bad webhook: URL host is empty")
        if not self._local():
            if parts.scheme != "https":
                raise bad("bad webhook: An HTTPS URL must be provided for webhook")
            if (parts.port or 443) not in PORTS:
                raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
            if parts.hostname in {"127.0.0.1", "localhost", "::1"}:
                raise bad("bad webhook: IP address 127.0.0.1 is reserved")
        secret = params.get("secret_token", "")
        if secret and not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")

    def info(self, queue: Queue) -> Json:
        """getWebhookInfo."""
        hook = queue.hook
        said: Json = {
            "url": hook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(queue.waiting),
            "allowed_updates": sorted(queue.allowed),
        }
        if hook.url:
            said |= {"max_connections": hook.connections, "ip_address": hook.ip_address or "127.0.0.1"}
        if hook.last_error is not None:
            said |= {"last_error_date": hook.last_error[0], "last_error_message": hook.last_error[1]}
        return said

    # --------------------------------------------------------------------------------------------------------------------- delivering

    def carry(self, queue: Queue) -> None:
        """Deliver what waits, as many at once as the webhook allows; called on the loop."""
        if not queue.hook.url:
            return
        queue.drop_old()
        busy = sum(each.taken for each in queue.waiting)
        for pending in queue.waiting[:]:
            if busy >= queue.hook.connections:
                return
            if not pending.taken:
                pending.taken = True
                busy += 1
                task = asyncio.get_running_loop().create_task(self._deliver(queue, queue.hook, pending))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _deliver(self, queue: Queue, hook: Hook, pending: Pending) -> None:
        wait = self.first_retry
        try:
            while queue.hook is hook and pending in queue.waiting:
                complaint = await self._post(hook, pending)
                self.journal.write("hook", bot=queue.name, id=pending.id, complaint=complaint)
                if complaint is None:
                    queue.confirm(lambda each: each is pending)
                    break
                hook.last_error = (int(queue.clock()), complaint)
                await asyncio.sleep(wait)
                wait = min(wait * 2, self.longest_retry)
        finally:
            pending.taken = False
        self.carry(queue)

    async def _post(self, hook: Hook, pending: Pending) -> str | None:
        """None, or what was wrong."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        headers = {HEADER: hook.secret} if hook.secret else {}
        try:
            async with self._session.post(self.near(hook.url), json=pending.update(), headers=headers) as answer:
                await answer.read()
                good = 200 <= answer.status < 300
                return None if good else f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError)
            return "Connection refused" if refused else "Read timeout expired"

    def near(self, url: str) -> str:
        """Where an address leads to on this machine."""
        for far, near in self.proxies.items():
            if url.startswith(far):
                return near + url.removeprefix(far)
        return url

    async def close(self) -> None:
        """End everything that is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None
