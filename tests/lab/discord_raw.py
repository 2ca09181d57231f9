"""A program that speaks Discord's API with nothing but HTTP: for tests that must say what no library would."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.lab.api import Answer, File, multipart
from tests.lab.discord import Discord, Use
from tests.lab.waiting import until

Json = dict[str, Any]
VIDEO: Json = {
    "name": "video",
    "description": "Make a clip",
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
    "options": [
        {"type": 3, "name": "prompt", "description": "What to make", "max_length": 500},
        {"type": 11, "name": "image", "description": "A picture"},
        {"type": 3, "name": "model", "description": "Which", "autocomplete": True},
        {"type": 4, "name": "seconds", "description": "How long", "choices": [{"name": "4 s", "value": 4}]},
    ],
}
MENUS: list[Json] = [{"name": "Animate this", "type": 3}, {"name": "Animate avatar", "type": 2}]
CLIP = b"\0\0\0\x18ftypmp42" + bytes(2000)


class Bot:
    """Calls by the bot's token and by interactions' tokens."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord

    def call(
        self,
        method: str,
        path: str,
        data: Any = None,
        files: Mapping[int, tuple[str, bytes]] | None = None,
        *,
        token: str | None = "",
        raw: bytes | None = None,
    ) -> Answer:
        """One request. ``token``: another one, or None for none."""
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bot {token or self.discord.token}"
        body = raw
        if files is not None:
            form: dict[str, str | File | bytes] = {"payload_json": json.dumps(data)}
            form |= {
                f"files[{n}]": File(content, name, "application/octet-stream") for n, (name, content) in files.items()
            }
            headers["Content-Type"], body = multipart(form)
        elif data is not None or raw is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(data).encode() if raw is None else raw
        place = urlsplit(self.discord.api_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        try:
            connection.request(method, f"{place.path}{path}", body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def sync(self, *commands: Json) -> Answer:
        """Register commands; by default those of a film-maker."""
        return self.call("PUT", f"/applications/{self.application}/commands", list(commands or (VIDEO, *MENUS)))

    @property
    def application(self) -> str:
        """The application's id."""
        return self.discord.world.application_id

    def answer(self, use: Use, kind: int, data: Any = None, query: str = "", **more: Any) -> Answer:
        """The first answer to an interaction."""
        body = {"type": kind} | ({} if data is None else {"data": data})
        found = use.interaction
        return self.call("POST", f"/interactions/{found.id}/{found.token}/callback{query}", body, token=None, **more)

    def hook(self, use: Use, method: str, rest: str = "", data: Any = None, **more: Any) -> Answer:
        """With the token: ``rest`` such as ``/messages/@original``."""
        return self.call(
            method, f"/webhooks/{self.application}/{use.interaction.token}{rest}", data, token=None, **more
        )

    def edit(self, use: Use, data: Any, **more: Any) -> Answer:
        """Edit the first answer."""
        return self.hook(use, "PATCH", "/messages/@original", data, **more)

    def send(self, channel_id: str, data: Any, **more: Any) -> Answer:
        """A channel message."""
        return self.call("POST", f"/channels/{channel_id}/messages", data, **more)


def code(answer: Answer) -> tuple[int, int]:
    """(status, code) of an error; (status, 0) of what is none."""
    said = answer.json if answer.status >= 400 and answer.body else {}
    return answer.status, int(said.get("code", 0))


def seen(discord: Discord, what: str, count: int = 1) -> Sequence[Json]:
    """Wait until the journal has so many lines of a kind."""
    until(lambda: len(discord.journal.of(what)) >= count, what=what)
    return discord.journal.of(what)


def text(content: str) -> Json:
    """A text display."""
    return {"type": 10, "content": content}


def row(*buttons: Json) -> Json:
    """A row."""
    return {"type": 1, "components": list(buttons)}


def button(custom_id: str | None = "a", **more: Any) -> Json:
    """A button."""
    return {"type": 2, "style": 1, "label": "Press", **({} if custom_id is None else {"custom_id": custom_id}), **more}
