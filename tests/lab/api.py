"""A program that calls Reelay's HTTP API as docs/reference/http.md describes it: no retries, no redirects, no cookies of its own."""

from __future__ import annotations

import http.client
import json
import secrets
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    data: Any
    id: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A file of a multipart form."""

    data: bytes
    name: str = "picture.png"
    mime: str = "image/png"


Field = str | File | bytes


def multipart(fields: Mapping[str, Field | Sequence[File]]) -> tuple[str, bytes]:
    """(Content-Type, body) of a form; several files of one name as a list."""
    boundary = secrets.token_hex(16)
    body = bytearray()
    parts: list[tuple[str, Field]] = []
    for name, value in fields.items():
        parts += [(name, value)] if isinstance(value, Field) else [(name, each) for each in value]
    for name, value in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(value, File):
            body += f'; filename="{value.name}"\r\nContent-Type: {value.mime}'.encode()
        body += b"\r\n\r\n"
        body += value.data if isinstance(value, File) else value if isinstance(value, bytes) else value.encode()
        body += b"\r\n"
    return f"multipart/form-data; boundary={boundary}", bytes(body) + f"--{boundary}--\r\n".encode()


class Api:
    """Calls with what a caller may bring: a token, a cookie, other headers."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        cookie: str | None = None,
        headers: Mapping[str, str] | None = None,
        whence: str | None = None,
    ) -> None:
        """``whence``: the address on this machine that the calls come from, such as 127.0.0.9; each has its own rate limit."""
        self.url, self._whence = url, whence
        self.headers = dict(headers or {})
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        if cookie is not None:
            self.headers["Cookie"] = cookie

    def connect(self, seconds: float = 30.0) -> http.client.HTTPConnection:
        """A bare connection."""
        place = urlsplit(self.url)
        source = None if self._whence is None or sys.platform != "linux" else (self._whence, 0)
        return http.client.HTTPConnection(place.hostname or "", place.port, timeout=seconds, source_address=source)

    def request(
        self,
        method: str,
        path: str,
        *,
        data: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        seconds: float = 30.0,
    ) -> Answer:
        """One call; ``data`` is sent as JSON, ``body`` as it is. A header of None is left out."""
        said: dict[str, str | None] = dict(self.headers)
        if data is not None:
            body = json.dumps(data).encode()
            said["Content-Type"] = "application/json"
        said |= headers or {}
        connection = self.connect(seconds)
        try:
            connection.request(method, path, body, {name: value for name, value in said.items() if value is not None})
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> Answer:
        """POST of JSON."""
        return self.request("POST", path, data={} if data is None and "body" not in options else data, **options)

    # ------------------------------------------------------------------------------------------------------------ the calls

    def generate(self, prompt: str = "a lighthouse at dusk", **fields: Any) -> Answer:
        """Order a clip."""
        return self.post("/api/video_chat/generate", {"prompt": prompt, **fields})

    def ordered(self, prompt: str = "a lighthouse at dusk", **fields: Any) -> str:
        """Order a clip that must be accepted; returns its operation id."""
        answer = self.generate(prompt, **fields)
        assert answer.status == 202, answer.body
        return str(answer["operation_id"])

    def generate_with_image(
        self, picture: bytes | File | Sequence[File] | None, *, last: File | Sequence[File] = (), **fields: str
    ) -> Answer:
        """Order a clip from a picture or several; ``last``: the one with which it ends."""
        form: dict[str, Field | Sequence[File]] = dict(fields)
        if picture is not None:
            form["image_file"] = File(picture) if isinstance(picture, bytes) else picture
        form["last_image_file"] = last
        mime, body = multipart(form)
        return self.request("POST", "/api/video_chat/generate_with_image", body=body, headers={"Content-Type": mime})

    def status(self, operation: str, **options: Any) -> dict[str, Any]:
        """The status object; it must be there."""
        answer = self.post("/api/video_chat/status", {"operation_id": operation}, **options)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def cancel(self, operation: str) -> Answer:
        """Cancel."""
        return self.post("/api/video_chat/cancel", {"operation_id": operation})

    def delete(self, operation: str) -> Answer:
        """Delete."""
        return self.request("DELETE", f"/api/video_chat/operations/{operation}")

    def operations(self, **query: object) -> Any:
        """The history; it must answer."""
        answer = self.get(f"/api/video_chat/operations?{urlencode(query)}")
        assert answer.status == 200, answer.body
        return answer.json

    def me(self) -> Any:
        """About the caller."""
        answer = self.get("/api/me")
        assert answer.status == 200, answer.body
        return answer.json

    def events(self, last_event_id: str | None = None, seconds: float = 20.0) -> Generator[Event, None, None]:
        """The stream of events; ends when the server ends it, raises TimeoutError when it is silent for ``seconds``."""
        connection = self.connect(seconds)
        try:
            extra = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
            connection.request("GET", "/api/events", headers={**self.headers, **extra})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            assert response.headers.get_content_type() == "text/event-stream"
            fields: dict[str, str] = {}
            while line := response.readline():
                text = line.decode().rstrip("\n")
                if text == "" and "data" in fields:
                    yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
                if text == "":
                    fields = {}
                elif not text.startswith(":"):
                    name, _, value = text.partition(": ")
                    fields[name] = value
        finally:
            connection.close()
