"""A chat platform that is as strict as the strictest parts of the real ones, with a journal of everything that happened.

What it insists on: at most 5 edits of one message in 20 seconds; messages to one person only can be edited with a credential that
expires; files of up to 10 MiB; texts of up to 2,000 characters; a send with a nonce that it knows is the message that it has. A message
may become a clip. Scripted: an answer that is lost after the effect, a refusal, silence, a message that somebody else deletes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import web

from tests.lab.server import Simulator, cut

EDITS: Final = 5
PER_SECONDS: Final = 20.0
UPLOAD_BYTES: Final = 10 << 20
TEXT: Final = 2000
CREDENTIAL_SECONDS: Final = 900.0

Fault = Literal["lose answer", "unreachable", "broken", "forbidden", "silence", "too large", "busy"]


class Refused(Exception):
    """The chat says no: ``status`` as in HTTP, with facts."""

    def __init__(self, status: int, **facts: Any) -> None:
        super().__init__(f"{status} {facts}")
        self.status, self.facts = status, facts


class AnswerLost(Exception):
    """It was done, and nobody will hear of it."""


class NotReached(Exception):
    """Nothing was done."""


@dataclass(slots=True)
class Message:
    """One message as the people in the chat see it."""

    id: str
    chat: str
    text: str
    only_owner: bool
    sent_at: float
    credential: str | None
    clip: int | None = None
    """Bytes of the clip that it became or came with."""
    clip_is_original: bool = True
    edits: list[float] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    buttons: tuple[str, ...] = ()
    deleted: bool = False
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal."""

    at: float
    call: str
    chat: str
    message: str | None
    status: int | str
    text: str = ""


class Chat:
    """The rules, apart from any network. ``now`` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.messages: dict[str, Message] = {}
        self.journal: list[Line] = []
        self.updates: list[dict[str, Any]] = []
        self.pictures: dict[str, bytes] = {}
        self.too_large: set[str] = set()
        """Pictures that are told to be larger than may be fetched."""
        self.upload_bytes = UPLOAD_BYTES
        self.credential_seconds = CREDENTIAL_SECONDS
        self.faults: dict[str, deque[Fault]] = {}
        self.deaf = False
        """While true every call hangs."""
        self._ids = itertools.count(100)

    # ----------------------------------------------------------------------------------------------------------- what people do

    def say(self, person: str, prompt: str, *, chat: str = "room", only_owner: bool = False, **fields: Any) -> int:
        """Somebody types a command; returns its update number."""
        picture = fields.pop("picture", None)
        if picture is not None:
            self.pictures[f"p{len(self.pictures)}"] = picture
        update = {
            "update": len(self.updates) + 1,
            "person": person,
            "chat": chat,
            "only_owner": only_owner,
            "fields": {"prompt": prompt, **fields},
            "picture": f"p{len(self.pictures) - 1}" if picture is not None else None,
        }
        self.updates.append(update)
        return len(self.updates)

    def script(self, call: str, *faults: Fault) -> None:
        """What happens to the next calls of this name."""
        self.faults.setdefault(call, deque()).extend(faults)

    def remove(self, message: str) -> None:
        """Somebody deletes a message."""
        self.messages[message].deleted = True

    def shown(self, chat: str = "room") -> list[Message]:
        """The messages that stand in a chat."""
        return [message for message in self.messages.values() if message.chat == chat and not message.deleted]

    def rate_limited(self) -> list[Line]:
        """Calls that came too fast."""
        return [line for line in self.journal if line.status == 429]

    # ------------------------------------------------------------------------------------------------------------ what programs do

    def do(self, call: str, data: dict[str, Any]) -> dict[str, Any]:
        """One call. Raises Refused, AnswerLost or NotReached."""
        faults = self.faults.get(call)
        fault = faults.popleft() if faults else None
        chat, message = str(data.get("chat", "")), data.get("message")
        try:
            if fault == "unreachable":
                raise NotReached
            if fault in {"broken", "forbidden", "too large", "busy"}:
                status = {"broken": 500, "forbidden": 403, "too large": 413, "busy": 429}[fault]
                raise Refused(status, limit=self.upload_bytes // 2, retry_after=1.5)
            answer: dict[str, Any] = getattr(self, f"_{call}")(data)
        except Refused as refusal:
            self._note(call, chat, message, refusal.status, data)
            raise
        except NotReached:
            self._note(call, chat, message, "not reached", data)
            raise
        self._note(call, chat, answer.get("message", message), "lost" if fault == "lose answer" else 200, data)
        if fault == "lose answer":
            raise AnswerLost
        return answer

    def _note(self, call: str, chat: str, message: Any, status: int | str, data: dict[str, Any]) -> None:
        self.journal.append(Line(self.now(), call, chat, message, status, str(data.get("text", ""))))

    def _send(self, data: dict[str, Any]) -> dict[str, Any]:
        self._check(data)
        nonce = data.get("nonce")
        known = next((m for m in self.messages.values() if nonce is not None and m.nonce == nonce), None)
        if known is not None:
            return self._told(known)
        only_owner = bool(data.get("only_owner"))
        number = str(next(self._ids))
        message = Message(
            id=number,
            chat=str(data["chat"]),
            text=str(data["text"]),
            only_owner=only_owner,
            sent_at=self.now(),
            credential=f"credential-{number}" if only_owner else None,
            clip=data.get("bytes"),
            clip_is_original=bool(data.get("original", True)),
            buttons=tuple(data.get("buttons", ())),
            nonce=nonce,
        )
        message.history.append(message.text)
        self.messages[number] = message
        return self._told(message)

    def _told(self, message: Message) -> dict[str, Any]:
        return {
            "message": message.id,
            "credential": message.credential,
            "editable_seconds": self.credential_seconds if message.only_owner else None,
        }

    def _edit(self, data: dict[str, Any]) -> dict[str, Any]:
        self._check(data)
        message = self._known(data)
        if message.only_owner:
            if data.get("credential") != message.credential:
                raise Refused(403)
            if self.now() - message.sent_at >= self.credential_seconds:
                raise Refused(410)
        recent = [at for at in message.edits if at > self.now() - PER_SECONDS]
        if len(recent) >= EDITS:
            raise Refused(429, retry_after=recent[0] + PER_SECONDS - self.now())
        message.edits.append(self.now())
        message.text = str(data["text"])
        message.history.append(message.text)
        message.buttons = tuple(data.get("buttons", ()))
        if "bytes" in data:
            message.clip, message.clip_is_original = data["bytes"], bool(data.get("original", True))
        return self._told(message)

    def _delete(self, data: dict[str, Any]) -> dict[str, Any]:
        self._known(data).deleted = True
        return {}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["picture"] not in self.pictures:
            raise Refused(404)
        if data["picture"] in self.too_large:
            raise Refused(413)
        return {"data": self.pictures[data["picture"]].hex()}

    def _updates(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"updates": self.updates[int(data["after"]) :][:20]}

    def _known(self, data: dict[str, Any]) -> Message:
        message = self.messages.get(str(data["message"]))
        if message is None or message.deleted:
            raise Refused(404)
        return message

    def _check(self, data: dict[str, Any]) -> None:
        if len(str(data.get("text", ""))) > TEXT:
            raise Refused(400)
        if data.get("bytes") is not None and data["bytes"] > self.upload_bytes:
            raise Refused(413, limit=self.upload_bytes)


class ChatServer(Simulator):
    """The same over HTTP: ``POST /{call}`` with JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = Chat()

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/{call}", self._call)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        data = json.loads(await request.read())
        while self.chat.deaf:  # noqa: ASYNC110 - a switch in a test's hand
            await asyncio.sleep(0.05)
        try:
            return web.json_response(self.chat.do(request.match_info["call"], data))
        except Refused as refusal:
            return web.json_response(refusal.facts, status=refusal.status)
        except (AnswerLost, NotReached) as error:
            if isinstance(error, NotReached):
                return web.json_response({"not_reached": True}, status=502)
            cut(request)
            return web.Response()
