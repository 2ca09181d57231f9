"""Interactions by HTTP instead of by gateway: signed POSTs to the program's endpoint (interactions/overview.mdx)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.lab.discord import spec
from tests.lab.discord.interactions import ANSWER_SECONDS, PING, Desk, Interaction
from tests.lab.discord.journal import Journal
from tests.lab.discord.refusal import Refusal
from tests.lab.discord.uploads import Body

Json = dict[str, Any]
CALLBACK: Final = "/interactions/{interaction_id}/{interaction_token}/callback"


class Signer:
    """The application's key pair."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def headers(self, timestamp: str, body: bytes) -> dict[str, str]:
        """``X-Signature-Ed25519`` over the timestamp and the raw body."""
        signature = self._key.sign(timestamp.encode() + body).hex()
        return {
            "X-Signature-Ed25519": signature,
            "X-Signature-Timestamp": timestamp,
            "Content-Type": "application/json",
        }


class Endpoint:
    """Where interactions go when the program has an endpoint."""

    def __init__(self, desk: Desk, journal: Journal, signer: Signer, now: Callable[[], float]) -> None:
        self._desk, self._journal, self._signer, self._now = desk, journal, signer, now
        self.url: str | None = None
        self.copies = 1
        """How often each interaction is sent."""
        self.spoil: Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]] = lambda headers, body: (
            headers,
            body,
        )
        """Tampers with what is sent: (headers, body) → (headers, body)."""

    async def send(self, payload: Json, url: str) -> tuple[int, str, bytes]:
        """POST a signed payload; returns status, content type and body of the answer."""
        body = json.dumps(payload).encode()
        headers, body = self.spoil(self._signer.headers(str(int(self._now())), body), body)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers | {"User-Agent": "Discord-Interactions/1.0"}) as response,
        ):
            return response.status, response.content_type, await response.read()

    async def deliver(self, found: Interaction) -> None:
        """Send an interaction and take the answer that comes with it; 202 says that it comes by the API."""
        assert self.url is not None
        for _ in range(self.copies):
            try:
                status, kind, body = await self.send(found.payload, self.url)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._journal.write("hook", interaction=found.id, status=type(error).__name__)
                continue
            self._journal.write("hook", interaction=found.id, status=status, answer=body.decode(errors="replace"))
            if status == 200 and kind == "application/json":
                self._take(found, body)

    def _take(self, found: Interaction, body: bytes) -> None:
        try:
            data = json.loads(body)
            faults = spec.request_faults("POST", CALLBACK, "application/json", data)
            if faults:
                found.failed = f"The application's answer is wrong: {faults}"
                return
            self._desk.callback(found.id, found.token, Body(data=data), with_response=False)
        except (ValueError, Refusal) as refusal:
            if not (isinstance(refusal, Refusal) and refusal.code == 40060):
                found.failed = f"The application's answer is wrong: {refusal}"

    async def probe(self, url: str, payload: Json) -> list[str]:
        """What Discord does before it takes an endpoint: a PING that must be answered, and one badly signed that must not."""
        complaints = []
        assert payload["type"] == PING
        status, _, body = await self.send(payload, url)
        if status != 200 or json.loads(body or b"null") != {"type": 1}:
            complaints.append(f"PING was answered {status} {body[:80]!r}")
        kept, self.spoil = self.spoil, lambda headers, body: (headers | {"X-Signature-Ed25519": "00" * 64}, body)
        try:
            status, _, body = await self.send(payload, url)
        finally:
            self.spoil = kept
        if status != 401:
            complaints.append(f"a bad signature was answered {status}")
        await asyncio.sleep(0)
        return complaints
