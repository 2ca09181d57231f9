"""Answering one interaction: the first answer within three seconds, then whatever follows, through its own token.

None of these calls carries the bot's token, so none of them waits for the bot's rate limit (Discord, "Rate Limits").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bot.platforms.discord.api import DiscordApi, NoAnswer, Refusal
from bot.platforms.discord.identity import Token
from bot.platforms.discord.render import COMPONENTS_V2, EPHEMERAL, plain
from bot.platforms.discord.wire import Interaction

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ANSWER_SECONDS: Final = 10.0
FIRST_PATIENCE: Final = 2.0
"""How long a first answer waits while nothing may go out: after three seconds it is worth nothing."""
KNOWN_OUTCOMES: Final = frozenset({10062, 40060})
"""The interaction is unknown by now, or was answered already: the job goes on and is posted as a message of its own."""

log = logging.getLogger("reelay.discord")


class Answering:
    """What was answered to one interaction so far. No method raises: what cannot be answered is logged and told by its result."""

    def __init__(self, api: DiscordApi, interaction: Interaction, on_first: Callable[[], None] | None = None) -> None:
        """Nothing is answered yet. ``on_first`` is called when Discord has taken the first answer."""
        self._api, self._i, self._on_first = api, interaction, on_first
        self.is_answered = False
        self.is_update = False
        """Whether the answer is a change of the message whose button was pressed, and no message of its own."""
        self.is_private = False
        """Whether only whoever asked sees the answer; Discord may make it so by itself."""
        self.message_id: str | None = None

    @property
    def token(self) -> Token:
        """For later edits."""
        return Token(self._i.application_id, self._i.token)

    async def defer(self, *, private: bool) -> bool:
        """Say that an answer comes; whether Discord took it."""
        return await self._first(DEFERRED, {"flags": EPHEMERAL if private else 0}, private=private)

    async def defer_update(self) -> bool:
        """Take a button press; its message will change by itself."""
        return await self._first(DEFERRED_UPDATE, None, private=False)

    async def show(self, body: Mapping[str, Any], *, private: bool = True) -> bool:
        """Answer with a message, or, where something was answered already, with one more that only the person sees."""
        if self.is_answered:
            return await self._follow(body, private=private)
        flags = int(body.get("flags", 0)) | (EPHEMERAL if private else 0)
        return await self._first(MESSAGE, {**body, "flags": flags}, private=private)

    async def say(self, text: str) -> bool:
        """A short text of ours, to the person alone."""
        return await self.show(plain(text, private=True))

    async def replace(self, body: Mapping[str, Any]) -> bool:
        """Change the message whose button was pressed."""
        return await self._first(UPDATE, _changed(body), private=False)

    async def choose(self, choices: Sequence[tuple[str, str]]) -> bool:
        """Answer an autocompletion with (name, value), 25 at most."""
        rows = [{"name": name[:100] or "–", "value": value[:100]} for name, value in choices[:25]]
        return await self._first(CHOICES, {"choices": rows}, private=False)

    async def ask(self, custom_id: str, title: str, parts: Sequence[Mapping[str, Any]]) -> bool:
        """Open a modal; only ever the first answer."""
        data = {"custom_id": custom_id, "title": title[:45], "components": list(parts)[:5]}
        return await self._first(MODAL, data, private=False)

    async def revise(self, body: Mapping[str, Any]) -> bool:
        """Change the answer, or the message that ``replace`` changed, once more."""
        return await self._call("PATCH", f"{self._hook}/messages/@original", _changed(body)) is not None

    async def finish(self, text: str) -> bool:
        """Replace a deferred answer by a short text."""
        body = plain(text, private=False)
        return await self._call("PATCH", f"{self._hook}/messages/@original", body) is not None

    async def refuse(self, text: str) -> bool:
        """Say no to the person alone, also after a public "thinking": that one is taken away first."""
        if self.is_update:
            return await self.say(text)
        if self.is_answered and not self.is_private:
            await self._call("DELETE", f"{self._hook}/messages/@original", None)
        elif self.is_answered:
            return await self.finish(text)
        return await self.say(text)

    @property
    def _hook(self) -> str:
        return f"/webhooks/{self._i.application_id}/{self._i.token}"

    async def _first(self, kind: int, data: Mapping[str, Any] | None, *, private: bool) -> bool:
        if self.is_answered:
            return False
        self.is_answered, self.is_update = True, kind in (DEFERRED_UPDATE, UPDATE)
        path = f"/interactions/{self._i.id}/{self._i.token}/callback"
        body = {"type": kind} if data is None else {"type": kind, "data": data}
        answer = await self._call("POST", path, body, {"with_response": "true"})
        if answer is None:
            return False
        if self._on_first is not None:
            self._on_first()
        said = answer.get("interaction") or {}
        self.message_id = str(said["response_message_id"]) if said.get("response_message_id") else None
        self.is_private = private or bool(said.get("response_message_ephemeral"))
        return True

    async def _follow(self, body: Mapping[str, Any], *, private: bool) -> bool:
        flags = int(body.get("flags", COMPONENTS_V2)) | (EPHEMERAL if private else 0)
        return await self._call("POST", self._hook, {**body, "flags": flags}) is not None

    async def _call(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        try:
            patience = FIRST_PATIENCE if query is not None else None
            answer = await self._api.call(
                method, path, body, as_bot=False, query=query, seconds=ANSWER_SECONDS, patience=patience
            )
        except Refusal as refusal:
            level = logging.INFO if refusal.code in KNOWN_OUTCOMES else logging.WARNING
            log.log(
                level,
                "an answer was refused",
                extra={"status": refusal.status, "code": refusal.code, "kind": self._i.kind},
            )
            return None
        except NoAnswer as error:
            log.warning("an answer did not go through", extra={"why": str(error), "kind": self._i.kind})
            return None
        return answer if isinstance(answer, dict) else {}


def _changed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body for a message that stands already: who sees it was decided when it came."""
    return {**body, "flags": int(body.get("flags", COMPONENTS_V2)) & ~EPHEMERAL}
