"""A bot without a library: says exactly what it is told to say, also what no library would."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from tests.lab.telegram import Telegram
from tests.lab.telegram.world import Bot

Json = dict[str, Any]
MP4 = b"\0\0\0\x18ftypmp42" + bytes(2000)
EDGE = "lab-edge-7731"
SECONDS = 20.0
CONTENT = {"text", "caption", "photo"}


class RawBot:
    """Parameters go as JSON, or as a form when there are files. Answers are those of the server, errors too."""

    def __init__(self, telegram: Telegram, bot: Bot | None = None) -> None:
        self.telegram, self.bot = telegram, bot or telegram.bot

    def call(self, method: str, files: Mapping[str, tuple[str, bytes]] | None = None, /, **params: Any) -> Json:
        """The whole answer."""
        kind, body = "application/json", json.dumps(params).encode()
        if files:
            kind, body = f"multipart/form-data; boundary={EDGE}", _form(params, files)
        status, answer = self.raw("POST", f"/bot{self.bot.token}/{method}", body, {"Content-Type": kind})
        said: Json = json.loads(answer)
        assert said["ok"] is (status == 200)
        assert said.get("error_code", 200) == status
        return said

    def result(self, method: str, files: Mapping[str, tuple[str, bytes]] | None = None, /, **params: Any) -> Any:
        """What a call that must succeed gives."""
        said = self.call(method, files, **params)
        assert said["ok"], said
        return said["result"]

    def refusal(self, method: str, files: Mapping[str, tuple[str, bytes]] | None = None, /, **params: Any) -> str:
        """The words of a call that must fail."""
        said = self.call(method, files, **params)
        assert not said["ok"], said
        return str(said["description"])

    def updates(self, **params: Any) -> list[Json]:
        """getUpdates, without a wait."""
        found: list[Json] = self.result("getUpdates", **params)
        return found

    def fresh(self) -> list[Json]:
        """The updates since the last look."""
        found = self.updates()
        if found:
            self.updates(offset=found[-1]["update_id"] + 1)
        return found

    def heard(self) -> list[str]:
        """What the messages since the last look said; a dash for a picture without words."""
        messages = [each["message"] for each in self.fresh() if "message" in each]
        return [each.get("text", each.get("caption", "-")) for each in messages if CONTENT & set(each)]

    def raw(
        self, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request: (status, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.telegram.port, timeout=SECONDS)
        try:
            connection.request(verb, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _form(params: Json, files: Mapping[str, tuple[str, bytes]]) -> bytes:
    parts = [_part(f'name="{name}"', _text(value)) for name, value in params.items()]
    parts += [_part(f'name="{name}"; filename="{file}"', data) for name, (file, data) in files.items()]
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


def _part(head: str, data: bytes) -> bytes:
    return f"--{EDGE}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"


def _text(value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def keyboard(*buttons: Json) -> Json:
    """Buttons under a message, one a row."""
    return {"inline_keyboard": [[button] for button in buttons]}


def button(**more: Any) -> Json:
    """One that works, unless ``more`` says otherwise."""
    return {"text": "x"} | (more or {"callback_data": "x"})
