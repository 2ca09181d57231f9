"""Replicate's webhooks: whether a message is genuine, and which prediction belongs to which attempt.

Standard Webhooks (replicate.com/docs/topics/webhooks/verify-webhook, 2026): headers ``webhook-id``, ``webhook-timestamp`` and
``webhook-signature`` (``v1,BASE64``, several with blanks between them), HMAC-SHA256 over ``id.timestamp.body`` with what follows
``whsec_`` in the account's secret.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
import json
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from core.errors import ProviderError
from core.ports import Clock
from providers.replicate_line import ReplicateLine

TOLERANCE_SECONDS: Final = 300
PREFIX: Final = "whsec_"
SIGNATURES_MOST: Final = 8
MEMORY: Final = 2000
"""Attempts whose predictions are remembered, the newest ones."""
ASK_AGAIN_SECONDS: Final = 60.0
"""Between two questions for the secret, so that forged messages make no more of them."""


def genuine(secret: str, headers: Mapping[str, str], body: bytes, now_seconds: float) -> bool:
    """Whether the message was signed with ``secret`` less than five minutes from now. Raises nothing; compares in constant time."""
    lower = {name.lower(): value for name, value in headers.items()}
    message, moment = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not message or not is_fresh(headers, now_seconds):
        return False
    key = _decoded(secret.removeprefix(PREFIX))
    if not key:
        return False
    wanted = hmac.new(key, f"{message}.{moment}.".encode("utf-8", "surrogateescape") + body, sha256).digest()
    signatures = lower.get("webhook-signature", "").split()[:SIGNATURES_MOST]
    forms = [form.partition(",") for form in signatures]
    found = [hmac.compare_digest(_decoded(value), wanted) for version, _, value in forms if version == "v1"]
    return any(found)


def is_fresh(headers: Mapping[str, str], now_seconds: float) -> bool:
    """Whether the message says that it was sent less than five minutes from now."""
    moment = {name.lower(): value for name, value in headers.items()}.get("webhook-timestamp", "")
    # isdigit alone lets through digits that int() reads and others that it does not
    return (
        moment.isascii()
        and moment.isdigit()
        and len(moment) < 16
        and abs(now_seconds - int(moment)) <= TOLERANCE_SECONDS
    )


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


class Ear:
    """Hears webhooks: fetches the account's secret when the first one comes, and remembers what the genuine ones say."""

    def __init__(self, line: ReplicateLine, clock: Clock) -> None:
        """``line`` asks for the secret."""
        self._line, self._clock = line, clock
        self._secret: str | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self._predictions: OrderedDict[str, str] = OrderedDict()

    async def hears(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the message is genuine. A signature that fits no longer may mean that the secret is a new one: it is asked for again."""
        now = self._clock.now() / 1000
        if not is_fresh(headers, now):
            return False
        if self._secret is not None and genuine(self._secret, headers, body, now):
            return True
        if not await self._ask_secret():
            return False
        return genuine(self._secret or "", headers, body, now)

    async def _ask_secret(self) -> bool:
        """Fetch the secret unless that was tried a moment ago; false when there is nothing new to compare with."""
        before = self._secret
        async with self._asking:
            if self._secret != before:
                return True
            now = self._clock.monotonic()
            if self._asked_at is not None and now - self._asked_at < ASK_AGAIN_SECONDS:
                return False
            self._asked_at = now
            try:
                answer = await self._line.ask("GET", "/v1/webhooks/default/secret")
            except ProviderError:
                return False
        key = answer.data.get("key")
        if not isinstance(key, str) or key == before:
            return False
        self._secret = key
        return True

    def note(self, attempt_id: str, prediction: str) -> None:
        """The attempt was taken as this prediction."""
        self._predictions[attempt_id] = prediction
        self._predictions.move_to_end(attempt_id)
        while len(self._predictions) > MEMORY:
            self._predictions.popitem(last=False)

    def prediction_of(self, attempt_id: str) -> str | None:
        """The attempt's prediction, if it was heard of."""
        return self._predictions.get(attempt_id)

    def known(self) -> frozenset[str]:
        """The predictions of all attempts that were heard of."""
        return frozenset(self._predictions.values())


def read_message(body: bytes) -> Mapping[str, Any]:
    """The prediction that a message brings; empty when it brings none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
